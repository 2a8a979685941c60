# SPDX-License-Identifier: Apache-2.0
"""Records that nobody wishes for: nearly all of one key, of a MiB, nothing but broken lines. Memory
stays below a limit, the books balance, and what was counted is right.
"""

import json
from collections import Counter

from books import lines, rows
from harness import Streamd
from memory import BASE, MIB, PER_KEY, run_to_end
from scenario import Scenario

FROM_FILE = """\
pipeline: job
sources:
  requests:
    type: file
    path: requests.ndjson
    time: {field: time, format: unix}
operators:
  per_client:
    type: window
    input: requests
    window: {tumbling: 10s}
    by: [client]
    compute: {requests: count()}
sinks:
  out: {type: file, input: per_client, path: out/per_client.ndjson, time_format: unix}
  raw: {type: file, input: requests, path: out/raw.ndjson}
"""


def file_run(chaos, name, requests):
    """A run on these lines."""
    folder = chaos.new_folder(name)
    (folder / "requests.ndjson").write_bytes(b"\n".join(requests) + b"\n")
    return Streamd(chaos.binary, FROM_FILE, folder, args=["--workers", 2], name="job")


def request(client, at, filling=""):
    return json.dumps({"client": client, "time": at, "text": filling}).encode()


def check_counts(chaos, run, expected, what):
    found = {(r["client"], int(float(r["window_end"]))): r["requests"]
             for r in rows(run.directory / "out" / "per_client.ndjson")}
    wrong = {k: (found.get(k), expected.get(k)) for k in {*found, *expected}
             if found.get(k) != expected.get(k)}
    chaos.check(not wrong, f"{what}: (found, expected) {dict(sorted(wrong.items())[:6])}")


def hot_key(chaos):
    while chaos.goes_on():
        expected, requests = Counter(), []
        for n in range(50_000 if chaos.small else 1_000_000):
            hot = chaos.dice.random() < 0.9
            client = "hot" if hot else f"c{chaos.dice.randrange(20_000)}"
            at = n // 1000
            expected[client, at // 10 * 10 + 10] += 1
            requests.append(request(client, at))
        run = file_run(chaos, "hot", requests)
        run_to_end(chaos, run, BASE + 20_000 * PER_KEY, "a hot key", 600)
        check_counts(chaos, run, expected, "a hot key")


def long_records(chaos):
    """Of max_record, which is 1 MiB, and of one byte more."""
    while chaos.goes_on():
        expected, requests, fit = Counter(), [], []
        for n in range(200 if chaos.small else 2000):
            size = chaos.dice.choice((100, MIB, MIB, MIB + 1, 2 * MIB))
            text = request("c", n, "x" * (size - len(request("c", n))))
            requests.append(text)
            if size <= MIB:
                expected["c", n // 10 * 10 + 10] += 1
                fit.append(text)
        run = file_run(chaos, "long", requests)
        books = run_to_end(chaos, run, BASE + 200 * MIB, "long records", 600)
        too_long = len(requests) - len(fit)
        chaos.check(books["requests"].left == {"dead letters": too_long}, f"{books['requests']}")
        check_counts(chaos, run, expected, "long records")
        raw = (run.directory / "out" / "raw.ndjson").read_bytes().splitlines()
        chaos.check(sorted(raw) == sorted(fit), "the long records are not what they were")
        letters = dead_letters(run)
        chaos.check(len(letters) == too_long and {r["code"] for r in letters} == {"too-long"},
                    f"{len(letters)} dead letters, not {too_long}")
        chaos.count("long records", len(requests))


def broken(chaos):
    """Dead letters at 10 000 a second and more, as fast as they can be read."""
    while chaos.goes_on():
        count = 40_000 if chaos.small else 1_000_000
        expected, requests, bad = Counter(), [], 0
        for n in range(count):
            if chaos.dice.random() < 0.8:
                requests.append(b'{"client": "c%d", "time": ' % n)
                bad += 1
            else:
                expected["c", n // 10_000 * 10 + 10] += 1
                requests.append(request("c", n // 1000))
        run = file_run(chaos, "broken", requests)
        books = run_to_end(chaos, run, BASE, "dead letters", count / 10_000 + 20)
        chaos.check(books["requests"].left == {"dead letters": bad}, f"{books['requests']}")
        check_counts(chaos, run, expected, "between dead letters")
        found = Counter(r["data"].encode() for r in dead_letters(run))
        chaos.check(found == Counter(r for r in requests if r.endswith(b": ")), "dead letters are lost")
        chaos.count("dead letters", bad)


def dead_letters(run):
    """Of all files: they are rotated."""
    files = sorted((run.state_dir / "job" / "dead_letters").glob("dead_letters.ndjson*"))
    return [json.loads(line) for file in files for line in lines(file)]


SCENARIOS = [
    Scenario("load_hot_key", "one key has 90 % of the records", hot_key),
    Scenario("load_long_records", "records of max_record, and one byte more", long_records),
    Scenario("load_dead_letters", "more than 10 000 dead letters per second", broken),
]
