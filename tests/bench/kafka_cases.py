# SPDX-License-Identifier: Apache-2.0
"""Measurement from Kafka to Kafka, beside a consumer that only counts."""

import json
import sys

import inputs
from answers import JSON_NAMES, compare, expected, row_counts
from programs import BenchError, middle
from report import Line, spread
from service import ServiceError

PARTITIONS = 2
PREFETCH_KB = 256 * 1024  # The source's default.


def measure(programs, chosen):
    from services import Kafka  # Needs python3-confluent-kafka; the other groups do not.

    path = inputs.requests(programs.binary, chosen.records)
    halves = inputs.halves(programs.binary, chosen.records)
    want = expected(programs.helper("oracle", 1_000_000, *halves))
    try:
        with Kafka(log_retention_ms=-1) as kafka:
            kafka.create_topic("requests", PARTITIONS)
            print("filling the topic", file=sys.stderr)
            programs.helper("fill", kafka.bootstrap, "requests", PARTITIONS, path)
            return _measure(programs, chosen, kafka, want)
    except ServiceError as error:
        raise BenchError(str(error)) from error


def _measure(programs, chosen, kafka, want):
    bare, runs, problems = [], [], []
    version = ""
    for n in range(chosen.repeat):
        cost, out, errors = programs.measured(
            [programs.folder / "bench_bare_consumer", kafka.bootstrap, "requests", PREFETCH_KB])
        if cost["code"] != 0 or json.loads(out)["records"] != chosen.records:
            raise BenchError(f"bare consumer: {out} {errors[-500:]}")
        version = json.loads(out)["librdkafka"]
        bare.append(cost["user"] + cost["sys"])

        group = f"bench-{n}"
        for goal in JSON_NAMES:
            kafka.create_topic(f"{goal}-{group}")
        run = programs.streamd("nginx_kafka", {
            "KAFKA_BROKERS": kafka.bootstrap, "INPUT_TOPIC": "requests", "GROUP": group})
        runs.append(run)
        problems += run.problems
        for node, count in {"requests": chosen.records, **row_counts(want)}.items():
            if run.nodes.get(node, (None,))[0] != count:
                problems.append(f"{node} saw {run.nodes.get(node)} instead of {count} records")
    rows = {goal: [r.value for r in kafka.consume_all(f"{goal}-{group}")] for goal in JSON_NAMES}
    problems += compare(want, rows, JSON_NAMES)

    shares = [100 * b / r.cpu for b, r in zip(bare, runs)]
    rates = [chosen.records / r.cpu / 1e6 for r in runs]
    bare_ns = [1e9 * b / chosen.records for b in bare]
    results = sum(row_counts(want).values())
    return [Line(
        f"five goals, Kafka → Kafka exactly once ({results:,} results), one worker",
        "≥ 65 % of a bare consumer per CPU-second",
        f"{spread(shares, ' %', 0)}: {spread(rates, ' M/CPU-s')}, "
        f"{1000 / middle(rates)[0]:.0f} ns of CPU a record, {middle(r.wall for r in runs)[0]:.2f} s, "
        f"{middle(r.rss for r in runs)[0] / 1e6:.0f} MB",
        f"bare consumer {spread(bare_ns, ' ns', 0)} of CPU a record",
        middle(shares)[0] >= 65, problems)], [f"librdkafka {version}"]
