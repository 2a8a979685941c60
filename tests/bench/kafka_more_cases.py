# SPDX-License-Identifier: Apache-2.0
"""Measurements on Kafka beside the nginx job: forwarding, and how soon an alert is there."""

import json
import os
import subprocess
import tempfile
from pathlib import Path

import inputs
from kafka_cases import PARTITIONS, PREFETCH_KB
from programs import PIPELINES, BenchError, middle
from report import Line, spread
from service import ServiceError

RATE, SECONDS = 100_000, 15
APPENDED = {"message_timestamp_type": "LogAppendTime"}


def measure(programs, chosen):
    from services import Kafka

    path = inputs.requests(programs.binary, chosen.records)
    try:
        with Kafka(log_retention_ms=-1) as kafka:
            kafka.create_topic("requests", PARTITIONS)
            programs.helper("fill", kafka.bootstrap, "requests", PARTITIONS, path)
            return [forward(programs, chosen, kafka), alerts(programs, chosen, kafka)], []
    except ServiceError as error:
        raise BenchError(str(error)) from error


def forward(programs, chosen, kafka):
    bare, ours, problems = [], [], []
    for n in range(chosen.repeat):
        for name in (f"bare-{n}", f"ours-{n}"):
            kafka.create_topic(name, PARTITIONS)
        cost, out, errors = programs.measured(
            ["env", "LD_PRELOAD=libjemalloc.so.2", programs.folder / "bench_bare_forward", kafka.bootstrap,
             "requests", f"bare-{n}", PREFETCH_KB])
        if cost["code"] != 0 or json.loads(out)["records"] != chosen.records:
            raise BenchError(f"bare forward: {out} {errors[-500:]}")
        bare.append(cost["user"] + cost["sys"])
        run = programs.streamd("kafka_forward", {
            "KAFKA_BROKERS": kafka.bootstrap, "INPUT_TOPIC": "requests", "OUTPUT_TOPIC": f"ours-{n}",
            "GROUP": f"forward-{n}"})
        ours.append(run)
        problems += run.problems
        sent, arrived = (content(programs, kafka, topic) for topic in ("requests", f"ours-{n}"))
        if arrived != sent:
            problems.append(f"{sent} were sent, {arrived} arrived")
    shares = [100 * b / r.cpu for b, r in zip(bare, ours)]
    return Line("forwarding records unchanged, Kafka → Kafka", "≥ 90 % of a bare consume and produce loop",
                f"{spread(shares, ' %', 0)}: {spread([1e9 * r.cpu / chosen.records for r in ours], ' ns', 0)} "
                "of CPU a record",
                f"bare loop with jemalloc {spread([1e9 * b / chosen.records for b in bare], ' ns', 0)}",
                middle(shares)[0] >= 90, problems)


def content(programs, kafka, topic):
    """How many records a topic has, and of how many bytes."""
    found = json.loads(programs.helper("bare_consumer", kafka.bootstrap, topic, PREFETCH_KB))
    return f"{found['records']:,} records of {found['bytes']:,} bytes"


def alerts(programs, chosen, kafka):
    found, problems = [], []
    for n in range(chosen.repeat):
        kafka.create_topic(f"in-{n}", PARTITIONS, **APPENDED)
        kafka.create_topic(f"out-{n}", 1, **APPENDED)
        env = {**os.environ, "KAFKA_BROKERS": kafka.bootstrap, "INPUT_TOPIC": f"in-{n}",
               "OUTPUT_TOPIC": f"out-{n}", "GROUP": f"alerts-{n}"}
        with tempfile.TemporaryDirectory(dir=programs.directory) as place:
            with subprocess.Popen([programs.binary, "run", PIPELINES / "kafka_alerts.yaml", "--state-dir",
                                   Path(place) / "state", "--workers", "1", "--quiet"],
                                  env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
                try:
                    result = json.loads(programs.helper("latency", kafka.bootstrap, f"in-{n}", f"out-{n}",
                                                        RATE, SECONDS))
                finally:
                    process.terminate()
                    _, errors = process.communicate()
        if process.returncode != 0:
            problems.append(f"exit code {process.returncode}: {errors[-300:]!r}")
        if result["alerts"] < result["crossed"]:
            problems.append(f"{result['crossed']} crossings, {result['alerts']} alerts")
        found.append(result)
    p99 = [r["p99"] for r in found]
    return Line(f"alert latency at {RATE:,} records/s through Kafka, append to append", "p99 ≤ 50 ms",
                f"p99 {spread(p99, ' ms', 0)}, median {middle(r['p50'] for r in found)[0]:.0f} ms, longest "
                f"{max(r['max'] for r in found)} ms ({found[0]['crossed']} crossings a run)",
                "–", middle(p99)[0] <= 50, problems)
