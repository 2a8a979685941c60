# SPDX-License-Identifier: Apache-2.0
"""pipelines/ddos.yaml on made-up access logs whose attackers are known."""

import os
import random
from datetime import datetime, timedelta, timezone
from pathlib import Path

from books import books_of
from harness import Streamd

ROOT = Path(os.environ.get("STREAMD_SOURCE_DIR", Path(__file__).resolve().parents[2]))
START = datetime(2026, 1, 1, 12, 0, tzinfo=timezone.utc)
AGENTS = ("Mozilla/5.0 (X11; Linux x86_64) Firefox/120.0", "Mozilla/5.0 (Macintosh) Safari/605.1")


class Traffic:
    """Requests of many clients, to be written in the order of their times."""

    def __init__(self, seed=1):
        self.dice, self.requests = random.Random(seed), []

    def request(self, client, at, path, status=200, referer="-", agent=AGENTS[0]):
        self.requests.append((at, client, path, status, referer, agent))

    def visitor(self, client, minutes):
        """Somebody who reads pages: eight requests a minute or so."""
        for minute in range(minutes):
            for _ in range(self.dice.randint(4, 12)):
                self.request(client, minute * 60 + self.dice.uniform(0, 60), f"/page/{self.dice.randint(1, 40)}",
                             404 if self.dice.random() < 0.03 else 200, "https://www.example.com/",
                             self.dice.choice(AGENTS))

    def write(self, file):
        with open(file, "w") as out:
            for at, client, path, status, referer, agent in sorted(self.requests):
                when = (START + timedelta(seconds=at)).strftime("%d/%b/%Y:%H:%M:%S +0000")
                out.write(f'{client} - - [{when}] "GET {path} HTTP/1.1" {status} 512 "{referer}" "{agent}"\n')


def blocked(streamd, folder, traffic):
    traffic.write(folder / "access.log")
    pipeline = (ROOT / "pipelines/ddos.yaml").read_text().replace("format: nginx", "format: plain")
    run = Streamd(streamd, pipeline, folder, name="ddos",
                  env={"ACCESS_LOG": folder / "access.log", "FOLLOW": "false", "BLOCKLIST": folder / "blocked"})
    assert run.run(timeout=120) == 0, run.stderr
    assert books_of(run)["requests"].read == len(traffic.requests)
    return (folder / "blocked").read_text().split(), run.stdout


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
    found, told = blocked(streamd, tmp_path, traffic)
    assert found == ["203.0.113.7", "203.0.113.8", "203.0.113.10"]
    assert "203.0.113.7 has" in told and "requests in 20 s" in told
    assert "203.0.113.8 has 5: errors (3): " in told and "hardly a URL twice" in told
    assert "203.0.113.10 has 5: errors (3): " in told and "no referrer and one agent in " in told


def test_a_crowd_that_comes_at_once_is_nobodys_attack(streamd, tmp_path):
    traffic = Traffic(seed=2)
    for n in range(40):
        traffic.visitor(f"198.51.100.{n + 1}", 5)
    for n in range(2000):  # everybody reads the news of the day
        client, at = f"192.0.2.{n % 250}", 120 + traffic.dice.uniform(0, 40)
        traffic.request(client, at, "/news", referer="https://social.example/", agent=traffic.dice.choice(AGENTS))
    assert blocked(streamd, tmp_path, traffic)[0] == []


def test_a_client_that_changes_its_habits_is_told(streamd, tmp_path):
    traffic = Traffic(seed=3)
    for minute in range(30):  # a program that asks twice a minute
        for second in (10, 40):
            traffic.request("203.0.113.9", minute * 60 + second, "/api/status", agent="curl/8.0")
    for n in range(75):  # and then 75 times, below every fixed limit
        traffic.request("203.0.113.9", 30 * 60 + n * 0.8, "/api/status", agent="curl/8.0")
    traffic.request("198.51.100.1", 32 * 60, "/")
    found, told = blocked(streamd, tmp_path, traffic)
    assert found == ["203.0.113.9"]
    assert "surge (3): 75 requests in a minute, usually 2" in told
