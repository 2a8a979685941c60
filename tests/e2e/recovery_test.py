# SPDX-License-Identifier: Apache-2.0
"""The answers of a pipeline that is killed again and again are those of one that is not.

File to file, the promise is exactly once: the output files are compared byte for byte.
"""

import csv
import json
import random
import time

import pytest

from books import books_of, lines, outputs, rows, sorted_outputs
from harness import Streamd
from nginx_job import SCALE, SECOND, answers, generate, job, micros, rfc3339

KILLS = 20
RECORDS = int(300_000 * SCALE)


ENDLESS = """\
pipeline: endless
checkpoint: {every: 50ms}
sources: {requests: {type: generate, rate: 1000, speed: 10, clients: 3000, disorder: 3s}}
sinks: {out: {type: file, input: requests, path: out.ndjson}}
"""


@pytest.fixture(scope="module")
def requests(tmp_path_factory):
    """Input files of this module, made once: name -> path."""
    folder = tmp_path_factory.mktemp("requests")
    made = {}

    def make(binary, name, count, **options):
        if name not in made:
            made[name] = folder / f"{name}.ndjson"
            generate(binary, made[name], count, **options)
        return made[name]

    return make


def new_run(streamd, pipeline, folder, *args):
    folder.mkdir()
    return Streamd(streamd, pipeline, folder, args=args, name="job")


def written(run):
    """How many bytes of raw records the run has written so far."""
    total = 0
    for path in (run.directory / "out").glob("raw.ndjson*"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            pass  # Rotated while we looked.
    return total


def kill_at_random(run, dice, size, args=lambda: ()):
    """One run from start to end with KILLS kills, each at a random place of the output.
    Returns how often the process was alive when it was killed."""
    kills = 0
    # Some right at a start, while the state is restored; the others spread over the run.
    for k in range(KILLS):
        start = time.monotonic()
        run.start(*args())
        target = size * (k + dice.random()) / (KILLS + 4)
        while run.running and written(run) < target:
            assert time.monotonic() < start + 120, f"no progress to {target:.0f} bytes"
            time.sleep(0.0005)
        kills += run.running
        run.kill9()
        if not kills:
            break
    assert run.run(*args(), timeout=500) == 0, run.stderr
    return kills


def test_twenty_kills_leave_the_same_bytes(streamd, requests, tmp_path):
    log = requests(streamd, "one", RECORDS)
    straight = new_run(streamd, job([log]), tmp_path / "straight", "--workers", 1)
    assert straight.run(timeout=500) == 0
    books_of(straight)
    expected = outputs(straight.directory / "out")
    # All nodes gave something, and the files were rotated in the middle.
    assert {"alarms.ndjson", "goal1.ndjson", "goal2.ndjson", "goal3.csv", "goal4.ndjson",
            "methods.ndjson", "raw.ndjson", "raw.ndjson.000001", "uneven.ndjson", "visits.csv",
            "visits.csv.000001"} <= {name for name, text in expected.items() if text}

    killed = new_run(streamd, job([log]), tmp_path / "killed", "--workers", 1)
    kills = kill_at_random(killed, random.Random(7), log.stat().st_size)
    assert kills == KILLS, "the run ended before it was killed often enough"
    found = outputs(killed.directory / "out")
    assert found.keys() == expected.keys()
    assert [name for name in expected if found[name] != expected[name]] == []


def test_kills_and_other_numbers_of_workers_leave_the_same_lines(streamd, requests, tmp_path):
    logs = [requests(streamd, f"two-{seed}", RECORDS // 2, seed=seed) for seed in (1, 2)]
    pipeline = job(logs, windows="sets")
    straight = new_run(streamd, pipeline, tmp_path / "straight", "--workers", 1)
    assert straight.run(timeout=500) == 0
    expected = sorted_outputs(straight.directory / "out")

    two = new_run(streamd, pipeline, tmp_path / "two", "--workers", 2)
    assert two.run(timeout=500) == 0
    assert differing(two, expected) == []

    # Each start with another number of workers than the one before.
    killed = new_run(streamd, pipeline, tmp_path / "killed")
    dice = random.Random(8)
    numbers = iter(range(10**6))
    kills = kill_at_random(killed, dice, sum(log.stat().st_size for log in logs),
                           lambda: ("--workers", 1 + next(numbers) % 3))
    assert kills == KILLS, "the run ended before it was killed often enough"
    assert differing(killed, expected) == []


def differing(run, expected):
    """Names of outputs whose lines are not the expected ones, with the first difference."""
    found = sorted_outputs(run.directory / "out")
    assert found.keys() == expected.keys()
    bad = []
    for name in expected:
        # Each rotated file has a header of its own, and where they are cut depends on the order.
        ours, theirs = ([line for line in text[name] if not line.startswith(b"client_ip,")]
                        for text in (found, expected))
        if ours == theirs:
            continue
        extra, lacking = set(ours) - set(theirs), set(theirs) - set(ours)
        bad.append((name, len(ours), len(theirs), sorted(extra)[:3], sorted(lacking)[:3]))
    return bad


def test_kills_leave_the_bytes_of_endless_made_up_records(streamd, tmp_path):
    run = Streamd(streamd, ENDLESS, tmp_path)
    out = tmp_path / "out.ndjson"
    for megabytes in 1, 2, 3:
        run.start()
        run.wait_until(lambda: out.exists() and out.stat().st_size > megabytes * 1_000_000, 60,
                       f"{megabytes} MB")
        if megabytes < 3:
            run.kill9()
    assert run.sigterm() == 0
    expected = tmp_path / "expected.ndjson"
    generate(streamd, expected, len(lines(out)))
    assert out.read_bytes() == expected.read_bytes()


def test_a_restart_after_the_end_adds_nothing(streamd, requests, tmp_path):
    run = new_run(streamd, job([requests(streamd, "small", 20_000)]), tmp_path / "run")
    assert run.run() == 0
    before = outputs(run.directory / "out")
    assert run.run() == 0
    assert outputs(run.directory / "out") == before
    assert "restored epoch" in run.stderr


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_brute_force_agrees_on_every_row(streamd, requests, tmp_path, workers):
    logs = [requests(streamd, f"wild-{seed}", 12_000, seed=seed, disorder="60s", rate=100,
                     clients=300)
            for seed in (5, 6)]
    run = new_run(streamd, job(logs, windows="goals"), tmp_path / "run", "--workers", workers)
    assert run.run() == 0
    goals = answers([[json.loads(line) for line in lines(log)] for log in logs])

    counts = {key: len(found) for key, found in goals["busy_clients"].found.items()
              if len(found) > 10}
    assert counts
    assert counts == keyed(rows(run.directory / "out/goal1.ndjson"), "client_ip", "requests",
                           rfc3339, 20)
    counts = {key: len(found) for key, found in goals["failing_hosts"].found.items()
              if len(found) > 15}
    assert counts
    assert counts == keyed(rows(run.directory / "out/goal2.ndjson"), "host", "errors",
                           lambda t: micros(str(t)), 30)
    counts = {key: len(found) for key, found in goals["per_country"].found.items()}
    with open(run.directory / "out/goal3.csv", newline="") as file:
        assert counts == keyed(csv.DictReader(file), "country", "requests", rfc3339, 60, int)
    averages = {key: mean(found) for key, found in goals["latency"].found.items()}
    assert averages == pytest.approx(
        keyed(rows(run.directory / "out/goal4.ndjson"), "host", "average", rfc3339, 60),
        rel=1e-12)

    books = books_of(run)
    for name, goal in goals.items():
        assert goal.late > 0
        assert books[name].left["late"] == goal.late, name


def keyed(found, key, value, read_time, seconds, convert=lambda v: v):
    """{(key, window end): value} of result rows, each of which must be there once."""
    by_key = {}
    for row in found:
        end = read_time(row["window_end"])
        assert read_time(row["window_start"]) == end - seconds * SECOND
        assert (row[key], end) not in by_key, f"twice: {row}"
        by_key[row[key], end] = convert(row[value])
    return by_key


def mean(records):
    values = [float(r["request_time"]) for r in records]
    return sum(values) / len(values)
