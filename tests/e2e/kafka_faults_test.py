# SPDX-License-Identifier: Apache-2.0
"""What goes wrong around Kafka heals by itself, is told once, and costs no record."""

import json
import time
from collections import Counter
from contextlib import suppress

import pytest

from books import books_of, whole_rows
from harness import Kafka, Streamd, free_port, wait_until
from kafka_test import Feeder, copy, counted, kafka_sink, numbers

# Nobody is to be thrown out of the group because the machine is busy.
LONG_SESSIONS = "options: {session.timeout.ms: 30000, heartbeat.interval.ms: 100}"
FILE = "  out: {type: file, input: in, path: out/all.ndjson}\n"


def notices(run, level):
    """The lines of the log with that level's letter."""
    return [line for line in run.stderr.splitlines() if f"Z {level} " in line]


def in_file(run):
    return Counter(row["n"] for row in whole_rows(run.directory / "out/all.ndjson"))


def members(tmp_path, streamd, pipeline, *names):
    """Processes of one group, each with a state directory of its own."""
    runs = []
    for name in names:
        (tmp_path / name).mkdir()
        runs.append(Streamd(streamd, pipeline, tmp_path / name, name=name))
    return runs


def rebalance(streamd, kafka, tmp_path, topic, exactly_once, fetch="direct"):
    kafka.create_topic(f"{topic}-in", 4)
    kafka.create_topic(f"{topic}-out", 2)
    sinks = kafka_sink(kafka, f"{topic}-out", exactly_once) + FILE.replace("out:", "file:")
    pipeline = copy(kafka, f"{topic}-in", sinks, every="100ms", more=f"{LONG_SESSIONS}, fetch: {fetch}")
    first, second = members(tmp_path, streamd, pipeline, "first", "second")
    feeder = Feeder(kafka, f"{topic}-in", 200_000, 160, partitions=4)
    first.start("--workers", 2)
    first.wait_until(lambda: counted(kafka, f"{topic}-out"), 30, "first records")
    for _ in range(2):
        before = in_file(second).total()
        second.start()
        second.wait_until(lambda b=before: in_file(second).total() > b, 60, "its share of the records")
        assert second.sigterm() == 0, second.stderr
        assert books_of(second)["out"].written > 0
    count = feeder.stop()
    first.wait_until(lambda: sum(counted(kafka, f"{topic}-out").values()) >= count, 30, "all records")
    assert first.sigterm() == 0, first.stderr
    assert counted(kafka, f"{topic}-out") == Counter(range(count))
    assert kafka.committed(f"{topic}-in-group", f"{topic}-in") == kafka.end_offsets(f"{topic}-in")
    assert notices(first, "W") == [] and notices(second, "W") == []


def test_a_second_process_joins_and_leaves_with_transactions(streamd, kafka, tmp_path):
    rebalance(streamd, kafka, tmp_path, "share", exactly_once=True)


def test_a_process_that_hung_past_its_session_goes_on_by_itself(streamd, kafka, tmp_path):
    """Others had its partitions meanwhile: what it had not committed is lost to it, not to them."""
    kafka.create_topic("ousted-in", 4)
    kafka.create_topic("ousted-out", 2)
    # Who hangs between its offsets and its commit holds them for as long as its transaction may take.
    sink = kafka_sink(kafka, "ousted-out", more=", options: {transaction.timeout.ms: 20000}")
    pipeline = copy(kafka, "ousted-in", sink, every="100ms")
    first, second = members(tmp_path, streamd, pipeline, "first", "second")
    first.start("--workers", 2)
    second.start()
    told, count, each = "going on from the last committed epoch", 0, 4000

    def written():
        """Committed or not: a transaction that hangs open hides what the other one commits."""
        return len(kafka.consume_all("ousted-out", isolation="read_uncommitted"))

    for _ in range(5):
        # Some of it has to be under way when it hangs.
        feeder = Feeder(kafka, "ousted-in", each, 4, partitions=4, first=count)
        first.wait_until(lambda: written() > count, 60, "records")
        count += each
        first.pause()
        before = written()
        second.wait_until(lambda: written() >= min(before + 1000, count), 60, "the other takes over")
        first.resume()
        # It is told when something of it was not yet committed; else it hangs once more.
        with suppress(AssertionError):
            wait_until(lambda: told in first.stderr, 5, "it goes on by itself")
            break
        feeder.join()
    assert told in first.stderr
    feeder.join()
    second.wait_until(lambda: sum(counted(kafka, "ousted-out").values()) >= count, 60, "all records")
    assert first.sigterm() == 0, first.stderr
    assert second.sigterm() == 0, second.stderr
    assert counted(kafka, "ousted-out") == Counter(range(count))


@pytest.mark.parametrize("fetch", ["direct", "librdkafka"])
def test_a_second_process_joins_and_leaves_without_transactions(streamd, kafka, tmp_path, fetch):
    rebalance(streamd, kafka, tmp_path, f"share-{fetch}", exactly_once=False, fetch=fetch)


def test_a_broker_that_stops_for_ten_seconds_costs_nothing(streamd, kafka, tmp_path):
    kafka.create_topic("stop-in", 3)
    kafka.create_topic("stop-out", 2)
    sink = kafka_sink(kafka, "stop-out")
    run = Streamd(streamd, copy(kafka, "stop-in", sink + FILE.replace("out:", "file:"),
                                every="100ms", more="from: earliest"), tmp_path).start()
    kafka.produce("stop-in", numbers(3000))
    run.wait_until(lambda: len(in_file(run)) == 3000, 30, "3000 records")
    kafka.stop()
    time.sleep(10)
    kafka.start()
    kafka.produce("stop-in", numbers(3000, start=3000))
    run.wait_until(lambda: len(in_file(run)) == 6000, 60, "6000 records")
    run.wait_until(lambda: sum(counted(kafka, "stop-out").values()) >= 6000, 30, "all of them")
    assert run.sigterm() == 0, run.stderr
    assert counted(kafka, "stop-out") == Counter(range(6000))
    assert in_file(run) == Counter(range(6000))
    assert len(notices(run, "W")) == 1 and "no Kafka broker of" in notices(run, "W")[0], run.stderr
    assert run.stderr.count("healed: Kafka at") == 1, run.stderr


def test_a_broker_that_is_absent_at_the_start_is_told_once_and_healed_once(streamd, tmp_path):
    ports = [free_port(), free_port()]
    with_file = FILE + ""
    address = f"127.0.0.1:{ports[0]}"

    class Absent:
        bootstrap = address

    run = Streamd(streamd, copy(Absent, "late-in", with_file), tmp_path).start()
    run.wait_until(lambda: notices(run, "W"), 30, "a warning")
    time.sleep(3)
    assert run.running
    with Kafka(ports=ports) as kafka:
        kafka.create_topic("late-in", 1)
        kafka.produce("late-in", numbers(100, partitions=1))
        run.wait_until(lambda: len(in_file(run)) == 100, 60, "100 records")
        run.wait_until(lambda: "healed: Kafka at" in run.stderr, 30, "healed")
        assert run.sigterm() == 0, run.stderr
    outage = [line for line in notices(run, "W") if "no Kafka broker of" in line]
    assert len(outage) == 1 and address in outage[0], run.stderr
    assert run.stderr.count("healed: Kafka at") == 1, run.stderr
    # The broker was there before its topic was: that may be told too, and nothing else.
    others = [line for line in notices(run, "W") if line not in outage]
    assert all('topic "late-in" does not exist' in line for line in others), run.stderr


def test_a_topic_created_later_and_partitions_added_later_are_picked_up(streamd, kafka, tmp_path):
    run = Streamd(streamd, copy(kafka, "grow-in", FILE), tmp_path).start()
    run.wait_until(lambda: 'topic "grow-in" does not exist' in run.stderr, 30, "a warning")
    kafka.create_topic("grow-in", 1)
    kafka.produce("grow-in", numbers(100, partitions=1))
    run.wait_until(lambda: len(in_file(run)) == 100, 30, "100 records")
    kafka.add_partitions("grow-in", 3)
    kafka.produce("grow-in", numbers(300, start=100, partitions=3))
    run.wait_until(lambda: len(in_file(run)) == 400, 30, "400 records")
    assert run.sigterm() == 0, run.stderr
    assert in_file(run) == Counter(range(400))
    assert len(notices(run, "W")) == 1, run.stderr
    assert 'healed: topic "grow-in" is there' in run.stderr


def test_a_missing_output_topic_is_waited_for(streamd, kafka, tmp_path):
    kafka.create_topic("wait-in", 1)
    kafka.produce("wait-in", numbers(100, partitions=1))
    run = Streamd(streamd, copy(kafka, "wait-in", kafka_sink(kafka, "wait-out", exactly_once=False)),
                  tmp_path).start()
    run.wait_until(lambda: 'topic "wait-out" does not exist' in run.stderr, 30, "a warning")
    kafka.create_topic("wait-out", 1)
    run.wait_until(lambda: len(counted(kafka, "wait-out")) == 100, 60, "100 records")
    assert run.sigterm() == 0, run.stderr
    assert counted(kafka, "wait-out") == Counter(range(100))
    assert len(notices(run, "W")) == 1, run.stderr


def test_a_hung_broker_does_not_close_windows(streamd, kafka, tmp_path):
    """While a broker says nothing nobody knows of idle partitions: event time stands still."""
    kafka.create_topic("hang-in", 1)
    pipeline = copy(kafka, "hang-in", "", more='time: {field: t, format: unix, idle_after: 2s}') \
        .replace("sinks:", "operators:\n  sums: {type: window, input: in, window: {tumbling: 5s}, "
                 "compute: {n: count()}}\nsinks:\n"
                 "  out: {type: file, input: sums, path: out/sums.ndjson}")
    record = lambda t: [(None, json.dumps({"t": t}), 0)]  # noqa: E731
    run = Streamd(streamd, pipeline, tmp_path).start()
    # The first window shows that the records have come. The second one closes when the wall clock
    # has been in charge for 4 s.
    start = int(time.time()) // 5 * 5 - 10
    kafka.produce("hang-in", record(start) + record(start + 6))
    run.wait_until(lambda: whole_rows(tmp_path / "out/sums.ndjson"), 30, "the first window")
    kafka.pause()
    try:
        time.sleep(9)
        assert len(whole_rows(tmp_path / "out/sums.ndjson")) == 1, run.stderr
    finally:
        kafka.resume()
    kafka.produce("hang-in", record(start + 6))
    # Idle in good health, the wall clock closes it.
    run.wait_until(lambda: len(whole_rows(tmp_path / "out/sums.ndjson")) == 2, 30, "the second")
    assert run.sigterm() == 0, run.stderr
    assert [row["n"] for row in whole_rows(tmp_path / "out/sums.ndjson")] == [1, 2]
