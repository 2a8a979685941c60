# SPDX-License-Identifier: Apache-2.0
"""Offsets that are gone, topics made anew, records that come twice: what is lost is told, to the record.

Each part has topics of its own. What the log calls lost is taken out of what was written; the
answers must be exactly those for the rest.
"""

import re
import time

from confluent_kafka import Consumer, Producer, TopicPartition

from harness import Kafka
from kafka_job import check_offsets, committed
from kafka_topic import ShortLived
from scenario import Scenario

MADE_ANEW = re.compile(r" E .*?/\d+: offset \d+ does not exist, the partition ends at \d+ .*made anew")

FORGOTTEN = re.compile(r" W .*?/(\d+): group \S+ has no offset any more; going on at (\d+) as the stored state")


def expired_while_down(chaos, topic):
    topic.job.run.start()
    topic.write(1500)
    topic.read(chaos.dice.randrange(100, 1500))
    topic.end()
    check_offsets(chaos, topic.kafka, topic.job)
    stands_at = committed(topic.kafka, topic.job.group, topic.name_in)
    topic.write(1500)
    topic.expire(stands_at, everything=chaos.dice.random() < 0.3)
    topic.write(300)
    topic.job.run.start()
    topic.read(1)
    topic.end()
    chaos.check(topic.settle() > 0, "records expired, and the log does not say so")


def expired_while_hung(chaos, topic):
    """What it has fetched already is not lost."""
    topic.job.run.start()
    topic.write(900)
    topic.read(900)
    topic.job.run.pause()
    topic.write(1500)
    topic.expire(topic.kafka.end_offsets(topic.name_in), everything=True)
    topic.write(300)
    topic.job.run.resume()
    topic.read(1200)
    topic.end(kill=False)
    topic.settle()


def check_made_anew(chaos, topic):
    """Every record was read, and the log says that the topic is another."""
    chaos.check(topic.settle() == 0, "nothing was lost")
    chaos.check(MADE_ANEW.search(topic.log), f"it does not say that the topic is another:\n{topic.log}")


def made_anew_while_down(chaos, topic):
    topic.job.run.start()
    topic.write(1500)
    topic.read(1500)
    topic.end(kill=chaos.dice.random() < 0.5)
    topic.make_anew()
    topic.write(600)
    topic.job.run.start()
    topic.read(2100)
    topic.end()
    check_made_anew(chaos, topic)


def made_anew_while_it_runs(chaos, topic):
    topic.job.run.start()
    topic.write(1500)
    topic.read(1500)
    topic.make_anew()
    topic.write(600)
    topic.read(2100)
    topic.end()
    check_made_anew(chaos, topic)


def made_anew_and_longer(chaos, topic):
    """It can't be told from the old topic; what is skipped of it has to be said."""
    topic.job.run.start()
    topic.write(600)
    topic.read(600)
    topic.end(kill=chaos.dice.random() < 0.5)
    topic.make_anew()
    topic.write(1500)
    topic.job.run.start()
    topic.read(601)
    topic.end()
    told = {int(p): int(n) for p, n in FORGOTTEN.findall(topic.log)}
    chaos.check(told == topic.before, f"{topic.before} are skipped, {told} are told:\n{topic.log}")
    for partition, skipped in told.items():
        topic.lose(partition, 0, skipped)
    topic.settle()


def in_doubt(chaos, topic):
    """Another process of the group has sent offsets and not finished: nobody knows yet where to begin."""
    topic.write(1500)
    other = Producer({"bootstrap.servers": topic.kafka.bootstrap, "broker.address.family": "v4",
                      "transactional.id": topic.name})
    member = Consumer({"bootstrap.servers": topic.kafka.bootstrap, "broker.address.family": "v4",
                       "group.id": topic.job.group})
    other.init_transactions(30)
    other.begin_transaction()
    # Enough is left to answer something.
    read = {p: chaos.dice.randrange(1, len(rows) // 3) for p, rows in topic.written.items()}
    other.send_offsets_to_transaction([TopicPartition(topic.name_in, p, n) for p, n in read.items()],
                                      member.consumer_group_metadata(), 30)
    topic.job.run.start()
    # Longer than librdkafka asks for.
    time.sleep(chaos.dice.uniform(5, 8))
    chaos.check(not topic.kafka.consume_all(topic.job.topic("raw")), "it has begun somewhere")
    if chaos.dice.random() < 0.5:
        other.commit_transaction(30)
        for partition, n in read.items():
            topic.lose(partition, 0, n)
    else:
        other.abort_transaction(30)
    member.close()
    topic.read(1)
    topic.end()
    topic.settle()


def repeated(chaos, topic):
    """A record that is in the topic twice counts twice; where its time is over, it is late twice."""
    for n in range(3 if chaos.small else 6):
        # The first time all of it: twelve seconds.
        topic.write(600, repeat=chaos.dice.randrange(1, 250) if n else 600)
        if topic.job.run.running:
            topic.end()
        topic.job.run.start()
        # Killed while it joins, it would be a member that holds partitions until its session ends.
        topic.read(sum(map(len, topic.written.values())))
    topic.end()
    chaos.check(topic.settle() == 0, "nothing was lost")
    chaos.check(topic.job.found()["late"], "none of the repeated records was late")
    check_offsets(chaos, topic.kafka, topic.job)


PARTS = (expired_while_down, expired_while_hung, made_anew_while_down, made_anew_while_it_runs,
         made_anew_and_longer, in_doubt, repeated)
SMALL = (expired_while_down, made_anew_and_longer, repeated)


def run(chaos):
    with Kafka(log_retention_check_interval_ms=300) as kafka:
        while chaos.goes_on():
            for part in SMALL if chaos.small else PARTS:
                try:
                    part(chaos, ShortLived(chaos, kafka, part.__name__.replace("_", "-")))
                except AssertionError as failed:
                    raise type(failed)(f"{part.__name__}: {failed}") from None
                chaos.count("parts")


SCENARIOS = [Scenario("kafka_offsets", "offsets expired or out of range, topics made anew, records twice",
                      run, ("kafka",))]
