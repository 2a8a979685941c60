# SPDX-License-Identifier: Apache-2.0
"""The services of the other tests do what those tests rely on."""

import json
import time
import urllib.request

import pytest
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

import services
from services import Kafka, Nginx, ServiceError, free_port


@pytest.fixture(scope="module")
def kafka():
    with Kafka() as service:
        yield service


def numbers(topic, count, partitions):
    return [(f"k{i}", f"{topic}-{i}", i % partitions) for i in range(count)]


def values(records):
    return sorted(r.value.decode() for r in records)


def test_a_thousand_records_come_back(kafka):
    topic = kafka.create_topic("thousand", 4, retention_ms=3600000)
    assert kafka.produce(topic, numbers(topic, 1000, 4)) == 1000
    records = kafka.consume_all(topic)
    assert values(records) == sorted(v for _, v, _ in numbers(topic, 1000, 4))
    assert kafka.end_offsets(topic) == {0: 250, 1: 250, 2: 250, 3: 250}
    assert [r.offset for r in records if r.partition == 2] == list(range(250))


def test_an_empty_topic_reads_as_nothing_and_can_grow(kafka):
    topic = kafka.create_topic("empty", 1)
    assert kafka.consume_all(topic) == []
    kafka.add_partitions(topic, 3)
    assert kafka.produce(topic, [(None, "x", 2), ("key", None, None)]) == 2
    assert len(kafka.consume_all(topic)) == 2


def test_a_client_may_be_older_than_a_partition(kafka):
    topic = kafka.create_topic("newer", 1)
    consumer = kafka._consumer("read_committed")
    assert kafka._range(consumer, topic, 0) == (0, 0)
    kafka.add_partitions(topic, 2)
    assert kafka._range(consumer, topic, 1) == (0, 0)
    consumer.close()


def test_an_unknown_topic_is_an_error(kafka):
    with pytest.raises((ServiceError, KafkaException)):
        kafka.consume_all("no-such-topic")


def test_aborted_and_open_transactions_are_not_read_as_committed(kafka):
    topic = kafka.create_topic("transactions", 1)

    def transaction(name, end):
        producer = Producer({"bootstrap.servers": kafka.bootstrap, "transactional.id": name})
        producer.init_transactions(30)
        producer.begin_transaction()
        producer.produce(topic, name)
        producer.flush(30)
        end(producer)
        return producer

    transaction("aborted", lambda p: p.abort_transaction(30))
    transaction("committed", lambda p: p.commit_transaction(30))
    still_open = transaction("open", lambda p: None)
    assert values(kafka.consume_all(topic)) == ["committed"]
    assert values(kafka.consume_all(topic, "read_uncommitted")) == ["aborted", "committed", "open"]
    still_open.abort_transaction(30)
    assert values(kafka.consume_all(topic)) == ["committed"]


def test_committed_offsets_are_told(kafka):
    topic = kafka.create_topic("offsets", 2)
    assert kafka.committed("some-group", topic) == {0: None, 1: None}
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": "some-group"})
    consumer.commit(offsets=[TopicPartition(topic, 1, 7)], asynchronous=False)
    consumer.close()
    assert kafka.committed("some-group", topic) == {0: None, 1: 7}


def test_kill_and_restart_keep_port_and_data(kafka):
    topic = kafka.create_topic("killed", 2)
    kafka.produce(topic, numbers(topic, 100, 2))
    address = kafka.bootstrap
    kafka.kill()
    assert kafka.pids() == []
    kafka.start()
    assert kafka.bootstrap == address
    assert len(kafka.consume_all(topic)) == 100
    kafka.produce(topic, numbers(topic, 10, 2))
    assert len(kafka.consume_all(topic)) == 110


def test_a_paused_broker_does_not_answer_and_a_resumed_one_does(kafka):
    topic = kafka.create_topic("paused", 1)
    kafka.pause()
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "delivery.timeout.ms": 1000,
                         "log_level": 0})
    outcome = []
    producer.produce(topic, "lost", on_delivery=lambda error, _: outcome.append(error))
    producer.flush(10)
    kafka.resume()
    assert len(outcome) == 1 and outcome[0] is not None
    kafka.produce(topic, [(None, "arrived", 0)])
    assert "arrived" in values(kafka.consume_all(topic))


def test_stop_is_orderly_and_quick(kafka):
    begin = time.monotonic()
    kafka.stop()
    assert time.monotonic() - begin < 30
    kafka.start()


def test_three_brokers_outlive_the_death_of_one():
    with Kafka(nodes=3) as cluster:
        topic = cluster.create_topic("copied", 3)
        cluster.produce(topic, numbers(topic, 300, 3))
        cluster.kill(node=2)
        cluster.produce(topic, numbers(topic, 300, 3))
        assert len(cluster.consume_all(topic)) == 600
        cluster.start(node=2)
        assert len(cluster.consume_all(topic)) == 600


def test_two_ports_are_never_the_same():
    ports = [free_port() for _ in range(50)]
    assert len(set(ports)) == 50


def test_nginx_answers_and_rotates_its_log():
    with Nginx() as nginx:
        assert nginx.get("/first") == (200, "ok\n")
        old = nginx.rotate()
        assert nginx.get("/status/404", client_ip="203.0.113.7")[0] == 404
        assert "GET /first" in old.read_text()
        line = nginx.access_log.read_text()
        assert line.startswith("203.0.113.7 - - [") and '"GET /status/404 HTTP/1.1" 404' in line
        assert nginx.rotate().name == "access.log.2"


def test_nginx_writes_json_that_parses():
    with Nginx("json") as nginx:
        nginx.get('/a?q="quoted"', headers={"User-Agent": 'x"y\\z'})
        nginx.stop()  # Its log is complete when it has ended.
        event = json.loads(nginx.access_log.read_text())
    assert event["user_agent"] == 'x"y\\z'
    assert event["status"] == "200"
    assert float(event["@timestamp"]) > 1e9


def test_nginx_writes_a_format_of_the_test():
    with Nginx("custom", log_format='$status|$request_uri|"$http_x_team"') as nginx:
        nginx.get("/path", headers={"X-Team": "red"})
        nginx.stop()
        assert nginx.access_log.read_text() == '200|/path|"red"\n'


def test_the_command_starts_finds_and_ends_a_service_that_outlives_it(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(services, "HOME", tmp_path)

    def said(*arguments):
        assert services.main(list(arguments)) == 0
        return capsys.readouterr().out

    first = said("up", "discord")
    try:
        assert first.startswith("discord: up at http://127.0.0.1:")
        url = first.split()[3]
        with urllib.request.urlopen(urllib.request.Request(url)) as answer:
            assert json.loads(answer.read())["name"] == "streamd"
        assert said("up", "discord") == first.replace("up at", "already up at")
        assert "shodan: down" in said("status")
    finally:
        assert said("down", "discord") == "discord: stopped\n"
    assert said("status", "discord") == "discord: down\n"
    assert said("down", "discord") == "discord: was not up\n"


def test_the_command_knows_every_service_and_no_other(capsys):
    assert services.main(["up", "nonsense"]) == 2
    assert capsys.readouterr().err.startswith("which service? known: crowdsec, discord, kafka, ")
    assert services.main(["dance"]) == 2


def test_what_cannot_be_fetched_does_not_keep_the_rest_from_it(monkeypatch, capsys):
    def fails():
        raise ServiceError("no network; run ./dev services fetch")

    monkeypatch.setattr(services, "FETCHED", {"crowdsec": [fails], "shodan": [lambda: "here"]})
    assert services.main(["fetch"]) == 1
    told = capsys.readouterr()
    assert told.out == "shodan: here\n" and "no network" in told.err
