# SPDX-License-Identifier: Apache-2.0
"""Outages of a service that a pipeline needs, one after the other, with kills of streamd in between;
what has to go on meanwhile, and how the log has to tell it. away_sink.py and away_list.py say the rest.
"""

import re
import threading
import time

from file_job import check_books
from memory import BASE, Memory


class Feeder(threading.Thread):
    """Appends line(n) at an even pace until it is told to end; `fed` are there."""

    def __init__(self, path, line, rate=200):
        super().__init__(daemon=True)
        self._path, self._line, self._rate = path, line, rate
        self._end, self.fed = threading.Event(), 0
        path.touch()
        self.start()

    def run(self):
        began = time.monotonic()
        with open(self._path, "a") as file:
            while not self._end.wait(0.05):
                until = int((time.monotonic() - began) * self._rate)
                file.writelines(self._line(n) for n in range(self.fed, until))
                file.flush()
                self.fed = until

    def finish(self):
        self._end.set()
        self.join()


class Outages:
    """A round. A subclass has `who` (what the log calls it), meanwhile(), afterwards() and compare().

    far        the service behind its proxy
    run        the pipeline, which follows what the feeder writes
    told_once  streamd is killed after it has told of an outage, not before
    limited    what the log says when the service's own limit is reached. What was sent and not
               answered counts there too, so after an outage that may be so for a moment
    """

    told_once, limited = False, None

    def __init__(self, chaos, far, run, line):
        self.chaos, self.far, self.run = chaos, far, run
        self.memory = Memory(chaos)
        self.feeder = Feeder(run.directory / "in.ndjson", line)

    def meanwhile(self, hurt, fed):
        """Still away: what is not behind it goes on."""

    def afterwards(self, hurt, fed):
        """It is there again: what waited arrives."""

    def compare(self):
        """The run has ended."""

    def notices(self):
        """W for each warning, l where it is of the service's limit, E for each error, h for each
        "healed" about it, of this life."""
        def letter(level, text):
            if text.startswith("healed"):
                return "h"
            return "l" if self.limited and self.limited in text else level if level in "WE" else ""
        return "".join(letter(*found) for found in
                       re.findall(rf" ([A-Z]) {re.escape(self.who)}: (.*)", self.run.stderr))

    def play(self, bounded):
        """bounded: the pipeline that ends."""
        hurts = self.far.hurts(self.chaos.small)
        self.chaos.dice.shuffle(hurts)
        if self.chaos.small:
            # Always these two; of the others some, by the seed.
            hurts.sort(key=lambda hurt: hurt.name not in ("killed", "gone", "frozen"))
            hurts = hurts[:self.far.few]
        for k, hurt in enumerate(hurts):
            self.outage(hurt, killed=k == 0 or self.chaos.dice.random() < 0.5)
        self.feeder.finish()
        self.afterwards(hurts[-1], self.feeder.fed)
        self.end(bounded)

    def outage(self, hurt, killed):
        before, life = self.notices(), self.run.runs
        began = time.monotonic()
        hurt.begin()
        self.chaos.count("outages")
        self.stand(hurt, killed)
        fed = self.feeder.fed
        self.meanwhile(hurt, fed)
        hurt.end()
        self.afterwards(hurt, fed)
        over = ("h",) if hurt.told else ("h", "")
        self.run.wait_until(lambda: self.notices()[-1:] in over, 60, f"it says that it is no longer {hurt.name}")
        told = self.notices() if self.run.runs > life else self.notices()[len(before):]
        # What is only slow may be in time or not, and that again and again; what was frozen, too, as it
        # has to catch up.
        shape = "(lh)*[Wl]h(lh)*" if hurt.told else "([Wl]h)*"
        right = re.fullmatch("([Wl]h)+" if hurt.name == "frozen" else shape, told)
        self.chaos.check(right, f"{hurt.name}: told as {told!r}:\n{self.run.stderr[-3000:]}")
        self.chaos.say(f"{hurt.name}{', streamd killed' if killed else ''}: {time.monotonic() - began:.1f} s")

    def stand(self, hurt, killed):
        """The outage has its time, with a kill of streamd in it or not."""
        chaos = self.chaos
        length = 1 if chaos.small else 60 if hurt.name in ("killed", "frozen") else chaos.dice.uniform(5, 30)
        if killed:
            if hurt.told and self.told_once:
                self.run.wait_until(lambda: self.notices().endswith(("W", "l")), 60, f"it says that it is {hurt.name}")
            self.watch(length * chaos.dice.random())
            chaos.check(self.run.running, f"it ended by itself: {self.run.stderr[-2000:]}")
            self.run.kill9()
            chaos.count("kills of streamd")
            self.run.start()
        if hurt.told:
            self.run.wait_until(lambda: self.notices().endswith(("W", "l")), 60, f"it says that it is {hurt.name}")
        self.watch(length)

    def watch(self, seconds):
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            self.memory.look(self.run.pid)
            time.sleep(0.1)

    def end(self, bounded):
        """Stopped in order, and then once more to the end of what there is."""
        chaos, run = self.chaos, self.run
        chaos.check(run.sigterm() == 0, run.stderr[-2000:])
        check_books(chaos, run)
        run.write(bounded)
        chaos.check(run.run(timeout=180) == 0, run.stderr[-2000:])
        check_books(chaos, run)
        self.memory.check(BASE, "while its service was away")
        self.compare()
