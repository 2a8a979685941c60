# SPDX-License-Identifier: Apache-2.0
"""Two producers that write logs as time goes by, the run that tails them, and what it must answer."""

import json
import time
from collections import Counter

from books import rows, whole_rows
from file_job import check_books
from harness import Streamd

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

    def wait_for(self, log, what, timeout=30, until=float("inf"), each=lambda: None):
        def there():
            each()
            return len(self.found(log)) >= len(self.asked(log, until))

        self.run.wait_until(there, timeout, what)

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
