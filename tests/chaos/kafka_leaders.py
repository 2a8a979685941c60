# SPDX-License-Identifier: Apache-2.0
"""Three brokers, each record on all of them, two needed: leaders and coordinators move all the time."""

import re

from confluent_kafka.admin import AdminClient

from harness import Kafka
from kafka_broker import Injuries, one_round
from scenario import Scenario

NODES = 3
# Where the brokers' logs say which partition holds a transaction or a group.
TRANSACTION = r"Initialized transactionalId streamd-{name}-\S+ .* on partition (__transaction_state)-(\d+)"
GROUP = r"Stabilized group {name}-group generation .*\((__consumer_offsets)-(\d+)\)"


class Moves(Injuries):
    def __init__(self, chaos, kafka, job):
        super().__init__(chaos, kafka, job, NODES)

    def coordinator(self, what):
        """The node that leads the partition which the brokers' logs name last; None: none has yet."""
        found = None
        for node in self.nodes:
            text = (self.kafka.directory / f"broker-{node}.log").read_text(errors="replace")
            for found in re.finditer(what.format(name=self.job.name), text):
                pass
        if found is None:
            return None
        admin = AdminClient({"bootstrap.servers": self.kafka.bootstrap, "broker.address.family": "v4"})
        partition = admin.list_topics(found[1], timeout=30).topics[found[1]].partitions[int(found[2])]
        return partition.leader if partition.leader in self.nodes else None

    def kill_coordinator_of_the_transaction(self):
        node = self.coordinator(TRANSACTION)
        self.kill_broker(node)
        if node:
            self.chaos.count("kills of the transaction's coordinator")

    def kill_coordinator_of_the_group(self):
        node = self.coordinator(GROUP)
        self.kill_broker(node)
        if node:
            self.chaos.count("kills of the group's coordinator")

    def stop_in_turn(self):
        """As an upgrade does: each hands its partitions over, and comes back."""
        for node in self.nodes:
            self.kafka.stop(node)
            self.kafka.start(node)
        self.chaos.count("rolling restarts")

    def all(self):
        return super().all() + [self.kill_coordinator_of_the_transaction,
                                self.kill_coordinator_of_the_group, self.stop_in_turn]


def run(chaos):
    with Kafka(nodes=NODES) as kafka:
        while chaos.goes_on():
            one_round(chaos, kafka, f"leaders{chaos.rounds}", Moves)


SCENARIOS = [Scenario("kafka_leaders", "three brokers killed, frozen and restarted in turn, coordinators too",
                      run, ("kafka",), small=False)]
