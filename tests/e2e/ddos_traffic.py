# SPDX-License-Identifier: Apache-2.0
"""Made-up access logs (combined format): visitors, robots, a crowd, and attacks whose authors are known."""

import random
from datetime import datetime, timedelta, timezone

START = datetime(2026, 1, 1, 12, 0, tzinfo=timezone.utc)
BROWSERS = ("Mozilla/5.0 (X11; Linux x86_64) Firefox/120.0", "Mozilla/5.0 (Macintosh) Safari/605.1",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/124.0", "Mozilla/5.0 (iPhone) Mobile/15E148")
SITE = "https://www.example.com/"


class Traffic:
    """Requests of many clients, to be written in the order of their times. `attackers`: who did what, by attack."""

    def __init__(self, seed=1):
        self.dice, self.requests, self.attackers = random.Random(seed), [], {}

    def request(self, client, at, path, status=200, referer="-", agent=BROWSERS[0]):
        self.requests.append((at, client, path, status, referer, agent))

    def write(self, file):
        with open(file, "w") as out:
            for at, client, path, status, referer, agent in sorted(self.requests):
                when = (START + timedelta(seconds=at)).strftime("%d/%b/%Y:%H:%M:%S +0000")
                out.write(f'{client} - - [{when}] "GET {path} HTTP/1.1" {status} 512 "{referer}" "{agent}"\n')

    # --- who means no harm ---------------------------------------------------------------------

    def visitor(self, client, minutes, since=0):
        """Somebody who reads pages: eight requests a minute or so."""
        agent = self.dice.choice(BROWSERS)
        for minute in range(minutes):
            for _ in range(self.dice.randint(4, 12)):
                self.request(client, since + minute * 60 + self.dice.uniform(0, 60),
                             f"/page/{self.dice.randint(1, 40)}", 404 if self.dice.random() < 0.03 else 200,
                             SITE, agent)

    def office(self, client, minutes):
        """Many people behind one address: many requests, of several browsers."""
        for minute in range(minutes):
            for _ in range(self.dice.randint(60, 90)):
                self.request(client, minute * 60 + self.dice.uniform(0, 60), f"/page/{self.dice.randint(1, 40)}",
                             200, SITE, self.dice.choice(BROWSERS))

    def robot(self, client, minutes):
        """A search engine: no referrer, one agent, hardly a page twice."""
        for minute in range(minutes):
            for _ in range(self.dice.randint(8, 14)):
                self.request(client, minute * 60 + self.dice.uniform(0, 60), f"/archive/{self.dice.randint(1, 90000)}",
                             200, "-", "Mozilla/5.0 (compatible; ExampleBot/2.1)")

    def probe(self, client, minutes):
        """A monitor that looks every ten seconds."""
        for n in range(minutes * 6):
            self.request(client, n * 10 + self.dice.uniform(0, 0.2), "/health", 200, "-", "probe/1.0")

    def crowd(self, network, since, clients):
        """Everybody reads the news of the day, at once. Some are impatient."""
        for n in range(clients):
            client, agent = f"{network}.{n // 250}.{n % 250 + 1}", self.dice.choice(BROWSERS)
            at = since + abs(self.dice.gauss(0, 40))
            for _ in range(self.dice.randint(1, 4) if self.dice.random() < 0.95 else self.dice.randint(15, 30)):
                self.request(client, at, "/news", referer="https://social.example/", agent=agent)
                for part in ("/style.css", "/logo.png"):
                    if self.dice.random() < 0.5:
                        self.request(client, at + 0.3, part, referer=SITE + "news", agent=agent)
                at += self.dice.uniform(1, 5)

    # --- who does ------------------------------------------------------------------------------

    def attack(self, name, client):
        self.attackers.setdefault(name, set()).add(client)

    def flood(self, client, since):
        """One client, as fast as it can, made up like a browser."""
        self.attack("flood by one", client)
        for n in range(900):
            self.request(client, since + n * 0.05, "/", referer=SITE)

    def swarm(self, network, since, clients):
        """Thousands, each not fast, all for the same page, of which nobody was here before."""
        for n in range(clients):
            client = f"{network}.{n // 250}.{n % 250 + 1}"
            self.attack("flood by many", client)
            begin = since + self.dice.uniform(0, 20)
            for i in range(35):
                self.request(client, begin + i * 1.6 + self.dice.uniform(0, 0.5), "/search?q=all", agent="okhttp/4.9")

    def patience(self, network, since, minutes, clients):
        """Slow and low: a dear page every five seconds, for long."""
        for n in range(clients):
            client = f"{network}.{n // 250}.{n % 250 + 1}"
            self.attack("slow and low", client)
            for i in range(minutes * 12):
                self.request(client, since + i * 5 + self.dice.uniform(0, 3), "/report/yearly?format=pdf",
                             agent="python-requests/2.31")

    def random_urls(self, network, since, clients):
        """Each time another page that no cache can have."""
        for n in range(clients):
            client = f"{network}.{n // 250}.{n % 250 + 1}"
            self.attack("random URLs", client)
            for i in range(140):
                self.request(client, since + i * 0.9 + self.dice.uniform(0, 0.5),
                             f"/?{self.dice.getrandbits(48):x}", agent=BROWSERS[2])

    def storm(self, network, since, clients):
        """Looks for doors: nearly all of it fails."""
        for n in range(clients):
            client = f"{network}.{n // 250}.{n % 250 + 1}"
            self.attack("error storm", client)
            for i in range(160):
                self.request(client, since + i * 0.7 + self.dice.uniform(0, 0.3), f"/wp-admin/{i % 30}.php",
                             self.dice.choice((403, 404, 404, 500, 200)), agent="scanner/1.0")

    def turned(self, network, calm, clients):
        """Programs that ask twice a minute, until somebody else has them: well below every fixed limit."""
        for n in range(clients):
            client = f"{network}.{n // 250}.{n % 250 + 1}"
            self.attack("turned programs", client)
            for i in range(calm * 2):
                self.request(client, i * 30 + self.dice.uniform(0, 20), "/api/status", agent="curl/8.0")
            for i in range(120):
                self.request(client, calm * 60 + i * 0.9 + self.dice.uniform(0, 0.5), "/api/status", agent="curl/8.0")


def everything(seed=1, visitors=600, swarm=2000, crowd=2500):
    """Forty minutes: visitors and robots, a crowd that is no attack, and six attacks one after the other."""
    traffic = Traffic(seed)
    for n in range(visitors):
        since = traffic.dice.randint(0, 20)
        traffic.visitor(f"198.51.{n // 250}.{n % 250 + 1}", traffic.dice.randint(5, 40 - since), since * 60)
    for n in range(4):
        traffic.office(f"192.0.2.{n + 1}", 40)
        traffic.robot(f"192.0.2.{n + 11}", 40)
        traffic.probe(f"192.0.2.{n + 21}", 40)
    traffic.flood("203.0.113.7", 12 * 60)
    traffic.storm("100.64", 14 * 60, 20)
    traffic.random_urls("100.65", 18 * 60, 30)
    traffic.patience("100.66", 10 * 60, 25, 25)
    traffic.crowd("100.70", 23 * 60, crowd)
    traffic.turned("100.67", 27, 15)
    traffic.swarm("100.80", 30 * 60, swarm)
    return traffic
