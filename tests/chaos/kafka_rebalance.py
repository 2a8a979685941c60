# SPDX-License-Identifier: Apache-2.0
"""Processes of one group that join, leave, die and hang every few seconds.

What is promised: each record is read exactly once into the outputs, and a window loses none. What
is not: a window's state stays with the process that read its records, so a window that is open
while its partition moves comes out in parts, one of each process; and a partition that was behind
is late where the new owner's windows have closed. So parts and late records together must be the
right answer, for each key and window.
"""

import json
import time
from collections import Counter

from harness import Kafka, Streamd
from kafka_job import SHORT_SESSIONS, balanced, compare
from kafka_traffic import MAX_DELAY, Feeder, contents, records
from nginx_job import SECOND, micros, rfc3339, windows_of
from scenario import Scenario

PARTITIONS = 6

PIPELINE = """\
pipeline: share
checkpoint: {{every: 200ms}}
sources:
  in:
    type: kafka
    brokers: "{brokers}"
    topics: [{name}-in]
    group: {name}-group
    until_end: {until_end}
    time: {{field: "@timestamp", format: unix, max_delay: {delay}s, idle_after: 10h, late: route}}
    options: {options}
operators:
  sums:
    type: window
    input: in
    window: {{tumbling: 10s}}
    by: [client]
    compute: {{requests: count(), amount: sum(amount)}}
sinks:
  raw_out: {{type: kafka, input: in, brokers: "{brokers}", topic: {name}-raw, exactly_once: true}}
  sums_out: {{type: kafka, input: sums, brokers: "{brokers}", topic: {name}-sums, exactly_once: true}}
  late_out: {{type: kafka, input: sums.late, brokers: "{brokers}", topic: {name}-late, exactly_once: true}}
"""

# What a process says that finds its partitions given away, after it hung for a session's length.
GOES_ON = "going on from the last committed epoch"


class Group:
    """Processes of one group, each with a state directory of its own."""

    def __init__(self, chaos, kafka, name, members):
        self.chaos, self.kafka, self.name = chaos, kafka, name
        for topic in ("raw", "sums", "late"):
            kafka.create_topic(f"{name}-{topic}", 2)
        self.members = [Streamd(chaos.binary, self.text(False), chaos.new_folder(f"{name}-{m}"),
                                ["--workers", 1 + m % 2], name=f"member{m}") for m in range(members)]

    def text(self, until_end):
        return PIPELINE.format(brokers=self.kafka.bootstrap, name=self.name, delay=MAX_DELAY,
                               options=SHORT_SESSIONS, until_end=str(until_end).lower())

    def ended_rightly(self, run, code):
        # -15: it had not come to the point where it listens to signals.
        self.chaos.check(code in (0, -15), f"exit {code}:\n{run.stderr}")
        self.chaos.count("clean ends")
        self.chaos.count("new beginnings because others had its partitions", run.stderr.count(GOES_ON))

    def change(self):
        """One of them joins, leaves, dies or hangs."""
        run = self.chaos.dice.choice(self.members)
        if not run.running:
            if run.runs > 0 and run.returncode not in (0, -9, -15):
                self.ended_rightly(run, run.returncode)
            run.start()
            self.chaos.count("joins")
            return
        how = self.chaos.dice.choice(("leaves", "dies", "hangs", "hangs"))
        if how == "leaves":
            self.ended_rightly(run, run.sigterm())
        elif how == "dies":
            run.kill9()
            self.chaos.count("kills")
        else:
            # Its session runs out meanwhile.
            run.pause()
            time.sleep(self.chaos.dice.uniform(1.2, 4))
            run.resume()
            self.chaos.count("hangs")

    def finish(self):
        """Each alone to the end of the topic, so that all windows close."""
        for run in self.members:
            if run.running:
                self.ended_rightly(run, run.sigterm())
        for run in self.members:
            run.write(self.text(True))
            code = run.run(timeout=120)
            self.chaos.check(code == 0, f"exit {code}:\n{run.stderr}")
            books = balanced(self.chaos, run, {"sums": "in", "raw_out": "in", "sums_out": "sums"})
            late = books["sums"].left.get("late", 0)
            self.chaos.check(books["late_out"].read == late, f"{late} are late: {books['late_out']}")

    def rows(self, kind):
        return [json.loads(r.value) for r in self.kafka.consume_all(f"{self.name}-{kind}")]


def window_of(row):
    return row["client"], next(windows_of(micros(row["@timestamp"]), 10 * SECOND, 10 * SECOND))


def totals(rows):
    """{("requests" or "amount", client, window): sum}"""
    found = Counter()
    for row in rows:
        found[("requests", *window_of(row))] += 1
        found[("amount", *window_of(row))] += row["amount"]
    return found


def check(chaos, kafka, group):
    rows = [row for rows in contents(kafka, f"{group.name}-in").values() for row in rows]
    late, parts = group.rows("late"), group.rows("sums")
    found = totals(late)
    for part in parts:
        at = part["client"], rfc3339(part["window_end"])
        found[("requests", *at)] += part["requests"]
        found[("amount", *at)] += part["amount"]
    compare(chaos, {"raw": Counter(row["n"] for row in group.rows("raw")), "sums": found},
            {"raw": Counter(row["n"] for row in rows), "sums": totals(rows)})
    chaos.count("late behind a move", len(late))
    chaos.count("windows in parts", len(parts) - len({(p["client"], p["window_end"]) for p in parts}))
    ends = kafka.end_offsets(f"{group.name}-in")
    chaos.check(kafka.committed(f"{group.name}-group", f"{group.name}-in") == ends,
                f"not read to the end {ends}")


def one_round(chaos, kafka):
    name = f"share{chaos.rounds}"
    kafka.create_topic(f"{name}-in", PARTITIONS)
    group = Group(chaos, kafka, name, 2 if chaos.small else 3)
    seconds = 15 if chaos.small else 60
    feeder = Feeder(kafka, f"{name}-in", records(chaos.dice, seconds * 400, partitions=PARTITIONS), 400)
    for run in group.members:
        run.start()
    while feeder.is_alive():
        time.sleep(chaos.dice.uniform(0.5, 3))
        group.change()
    feeder.finish(chaos)
    group.finish()
    check(chaos, kafka, group)


def run(chaos):
    with Kafka() as kafka:
        while chaos.goes_on():
            one_round(chaos, kafka)


SCENARIOS = [Scenario("kafka_rebalance", "processes of one group join, leave, die and hang", run, ("kafka",))]
