# SPDX-License-Identifier: Apache-2.0
"""The system clock jumps by an hour while streamd runs. Event time comes from the records and time
that passes from another clock: the answers are the same, and checkpoints go on.
"""

import struct
import time

from file_job import check_books
from harness import Streamd
from live import Live, keep_sending
from scenario import Scenario
from shims import build, preload
from storage import epoch

HOUR, DAY = 3600, 86400
MADE_UP = """\
pipeline: job
checkpoint: {{every: 50ms}}
sources:
  requests:
    type: generate
    rate: 1000
    count: {count}
    speed: {speed}
    disorder: 3s
    time: {{field: "@timestamp", format: unix, max_delay: 2s}}
operators:
  per_client:
    type: window
    input: requests
    window: {{sliding: 5s, every: 1s}}
    by: [client_ip]
    compute: {{requests: count()}}
sinks:
  out: {{type: file, input: per_client, path: out/per_client.ndjson}}
  raw: {{type: file, input: requests, path: out/raw.ndjson}}
"""


class Clock:
    """The system clock as a run sees it."""

    def __init__(self, chaos, run):
        self.chaos, self.run = chaos, run
        self.file = run.directory / "clock"
        self.jump_to(0)
        preload(run, build(chaos, "shifted_clock"), STREAMD_CLOCK=self.file)

    def jump_to(self, seconds):
        mode = "r+b" if self.file.exists() else "wb"
        with open(self.file, mode) as file:
            file.write(struct.pack("q", seconds * 1_000_000))

    def jump(self):
        self.jump_to(self.chaos.dice.choice((-HOUR, 0, HOUR)))
        self.chaos.count("jumps")

    def jump_and_see_checkpoints(self):
        before = epoch(self.run)
        self.jump()
        self.run.wait_until(lambda: epoch(self.run) > before or not self.run.running, 20,
                            "a checkpoint after a jump of the clock")


def jumps_while_tailing(chaos):
    live = Live(chaos, "jumps", "400ms")
    clock = Clock(chaos, live.run)
    live.run.start()
    for _ in range(6 if chaos.small else 60):
        keep_sending(live, ("one", "two"), 0.4)
        clock.jump_and_see_checkpoints()
    live.wait_for("one", "the last windows close")
    live.wait_for("two", "the last windows close")
    live.check("one", "the clock jumps")
    live.check("two", "the clock jumps")
    books = live.stop()
    for node, reason in (("requests", "times clamped"), ("per_second", "late")):
        chaos.check(reason not in books[node].left, f"{node}: {books[node].left}")


def jumps_while_making_up(chaos):
    seconds = 3 if chaos.small else 30
    straight = Streamd(chaos.binary, MADE_UP.format(count=seconds * 1000, speed=0),
                       chaos.new_folder("made-up"), name="job")
    chaos.check(straight.run() == 0, straight.stderr)
    run = Streamd(chaos.binary, MADE_UP.format(count=seconds * 1000, speed=1),
                  chaos.new_folder("made-up-jumps"), name="job")
    clock = Clock(chaos, run)
    began = time.monotonic()
    run.start()
    run.wait_until(lambda: epoch(run) > 0, 30, "the first checkpoint")
    while run.running and time.monotonic() < began + seconds - 1:
        clock.jump_and_see_checkpoints()
    chaos.check(run.wait(seconds + 30) == 0, run.stderr)
    check_books(chaos, run)
    for name in ("per_client", "raw"):
        found, expected = (sorted((r.directory / "out" / f"{name}.ndjson").read_bytes().splitlines())
                           for r in (run, straight))
        chaos.check(found == expected and found, f"{name}: the clock jumped, and the answers are others")


def clock_jumps(chaos):
    while chaos.goes_on():
        check_shim(chaos)
        jumps_while_tailing(chaos)
        jumps_while_making_up(chaos)


def check_shim(chaos):
    """streamd believes the clock that it is shown: its log lines say so."""
    run = Streamd(chaos.binary, MADE_UP.format(count=10, speed=0), chaos.new_folder("shim"), name="job")
    chaos.check(run.run() == 0, run.stderr)
    Clock(chaos, run).jump_to(-10 * 365 * DAY)
    chaos.check(run.run() == 0, run.stderr)
    year = time.gmtime().tm_year - 10
    chaos.check(run.stderr.startswith(f"{year}-"), f"the clock is not shifted: {run.stderr}")


SCENARIOS = [
    Scenario("clock_jumps", "the system clock jumps by an hour, to and fro: the same answers", clock_jumps),
]
