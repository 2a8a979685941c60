# SPDX-License-Identifier: Apache-2.0
"""Storage that fails: the n-th write, sync, open, rename, … of streamd, for every n until a run
gets through without meeting one.

streamd goes on, or ends with exit code 1 and says why; it never crashes. Started again on good
storage, it gives the answers of an undisturbed run: what was committed is used, and nothing twice.
"""

import errno
import re
import shutil
import time

from file_job import FileJob
from scenario import Scenario
from shims import build, preload

ERRORS = {"write": ("ENOSPC", "EIO", "short"), "sync": ("EIO", "ENOSPC"), "open": ("EIO", "ENOSPC"),
          "rename": ("EIO", "ENOSPC"), "cut": ("EIO",), "reserve": ("ENOSPC", "EIO"), "unlink": ("EIO",),
          "mkdir": ("ENOSPC",)}


class Trial:
    """One run whose storage fails, and the run after it."""

    def __init__(self, chaos, job, library, kind, name, first, times):
        self.chaos, self.job, self.kind, self.library = chaos, job, kind, library
        self.what = f"{kind} {first} (x {times}) fails with {name}"
        self.number = 0 if name == "short" else getattr(errno, name)
        self.run = job.new_run("trial")
        self.report = self.run.directory / "faults"
        self.faults(first, times)

    def faults(self, first, times):
        """The next starts have these; first 0: none."""
        preload(self.run, self.library,
                STREAMD_FAULT=f"in={self.run.directory} kind={self.kind} first={first} times={times} "
                              f"error={self.number} report={self.report}")

    def struck(self):
        """What was hit, one line for each."""
        found = self.report.read_text().splitlines() if self.report.exists() else []
        return [line for line in found if line.startswith("struck ")]

    def play(self):
        """Whether anything was hit."""
        code = self.run.run(timeout=120)
        said, hit = self.run.stderr, self.struck()
        what = f"{self.what}: {hit}"
        if code == 0:
            self.job.check(self.run, what)
        else:
            check = self.chaos.check
            check(code == 1, f"{what}: exit code {code}: {said[-3000:]}")
            check(hit, f"{what}: it failed without a fault: {said}")
            check("error: " in said, f"{what}: no message: {said}")
            check("Success" not in said and "errno" not in said, f"{what}: no reason: {said}")
            check("damaged" not in said, f"{what}: it blames the state: {said}")
        self.faults(0, 0)
        noted = epoch(self.run)
        self.chaos.check(self.run.run(timeout=120) == 0, f"{what}\n{said}\nthen, on good storage: {self.run.stderr}")
        # The note is behind when it could not be written.
        restored = re.search(r"restored epoch (\d+)", self.run.stderr)
        self.chaos.check(not noted or restored and int(restored[1]) >= noted,
                         f"{what}\nthe state of epoch {noted} is not used: {self.run.stderr}")
        self.job.compare(self.run, f"{what}, exit code {code}, then restarted\n{said}")
        self.chaos.count(f"{self.kind} faults", len(hit))
        self.chaos.count("runs ended by a fault", int(code != 0))
        shutil.rmtree(self.run.directory)
        return bool(hit)


def epoch(run):
    """The last one that was committed, as the note beside the database says; 0 without."""
    note = run.state_dir / "job" / "EPOCH"
    words = note.read_text().split() if note.exists() else []
    return int(words[0]) if len(words) == 2 and words[0] == words[1] else 0


def count_calls(chaos, job, library):
    """How many calls of each kind one run makes."""
    trial = Trial(chaos, job, library, "write", "EIO", 0, 1)
    chaos.check(trial.run.run(timeout=120) == 0, trial.run.stderr)
    counted = dict.fromkeys(ERRORS, 0)
    for line in trial.report.read_text().splitlines():
        _, kind, count = line.split()
        counted[kind] += int(count)
    chaos.check(all(counted.values()), f"some kinds of calls were not seen: {counted}")
    shutil.rmtree(trial.run.directory)
    return counted


def play_some(chaos, job, library, counted):
    """Two writes and syncs, and one call of each other kind."""
    for kind, names in ERRORS.items():
        for _ in range(2 if kind in ("write", "sync") else 1):
            Trial(chaos, job, library, kind, chaos.dice.choice(names),
                  chaos.dice.randint(1, counted[kind]), chaos.dice.choice((1, 1, 5))).play()


def play_all(chaos, job, library, counted):
    """Every n, or every few, as far as the time goes."""
    ways = [(kind, name) for kind, names in ERRORS.items() for name in names]
    chaos.dice.shuffle(ways)
    began, tried = time.monotonic(), 0
    for k, (kind, name) in enumerate(ways):
        first, struck = 1, True
        while struck:
            struck = Trial(chaos, job, library, kind, name, first, chaos.dice.choice((1, 1, 5))).play()
            tried += 1
            one = (time.monotonic() - began) / tried
            trials = max(1, int(chaos.time_left() / (len(ways) - k) / one))
            left = max(0, counted[kind] - first)
            first += chaos.dice.randint(1, max(1, 2 * left // trials))


def storage(chaos):
    library = build(chaos, "faulty_storage")
    while chaos.goes_on():
        job = FileJob(chaos, 12_000 if chaos.small else 30_000, checkpoint="10ms")
        play = play_some if chaos.small else play_all
        play(chaos, job, library, count_calls(chaos, job, library))


SCENARIOS = [Scenario("storage", "the n-th write, sync, open, rename, … fails, for every n", storage)]
