#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""./dev demo shodan: pipelines/shodan.yaml whole, on stand-ins of Shodan and Discord and real
services beside them, and what reached where.

exit: 0 all that was expected has arrived, 1 something has not, 2 the arguments are wrong
"""

import argparse
import os
import shutil
import sys
import time
from contextlib import ExitStack
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "services")]

import shodan_job as job  # noqa: E402
from books import books_of, unbalanced  # noqa: E402
from discord_text import render  # noqa: E402
from foreground import Foreground  # noqa: E402
from services import CrowdSec, Discord, Kafka, MongoDB, ServiceError, Shodan  # noqa: E402
from shodan_banners import OUR_NETWORKS  # noqa: E402

ROOT = HERE.parents[1]
PATIENCE = 120  # Seconds from the last banner to the last arrival.


def say(text):
    print(f"==> {text}", flush=True)


class World:
    """The services, and what streamd is told of them."""

    def __init__(self, cleanup, folder, stream):
        started = {}
        for name, make in (("Kafka", Kafka), ("MongoDB's protocol (FerretDB)", MongoDB),
                           ("CrowdSec's local API", CrowdSec), ("Discord (a stand-in)", Discord),
                           ("Shodan (a stand-in)", lambda: Shodan(stream.found))):
            say(f"starting {name}")
            started[name] = cleanup.enter_context(make())
        self.kafka, self.mongodb, self.crowdsec, self.discord, self.shodan = started.values()
        self.kafka.create_topic(job.TOPIC, 2)
        addresses = [b.ip for b in stream.fresh if ":" not in b.ip]
        ours = {b.ip for b in stream.fresh if b.ours}
        # One of our hosts, and one of somebody else's.
        self.bad = {next(a for a in addresses if a in ours), next(a for a in addresses if a not in ours)}
        for address in self.bad:
            self.crowdsec.add_decision(address, reason="ssh brute force")
        networks = folder / "ours.txt"
        networks.write_text("\n".join(OUR_NETWORKS) + "\n")
        self.environment = {
            "SHODAN_KEY": self.shodan.key, "SHODAN_URL": self.shodan.url,
            "SHODAN_STREAM_URL": self.shodan.url, "CROWDSEC_KEY": self.crowdsec.bouncer_key(),
            "CROWDSEC_URL": self.crowdsec.url, "KAFKA_BROKERS": self.kafka.bootstrap,
            "MONGODB_URI": self.mongodb.uri, "OUR_NETWORKS": str(networks),
            "DISCORD_WEBHOOK": self.discord.webhook_url(self.discord.webhook())}
        # So that the commands shown at the end can read the pipeline file.
        (folder / "demo.env").write_text(
            "".join(f"{name}='{value}'\n" for name, value in self.environment.items()))


class Arrivals:
    """What is where, beside what has to be there: rows of (place, what, arrived, expected)."""

    def __init__(self, world, stream):
        self._world, self._stream = world, stream
        self._fresh, self._news = len(stream.fresh), job.expected_news(stream.good, world.bad)
        self._statistics = stream.statistics()

    def history(self, banners):
        return self._world.mongodb.count(job.DATABASE, job.HISTORY) >= len(job.without_repeats(banners))

    def complete(self):
        """Cheap questions only: it is asked ten times a second."""
        return self.history(self._stream.good) and len(job.said(self._world.discord)) >= len(self._news) \
            and all(self._sum(name) >= total for name, (_, total) in self._statistics.items())

    def table(self, books):
        """After the end."""
        written = job.rows_of(self._world.kafka)
        told = job.said(self._world.discord)
        judged = {row["address"] for row in written if "match.type" in row}
        sent, repeats = len(self._stream.good), len(self._stream.good) - self._fresh
        lines = [("Shodan", "banners read", books["banners"].read + books["found"].read,
                  sent + len(self._stream.no_port + self._stream.no_address + self._stream.no_json)),
                 ("cleaned away", "no JSON (a dead letter)", lost(books["banners"]), len(self._stream.no_json)),
                 ("", "no address (a dead letter)", lost(books["addressed"]), len(self._stream.no_address)),
                 ("", "a port that cannot be", lost(books["possible"]), len(self._stream.no_port)),
                 ("", "said before within a day", lost(books["fresh"]), repeats),
                 ("CrowdSec", "addresses with a decision", len(judged & self._world.bad), len(self._world.bad)),
                 ("Kafka", f"records in {job.TOPIC}", len(written), self._fresh),
                 ("MongoDB", f"documents in {job.HISTORY}",
                  self._world.mongodb.count(job.DATABASE, job.HISTORY), self._fresh)]
        for name, (counted, total) in self._statistics.items():
            rows_there = self._world.mongodb.count(job.DATABASE, name)
            lines.append(("", f"{counted} in the {rows_there} documents of {name}", self._sum(name), total))
        lines.append(("Discord", f"findings in {len(self._world.discord.messages)} messages",
                      len(told), len(self._news)))
        wrong = set(told) ^ self._news
        return lines, wrong

    def _sum(self, name):
        found = self._world.mongodb.find_all(job.DATABASE, name)
        return sum(row[self._statistics[name][0]] for row in found)


def lost(node):
    return sum(node.left.values())


def play(options, cleanup, folder):
    """The exit code."""
    stream = job.Stream.of(options.banners)
    world = World(cleanup, folder, stream)
    pipeline = folder / "shodan.yaml"
    pipeline.write_text(job.with_search((ROOT / "pipelines/shodan.yaml").read_text()))
    run = Foreground([options.streamd, "run", pipeline, "--state-dir", folder / "state", "--progress"],
                     world.environment)
    cleanup.callback(run.kill)
    arrivals = Arrivals(world, stream)
    if run.wait_until(lambda: world.shodan.streams and arrivals.history(stream.found), PATIENCE):
        say("the search is read; now the live stream")
        for line in stream.live_lines:
            world.shodan.send(line)
            time.sleep(options.seconds / len(stream.live_lines))
    run.wait_until(arrivals.complete, PATIENCE)
    code = run.stop()
    if code != 0:
        say(f"streamd ended with {code}")
        return 1
    books = books_of(run)
    lines, wrong = arrivals.table(books)
    (folder / "messages.txt").write_text("".join(map(render, world.discord.messages)))
    return show(lines, wrong, unbalanced(books), folder, options.streamd)


def show(lines, wrong, books, folder, streamd):
    say("what Discord shows")
    print((folder / "messages.txt").read_text())
    say("what reached where")
    print(f"{'where':14}{'what':52}{'arrived':>9}{'expected':>10}")
    for place, what, arrived, expected in lines:
        print(f"{place:14}{what:52}{arrived:9}{expected:10}{'' if arrived == expected else '   WRONG'}")
    for finding in sorted(wrong):
        print(f"WRONG: not on both sides: {finding}")
    for line in books:
        print(f"WRONG: {line}")
    shown = os.path.relpath(folder, ROOT) if folder.is_relative_to(ROOT) else folder
    program = os.path.relpath(streamd, ROOT) if Path(streamd).is_relative_to(ROOT) else streamd
    print(f"""
Three things to try next:
  (set -a; . {shown}/demo.env; {program} dlq show {shown}/shodan.yaml --state-dir {shown}/state)
  (set -a; . pipelines/example.env; {program} check pipelines/shodan.yaml)
  ./dev services up shodan kafka mongodb crowdsec discord   # and run it yourself
""", flush=True)
    return int(bool(wrong or books or any(a != e for _, _, a, e in lines)))


def arguments():
    parser = argparse.ArgumentParser(prog="./dev demo shodan", description=__doc__.splitlines()[0])
    parser.add_argument("--banners", type=int, default=240, help="how many, from 30 on [240]")
    parser.add_argument("--seconds", type=float, default=15, help="how long the live stream takes [15]")
    parser.add_argument("--folder", type=Path, default=ROOT / "out/demo-shodan",
                        help="what is left to look at; emptied before [out/demo-shodan]")
    parser.add_argument("--streamd", type=Path, help=argparse.SUPPRESS,
                        default=os.environ.get("STREAMD_BIN", ROOT / "build/release/bin/streamd"))
    options = parser.parse_args()
    if options.banners < 30:
        parser.error("--banners: with fewer than 30 there is nothing to see")
    options.streamd = Path(options.streamd).resolve()
    if not os.access(options.streamd, os.X_OK):
        parser.error(f"{options.streamd} is not there: run ./dev build")
    return options


def main():
    options = arguments()
    folder = options.folder.resolve()
    shutil.rmtree(folder / "state", ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with ExitStack() as cleanup:
            cleanup.callback(lambda: say("the services are stopped"))
            return play(options, cleanup, folder)
    except ServiceError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
