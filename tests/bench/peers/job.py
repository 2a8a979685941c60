# SPDX-License-Identifier: Apache-2.0
"""What every peer has: a name, a version, and one measured run of the job.

A peer is a module-level object with
    name, version, reads        reads: "file" or "kafka"
    settings                    what was set in its favour, one sentence
    remarks                     what a reader of its figures must know, one sentence
    fetch(directory)            gets its packages, and builds in `directory` what must be built
    run(programs, job)          one run, as a programs.Run
    complete(end, newest)       whether it answers for a window that ends then, given the newest time
"""

from dataclasses import dataclass
from pathlib import Path

from answers import JSON_NAMES
from programs import Run


@dataclass
class Job:
    """Where a run reads and writes. A file's answers: place/goalN.ndjson; Kafka's: topic goalN-GROUP."""

    place: Path
    path: Path
    group: str = ""
    kafka: object = None
    topic: str = ""

    def answers(self):
        """{goal: the lines that the peer wrote}"""
        if self.kafka is not None:
            return {goal: [r.value for r in self.kafka.consume_all(f"{goal}-{self.group}")]
                    for goal in JSON_NAMES}
        return {goal: file.read_text().splitlines() if file.exists() else []
                for goal in JSON_NAMES for file in [self.place / f"{goal}.ndjson"]}


class Peer:
    """A peer whose job is one command."""

    def __init__(self, name, version, reads, settings, remarks):
        self.name, self.version, self.reads = name, version, reads
        self.settings, self.remarks = settings, remarks

    def complete(self, end, newest):
        return True

    def run(self, programs, job):
        cost, out, errors = programs.measured(*self.command(job))
        run = Run(cost["wall"], cost["user"] + cost["sys"], cost["rss_kib"] * 1024)
        if cost["code"] != 0:
            run.problems.append(f"exit code {cost['code']}: {(out + errors)[-1500:].strip()}")
        return run
