# SPDX-License-Identifier: Apache-2.0
"""A sink ten times slower than the source, for minutes: standard output is a pipe whose reader takes
its time. The source waits, memory stays flat, and in the end everything is there, once.
"""

import subprocess
import time

from file_job import check_books
from harness import Streamd
from memory import BASE, MIB, Memory
from scenario import Scenario

PIPELINE = """\
pipeline: job
checkpoint: {{every: 200ms}}
sources:
  requests:
    type: generate
    rate: 1000
    count: {count}
    time: {{field: "@timestamp", format: unix}}
operators:
  per_host:
    type: window
    input: requests
    window: {{tumbling: 10s}}
    by: [host]
    compute: {{requests: count()}}
sinks:
  out: {{type: stdout, input: requests}}
  windows: {{type: file, input: per_host, path: out/windows.ndjson}}
"""


class Piped:
    """A run whose standard output is a pipe; no more of it is read than is asked for."""

    def __init__(self, run):
        self.log = open(run.directory / "piped.err", "w+")
        command = [run.binary, "run", str(run.file), "--state-dir", str(run.state_dir), "--workers", "2"]
        self.child = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *command], cwd=run.directory,
                                      env=run.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=self.log)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.kill()
        self.child.wait()
        self.child.stdout.close()
        self.log.close()

    @property
    def stderr(self):
        self.log.seek(0)
        return self.log.read()


def read_slowly(chaos, piped, size, seconds):
    """Everything that the run prints, evenly over so long; and its memory: (text, after a fifth of
    the time, at the end)."""
    memory, early, text = Memory(chaos), None, bytearray()
    began = time.monotonic()
    while piece := piped.child.stdout.read1(16384):
        text += piece
        memory.look(piped.child.pid)
        if early is None and len(text) > size / 5:
            early = memory.most
        ahead = len(text) / size * seconds - (time.monotonic() - began)
        time.sleep(max(0.0, ahead))
    memory.check(BASE, "a slow sink")
    return bytes(text), early, memory.most


def slow_sink(chaos):
    while chaos.goes_on():
        count, seconds = (30_000, 6) if chaos.small else (1_000_000, max(60, chaos.seconds / 2))
        straight = Streamd(chaos.binary, PIPELINE.format(count=count),
                           chaos.new_folder("fast"), args=["--workers", 2], name="job")
        began = time.monotonic()
        chaos.check(straight.run(timeout=600) == 0, straight.stderr)
        fast = time.monotonic() - began
        expected = straight.stdout.encode()
        run = Streamd(chaos.binary, straight.file.read_text(), chaos.new_folder("slow"), name="job")
        with Piped(run) as piped:
            text, early, late = read_slowly(chaos, piped, len(expected), max(seconds, 10 * fast))
            chaos.check(piped.child.wait(60) == 0, piped.stderr)
            books = check_books(chaos, piped)
        chaos.check(text == expected, f"{len(text)} bytes were printed, not {len(expected)}, or others")
        windows = [(r.directory / "out" / "windows.ndjson").read_bytes().splitlines() for r in (straight, run)]
        chaos.check(sorted(windows[0]) == sorted(windows[1]) and windows[0], "the windows differ")
        chaos.check(books["out"].written == count and not books["out"].left, f"{books['out']}")
        chaos.check(late - early < 32 * MIB, f"memory grew from {early // MIB} to {late // MIB} MiB")
        chaos.count("MiB read slowly", len(text) // MIB)


SCENARIOS = [Scenario("slow_sink", "standard output is read ten times slower than it could be", slow_sink)]
