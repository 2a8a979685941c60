# SPDX-License-Identifier: Apache-2.0
"""One broker, killed, frozen, and streamd killed in between: Kafka to Kafka stays exactly once."""

import time

from harness import Kafka
from kafka_job import (PARTITIONS, SHORT_SESSIONS, Feeder, Job, check_offsets, compare, contents,
                       expected, records)
from scenario import Scenario


class Injuries:
    """Each leaves broker and streamd running."""

    def __init__(self, chaos, kafka, job):
        self.chaos, self.kafka, self.job = chaos, kafka, job

    def wait(self, low, high):
        time.sleep(self.chaos.dice.uniform(low, high))

    def kill_broker(self):
        self.kafka.kill()
        self.wait(0, 1 if self.chaos.small else 5)
        self.kafka.start()
        self.chaos.count("kills of the broker")

    def freeze_broker(self):
        self.kafka.pause()
        # Longer than a session either way; long enough for requests to time out.
        self.wait(3, 4) if self.chaos.small else self.wait(5, 30)
        self.kafka.resume()
        self.chaos.count("freezes")

    def kill_streamd(self):
        self.job.kill9()
        if self.chaos.dice.random() < 0.5:
            check_offsets(self.chaos, self.kafka, self.job)
        self.job.run.start()

    def kill_both(self):
        self.kafka.kill()
        self.wait(0, 1)
        self.job.kill9()
        self.job.run.start()
        self.wait(0, 1)
        self.kafka.start()
        self.chaos.count("kills of the broker")

    def kill_streamd_before_a_frozen_broker(self):
        self.kafka.pause()
        self.wait(0, 2)
        self.job.kill9()
        self.job.run.start()
        self.wait(0, 2)
        self.kafka.resume()
        self.chaos.count("freezes")

    def all(self):
        one_each = [self.kill_broker, self.freeze_broker, self.kill_streamd, self.kill_both,
                    self.kill_streamd_before_a_frozen_broker]
        if self.chaos.small:
            one_each = one_each[:3]
        self.chaos.dice.shuffle(one_each)
        return one_each


def one_round(chaos, kafka):
    name = f"broker{chaos.rounds}"
    kafka.create_topic(f"{name}-in", PARTITIONS)
    # Half of the rounds lose their membership in each outage.
    options = SHORT_SESSIONS if chaos.small else chaos.dice.choice(("{}", SHORT_SESSIONS))
    job = Job(chaos, kafka, name, options)
    seconds = 12 if chaos.small else 60
    feeder = Feeder(kafka, f"{name}-in", records(chaos.dice, seconds * 400), 400)
    job.run.start()
    injuries = Injuries(chaos, kafka, job)
    while True:
        for injury in injuries.all():
            injuries.wait(0.2, 2)
            injury()
        if chaos.small or not feeder.is_alive():
            break
    feeder.finish(chaos)
    job.kill9()
    check_offsets(chaos, kafka, job)
    job.finish()
    compare(chaos, job.found(), expected(contents(kafka, f"{name}-in")))
    check_offsets(chaos, kafka, job)
    ends = kafka.end_offsets(f"{name}-in")
    chaos.check(kafka.committed(job.group, f"{name}-in") == ends, f"not read to the end {ends}")


def run(chaos):
    with Kafka() as kafka:
        while chaos.goes_on():
            one_round(chaos, kafka)


SCENARIOS = [Scenario("kafka_broker", "the broker is killed and frozen, streamd too; in transactions",
                      run, ("kafka",))]
