# SPDX-License-Identifier: Apache-2.0
"""Rules that differ only in their condition share one window, and answer as if each had its own."""

import json
import re

import pytest

from books import books_of, lines, outputs
from harness import Streamd, call

HEAD = """\
pipeline: rules
checkpoint: {{every: 20ms}}
sources:
  requests: {{type: file, path: requests.ndjson, follow: {follow},
              time: {{field: at, format: unix, max_delay: 2s, late: route}}}}
operators:
"""
RULE = """\
  {name}: {{type: window, input: requests, window: {{sliding: 10s, every: 2s}}, by: [client],
    compute: {{requests: count(), bytes: sum(size), mean: avg(size)}}{having}}}
"""
SINK = "  {name}_out: {{type: file, input: {name}, path: out/{name}.ndjson}}\n"
LATE = "  late_out: {{type: file, input: {name}.late, path: out/late.ndjson}}\n"

COUNTS = {"few": "requests > 1", "some": "requests >= 4", "many": "requests > 9"}
MIXED = {"many": "requests > 9", "big": "bytes / (requests - 3) > 100", "mean": "mean > 45.0",
         "again": "requests > 9", "all": None}


def pipeline(rules, late=None, follow="false"):
    text = HEAD.format(follow=follow)
    for name, having in rules.items():
        text += RULE.format(name=name, having=f', having: "{having}"' if having else "")
    text += "sinks:\n" + "".join(SINK.format(name=name) for name in rules)
    return text + (LATE.format(name=late) if late else "")


def requests(folder, count=4000, first=0):
    """Some clients with many requests, sizes that are missing at times, some records late."""
    with open(folder / "requests.ndjson", "a", encoding="ascii") as file:
        for n in range(first, first + count):
            record = {"at": str(n * 0.05 - (60 if n % 97 == 96 else 0)), "client": f"c{n * n % 23}"}
            if n % 5:
                record["size"] = n % 101
            file.write(json.dumps(record) + "\n")


def run_of(streamd, folder, text, *args):
    folder.mkdir()
    requests(folder)
    run = Streamd(streamd, text, folder, args=args, name="rules")
    return run


def alone(streamd, folder, rules):
    """What each rule gives in a pipeline of its own, and how many of its results failed."""
    found, failed = {}, {}
    folder.mkdir()
    for name, having in rules.items():
        run = run_of(streamd, folder / name, pipeline({name: having}, late=name), "--workers", 1)
        assert run.run() == 0, run.stderr
        found |= outputs(run.directory / "out")
        failed[name] = books_of(run)[name].left.get("failed results", 0)
    return found, failed


@pytest.mark.parametrize("rules", [COUNTS, MIXED], ids=["counts", "mixed"])
def test_the_answers_are_those_of_separate_windows(streamd, tmp_path, rules):
    expected, failed = alone(streamd, tmp_path / "alone", rules)
    first = next(iter(rules))
    assert all(expected[f"{name}.ndjson"] for name in rules) and expected["late.ndjson"]
    run = run_of(streamd, tmp_path / "shared", pipeline(rules, late=first), "--workers", 1)
    assert run.run() == 0, run.stderr
    assert outputs(run.directory / "out") == expected

    books = books_of(run)
    common = books.pop(f"{first}+{len(rules) - 1}")
    assert common.read == 4000 and common.left["late"] > 0
    for name in rules:
        node = books[name]
        assert node.read == common.written == node.written + sum(node.left.values())
        # What `big` cannot decide is its own trouble, not that of the others.
        assert node.left.get("dead letters", 0) == failed[name]
    assert (failed.get("big", 1)) > 0


def test_check_says_who_works_for_whom(streamd, tmp_path):
    (tmp_path / "rules.yaml").write_text(pipeline(COUNTS))
    told = call(streamd, "check", tmp_path / "rules.yaml").stdout
    assert re.search(r"operator few\+2 \(window\) <- requests\n +key +client \(keeps state\)\n"
                     r" +for +few, some, many\n", told), told
    assert "operator some (window) <- few+2" in told


def test_other_windows_stay_apart(streamd, tmp_path):
    """A different length, key, computation or where is different work."""
    base = pipeline(COUNTS)
    for old, new in [("sliding: 10s", "sliding: 12s"), ("by: [client]", "by: []"),
                     ("sum(size)", "sum(size + 1)"), ("input: requests,", "input: requests, where: true,"),
                     ("count()", "count(), more: count()"), ("input: requests,", "input: requests, max_keys: 9,"),
                     ("input: requests,", "input: requests, emit: changed,")]:
        at = base.index("some:")
        text = base[:at] + base[at:].replace(old, new, 1)
        assert text != base
        (tmp_path / "rules.yaml").write_text(text)
        told = call(streamd, "check", tmp_path / "rules.yaml")
        assert told.returncode == 0, told.stderr
        assert "operator few+1 (window)" in told.stdout and "operator some (window) <- requests" in told.stdout


def test_a_rule_that_is_added_has_the_history_of_the_others(streamd, tmp_path):
    expected, _ = alone(streamd, tmp_path / "alone", COUNTS)
    run = run_of(streamd, tmp_path / "shared", pipeline({"few": COUNTS["few"]}, follow="true"),
                 "--workers", 1)
    run.start()
    run.wait_until(lambda: len(lines(run.directory / "out/few.ndjson")) > 100, what="results")
    run.kill9()
    # Its windows are open when two rules join it.
    run.write(pipeline(COUNTS, follow="false"))
    assert run.run() == 0, run.stderr
    assert outputs(run.directory / "out")["few.ndjson"] == expected["few.ndjson"]
    whole = expected["some.ndjson"].splitlines()
    later = outputs(run.directory / "out")["some.ndjson"].splitlines()
    assert later and later == whole[len(whole) - len(later):]


# Windows that count values of the same fields, some of them behind a filter.
COUNTING = {
    "short": "input: sized, window: {sliding: 4s, every: 2s}, by: [client], "
             "compute: {n: distinct(size), spread: entropy(size)}",
    "long": "input: sized, window: {tumbling: 30s}, compute: {most: 'topk(client, 3)', n: distinct(size)}",
    "large": "input: requests, window: {tumbling: 10s}, where: has(size) && size > 50, "
             "compute: {n: distinct(size), clients: distinct(client)}",
    "made": "input: sized, window: {sliding: 6s, every: 3s}, "
            "compute: {n: 'distinct(string(size) + client)', spread: entropy(size)}",
    "visits": "input: requests, window: {session: {gap: 1s, max: 1m}}, by: [client], "
              "compute: {n: distinct(size), most: 'topk(size, 2)'}",
}


def counting(names):
    text = HEAD.format(follow="false")
    if any("input: sized" in COUNTING[name] for name in names):
        text += "  sized: {type: filter, input: requests, where: has(size)}\n"
    text += "".join(f"  {name}: {{type: window, {COUNTING[name]}}}\n" for name in names)
    return text + "sinks:\n" + "".join(SINK.format(name=name) for name in names)


@pytest.mark.parametrize("workers", [1, 3])
def test_windows_that_count_the_same_fields_do_not_disturb_each_other(streamd, tmp_path, workers):
    expected = {}
    for name in COUNTING:
        run = run_of(streamd, tmp_path / name, counting([name]), "--workers", 1)
        assert run.run() == 0, run.stderr
        expected |= outputs(run.directory / "out")
    run = run_of(streamd, tmp_path / "together", counting(COUNTING), "--workers", workers)
    assert run.run() == 0, run.stderr
    assert outputs(run.directory / "out").keys() == expected.keys()
    for file, text in outputs(run.directory / "out").items():
        assert sorted(text.splitlines()) == sorted(expected[file].splitlines()) != []
