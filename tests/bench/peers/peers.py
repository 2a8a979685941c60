#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the nginx goals on streamd and on what one could use instead, and prints one table.

All read the same records, and all write the rows of the four goals (the fifth, raw records to a sink
that drops them, is left out where an engine has none). A record is never late here, because batch
engines know no lateness: the disorder stays below max_delay, which is checked. Engines run in turn
(A B C A B C …). CPU is user + system time of the process and its children. A first run on few records
says what of it is start-up, which a job that runs for weeks does not feel. Every run's rows are compared
with a brute force; a wrong answer is INVALID, whatever its speed.
"""

import argparse
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[1:1] = [str(HERE.parent), str(HERE.parents[1] / "services")]

import bench  # noqa: E402
import inputs  # noqa: E402
from answers import JSON_NAMES, compare, expected, row_counts  # noqa: E402
from chdb_peer import ChDB  # noqa: E402
from duckdb_peer import DuckDB  # noqa: E402
from flink_peer import Flink  # noqa: E402
from job import Job  # noqa: E402
from page import page, rows  # noqa: E402
from programs import BenchError, Programs  # noqa: E402
from service import ServiceError  # noqa: E402
from spark_peer import Spark  # noqa: E402
from streamd_peer import Streamd  # noqa: E402

PARTITIONS = 2
START_RECORDS = 20_000  # Two seconds of event time.
MAX_DELAY, NO_BOUND = 1_000_000, 10**15  # microseconds
PEERS = {"streamd-file": lambda: Streamd("file"), "duckdb": DuckDB, "chdb": ChDB,
         "streamd-kafka": lambda: Streamd("kafka"), "flink": Flink, "spark": Spark}


@dataclass
class Result:
    """What one engine did in all its runs."""

    peer: object
    start: float = 0  # CPU of a run on START_RECORDS
    runs: list = field(default_factory=list)
    problems: list = field(default_factory=list)
    rows: int = 0


def arguments():
    parser = argparse.ArgumentParser(prog="./dev bench --peers", description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=1_000_000, help="how many records [1000000]")
    parser.add_argument("--repeat", type=int, default=3, help="how often each is run [3]")
    parser.add_argument("--only", choices=PEERS, action="append",
                        help="only this one, beside streamd on the same input")
    parser.add_argument("--write", action="store_true", help="write tests/bench/PEERS.md")
    parser.add_argument("--bin", default="build/bench/bin", help="where the programs are [build/bench/bin]")
    chosen = parser.parse_args()
    if chosen.records % 2 or chosen.records < 10 * START_RECORDS or chosen.repeat < 1:
        parser.error(f"an even number of records, {10 * START_RECORDS:,} or more, and at least one run")
    return chosen


def fetched(chosen, directory):
    """The chosen peers whose packages are here, and the names of the others."""
    found, missing = [], []
    for name, make in PEERS.items():
        peer = make()
        if chosen.only and name not in chosen.only and peer.name != "streamd":
            continue
        try:
            peer.fetch(directory)
            found.append(peer)
        except ServiceError as error:
            print(f"{peer.name} is MISSING: {error}", file=sys.stderr, flush=True)
            missing.append(peer.name)
    # streamd stands beside the others on each input that they read.
    reads = {peer.reads for peer in found if peer.name != "streamd"}
    return [peer for peer in found if peer.reads in reads or not chosen.only], missing


class Comparison:
    """One input, and the answers that are right for it."""

    def __init__(self, programs, records):
        self.programs, self.records = programs, records
        self.path = inputs.requests(programs.binary, records)
        self.want = self.oracle([self.path], MAX_DELAY)
        halves = inputs.halves(programs.binary, records)
        if not self.want == self.oracle([self.path], NO_BOUND) == self.oracle(halves, MAX_DELAY):
            raise BenchError("some records are late: engines without lateness cannot be compared")
        with open(self.path) as lines:
            self.newest = max(float(line.rsplit('"', 2)[1]) for line in lines)

    def oracle(self, files, max_delay):
        return expected(self.programs.helper("oracle", max_delay, *files))

    def fill(self, kafka):
        kafka.create_topic(f"requests-{self.records}", PARTITIONS)
        self.programs.helper("fill", kafka.bootstrap, f"requests-{self.records}", PARTITIONS, self.path)

    def once(self, peer, number, kafka):
        """One run of one engine: what it cost, with what is wrong with its answers."""
        with tempfile.TemporaryDirectory(dir=self.programs.directory) as place:
            job = Job(Path(place), self.path)
            if peer.reads == "kafka":
                job.kafka, job.topic = kafka, f"requests-{self.records}"
                job.group = f"{type(peer).__name__}-{self.records}-{number}".lower()
                for goal in JSON_NAMES:
                    kafka.create_topic(f"{goal}-{job.group}")
            run = peer.run(self.programs, job)
            run.problems += compare(self.wanted(peer), job.answers(), JSON_NAMES)
        print(f"{peer.name} ({peer.reads}), {self.records:,} records: {run.wall:.1f} s, {run.cpu:.1f} s of "
              f"CPU, {run.rss / 1e6:,.0f} MB{' INVALID' if run.problems else ''}", file=sys.stderr, flush=True)
        return run

    def wanted(self, peer):
        return {row: value for row, value in self.want.items() if peer.complete(row[2], self.newest)}


def measure(short, whole, peers, repeat, kafka):
    results = [Result(peer) for peer in peers]
    for result in results:
        run = short.once(result.peer, 0, kafka)
        result.start, result.problems = run.cpu, run.problems
        result.rows = len(whole.wanted(result.peer))
    for number in range(repeat):
        for result in results:
            run = whole.once(result.peer, number, kafka)
            result.runs.append(run)
            result.problems += run.problems
    return results


def with_kafka(short, whole, peers, repeat):
    if not any(peer.reads == "kafka" for peer in peers):
        return measure(short, whole, peers, repeat, None)
    from services import Kafka  # Needs python3-confluent-kafka; the file alone does not.

    with Kafka(log_retention_ms=-1) as kafka:
        print("filling the topics", file=sys.stderr)
        short.fill(kafka)
        whole.fill(kafka)
        return measure(short, whole, peers, repeat, kafka)


def main():
    chosen, busy = arguments(), bench.load()
    with tempfile.TemporaryDirectory(prefix="streamd-peers-") as directory:
        programs = Programs(chosen.bin, directory)
        peers, missing = fetched(chosen, Path(directory))
        try:
            short, whole = Comparison(programs, START_RECORDS), Comparison(programs, chosen.records)
            results = with_kafka(short, whole, peers, chosen.repeat)
        except (BenchError, ServiceError) as error:
            print(f"peers: {error}", file=sys.stderr)
            return 1
        busy = f"{busy} before, {bench.load()} after"
        text = page(results, chosen, START_RECORDS, programs.binary, row_counts(whole.want), busy)
    print("\n".join(rows(results, chosen.records, START_RECORDS)))
    if missing:
        print(f"MISSING, see above: {', '.join(missing)}", file=sys.stderr)
    if chosen.write and not missing:
        (HERE.parent / "PEERS.md").write_text(text)
    return 1 if missing or any(result.problems for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
