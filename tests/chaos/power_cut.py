# SPDX-License-Identifier: Apache-2.0
"""The power fails: what was never synced is lost.

kill -9 leaves the folders as they were at one instant, with everything that the kernel would still
have written. The notes of unsynced_storage.c say how much of it was durable. From the rest of each
file nothing stays, or its start, or zeros of that length, of a log also all but some pages; of the names that were made, changed or
removed since their folder was synced, only the first few. What streamd has then must be enough.
"""

import re
import shutil
import time
from pathlib import Path

from file_job import FileJob
from scenario import Scenario
from shims import build, preload
from storage import epoch


class Disk:
    """What is durable below a folder, for one start of streamd."""

    def __init__(self, chaos, run, library):
        self.dice, self.folder = chaos.dice, run.directory
        self.notes, self.attic = run.directory.parent / "notes", run.directory.parent / "attic"
        if self.notes.exists():
            self.notes.rename(self.notes.with_name("notes-before"))
        shutil.rmtree(self.attic, ignore_errors=True)
        self.attic.mkdir()
        self.durable = {f.stat().st_ino: f.stat().st_size for f in self._files()}
        preload(run, library,
                STREAMD_SYNCS=f"in={run.directory} notes={self.notes} attic={self.attic}")

    def wait_for_notes(self, run, count):
        """Until so many were made, or the run has ended."""
        ends = time.monotonic() + 60
        while run.running and time.monotonic() < ends:
            if self.notes.exists() and self.notes.read_bytes().count(b"\n") >= count:
                return
            time.sleep(0.0005)

    def _files(self):
        return [f for f in self.folder.rglob("*") if f.is_file()]

    def lose(self):
        """Make the folder what it is after a power cut. Returns (bytes, names) that were lost."""
        changes, synced = [], {}
        notes = self.notes.read_text().splitlines() if self.notes.exists() else []
        for kind, *words in (line.split("\t") for line in notes):
            if kind == "S":
                self.durable[int(words[0])] = int(words[1])
            elif kind == "T":
                inode, length = map(int, words)
                self.durable[inode] = min(self.durable.get(inode, length), length)
            elif kind == "D":
                synced[words[0]] = int(words[1])
            else:
                changes.append((int(words[0]), kind, *words[1:]))
        undone = self._undo(changes, synced)
        return sum(map(self._lose_end, self._files())), undone

    def _undo(self, changes, synced):
        waiting = {}
        for change in changes:
            home = str(Path(change[3] if change[1] == "R" else change[2]).parent)
            if change[0] > synced.get(home, 0):
                waiting.setdefault(home, []).append(change)
        lost = [change for found in waiting.values()
                for change in found[self.dice.randint(0, len(found)):]]
        for number, kind, path, *more in sorted(lost, reverse=True):
            path = Path(path)
            if kind == "C" and path.is_dir():
                shutil.rmtree(path)
            elif kind == "C":
                path.unlink(missing_ok=True)
            elif kind == "U":
                self._bring_back(path, more[0])
            elif not path.exists():  # Else the process was killed before it happened.
                to, old = Path(more[0]), more[1]
                if to.exists():
                    to.rename(path)
                if old != "-":
                    self._bring_back(to, old)
        return len(lost)

    def _bring_back(self, path, old):
        if path.parent.is_dir():
            (self.attic / old).rename(path)

    def _lose_end(self, file):
        about = file.stat()
        durable = self.durable.get(about.st_ino, about.st_size)
        waiting = about.st_size - durable
        if waiting <= 0:
            return 0
        fate = self.dice.choice(("nothing", "part", "zeros", "pages"))
        if fate == "pages" and file.suffix == ".log":
            return self._lose_pages(file, durable, about.st_size)
        kept = durable + (self.dice.randrange(waiting + 1) if fate == "part" else 0)
        with open(file, "r+b") as text:
            text.truncate(kept)
            if fate == "zeros":
                text.truncate(about.st_size)
        return about.st_size - kept

    def _lose_pages(self, file, durable, size):
        lost = 0
        with open(file, "r+b") as text:
            for at in range(durable - durable % 4096, size, 4096):
                if self.dice.random() < 0.5:
                    start, end = max(at, durable), min(at + 4096, size)
                    text.seek(start)
                    text.write(bytes(end - start))
                    lost += end - start
        return lost


def power_cut(chaos):
    library = build(chaos, "unsynced_storage")
    cuts = 12 if chaos.small else 40
    while chaos.goes_on():
        job = FileJob(chaos, 60_000 if chaos.small else 400_000, checkpoint="10ms")
        run = job.new_run("cut")
        committed = 0
        for _ in range(cuts):
            disk = Disk(chaos, run, library)
            run.start()
            # Many of them soon after the start, where everything is new.
            disk.wait_for_notes(run, int(10 ** chaos.dice.uniform(0, 3.5)))
            chaos.check(run.returncode in (None, 0), f"it ended with {run.returncode}: {run.stderr[-2000:]}")
            run.kill9()
            check_restored(chaos, run, committed)
            committed = epoch(run)
            size, names = disk.lose()
            chaos.check(not committed or (run.state_dir / "job" / "db").is_dir(),
                        f"the state of epoch {committed} is gone")
            chaos.count("cuts")
            chaos.count("bytes lost", size)
            chaos.count("names lost", names)
        chaos.check(run.run(timeout=300) == 0, run.stderr[-2000:])
        chaos.check(check_restored(chaos, run, committed) or not committed, f"a fresh start: {run.stderr}")
        job.check(run, "after the power cuts")


def check_restored(chaos, run, committed):
    """Whether it said from where it goes on; no epoch that was committed may be lost."""
    found = re.search(r"restored epoch (\d+)", run.stderr)
    if found:
        chaos.count("restarts from a checkpoint")
        chaos.check(int(found[1]) >= committed, f"epoch {committed} is lost: {run.stderr}")
    return bool(found)


SCENARIOS = [Scenario("power_cut", "power cuts: what was never synced is lost, then it goes on", power_cut)]
