# SPDX-License-Identifier: Apache-2.0
"""One broker, killed and frozen, and streamd killed in between: Kafka to Kafka stays exactly once."""

import time

from harness import Kafka
from kafka_job import SHORT_SESSIONS, Job, check_offsets
from kafka_traffic import PARTITIONS, Feeder, contents, records
from scenario import Scenario


class Injuries:
    """Each takes one of the nodes, and leaves all of them and streamd running."""

    def __init__(self, chaos, kafka, job, nodes=1):
        self.chaos, self.kafka, self.job = chaos, kafka, job
        self.nodes = range(1, nodes + 1)

    def wait(self, low, high):
        time.sleep(self.chaos.dice.uniform(low, high))

    def node(self):
        return self.chaos.dice.choice(self.nodes)

    def kill_broker(self, node=None):
        node = node or self.node()
        self.kafka.kill(node)
        self.wait(0, 1 if self.chaos.small else 5)
        self.kafka.start(node)
        self.chaos.count("kills of a broker")

    def freeze_broker(self):
        node = self.node()
        self.kafka.pause(node)
        # Longer than a session either way; long enough for requests to time out.
        self.wait(3, 4) if self.chaos.small else self.wait(5, 30)
        self.kafka.resume(node)
        self.chaos.count("freezes")

    def kill_streamd(self):
        self.job.kill9()
        if self.chaos.dice.random() < 0.5:
            check_offsets(self.chaos, self.kafka, self.job)
        self.job.run.start()

    def kill_both(self):
        node = self.node()
        self.kafka.kill(node)
        self.wait(0, 1)
        self.job.kill9()
        self.job.run.start()
        self.wait(0, 1)
        self.kafka.start(node)
        self.chaos.count("kills of a broker")

    def kill_streamd_before_a_frozen_broker(self):
        node = self.node()
        self.kafka.pause(node)
        self.wait(0, 2)
        self.job.kill9()
        self.job.run.start()
        self.wait(0, 2)
        self.kafka.resume(node)
        self.chaos.count("freezes")

    def all(self):
        if self.chaos.small:
            return [self.kill_broker, self.freeze_broker, self.kill_streamd]
        return [self.kill_broker, self.freeze_broker, self.kill_streamd, self.kill_both,
                self.kill_streamd_before_a_frozen_broker]


def one_round(chaos, kafka, name, make_injuries):
    """Injures while a producer appends; then the answers must be those for what is in the topic."""
    kafka.create_topic(f"{name}-in", PARTITIONS)
    # Half of the rounds lose their membership in each outage.
    options = SHORT_SESSIONS if chaos.small else chaos.dice.choice(("{}", SHORT_SESSIONS))
    job = Job(chaos, kafka, name, options)
    seconds = 12 if chaos.small else 60
    feeder = Feeder(kafka, f"{name}-in", records(chaos.dice, seconds * 400), 400)
    job.run.start()
    injuries = make_injuries(chaos, kafka, job)
    while True:
        these = injuries.all()
        chaos.dice.shuffle(these)
        for injury in these:
            injuries.wait(0.2, 2)
            injury()
        if chaos.small or not feeder.is_alive():
            break
    feeder.finish(chaos)
    job.kill9()
    check_offsets(chaos, kafka, job)
    job.finish()
    job.check(contents(kafka, f"{name}-in"))
    check_offsets(chaos, kafka, job)
    ends = kafka.end_offsets(f"{name}-in")
    chaos.check(kafka.committed(job.group, f"{name}-in") == ends, f"not read to the end {ends}")


def run(chaos):
    with Kafka() as kafka:
        while chaos.goes_on():
            one_round(chaos, kafka, f"broker{chaos.rounds}", Injuries)


SCENARIOS = [Scenario("kafka_broker", "the broker is killed and frozen, streamd too; in transactions",
                      run, ("kafka",))]
