# SPDX-License-Identifier: Apache-2.0
"""pipelines/shodan.yaml whole: Shodan's stream (a stand-in), real CrowdSec, Kafka and MongoDB protocol,
and Discord (a stand-in): what reached where is compared with the truth about the banners.
"""

import json
import os
from contextlib import ExitStack
from pathlib import Path

import pytest

from books import books_of, rows
from fault_proxy import FaultProxy
from harness import Streamd, call
from services import CrowdSec, Discord, MongoDB, Shodan
from shodan_banners import OUR_NETWORKS, BannerGenerator
from shodan_job import expected_news, identity, said, spoiled, with_search

ROOT = Path(os.environ.get("STREAMD_SOURCE_DIR", Path(__file__).resolve().parents[2]))
SECRETS = ("SHODAN_KEY", "CROWDSEC_KEY", "DISCORD_WEBHOOK")


@pytest.fixture(scope="module")
def crowdsec():
    with CrowdSec() as service:
        yield service


@pytest.fixture(scope="module")
def mongodb():
    with MongoDB() as service:
        yield service


@pytest.fixture
def world(kafka, crowdsec, mongodb, tmp_path):
    """Everything around streamd, and the environment that names it."""
    with Shodan() as shodan, Discord() as discord:
        hook = discord.webhook()
        (tmp_path / "ours.txt").write_text("\n".join(OUR_NETWORKS) + "\n")
        yield shodan, discord, hook, {
            "SHODAN_KEY": shodan.key, "SHODAN_URL": shodan.url, "SHODAN_STREAM_URL": shodan.url,
            "CROWDSEC_KEY": crowdsec.bouncer_key(), "CROWDSEC_URL": crowdsec.url,
            "KAFKA_BROKERS": kafka.bootstrap, "MONGODB_URI": mongodb.uri,
            "DISCORD_WEBHOOK": discord.webhook_url(hook), "OUR_NETWORKS": tmp_path / "ours.txt"}
        mongodb.drop("shodan")


def test_the_whole_job(streamd, kafka, crowdsec, mongodb, world, tmp_path):
    shodan, discord, _, environment = world
    kafka.create_topic("shodan-banners", 2)
    banners = BannerGenerator(seed=7, hosts=6).take(60)
    bad = next(b.ip for b in banners if b.ours and ":" not in b.ip)
    crowdsec.add_decision(bad)
    run = Streamd(streamd, (ROOT / "pipelines/shodan.yaml").read_text(), tmp_path, env=environment)
    run.start()
    run.wait_until(lambda: shodan.streams == 1, 60, "it listens")
    shodan.publish(*banners)
    new = set(map(identity, banners))
    run.wait_until(lambda: mongodb.count("shodan", "banners-2024-05") == len(new), 60, "the history is there")
    news = expected_news(banners, {bad})
    run.wait_until(lambda: len(said(discord)) >= len(news), 120, "Discord was told")
    assert run.sigterm() == 0, run.stderr
    assert sorted(said(discord)) == sorted(news)
    written = [json.loads(r.value) for r in kafka.consume_all("shodan-banners")]
    assert len(written) == len(new)
    assert not any({"data", "ssl", "opts"} & set(row) for row in written)
    judged = [row for row in written if "match.list" in row]
    assert {row["address"] for row in judged} == {bad}
    books = books_of(run)
    assert books["fresh"].left == {"duplicate": len(banners) - len(new)}
    for name in SECRETS:
        assert str(environment[name]) not in run.stderr
        assert str(environment[name]).rsplit("/", 1)[-1] not in run.stderr


# --- what comes in bad ------------------------------------------------------------------


def new_job(streamd, kafka, environment, folder, topic, change=lambda text: text):
    """The same pipeline on a topic of its own."""
    kafka.create_topic(topic, 1)
    text = change((ROOT / "pipelines/shodan.yaml").read_text())
    return Streamd(streamd, text.replace("topic: shodan-banners", f"topic: {topic}"), folder, env=environment)


def history(mongodb):
    return mongodb.find_all("shodan", "banners-2024-05")


def letters(run):
    return rows(run.state_dir / "shodan/dead_letters/dead_letters.ndjson")


def large(banner, port, size):
    """The banner with so many bytes of a page in it, on another port."""
    page = {**banner.record.get("http", {}), "html": "x" * size}
    return spoiled(banner, port=port, hash=port, http=page)


def test_a_banner_of_10_mb_reaches_all_that_can_hold_it(streamd, kafka, mongodb, world, tmp_path):
    shodan, discord, _, environment = world
    host = next(b for b in BannerGenerator(seed=7, hosts=6) if b.ours and b.record["transport"] == "tcp")
    run = new_job(streamd, kafka, environment, tmp_path, "large-banners").start()
    run.wait_until(lambda: shodan.streams == 1, 60, "it listens")
    sent = [large(host, 4001, 100), large(host, 4010, 10_000_000), large(host, 4017, 17 << 20),
            large(host, 4002, 100)]
    shodan.publish(*sent)
    run.wait_until(lambda: len(said(discord)) >= 3, 60, "Discord was told")
    run.wait_until(lambda: len(history(mongodb)) == 3, 60, "the history is there")
    assert run.sigterm() == 0, run.stderr
    assert sorted(f for _, f in said(discord)) == [f"port {p}/tcp" for p in (4001, 4002, 4010)]
    assert sorted(len(row["http"]["html"]) for row in history(mongodb)) == [100, 100, 10_000_000]
    # Kafka's own limit is 1 MB; Shodan's source was told 16MiB.
    assert sorted(json.loads(r.value)["port"] for r in kafka.consume_all("large-banners")) == [4001, 4002]
    told = {letter["node"]: letter for letter in letters(run)}
    assert set(told) == {"banners", "topic"}
    assert "max_record" in told["banners"]["reason"] and "message.max.bytes" in told["topic"]["reason"], told


def test_an_exhausted_plan_ends_the_job_and_says_until_when(streamd, kafka, world, tmp_path):
    shodan, _, _, environment = world
    shodan.add(*BannerGenerator(seed=7, hosts=6).take(30))
    shodan.query_credits = 0
    run = new_job(streamd, kafka, environment, tmp_path, "exhausted", with_search)
    assert run.run() == 1
    (error,) = [line for line in run.stderr.splitlines() if "no query credits are left" in line]
    assert "found" in error and "renewed at the start of the month" in run.stderr
    # Once they are, it goes on.
    shodan.query_credits = 100
    run.start()
    run.wait_until(lambda: len(kafka.consume_all("exhausted")) > 0, 60, "it goes on")
    assert run.sigterm() == 0, run.stderr


def test_hosts_that_have_only_ipv6(streamd, kafka, crowdsec, mongodb, world, tmp_path):
    """Banners of such hosts, from services on such hosts. (Kafka tells its own address.)"""
    shodan, discord, _, environment = world
    banners = [b for b in BannerGenerator(seed=3, hosts=20).take(200) if ":" in b.ip][:40]
    bad = next(b.ip for b in banners if b.ours)
    crowdsec.add_decision(bad)
    with ExitStack() as cleanup:
        six = {service: cleanup.enter_context(FaultProxy(service.port, address="::1"))
               for service in (shodan, discord, crowdsec, mongodb)}
        environment = {
            **environment, "SHODAN_URL": six[shodan].url, "SHODAN_STREAM_URL": six[shodan].url,
            "CROWDSEC_URL": six[crowdsec].url,
            "MONGODB_URI": f"mongodb://[::1]:{six[mongodb].port}/?directConnection=true",
            "DISCORD_WEBHOOK": environment["DISCORD_WEBHOOK"].replace(discord.url, six[discord].url)}
        run = new_job(streamd, kafka, environment, tmp_path, "six").start()
        run.wait_until(lambda: shodan.streams == 1, 60, "it listens")
        shodan.publish(*banners)
        news = expected_news(banners, {bad})
        run.wait_until(lambda: len(said(discord)) >= len(news), 120, "Discord was told")
        new = set(map(identity, banners))
        run.wait_until(lambda: len(history(mongodb)) == len(new), 60, "the history is there")
        assert run.sigterm() == 0, run.stderr
    assert sorted(said(discord)) == sorted(news) and len(news) > 3
    assert {json.loads(r.value)["address"] for r in kafka.consume_all("six")} == {b.ip for b in banners}


def test_a_webhook_that_is_deleted_meanwhile(streamd, kafka, mongodb, world, tmp_path):
    shodan, discord, hook, environment = world
    host = next(b for b in BannerGenerator(seed=7, hosts=6) if b.ours and b.record["transport"] == "tcp")
    run = new_job(streamd, kafka, environment, tmp_path, "deleted").start()
    run.wait_until(lambda: shodan.streams == 1, 60, "it listens")
    shodan.publish(*(large(host, port, 10) for port in range(5001, 5004)))
    run.wait_until(lambda: len(said(discord)) == 3, 60, "Discord was told")
    discord.delete_webhook(hook)
    for port in range(5004, 5024):
        shodan.publish(large(host, port, 10))
    run.wait_until(lambda: len(letters(run)) == 20, 60, "the findings are dead letters")
    # All else goes on.
    run.wait_until(lambda: len(history(mongodb)) == 23, 60, "the history is there")
    assert run.sigterm() == 0, run.stderr
    assert discord.calls_to_deleted[hook.id] == 1
    assert len(kafka.consume_all("deleted")) == 23
    assert {(letter["node"], letter["code"]) for letter in letters(run)} == {("chat", "discord-10015")}
    (error,) = [line for line in run.stderr.splitlines() if " E " in line]
    assert "Unknown Webhook" in error and "make a new one" in error and "replay the dead letters" in error
    assert books_of(run)["chat"].left == {"dead letters": 20}
    assert hook.token not in run.stderr + json.dumps(letters(run))


# --- what is shown ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["shodan.yaml", "shodan/fetch.yaml", "shodan/history.yaml", "shodan/dispatch.yaml"])
def test_check_knows_the_shipped_pipelines_and_shows_no_secret(name, streamd, tmp_path):
    secret = {"SHODAN_KEY": "planted-key", "CROWDSEC_KEY": "planted-key",
              "DISCORD_WEBHOOK": "https://discord.com/api/webhooks/1/planted-key",
              "MONGODB_URI": "mongodb://user:planted-key@localhost"}
    told = call(streamd, "check", ROOT / "pipelines" / name, cwd=ROOT, env=secret)
    assert told.returncode == 0, told.stderr
    assert "planted-key" not in told.stdout + told.stderr
