# SPDX-License-Identifier: Apache-2.0
"""pipelines/ddos.yaml on made-up access logs whose attackers are known."""

import os
import re
import subprocess
import sys
from pathlib import Path

import ddos_demo
import pytest
from books import books_of
from ddos_quality import METHODS, environment, pipeline, reasons, shown, table
from ddos_traffic import Traffic, everything
from harness import Streamd

ROOT = Path(os.environ.get("STREAMD_SOURCE_DIR", Path(__file__).resolve().parents[2]))


def run(streamd, folder, traffic, every_reason=False):
    """What was blocked, the networks, and what was told."""
    folder.mkdir(exist_ok=True)
    traffic.write(folder / "access.log")
    job = Streamd(streamd, pipeline(every_reason), folder, name="ddos",
                  env=environment(folder / "access.log", folder))
    assert job.run(timeout=300) == 0, job.stderr
    books = books_of(job)
    assert books["requests"].read == len(traffic.requests)
    assert "shed" not in books["invaders"].left
    assert not any("dead letters" in node.left for node in books.values()), books
    blocked, networks = ((folder / name).read_text().split() for name in ("blocked.txt", "networks.txt"))
    return blocked, networks, job.stdout


def test_attackers_are_blocked_with_their_reasons_and_visitors_are_not(streamd, tmp_path):
    traffic = Traffic()
    for n in range(60):
        traffic.visitor(f"198.51.100.{n + 1}", 8)
    for n in range(400):  # one page, as fast as it can
        traffic.request("203.0.113.7", 300 + n * 0.05, "/", referer="https://www.example.com/")
    for n in range(150):  # looks for holes
        traffic.request("203.0.113.8", 310 + n * 0.4, f"/{traffic.dice.getrandbits(40):x}.php", 404)
    for n in range(150):  # tries the same few doors, like no browser does
        traffic.request("203.0.113.10", 310 + n * 0.4, f"/login/{n % 30}", 403)
    for n in range(300):  # the same from a network of our own
        traffic.request("10.1.2.3", 320 + n * 0.05, "/")
    blocked, networks, _ = run(streamd, tmp_path / "blocked", traffic)
    assert blocked == ["203.0.113.7", "203.0.113.8", "203.0.113.10"] and networks == []
    # Which reasons bring a client to the limit depends on how many of them come at once; all are told here.
    told = run(streamd, tmp_path / "reasons", traffic, every_reason=True)[2]
    for client, says in (("203.0.113.7", r"flood \(5\): \d+ requests in 20 s"),
                         ("203.0.113.8", r"errors \(3\): 100 % of \d+ requests failed"),
                         ("203.0.113.8", r"urls \(2\): hardly a URL twice"),
                         ("203.0.113.10", r"errors \(3\): 100 % of \d+ requests failed"),
                         ("203.0.113.10", r"machine \(2\): no referrer and one agent in \d+ requests")):
        assert re.search(rf"^{re.escape(client)} has .*{says}", told, re.M), (client, says)


def test_a_client_that_changes_its_habits_is_told(streamd, tmp_path):
    traffic = Traffic(seed=3)
    for minute in range(30):  # a program that asks twice a minute
        for second in (10, 40):
            traffic.request("203.0.113.9", minute * 60 + second, "/api/status", agent="curl/8.0")
    for n in range(75):  # and then 75 times, below every fixed limit
        traffic.request("203.0.113.9", 30 * 60 + n * 0.8, "/api/status", agent="curl/8.0")
    traffic.request("198.51.100.1", 32 * 60, "/")
    blocked, _, told = run(streamd, tmp_path, traffic)
    assert blocked == ["203.0.113.9"]
    assert "surge (3): 75 requests in a minute, usually 2" in told


@pytest.fixture(scope="module")
def six_shapes():
    return everything(visitors=200, swarm=700, crowd=1200)


def test_nearly_all_attackers_of_six_shapes_are_found_and_hardly_anybody_else(streamd, tmp_path, six_shapes):
    blocked, networks, _ = run(streamd, tmp_path / "blocked", six_shapes)
    _, _, told = run(streamd, tmp_path / "reasons", six_shapes, every_reason=True)
    by_reason = reasons(told)
    rows, by_attack = table(six_shapes, by_reason, set(blocked), networks)
    print(shown(rows, by_attack))
    together = rows[-1]
    assert together[0] == "together" and together[3] >= 0.99 and together[4] >= 0.95, rows
    assert min(by_attack.values()) >= 0.95, by_attack
    for method in METHODS:  # Each has something to say of these attacks.
        assert any(method in why for why in by_reason.values()), method
    crowd = {client for _, client, path, *_ in six_shapes.requests if client.startswith("100.70.")}
    assert len(crowd) == 1200 and not crowd & set(blocked)
    attacking = {f"{client.rsplit('.', 1)[0]}.0/24" for who in six_shapes.attackers.values() for client in who}
    assert {"100.80.0.0/24", "100.80.1.0/24"} <= set(networks) <= attacking


def test_the_demo_shows_how_well_each_method_does(streamd, tmp_path):
    done = subprocess.run(
        [sys.executable, "-B", ROOT / "tests/e2e/ddos_demo.py", "--small", "--folder", tmp_path / "left", "--streamd",
         streamd], capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stdout + done.stderr
    methods = re.findall(r"^([a-z]+) +(\d+) +(\d+) +[\d.]+ % +[\d.]+ %$", done.stdout, re.M)
    assert [method for method, *_ in methods] == [*METHODS, "networks", "together"]
    commands = re.findall(r"^  (.*)$", done.stdout.partition("Three things")[2], re.M)
    assert len(commands) == 3
    for command in commands:
        tried = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert tried.returncode == 0 and tried.stdout, (command, tried.stderr)


def test_the_demo_fails_when_too_few_are_found(capsys):
    assert ddos_demo.verdict([("together", 10, 0, 1.0, 0.96)]) == 0
    assert ddos_demo.verdict([("together", 10, 0, 1.0, 0.94)]) == 1
    assert ddos_demo.verdict([("together", 10, 1, 0.98, 1.0)]) == 1
    assert ddos_demo.verdict([("together", 0, 0, None, 0.0)]) == 1
    assert capsys.readouterr().out.count("not good enough") == 3
