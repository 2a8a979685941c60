# SPDX-License-Identifier: Apache-2.0
"""What only the cluster knows and an author should is told while a pipeline runs, once."""

import json

from harness import call
from kafka_faults_test import LONG_SESSIONS, members, notices
from kafka_test import numbers

PIPELINE = """\
pipeline: advice
sources:
  in:
    type: kafka
    brokers: "{brokers}"
    topics: [{topics}]
    group: {group}
    time: {{field: at, format: unix}}
    {more}
operators:
  shortly: {{type: window, input: in, window: {{tumbling: 1m}}, by: [host], compute: {{n: count()}}}}
  daily: {{type: window, input: in, window: {{tumbling: 1d}}, by: [host], compute: {{n: count()}}}}
  weekly: {{type: window, input: in, window: {{sliding: 7d, every: 1d}}, by: [host], compute: {{n: count()}}}}
sinks:
  all: {{type: "null", input: [shortly, daily, weekly]}}
"""

HOUR_MS = 3_600_000


def pipeline(kafka, topics, group, more=LONG_SESSIONS):
    return PIPELINE.format(brokers=kafka.bootstrap, topics=", ".join(topics), group=group, more=more)


def about(run, text):
    return [line for line in notices(run, "W") if text in line]


def test_a_topic_that_forgets_too_soon_is_told_with_the_windows_that_suffer(streamd, kafka, tmp_path):
    kafka.create_topic("for-ever", 1, **{"retention.ms": "-1"})
    kafka.create_topic("compacted", 1, **{"retention.ms": str(HOUR_MS), "cleanup.policy": "compact"})
    kafka.create_topic("nine-days", 1, **{"retention.ms": str(9 * 24 * HOUR_MS)})
    kafka.create_topic("six-hours", 1, **{"retention.ms": str(6 * HOUR_MS)})
    (run,) = members(tmp_path, streamd,
                     pipeline(kafka, ["for-ever", "compacted", "nine-days", "six-hours"], "keeping"),
                     "only")
    run.start()
    run.wait_until(lambda: about(run, "keeps records"), 60, "the warning")
    assert run.sigterm() == 0, run.stderr
    (told,) = about(run, "keeps records")
    assert 'topic "six-hours" keeps records for 6h' in told
    assert 'windows of "daily" and "weekly" need them for up to 7d' in told
    assert "retention.ms" in told and "shortly" not in told


def test_what_check_has_warned_of_is_not_told_again(streamd, kafka, tmp_path):
    """`retention:` says what the cluster says too; the topic behind it is shorter than was said."""
    kafka.create_topic("as-declared", 1, **{"retention.ms": str(48 * HOUR_MS)})
    kafka.create_topic("shorter", 1, **{"retention.ms": str(2 * HOUR_MS)})
    (run,) = members(tmp_path, streamd,
                     pipeline(kafka, ["as-declared", "shorter"], "declared",
                              LONG_SESSIONS + "\n    retention: 2d"), "only")
    checked = call(streamd, "check", run.file)
    assert "its window of 7d is longer than" in checked.stdout + checked.stderr
    run.start()
    run.wait_until(lambda: about(run, "keeps records"), 60, "the warning")
    assert run.sigterm() == 0, run.stderr
    (told,) = about(run, "keeps records")
    assert 'topic "shorter" keeps records for 2h' in told


def test_counts_that_are_spread_over_processes_are_told_where_nothing_says_the_key(
        streamd, kafka, tmp_path):
    kafka.create_topic("spread", 4, **{"retention.ms": "-1"})
    kafka.produce("spread", [(None, json.dumps({"host": "a", "at": n}), n % 4) for n in range(100)])
    unsaid = pipeline(kafka, ["spread"], "spread-group")
    said = pipeline(kafka, ["spread"], "spread-group", LONG_SESSIONS + "\n    partitioned_by: [host]")
    (alone,) = members(tmp_path, streamd, unsaid, "alone")
    (other,) = members(tmp_path, streamd, said, "other")
    alone.start()
    alone.wait_until(lambda: kafka.committed("spread-group", "spread") == dict.fromkeys(range(4), 25),
                     60, "all records read by one process")
    assert about(alone, "partitions of topic") == []
    other.start()
    alone.wait_until(lambda: about(alone, "partitions of topic"), 60, "the warning")
    assert other.sigterm() == 0, other.stderr
    assert alone.sigterm() == 0, alone.stderr
    (told,) = about(alone, "partitions of topic")
    assert '2 of the 4 partitions of topic "spread" are read here' in told
    assert 'What "shortly", "daily" and "weekly" count' in told and "partitioned_by" in told
    assert about(other, "partitions of topic") == []
