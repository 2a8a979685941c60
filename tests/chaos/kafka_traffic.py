# SPDX-License-Identifier: Apache-2.0
"""What goes into the topics of the Kafka scenarios, and a producer that outlives every outage.

Clients stay in their partition, and disorder stays below MAX_DELAY, so nothing depends on the
order of arrival between partitions.
"""

import json
import threading
import time
from decimal import Decimal

from confluent_kafka import Producer

PARTITIONS = 3
CLIENTS = 24
PER_SECOND = 50   # of event time
BEGIN = 1_700_000_000
MAX_DELAY = 2


def records(dice, count, start=0, partitions=PARTITIONS):
    """(key, value, partition): every third one is out of order, by less than MAX_DELAY."""
    for n in range(start, start + count):
        client = dice.randrange(CLIENTS)
        late = dice.choice((0, 0, dice.uniform(0, MAX_DELAY - 0.1)))
        at = Decimal(BEGIN) + Decimal(n) / PER_SECOND - Decimal(f"{late:.6f}")
        row = {"n": n, "client": f"c{client}", "amount": dice.randrange(1000), "@timestamp": str(at)}
        yield f"c{client}", json.dumps(row), client % partitions


class Feeder(threading.Thread):
    """Appends at a steady pace, and goes on through every outage: its records wait in its queue.

    Some come twice then, which an idempotent producer would prevent; but a broker that is killed may
    forget what such a producer has sent, and that ends it. The answers are those for what is in the topic.
    """

    def __init__(self, kafka, topic, feed, rate):
        super().__init__(daemon=True)
        self.producer = Producer({"bootstrap.servers": kafka.bootstrap, "broker.address.family": "v4",
                                  "acks": "all", "max.in.flight": 1, "linger.ms": 5, "log_level": 0,
                                  "reconnect.backoff.max.ms": 500, "message.timeout.ms": 0})
        self.topic, self.feed, self.rate = topic, list(feed), rate
        self.lost = []
        self.start()

    def run(self):
        begin = time.monotonic()
        for sent, (key, value, partition) in enumerate(self.feed):
            time.sleep(max(0, begin + sent / self.rate - time.monotonic()))
            self.producer.produce(self.topic, value, key, partition=partition, on_delivery=self._told)
            self.producer.poll(0)
        while self.producer.flush(1):
            pass

    def _told(self, error, _message):
        if error is not None:
            self.lost.append(error)

    def finish(self, chaos, timeout=120):
        self.join(timeout)
        chaos.check(not self.is_alive(), f"the producer is not done after {timeout} s")
        chaos.check(not self.lost, f"the producer lost records: {self.lost[:3]}")
        chaos.count("records", len(self.feed))


def contents(kafka, topic):
    """The rows of each partition, in the order of their offsets."""
    partitions = {}
    for record in kafka.consume_all(topic):
        partitions.setdefault(record.partition, []).append(json.loads(record.value))
    return partitions
