# SPDX-License-Identifier: Apache-2.0
"""pipelines/shodan.yaml whole: Shodan's stream (a stand-in), real CrowdSec, Kafka and MongoDB protocol,
and Discord (a stand-in): what reached where is compared with the truth about the banners.
"""

import json
import os
from pathlib import Path

import pytest

from books import books_of
from harness import Streamd, call
from services import CrowdSec, Discord, MongoDB, Shodan
from shodan_banners import OUR_NETWORKS, BannerGenerator
from shodan_job import expected_news, identity, said

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
        yield shodan, discord, {
            "SHODAN_KEY": shodan.key, "SHODAN_URL": shodan.url, "SHODAN_STREAM_URL": shodan.url,
            "CROWDSEC_KEY": crowdsec.bouncer_key(), "CROWDSEC_URL": crowdsec.url,
            "KAFKA_BROKERS": kafka.bootstrap, "MONGODB_URI": mongodb.uri,
            "DISCORD_WEBHOOK": discord.webhook_url(hook), "OUR_NETWORKS": tmp_path / "ours.txt"}
        mongodb.drop("shodan")


def test_the_whole_job(streamd, kafka, crowdsec, mongodb, world, tmp_path):
    shodan, discord, environment = world
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


@pytest.mark.parametrize("name", ["shodan.yaml", "shodan/fetch.yaml", "shodan/history.yaml", "shodan/dispatch.yaml"])
def test_check_knows_the_shipped_pipelines_and_shows_no_secret(name, streamd, tmp_path):
    secret = {"SHODAN_KEY": "planted-key", "CROWDSEC_KEY": "planted-key",
              "DISCORD_WEBHOOK": "https://discord.com/api/webhooks/1/planted-key",
              "MONGODB_URI": "mongodb://user:planted-key@localhost"}
    told = call(streamd, "check", ROOT / "pipelines" / name, cwd=ROOT, env=secret)
    assert told.returncode == 0, told.stderr
    assert "planted-key" not in told.stdout + told.stderr
