# SPDX-License-Identifier: Apache-2.0
"""From Kafka to Kafka and to files: the right answers, each exactly once, whatever happens."""

import json
import random
import threading
import time
from collections import Counter, defaultdict
from decimal import Decimal

import pytest
from confluent_kafka import Producer

from books import books_of, lines, outputs, rows
from harness import Streamd
from nginx_job import GOALS, SCALE, answers, generate, micros, rfc3339

KILLS = 20
SHORT_SESSIONS = "options: {session.timeout.ms: 1000, heartbeat.interval.ms: 100}"

COPY = """\
pipeline: copy
checkpoint: {{every: {every}}}
sources:
  in: {{type: kafka, brokers: "{brokers}", topics: [{source}], group: {source}-group, until_end: {until_end}, {more}}}
sinks:
{sinks}
"""


def copy(kafka, source, sinks, until_end=False, more=SHORT_SESSIONS, every="30ms"):
    return COPY.format(brokers=kafka.bootstrap, source=source, sinks=sinks, more=more, every=every,
                       until_end=str(until_end).lower())


def kafka_sink(kafka, topic, exactly_once=True, more=""):
    return (f'  out: {{type: kafka, input: in, brokers: "{kafka.bootstrap}", topic: {topic}, '
            f"exactly_once: {str(exactly_once).lower()}{more}}}\n")


def numbers(count, start=0, partitions=3):
    return [(None, json.dumps({"n": n}), n % partitions) for n in range(start, start + count)]


def counted(kafka, topic):
    """How often each number is in the topic, for readers of committed records."""
    return Counter(json.loads(r.value)["n"] for r in kafka.consume_all(topic))


class Feeder(threading.Thread):
    """Writes numbers at a steady pace, so that there is something to do while things happen."""

    def __init__(self, kafka, topic, count, seconds, partitions=3, first=0):
        super().__init__(daemon=True)
        self.arguments = (kafka, topic, count, seconds, partitions, first)
        self.sent, self._over = 0, threading.Event()
        self.start()

    def run(self):
        kafka, topic, count, seconds, partitions, first = self.arguments
        begin, step = time.monotonic(), max(1, count // 200)
        while self.sent < count and not self._over.is_set():
            some = min(step, count - self.sent)
            kafka.produce(topic, numbers(some, first + self.sent, partitions))
            self.sent += some
            self._over.wait(max(0, begin + seconds * self.sent / count - time.monotonic()))

    def stop(self):
        """Ends before all is written; how much was."""
        self._over.set()
        self.join()
        return self.sent


def test_the_nginx_job_gives_the_right_answers(streamd, kafka, tmp_path):
    generate(streamd, tmp_path / "in.ndjson", int(60_000 * SCALE), rate=500, clients=200)
    text = lines(tmp_path / "in.ndjson")
    kafka.create_topic("nginx-in", 3)
    for goal in range(1, 5):
        kafka.create_topic(f"goal{goal}", 2)
    kafka.create_topic("nginx-raw", 2)
    # Each client stays in its partition, as with a real keyed producer.
    place = lambda line: sum(json.loads(line)["client_ip"].encode()) % 3  # noqa: E731
    kafka.produce("nginx-in", [(None, line, place(line)) for line in text])

    def sink(name, node, more=""):
        return (f'  {name}: {{type: kafka, input: {node}, brokers: "{kafka.bootstrap}", '
                f"topic: {name}, exactly_once: true{more}}}\n")

    pipeline = "pipeline: job\nsources:\n  requests:\n    type: kafka\n" \
        f'    brokers: "{kafka.bootstrap}"\n    topics: [nginx-in]\n    until_end: true\n' \
        '    time: {field: "@timestamp", format: unix, max_delay: 2s}\n' + GOALS + "sinks:\n" \
        + sink("goal1", "busy_clients", ", key: '{{ client_ip }}'") \
        + sink("goal2", "failing_hosts") + sink("goal3", "per_country") \
        + sink("goal4", "latency", ", time_format: unix") + sink("nginx-raw", "requests")
    run = Streamd(streamd, pipeline, tmp_path, args=["--workers", 2])
    assert run.run(timeout=120) == 0, run.stderr

    partitions = defaultdict(list)
    for line in text:
        partitions[place(line)].append(json.loads(line))
    right = answers(list(partitions.values()))

    def found(topic, key, value, read_time=rfc3339):
        by_key = {}
        for record in kafka.consume_all(topic):
            row = json.loads(record.value)
            at = row[key], read_time(row["window_end"])
            assert at not in by_key, f"twice: {row}"
            by_key[at] = row[value]
        return by_key

    busy = {k: len(v) for k, v in right["busy_clients"].found.items() if len(v) > 10}
    assert busy and found("goal1", "client_ip", "requests") == busy
    failing = {k: len(v) for k, v in right["failing_hosts"].found.items() if len(v) > 15}
    assert failing and found("goal2", "host", "errors") == failing
    assert found("goal3", "country", "requests") == \
        {k: len(v) for k, v in right["per_country"].found.items()}
    mean = {k: sum(float(r["request_time"]) for r in v) / len(v)
            for k, v in right["latency"].found.items()}
    assert found("goal4", "host", "average", lambda t: micros(str(Decimal(t)))) == \
        pytest.approx(mean, rel=1e-12)
    raw = Counter(r.value.decode() for r in kafka.consume_all("nginx-raw"))
    assert raw == Counter(text)
    keys = {r.key.decode(): r.partition for r in kafka.consume_all("goal1")}
    assert set(keys) == {json.loads(r.value)["client_ip"] for r in kafka.consume_all("goal1")}
    books_of(run)


def kill_at_random(run, feeder, bounded, seed):
    """Starts and kills the process while the feeder feeds; then lets it come to its end."""
    dice = random.Random(seed)
    for _ in range(KILLS):
        run.start()
        time.sleep(dice.uniform(0.05, 2))
        assert run.running, run.stderr
        run.kill9()
    feeder.join()
    run.write(bounded)
    assert run.run(timeout=60) == 0, run.stderr


def test_transactions_survive_twenty_kills(streamd, kafka, tmp_path):
    kafka.create_topic("kills-in", 3)
    kafka.create_topic("kills-out", 2)
    count = int(30_000 * SCALE)
    feeder = Feeder(kafka, "kills-in", count, 25)
    sink = kafka_sink(kafka, "kills-out")
    run = Streamd(streamd, copy(kafka, "kills-in", sink), tmp_path)
    kill_at_random(run, feeder, copy(kafka, "kills-in", sink, until_end=True), 1)
    assert counted(kafka, "kills-out") == Counter(range(count))
    # What counts as read in Kafka is what was written: both are of one transaction.
    assert kafka.committed("kills-in-group", "kills-in") == kafka.end_offsets("kills-in")
    # A restart knows that there is nothing to do.
    assert run.run() == 0
    assert sum(counted(kafka, "kills-out").values()) == count


def test_from_kafka_to_a_file_kills_leave_the_same_bytes(streamd, kafka, tmp_path):
    kafka.create_topic("file-in", 1)
    count = int(30_000 * SCALE)
    feeder = Feeder(kafka, "file-in", count, 25, partitions=1)
    sink = "  out: {type: file, input: in, path: out/all.ndjson, rotate: {size: 100KiB}}\n"
    run = Streamd(streamd, copy(kafka, "file-in", sink), tmp_path / "killed")
    kill_at_random(run, feeder, copy(kafka, "file-in", sink, until_end=True), 2)
    straight = Streamd(streamd, copy(kafka, "file-in", sink, until_end=True)
                       .replace("file-in-group", "file-in-straight"), tmp_path / "straight")
    assert straight.run(timeout=60) == 0, straight.stderr
    expected = outputs(straight.directory / "out")
    assert len(expected) > 2
    assert outputs(run.directory / "out") == expected
    text = b"".join(expected[name] for name in sorted(expected)).splitlines()
    assert Counter(json.loads(line)["n"] for line in text) == Counter(range(count))


@pytest.fixture(autouse=True)
def folders(tmp_path):
    for name in ("killed", "straight", "second"):
        (tmp_path / name).mkdir()


@pytest.mark.parametrize("fetch", ["direct", "librdkafka"])
def test_tombstones_empty_and_too_long_records_become_dead_letters(streamd, kafka, tmp_path, fetch):
    topic = f"odd-{fetch}"
    kafka.create_topic(topic, 1)
    exact = json.dumps({"n": 1, "pad": ""})
    exact = json.dumps({"n": 1, "pad": "x" * (2048 - len(exact))})
    assert len(exact) == 2048
    kafka.produce(topic, [(b"k", None, 0), (b"k", b"", 0), (None, exact, 0),
                             (None, exact + " ", 0), (None, b"{broken", 0), (None, b'{"n":2}', 0)])
    pipeline = copy(kafka, topic, "  out: {type: file, input: in, path: out/good.ndjson}\n"
                    "  dead: {type: file, path: out/dead.ndjson}\n", until_end=True,
                    more=f"max_record: 2KiB, fetch: {fetch}") + "dead_letters: dead\n"
    run = Streamd(streamd, pipeline, tmp_path)
    assert run.run() == 0, run.stderr
    assert [row["n"] for row in rows(tmp_path / "out/good.ndjson")] == [1, 2]
    dead = {row["position"]: row for row in rows(tmp_path / "out/dead.ndjson")}
    assert {p: row["code"] for p, row in dead.items()} == \
        {0: "tombstone", 1: "empty", 3: "too-long", 4: "bad-json"}
    assert {row["partition"] for row in dead.values()} == {f"{topic}/0"}
    assert dead[4]["data"] == "{broken"
    books_of(run)


def test_a_batch_that_is_damaged_on_the_broker_is_one_dead_letter(streamd, kafka, tmp_path):
    kafka.create_topic("damaged-in", 1)
    for start in (0, 10, 20):  # A batch each.
        kafka.produce("damaged-in", numbers(10, start, partitions=1), **{"linger.ms": 1000})
    log = kafka.directory / "data-1/damaged-in-0/00000000000000000000.log"
    stored = log.read_bytes()
    assert stored.count(b'{"n": 13}') == 1
    with open(log, "r+b") as file:
        file.seek(stored.index(b'{"n": 13}') + 7)
        file.write(b"4")
    pipeline = copy(kafka, "damaged-in", "  out: {type: file, input: in, path: out/good.ndjson}\n"
                    "  dead: {type: file, path: out/dead.ndjson}\n", until_end=True) + "dead_letters: dead\n"
    run = Streamd(streamd, pipeline, tmp_path)
    assert run.run() == 0, run.stderr
    assert [row["n"] for row in rows(tmp_path / "out/good.ndjson")] == [*range(10), *range(20, 30)]
    (dead,) = rows(tmp_path / "out/dead.ndjson")
    assert (dead["code"], dead["partition"], dead["position"]) == ("damaged-batch", "damaged-in/0", 19)
    assert "none of its records is read" in dead["reason"]
    books_of(run)


@pytest.mark.parametrize("codec", ["gzip", "lz4", "zstd", "snappy"])
def test_compressed_batches_are_read_and_written(streamd, kafka, tmp_path, codec):
    source, target = f"{codec}-in", f"{codec}-out"
    kafka.create_topic(source, 2)
    kafka.create_topic(target, 2)
    kafka.produce(source, numbers(5000, partitions=2), **{"compression.type": codec})
    sink = kafka_sink(kafka, target, exactly_once=False, more=f", compression: {codec}")
    run = Streamd(streamd, copy(kafka, source, sink, until_end=True), tmp_path)
    assert run.run() == 0, run.stderr
    assert counted(kafka, target) == Counter(range(5000))


@pytest.mark.parametrize("codec", ["gzip", "lz4", "zstd", "snappy"])
def test_batches_that_java_has_compressed_are_read(streamd, kafka, tmp_path, codec):
    source, target = f"java-{codec}-in", f"java-{codec}-out"
    kafka.create_topic(source, 2)
    kafka.create_topic(target, 2)
    filling = "0123456789abcdef" * 100
    # Snappy's frames hold several blocks then.
    kafka.produce_with_java(source, (f'{{"n":{n},"f":"{filling}"}}' for n in range(300)), codec, batch_size=200_000)
    run = Streamd(streamd, copy(kafka, source, kafka_sink(kafka, target, False), until_end=True), tmp_path)
    assert run.run() == 0, run.stderr
    assert counted(kafka, target) == Counter(range(300))


def test_a_topic_that_its_brokers_compress_with_zstd_is_read(streamd, kafka, tmp_path):
    """They give it only to newer requests than streamd's own: librdkafka fetches it."""
    kafka.create_topic("broker-zstd-in", 2, compression_type="zstd")
    kafka.create_topic("broker-zstd-out", 1)
    kafka.produce("broker-zstd-in", numbers(500, partitions=2))
    sink = kafka_sink(kafka, "broker-zstd-out", exactly_once=False)
    run = Streamd(streamd, copy(kafka, "broker-zstd-in", sink, until_end=True), tmp_path)
    for n in range(1, 6):  # The change happens while answers are on their way.
        assert run.run("--fresh") == 0, run.stderr
        assert "is compressed with zstd by its brokers: librdkafka fetches from now on" in run.stderr
        assert counted(kafka, "broker-zstd-out") == {number: n for number in range(500)}


def test_a_topic_made_from_fields_goes_only_where_it_may(streamd, kafka, tmp_path):
    kafka.create_topic("route-in", 1)
    for name in ("route-de", "route-fr"):
        kafka.create_topic(name, 1)
    kafka.produce("route-in", [(None, json.dumps({"n": n, "c": c}), 0) for n, c in
                               enumerate(["de", "fr", "../../etc", "de", "", None])])
    pipeline = copy(kafka, "route-in", kafka_sink(kafka, "'route-{{ c }}'"), until_end=True)
    pipeline = pipeline.replace("sinks:", "sinks:\n  dead: {type: file, path: out/dead.ndjson}")
    # "" and null make topics that nobody made; here they would wait for them.
    pipeline = pipeline.replace("input: in, brokers", "input: known, brokers") + \
        "dead_letters: dead\noperators:\n  known: {type: filter, input: in, where: c != null && size(c) > 0}\n"
    run = Streamd(streamd, pipeline, tmp_path)
    assert run.run() == 0, run.stderr
    assert counted(kafka, "route-de") == Counter([0, 3])
    assert counted(kafka, "route-fr") == Counter([1])
    dead = rows(tmp_path / "out/dead.ndjson")
    assert [(row["node"], row["code"], row["position"]) for row in dead] == [("out", "bad-topic", 2)]


def test_a_record_larger_than_the_limit_becomes_a_dead_letter(streamd, kafka, tmp_path):
    kafka.create_topic("large-in", 1)
    kafka.create_topic("large-out", 1)
    kafka.produce("large-in", [(None, json.dumps({"n": 1}), 0),
                               (None, json.dumps({"n": 2, "pad": "x" * 3000}), 0)])
    pipeline = copy(kafka, "large-in",
                    kafka_sink(kafka, "large-out", more=", options: {message.max.bytes: 2000}")
                    + "  dead: {type: file, path: out/dead.ndjson}\n", until_end=True)
    run = Streamd(streamd, pipeline + "dead_letters: dead\n", tmp_path)
    assert run.run() == 0, run.stderr
    assert counted(kafka, "large-out") == Counter([1])
    assert [row["code"] for row in rows(tmp_path / "out/dead.ndjson")] == ["too-large"]


def test_uncommitted_records_are_not_read_and_markers_do_not_hang(streamd, kafka, tmp_path):
    """A topic that ends in transaction markers, written by another run of ours."""
    kafka.create_topic("marks-in", 1)
    kafka.create_topic("marks-mid", 1)
    kafka.create_topic("marks-out", 1)
    kafka.produce("marks-in", numbers(100, partitions=1))
    first = Streamd(streamd, copy(kafka, "marks-in", kafka_sink(kafka, "marks-mid"), until_end=True),
                    tmp_path / "killed")
    assert first.run() == 0, first.stderr
    assert kafka.end_offsets("marks-mid")[0] > 100
    second = Streamd(streamd, copy(kafka, "marks-mid", kafka_sink(kafka, "marks-out"),
                                   until_end=True), tmp_path / "second")
    assert second.run(timeout=30) == 0, second.stderr
    assert counted(kafka, "marks-out") == Counter(range(100))
    assert kafka.committed("marks-mid-group", "marks-mid") == kafka.end_offsets("marks-mid")


@pytest.mark.parametrize("fetch", ["direct", "librdkafka"])
def test_records_of_aborted_and_open_transactions_are_not_read(streamd, kafka, tmp_path, fetch):
    topic = f"aborted-{fetch}"
    kafka.create_topic(topic, 1)

    def producer(name):
        made = Producer({"bootstrap.servers": kafka.bootstrap, "transactional.id": f"{topic}-{name}"})
        made.init_transactions(30)
        return made

    def write(writer, *numbers_):
        for n in numbers_:
            writer.produce(topic, json.dumps({"n": n}), partition=0)
        assert writer.flush(30) == 0  # A batch of its own.

    one, other = producer("one"), producer("other")
    one.begin_transaction()
    write(one, 0, 1, 2)
    other.begin_transaction()
    write(other, 3, 4)
    write(one, 5, 6)
    one.abort_transaction(30)
    write(other, 7)
    one.begin_transaction()
    write(one, 8, 9)
    other.commit_transaction(30)
    one.commit_transaction(30)
    other.begin_transaction()
    write(other, 10, 11)
    pipeline = copy(kafka, topic, "  out: {type: file, input: in, path: out/all.ndjson}\n", until_end=True,
                    more=f"fetch: {fetch}")
    first = Streamd(streamd, pipeline, tmp_path)
    assert first.run(timeout=60) == 0, first.stderr
    assert [row["n"] for row in rows(tmp_path / "out/all.ndjson")] == [3, 4, 7, 8, 9]
    other.abort_transaction(30)
    one.begin_transaction()
    write(one, 12)
    one.commit_transaction(30)
    second = Streamd(streamd, pipeline, tmp_path)
    assert second.run(timeout=60) == 0, second.stderr
    assert [row["n"] for row in rows(tmp_path / "out/all.ndjson")] == [3, 4, 7, 8, 9, 12]


def test_a_fresh_start_reads_everything_again(streamd, kafka, tmp_path):
    kafka.create_topic("fresh-in", 2)
    kafka.create_topic("fresh-out", 1)
    kafka.produce("fresh-in", numbers(200, partitions=2))
    run = Streamd(streamd, copy(kafka, "fresh-in", kafka_sink(kafka, "fresh-out"), until_end=True),
                  tmp_path)
    assert run.run() == 0, run.stderr
    assert run.run("--fresh") == 0, run.stderr
    assert counted(kafka, "fresh-out") == Counter({n: 2 for n in range(200)})
    assert run.run() == 0, run.stderr
    assert sum(counted(kafka, "fresh-out").values()) == 400
