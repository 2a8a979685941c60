# SPDX-License-Identifier: Apache-2.0
"""Wrong clocks: the system clock jumps by an hour while streamd runs; the clock of one producer is
a day ahead or a day behind; a producer falls silent. The answers are those that the times in the
records ask for, and what could not be used is counted.
"""

import json
import struct
import time
from collections import Counter

from books import rows, whole_rows
from file_job import check_books
from harness import Streamd
from scenario import Scenario
from shims import build, preload
from storage import epoch

HOUR, DAY = 3600, 86400
LIVE = """\
pipeline: job
checkpoint: {{every: 50ms}}
sources:
  requests:
    type: file
    path: [one.ndjson, two.ndjson]
    follow: true
    scan_every: 20ms
    time: {{field: time, format: unix, max_delay: 100ms, idle_after: {idle_after}}}
operators:
  per_second:
    type: window
    input: requests
    window: {{tumbling: 1s}}
    by: [client]
    compute: {{requests: count()}}
sinks:
  out: {{type: file, input: per_second, path: out/per_second.ndjson, time_format: unix}}
  raw: {{type: file, input: requests, path: out/raw.ndjson}}
"""
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


class Live:
    """Two producers, each with its log, which one run tails; and what it must answer."""

    def __init__(self, chaos, name, idle_after):
        folder = chaos.new_folder(name)
        for log in ("one", "two"):
            (folder / f"{log}.ndjson").touch()
        self.chaos = chaos
        self.run = Streamd(chaos.binary, LIVE.format(idle_after=idle_after), folder,
                           args=["--workers", chaos.dice.randint(1, 2)], name="job")
        self.out = folder / "out" / "per_second.ndjson"
        self.expected, self.sent = Counter(), Counter()

    def send(self, log, at, count=5):
        """Records of this moment, of three clients."""
        with open(self.run.directory / f"{log}.ndjson", "a") as file:
            for k in range(count):
                client = f"{log}-{self.chaos.dice.randrange(3)}"
                file.write(json.dumps({"client": client, "time": f"{at + k * 1e-6:.6f}"}) + "\n")
                self.expected[client, int(at + k * 1e-6) + 1] += 1
        self.sent[log] += count

    def found(self, log):
        return {(row["client"], round(float(row["window_end"]))): row["requests"]
                for row in whole_rows(self.out) if row["client"].startswith(log)}

    def asked(self, log, until=float("inf")):
        return {key: count for key, count in self.expected.items()
                if key[0].startswith(log) and key[1] <= until}

    def wait_for(self, log, what, timeout=30, until=float("inf")):
        self.run.wait_until(lambda: len(self.found(log)) >= len(self.asked(log, until)), timeout, what)

    def check(self, log, what):
        found, asked = self.found(log), self.asked(log)
        wrong = {k: (found.get(k), asked.get(k)) for k in {*found, *asked} if found.get(k) != asked.get(k)}
        self.chaos.check(not wrong, f"{what}: (found, expected) {dict(sorted(wrong.items())[:6])}")

    def stop(self):
        raw = self.out.with_name("raw.ndjson")
        self.run.wait_until(lambda: raw.read_bytes().count(b"\n") == sum(self.sent.values()), 30,
                            "everything is read")
        self.chaos.check(self.run.sigterm() == 0, self.run.stderr)
        books = check_books(self.chaos, self.run)
        # Each row once.
        keys = [(row["client"], row["window_end"]) for row in rows(self.out)]
        self.chaos.check(len(keys) == len(set(keys)), "a window was given twice")
        return books


def keep_sending(live, logs, seconds, shift=0.0, each=lambda: None):
    """The logs get records of now, for so long."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        for log in logs:
            live.send(log, time.time() + (shift if log == "two" else 0))
        each()
        time.sleep(0.02)


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
    # The time of a log line says by which clock it was written: else no jump has reached it.
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


def ahead(chaos):
    live = Live(chaos, "ahead", "10s")
    live.run.start()
    keep_sending(live, ("one", "two"), 2 if chaos.small else 20, DAY)
    last = time.time()
    live.send("one", last + 3)
    live.wait_for("one", "the windows of the right clock close", until=int(last) + 1)
    # What the last record has opened stays open.
    live.expected = Counter({k: n for k, n in live.expected.items() if k[1] <= int(last) + 1})
    live.check("one", "another producer is a day ahead")
    chaos.check(not live.found("two"), f"a window in the future has closed: {live.found('two')}")
    books = live.stop()
    chaos.check(books["requests"].left == {"times clamped": live.sent["two"]}, f"{books['requests'].left}")
    chaos.check(not books["per_second"].left, f"{books['per_second'].left}")


def behind(chaos):
    live = Live(chaos, "behind", "700ms")
    live.run.start()
    keep_sending(live, ("one", "two"), 2 if chaos.small else 20, -DAY)
    # As long as the slow one speaks, it holds the windows of all. It falls silent.
    held = live.found("one")
    keep_sending(live, ("one",), 2.5)
    live.wait_for("one", "a silent producer no longer holds windows", until=int(time.time()) - 2)
    chaos.check(not held, f"windows closed before the slow producer's time: {held}")
    # Its day-old windows are over; what still comes for them is late, and counted.
    keep_sending(live, ("one",), 0.3)
    live.wait_for("one", "the last windows close")
    live.check("one", "another producer is a day behind")
    live.check("two", "a producer that is a day behind")
    seen = sum(live.found("two").values())
    live.send("two", time.time() - DAY)
    books = live.stop()
    chaos.check(not books["requests"].left, f"{books['requests'].left}")
    window = books["per_second"]
    chaos.check(window.left == {"late": 5}, f"late: {window}")
    chaos.check(window.read == sum(live.found("one").values()) + seen + 5, f"{window}")


def producer_clocks(chaos):
    while chaos.goes_on():
        ahead(chaos)
        behind(chaos)
        chaos.count("producers a day ahead")
        chaos.count("producers a day behind")


SCENARIOS = [
    Scenario("clock_jumps", "the system clock jumps by an hour, to and fro: the same answers", clock_jumps),
    Scenario("producer_clocks", "one producer a day ahead, one a day behind, one falls silent",
             producer_clocks),
]
