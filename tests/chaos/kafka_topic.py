# SPDX-License-Identifier: Apache-2.0
"""A topic whose records expire or that is made anew, what was ever in it, and a job that reads it."""

import json
import re

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource

from books import books_of
from harness import wait_until
from kafka_job import SHORT_SESSIONS, Job
from kafka_traffic import PARTITIONS, records

GONE = re.compile(r" E .*?/(\d+): offsets (\d+) to (\d+) are gone .*: (\d+) records lost; going on at (\d+)")
# Small segments, so that little can expire at a time.
SEGMENTS = {"segment.bytes": "4096"}


class ShortLived:
    """A topic, what was written to it, and a job that reads it."""

    def __init__(self, chaos, kafka, kind):
        self.chaos, self.kafka = chaos, kafka
        self.name = f"{kind}{chaos.rounds}"
        self.name_in = f"{self.name}-in"
        self.admin = AdminClient({"bootstrap.servers": kafka.bootstrap, "broker.address.family": "v4"})
        self.written = {p: [] for p in range(PARTITIONS)}  # rows, of this topic and those before it
        self.before = {p: 0 for p in range(PARTITIONS)}    # how many of them are of those before it
        self.lost = {p: set() for p in range(PARTITIONS)}  # which of them
        self.sent = 0
        self.log = ""
        self.create()
        options = SHORT_SESSIONS if chaos.small else chaos.dice.choice(("{}", SHORT_SESSIONS))
        self.job = Job(chaos, kafka, self.name, options)

    def create(self):
        self.kafka.create_topic(self.name_in, PARTITIONS, **SEGMENTS)

    def write(self, count, repeat=0):
        """Then the last ones again, as a producer does that missed the answer."""
        batch = list(records(self.chaos.dice, count, self.sent))
        batch += batch[len(batch) - repeat:]
        # One request at a time: of a partition that a broker has only just made it takes the second
        # request of a producer before the first, when that one has to be repeated.
        self.kafka.produce(self.name_in, batch, **{"batch.num.messages": 20, "max.in.flight": 1})
        for _, value, partition in batch:
            self.written[partition].append(json.loads(value))
        self.sent += count

    def expire(self, beyond, everything=False):
        """Retention takes more than `beyond`: {partition: offset}, or all that there is."""
        limit = {"retention.ms": "1"} if everything else {"retention.bytes": "8192"}
        if everything:
            beyond = {p: n - 1 for p, n in self.kafka.end_offsets(self.name_in).items()}
        self.configure({**SEGMENTS, **limit})
        wait_until(lambda: all(low > beyond[p] for p, low in self.kafka.start_offsets(self.name_in).items()), 60,
                   "records expire")
        self.configure(SEGMENTS)

    def configure(self, settings):
        wanted = ConfigResource("topic", self.name_in, set_config=settings)
        self.admin.alter_configs([wanted])[wanted].result(30)

    def make_anew(self):
        self.admin.delete_topics([self.name_in])[self.name_in].result(30)
        wait_until(lambda: self.name_in not in self.admin.list_topics(timeout=30).topics, 30, "it is gone")
        for p, rows in self.written.items():
            self.before[p] = len(rows)
        wait_until(self.created, 30, "it is made anew", every=0.2)

    def created(self):
        try:
            self.create()
        except KafkaException:
            return False
        return True

    def read(self, count):
        """Waits until readers see that many answers."""
        self.job.run.wait_until(lambda: len(self.kafka.consume_all(self.job.topic("raw"))) >= count, 60,
                                f"{count} records come out")

    def end(self, kill=True):
        if kill:
            self.job.kill9()
        else:
            self.chaos.check(self.job.run.sigterm() == 0, f"no clean end:\n{self.job.run.stderr}")
            self.check_books()
        self.log += self.job.run.stderr

    def check_books(self):
        """What the log has called lost since the start is in the table."""
        gone = sum(int(told[3]) for told in GONE.findall(self.job.run.stderr))
        books = books_of(self.job.run)["in"]
        self.chaos.check(books.left == ({"expired": gone} if gone else {}), f"{gone} are lost: {books}")
        self.chaos.check(books.read == books.written + gone, f"{books}")

    def settle(self):
        """The answers are exactly those for what the log has not called lost. How many that are."""
        self.job.finish()
        self.log += self.job.run.stderr
        for told in GONE.findall(self.log):
            partition, first, last, count, on = map(int, told)
            self.chaos.check(last - first + 1 == count and on == last + 1, f"that does not add up: {told}")
            self.lose(partition, first, on)
        self.job.check({p: [row for n, row in enumerate(rows) if n not in self.lost[p]]
                        for p, rows in self.written.items()})
        count = sum(map(len, self.lost.values()))
        self.chaos.count("records told to be lost", count)
        return count

    def lose(self, partition, first, end):
        """The offsets [first, end) of the topic that is there now."""
        before = self.before[partition]
        self.lost[partition].update(range(before + first, before + end))
