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
PREFETCH_KB = 256 * 1024  # Enough that it never has to pause.


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
    bare, bare_jemalloc, runs, dropped, consumed, by_librdkafka, problems = [], [], [], [], [], [], []
    version = ""
    for n in range(chosen.repeat):
        # As anybody would build it, and with the allocator that streamd is built with.
        for costs, front in ((bare, []), (bare_jemalloc, ["env", "LD_PRELOAD=libjemalloc.so.2"])):
            cost, out, errors = programs.measured(
                [*front, programs.folder / "bench_bare_consumer", kafka.bootstrap, "requests",
                 PREFETCH_KB])
            if cost["code"] != 0 or json.loads(out)["records"] != chosen.records:
                raise BenchError(f"bare consumer: {out} {errors[-500:]}")
            version = json.loads(out)["librdkafka"]
            costs.append(cost["user"] + cost["sys"])

        group = f"bench-{n}"
        for goal in JSON_NAMES:
            kafka.create_topic(f"{goal}-{group}")
        env = {"KAFKA_BROKERS": kafka.bootstrap, "INPUT_TOPIC": "requests"}
        counts = {"requests": chosen.records, **row_counts(want)}
        consumed.append(programs.streamd("kafka_consume", {**env, "GROUP": f"{group}-consume"}))
        by_librdkafka.append(programs.streamd(
            "kafka_consume", {**env, "GROUP": f"{group}-librdkafka", "FETCH": "librdkafka"}))
        dropped.append(programs.streamd("nginx_kafka", {**env, "GROUP": f"{group}-drop"},
                                        drop_goals=True))
        runs.append(programs.streamd("nginx_kafka", {**env, "GROUP": group}))
        for run in (consumed[-1], by_librdkafka[-1]):
            problems += run.problems + _wrong(run, {"requests": chosen.records})
        problems += dropped[-1].problems + _wrong(dropped[-1], counts)
        problems += runs[-1].problems + _wrong(runs[-1], counts)
    rows = {goal: [r.value for r in kafka.consume_all(f"{goal}-{group}")] for goal in JSON_NAMES}
    problems += compare(want, rows, JSON_NAMES)

    def ns(costs):
        return [1e9 * c / chosen.records for c in costs]

    def cpu(of):
        return [run.cpu for run in of]

    shares = [100 * b / r.cpu for b, r in zip(bare, runs)]
    rates = [chosen.records / r.cpu / 1e6 for r in runs]
    bare_ns = ns(bare)
    results = sum(row_counts(want).values())
    windows = ns(d - c for d, c in zip(cpu(dropped), cpu(consumed)))
    produce = ns(r - d for r, d in zip(cpu(runs), cpu(dropped)))
    limit = (f"bare consumer {spread(bare_ns, ' ns', 0)} of CPU a record, with jemalloc "
             f"{spread(ns(bare_jemalloc), ' ns', 0)}")
    return [Line(
        f"five goals, Kafka → Kafka exactly once ({results:,} results), one worker",
        "≥ 1.8 M records per CPU-second, and ≥ 75 % of a bare consumer",
        f"{spread(shares, ' %', 0)}: {spread(rates, ' M/CPU-s')}, "
        f"{1000 / middle(rates)[0]:.0f} ns of CPU a record, {middle(r.wall for r in runs)[0]:.2f} s, "
        f"{middle(r.rss for r in runs)[0] / 1e6:.0f} MB", limit,
        middle(shares)[0] >= 75 and middle(rates)[0] >= 1.8, problems),
        Line("– of that: consuming (Kafka → null, as text)", "–",
             f"{spread(ns(cpu(consumed)), ' ns', 0)} of CPU a record, "
             f"{middle(r.rss for r in consumed)[0] / 1e6:.0f} MB", limit),
        Line("– instead of that: the same with `fetch: librdkafka`", "–",
             f"{spread(ns(cpu(by_librdkafka)), ' ns', 0)} of CPU a record, "
             f"{middle(r.rss for r in by_librdkafka)[0] / 1e6:.0f} MB", limit),
        Line("– of that: decoding, converting and windows", "–",
             f"{spread(windows, ' ns', 0)} of CPU a record"),
        Line("– of that: encoding, producing and transactions", "–",
             f"{spread(produce, ' ns', 0)} of CPU a record, "
             f"{middle(produce)[0] * chosen.records / results:,.0f} ns a result"),
    ], [f"librdkafka {version}"]


def _wrong(run, counts):
    """What the run's table says otherwise than expected."""
    return [f"{node} saw {run.nodes.get(node)} instead of {count} records"
            for node, count in counts.items() if run.nodes.get(node, (None,))[0] != count]
