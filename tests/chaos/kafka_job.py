# SPDX-License-Identifier: Apache-2.0
"""A job from Kafka to Kafka in transactions, with windows, and its right answers.

The answers come from what is in the topic, not from what a producer meant to write: a brute force
over each partition in the order of its offsets, by the rules that the documentation gives.
"""

import json
from collections import Counter

from confluent_kafka import Consumer, KafkaException, TopicPartition

from books import books_of
from harness import Streamd, wait_until
from kafka_traffic import MAX_DELAY
from nginx_job import SECOND, Answers, floors, rfc3339

# Event time must stand still in an outage of any length: what a producer could not write in time
# would be late by the right of idle_after, and the answers another matter.
PIPELINE = """\
pipeline: {name}
checkpoint: {{every: {every}}}
sources:
  in:
    type: kafka
    brokers: "{brokers}"
    topics: [{name}-in]
    group: {group}
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
  busy:
    type: window
    input: in
    window: {{sliding: 20s, every: 2s}}
    by: [client]
    compute: {{requests: count()}}
    having: requests > {busy}
sinks:
  raw_out: {{type: kafka, input: in, brokers: "{brokers}", topic: {name}-raw, exactly_once: true}}
  sums_out: {{type: kafka, input: sums, brokers: "{brokers}", topic: {name}-sums, exactly_once: true}}
  busy_out: {{type: kafka, input: busy, brokers: "{brokers}", topic: {name}-busy, exactly_once: true}}
  late_out: {{type: kafka, input: sums.late, brokers: "{brokers}", topic: {name}-late, exactly_once: true}}
"""
FLOWS = {"sums": "in", "busy": "in", "raw_out": "in", "sums_out": "sums", "busy_out": "busy"}
BUSY = 40
KINDS = ("raw", "sums", "busy", "late")
SHORT_SESSIONS = "{session.timeout.ms: 1000, heartbeat.interval.ms: 100}"


class Job:
    """A pipeline on topic NAME-in, with topics of its own for what comes out."""

    def __init__(self, chaos, kafka, name, options="{}", every="200ms"):
        self.chaos, self.kafka, self.name = chaos, kafka, name
        self.group = f"{name}-group"
        self.settings = {"name": name, "every": every, "brokers": kafka.bootstrap, "group": self.group,
                         "delay": MAX_DELAY, "options": options, "busy": BUSY}
        for topic in KINDS:
            kafka.create_topic(f"{name}-{topic}", 2)
        self.run = Streamd(chaos.binary, self.text(), chaos.new_folder(name), ["--workers", 2])

    def text(self, until_end=False):
        return PIPELINE.format(until_end=str(until_end).lower(), **self.settings)

    def topic(self, kind):
        return f"{self.name}-{kind}"

    def kill9(self):
        """It must have lived until now: an outage is not its end."""
        self.chaos.check(self.run.running, f"streamd ended by itself:\n{self.run.stderr}")
        self.run.kill9()
        self.chaos.count("kills of streamd")

    def finish(self, timeout=120):
        """Runs it to the end of what there is."""
        self.run.write(self.text(until_end=True))
        code = self.run.run(timeout=timeout)
        self.chaos.check(code == 0, f"exit {code}:\n{self.run.stderr}")
        balanced(self.chaos, self.run, FLOWS)

    def check(self, partitions):
        """After the end: exactly the answers for these rows came out."""
        compare(self.chaos, self.found(), expected(partitions))

    def found(self):
        """What readers of committed records see, per kind."""
        rows = {kind: [json.loads(r.value) for r in self.kafka.consume_all(self.topic(kind))]
                for kind in KINDS}
        return {
            "raw": Counter(row["n"] for row in rows["raw"]),
            "late": Counter(row["n"] for row in rows["late"]),
            "sums": Counter((r["client"], rfc3339(r["window_end"]), r["requests"], r["amount"])
                            for r in rows["sums"]),
            "busy": Counter((r["client"], rfc3339(r["window_end"]), r["requests"])
                            for r in rows["busy"])}


def balanced(chaos, run, flows):
    """The books at the end of a run, added up once more by someone else than who wrote them.

    flows: {node: the node it reads}. The table shows the answers of a window as its out, not the
    records that it has taken in, so a window can only be seen not to lose more than it got.
    """
    books = books_of(run)
    for name, node in books.items():
        out = 0 if node.type == "window" else node.written
        balance = node.read - sum(node.left.values()) - out
        chaos.check(balance >= 0 if node.type == "window" else balance == 0,
                    f"the books of {name} do not balance: {node}")
    for name, source in flows.items():
        chaos.check(books[name].read == books[source].written,
                    f"{name} got {books[name]}, {source} gave {books[source]}")
    chaos.count("balanced books")
    return books


def expected(partitions):
    """By brute force over {partition: rows}."""
    sums = Answers("client", 10 * SECOND, 10 * SECOND)
    busy = Answers("client", 20 * SECOND, 2 * SECOND)
    raw, late = Counter(), Counter()
    for rows in partitions.values():
        for record, at, floor in floors(rows, MAX_DELAY * SECOND):
            raw[record["n"]] += 1
            before = sums.late
            sums.add(record, at, floor)
            busy.add(record, at, floor)
            if sums.late > before:
                late[record["n"]] += 1
    return {
        "raw": raw, "late": late,
        "sums": Counter((client, end, len(rows), sum(r["amount"] for r in rows))
                        for (client, end), rows in sums.found.items()),
        "busy": Counter((client, end, len(rows)) for (client, end), rows in busy.found.items()
                        if len(rows) > BUSY)}


def compare(chaos, found, right):
    for kind, rows in right.items():
        chaos.check(rows or kind == "late", f"there is nothing to compare in {kind}")
        if found[kind] == rows:
            chaos.count(f"answers in {kind}", len(rows))
            continue
        missing, more = rows - found[kind], found[kind] - rows
        chaos.check(False, f"{kind}: {sum(missing.values())} of {sum(rows.values())} are missing, such as "
                    f"{list(missing)[:5]}; {sum(more.values())} are too many, such as {list(more)[:5]}")


def committed(kafka, group, topic):
    """{partition: the group's offset}, also while a transaction is open that holds another one."""
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap, "broker.address.family": "v4",
                         "log_level": 0, "group.id": group, "isolation.level": "read_uncommitted"})
    try:
        asked = [TopicPartition(topic, p) for p in kafka.partitions(topic)]
        return {t.partition: max(0, t.offset) for t in consumer.committed(asked, 10)}
    except KafkaException:
        return None
    finally:
        consumer.close()


def check_offsets(chaos, kafka, job, timeout=30):
    """While no streamd runs: what the group has read is what readers see, to the record."""
    seen = {}

    def agree():
        at = committed(kafka, job.group, f"{job.name}-in")
        if at is None:
            return False
        seen["read"] = Counter(json.loads(r.value)["n"] for r in kafka.consume_all(f"{job.name}-in")
                               if r.offset < at[r.partition])
        seen["written"] = Counter(json.loads(r.value)["n"]
                                  for r in kafka.consume_all(job.topic("raw")))
        return seen["read"] == seen["written"]

    try:
        # The markers of a transaction that was just committed may still be under way.
        wait_until(agree, timeout, "offsets and output agree", every=0.2)
    except AssertionError:
        chaos.check(seen, f"nobody tells the offsets of group {job.group}")
        read, written = seen["read"], seen["written"]
        chaos.check(False, f"the group is ahead by {sum((read - written).values())} records and "
                    f"behind by {sum((written - read).values())}")
    chaos.count("comparisons of offsets with output")
