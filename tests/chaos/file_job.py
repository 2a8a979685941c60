# SPDX-License-Identifier: Apache-2.0
"""The nginx job from file to file, which the scenarios injure: its input, what it answers when
nothing disturbs it, and the comparison.
"""

import re

from books import books_of, outputs, sorted_outputs, unbalanced
from harness import Streamd
from nginx_job import generate, job

# A partition of the file source: where the file was, its inode and when it was made, which each run
# has its own of.
PLACE = re.compile(rb'("partition":")[^"]*/([^/"#]+)#[0-9a-f]+-[0-9a-f]+')

RUBBISH = b'{"@timestamp": broken\n'


class FileJob:
    """Made-up requests with a broken line here and there, and the undisturbed run on them.

    files      how many input files; with more than one, or several workers, the order of the
               output lines is free
    windows    what nginx_job.job() takes
    disorder   how much earlier a record's time may be; more than 2s: some are late
    """

    def __init__(self, chaos, records, files=1, windows="all", checkpoint="20ms", timeout=300,
                 disorder="3s"):
        self.chaos = chaos
        self.in_order = files == 1
        folder = chaos.new_folder("straight")
        self.logs = [folder / f"requests-{k}.ndjson" for k in range(files)]
        for log in self.logs:
            # Two minutes of events at least: the rarest answer comes every 90 s.
            generate(chaos.binary, log, records // files, seed=chaos.dice.randrange(10**6),
                     rate=min(1000, max(100, records // files // 300)), clients=1000,
                     disorder=disorder)
            self._spoil(log)
        self._make = lambda paths: shrink(job(paths, windows, checkpoint), records)
        straight = Streamd(chaos.binary, self.pipeline(), folder, args=["--workers", "1"], name="job")
        chaos.check(straight.run(timeout=timeout) == 0, f"undisturbed: {straight.stderr}")
        self.expected = self.answers(straight)
        # Every output has something in it, so that each can be wrong.
        chaos.check(all(any(text) for text in self.expected.values()), "an output is empty")
        check_books(chaos, straight)

    def _spoil(self, log):
        lines = log.read_bytes().splitlines(keepends=True)
        for _ in range(20):
            lines.insert(self.chaos.dice.randrange(len(lines)), RUBBISH)
        log.write_bytes(b"".join(lines))

    def pipeline(self, paths=None):
        return self._make(paths or self.logs)

    def new_run(self, name, pipeline=None, workers=1):
        args = ["--workers", str(workers)] if workers else []
        return Streamd(self.chaos.binary, pipeline or self.pipeline(), self.chaos.new_folder(name),
                       args=args, name="job")

    def answers(self, run):
        """Contents of the outputs and the dead letters; lines in order where that is free."""
        read = outputs if self.in_order else sorted_outputs
        found = read(run.directory / "out")
        letters = run.state_dir / "job" / "dead_letters"
        found.update({f"dead letters: {name}": bare(text) for name, text in read(letters).items()})
        if not self.in_order:
            # Each rotated file has a header, and where they are cut depends on the order.
            found = {name: [line for line in text if not line.startswith(b"client_ip,")]
                     for name, text in found.items()}
        return found

    def check(self, run, what):
        """The run has ended well, its books balance, and its answers are the expected ones."""
        self.chaos.check(run.returncode == 0, f"{what}: exit code {run.returncode}: {run.stderr[-2000:]}")
        check_books(self.chaos, run)
        self.compare(run, what)

    def compare(self, run, what):
        found = self.answers(run)
        self.chaos.check(found.keys() == self.expected.keys(), f"{what}: outputs {sorted(found)}, "
                         f"not {sorted(self.expected)}")
        for name, expected in self.expected.items():
            if found[name] != expected:
                raise_difference(self.chaos, f"{what}: {name}", found[name], expected)


def bare(text):
    if isinstance(text, list):
        return sorted(map(bare, text))
    return PLACE.sub(rb"\1\2#", text)


def shrink(text, records):
    """Files are rotated a few times, however little there is."""
    if records < 100_000:
        text = text.replace("size: 4MiB", "size: 512KiB").replace("size: 128KiB", "size: 16KiB")
    return text


def raise_difference(chaos, what, found, expected):
    ours, theirs = (text.splitlines() if isinstance(text, bytes) else text for text in (found, expected))
    at = next((k for k, (a, b) in enumerate(zip(ours, theirs)) if a != b), min(len(ours), len(theirs)))
    first, wanted = (str(text[at][:300]) if at < len(text) else "nothing" for text in (ours, theirs))
    chaos.check(False, f"{what}: {len(ours)} lines, not {len(theirs)}; they differ from line {at + 1} on:\n"
                f"  found    {first}\n  expected {wanted}")


def check_books(chaos, run):
    books = books_of(run)
    wrong = unbalanced(books)
    chaos.check(not wrong, f"the books do not balance: {wrong}")
    return books
