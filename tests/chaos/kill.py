# SPDX-License-Identifier: Apache-2.0
"""kill -9 of streamd every few seconds while its input grows: a log is tailed, what it got last
may be half a line. In the end the rest is read, and the outputs are those of a run that read
the finished file in peace.
"""

import threading
import time

from file_job import FileJob
from scenario import Scenario


def has_checkpoint(run):
    return any(run.state_dir.rglob("EPOCH"))


class Feeder:
    """Appends each file to its copy in pieces of any length, evenly over some seconds."""

    def __init__(self, pairs, seconds, dice):
        self._files = [(source.read_bytes(), copy) for source, copy in pairs]
        self._seconds, self._dice = seconds, dice
        self._stop = threading.Event()
        for _, copy in self._files:
            copy.write_bytes(b"")
        self._thread = threading.Thread(target=self._feed, daemon=True)
        self._thread.start()

    @property
    def running(self):
        return self._thread.is_alive()

    def finish(self):
        """Append all the rest at once."""
        self._stop.set()
        self._thread.join()

    def _feed(self):
        began = time.monotonic()
        written = [0] * len(self._files)
        while any(done < len(text) for done, (text, _) in zip(written, self._files)):
            over = self._stop.wait(self._dice.uniform(0.001, 0.03))
            part = 1 if over else min(1, (time.monotonic() - began) / self._seconds)
            for k, (text, copy) in enumerate(self._files):
                until = int(len(text) * part)
                with open(copy, "ab") as log:
                    log.write(text[written[k]:until])
                written[k] = until


def play(chaos, files, workers):
    """workers: how many the next start has."""
    records, seconds = (40_000, 4) if chaos.small else (1_000_000, 120)
    pause = (0.05, 0.8) if chaos.small else (1, 5)
    while chaos.goes_on():
        # Alarms depend on the order of two files, and on when a record comes that is late for some
        # of its windows: rounds with alarms have one file and nothing late.
        alarms = files == 1 and chaos.rounds % 2 == 1
        job = FileJob(chaos, records, files, "all" if alarms else "sets",
                      disorder="1900ms" if alarms else "3s")
        run = job.new_run("killed", workers=None)
        copies = [run.directory / log.name for log in job.logs]
        bounded = job.pipeline(copies)
        tailed = bounded.replace("    decode: json", "    decode: json\n    follow: true\n    scan_every: 20ms")
        chaos.check("idle_after" not in tailed and "follow: true" in tailed, "the pipeline is another one")
        run.write(tailed.replace("max_delay: 2s", "max_delay: 2s, idle_after: 1h"))
        feeder = Feeder(zip(job.logs, copies), seconds, chaos.dice)
        while feeder.running:
            run.start("--workers", workers(chaos))
            time.sleep(chaos.dice.uniform(*pause))
            chaos.check(run.running, f"it ended by itself with {run.returncode}: {run.stderr[-2000:]}")
            run.kill9()
            chaos.count("kills")
        feeder.finish()
        # On a slow machine no process may have lived to its first checkpoint.
        if not has_checkpoint(run):
            run.start("--workers", workers(chaos))
            run.wait_until(lambda: has_checkpoint(run), what="a checkpoint")
            run.kill9()
            chaos.count("kills")
        run.write(bounded)
        chaos.check(run.run("--workers", workers(chaos), timeout=300) == 0, run.stderr[-2000:])
        chaos.check("restored epoch" in run.stderr, "the state was not used")
        job.check(run, "after the kills")


def kill(chaos):
    play(chaos, 1, lambda chaos: 1)


def kill_workers(chaos):
    play(chaos, 2, lambda chaos: chaos.dice.randint(1, 3))


SCENARIOS = [
    Scenario("kill", "kill -9 every 1 to 5 s while a growing log is read: the same bytes", kill),
    Scenario("kill_workers", "the same with another number of workers at each start: the same lines",
             kill_workers),
]
