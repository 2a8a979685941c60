# SPDX-License-Identifier: Apache-2.0
"""A damaged state directory: one flipped byte anywhere, and the torn end of a log.

The start is refused with a message that says what to do, or the answers are exactly right. The
dead letters in the directory are outputs and are left alone, as are RocksDB's notes for people.
"""

import shutil

from file_job import FileJob
from harness import wait_until
from scenario import Scenario
from storage import epoch


class HalfWay:
    """A killed run, to be copied and damaged. young: it has committed nothing yet."""

    def __init__(self, chaos, job, young):
        self.chaos, self.job = chaos, job
        pipeline = job.pipeline()
        if young:
            pipeline = pipeline.replace("checkpoint: {every: 10ms}", "checkpoint: {every: 1h}")
        self.run = job.new_run("young" if young else "half", pipeline)
        # Several starts leave table files besides the log of writes.
        for _ in range(1 if young else 3):
            before = epoch(self.run)
            self.run.start()
            if young:
                raw = self.run.directory / "out" / "raw.ndjson.000001"
                wait_until(lambda: raw.exists() or not self.run.running, 60, "output", 0.0005)
            else:
                wait_until(lambda e=before: epoch(self.run) > e or not self.run.running, 60, "an epoch", 0.0005)
            self.run.kill9()
        # State and outputs know each other by their paths: the copies take its place.
        self.place = self.run.directory
        self.original = self.place.rename(self.place.with_name(self.place.name + "-original"))

    def files(self):
        """What is damaged, relative to the folder of the run."""
        state = self.original / self.run.state_dir.relative_to(self.place) / "job"
        return [f.relative_to(self.original) for f in sorted(state.rglob("*"))
                if f.is_file() and f.stat().st_size and f.parent.name != "dead_letters"
                and not f.name.startswith("LOG")]

    def fresh_copy(self):
        shutil.rmtree(self.place, ignore_errors=True)
        shutil.copytree(self.original, self.place, ignore=shutil.ignore_patterns("CONTROL"))  # a socket
        self.run.write(self.job.pipeline())

    def outcome(self, what):
        """Whether the damaged copy was refused; wrong answers fail the scenario."""
        code = self.run.run(timeout=120)
        said, check = self.run.stderr, self.chaos.check
        if code == 0:
            self.job.compare(self.run, f"{what}, and it ran\n{said}")
            self.chaos.count("harmless")
            return False
        check(code == 1, f"{what}: exit code {code}: {said[-3000:]}")
        check("error: " in said and "= help: " in said, f"{what}: it does not say what to do: {said}")
        check("state" in said, f"{what}: it does not say what is damaged: {said}")
        self.chaos.count("refused")
        return True


def play_flips(chaos, half, files):
    refused = 0
    for file in files:
        half.fresh_copy()
        text = bytearray((half.place / file).read_bytes())
        at = chaos.dice.randrange(len(text))
        flip = chaos.dice.choice((1 << chaos.dice.randrange(8), chaos.dice.randrange(1, 256)))
        text[at] ^= flip
        (half.place / file).write_bytes(text)
        refused += half.outcome(f"{file}: byte {at} of {len(text)} ^ {flip}")
        chaos.count("flips")
    return refused


def flip(chaos):
    while chaos.goes_on():
        job = FileJob(chaos, 12_000 if chaos.small else 50_000, checkpoint="10ms")
        half = HalfWay(chaos, job, young=False)
        more = chaos.dice.choices(half.files(), k=2 if chaos.small else 100)
        refused = play_flips(chaos, half, [*half.files(), *more])
        chaos.check(refused > 0, "no flipped byte was ever noticed")
        young = HalfWay(chaos, job, young=True)
        play_flips(chaos, young, chaos.dice.choices(young.files(), k=4 if chaos.small else 100))


def torn(chaos):
    while chaos.goes_on():
        job = FileJob(chaos, 12_000 if chaos.small else 50_000, checkpoint="10ms")
        half = HalfWay(chaos, job, young=False)
        half.fresh_copy()
        committed = epoch(half.run)
        for _ in range(10 if chaos.small else 100):
            half.fresh_copy()
            log = half.place / chaos.dice.choice([f for f in half.files() if f.suffix == ".log"
                                                  or f.name.startswith("MANIFEST")])
            size = log.stat().st_size
            lost = int(size ** chaos.dice.random())
            with open(log, "r+b") as file:
                file.truncate(size - lost)
            note = half.run.state_dir / "job" / "EPOCH"
            # After a power cut it is behind, or was never written.
            fate = chaos.dice.choice(("as it was", "behind", "gone"))
            if fate == "gone":
                note.unlink()
            elif fate == "behind":
                note.write_text("{0:016} {0:016}\n".format(chaos.dice.randint(0, committed)))
            half.outcome(f"{log.name} without its last {lost} of {size} bytes, epoch note {fate}")
            chaos.count("cuts")


SCENARIOS = [
    Scenario("flip", "a flipped byte anywhere in the state: noticed, or the answers are right", flip),
    Scenario("torn", "the last bytes of RocksDB's log or manifest are missing: the same", torn),
]
