# SPDX-License-Identifier: Apache-2.0
"""Two streams joined and silences told by the real binary, against a brute force of our own."""

import json
import random
from datetime import datetime

import pytest
from books import books_of, rows
from harness import Streamd, call

PIPELINE = """\
pipeline: joined
checkpoint: {every: 50ms}
sources:
  requests: {type: file, path: requests.ndjson, follow: false,
             time: {field: at, format: unix, max_delay: 5s, idle_after: 1h}}
  logins: {type: file, path: logins.ndjson, follow: false,
           time: {field: when, format: unix, max_delay: 5s, idle_after: 1h}}
operators:
  known:
    type: join
    input: [requests, logins]
    by: [client]
    second_by: [from.ip]
    within: 30s
    when: before
    unmatched: keep
    take: {user: user.name, status: status}
  silent: {type: absent, input: requests, by: [client], for: 60s}
sinks:
  known_out: {type: file, input: known, path: out/known.ndjson}
  silent_out: {type: file, input: silent, path: out/silent.ndjson}
"""


def streams(folder, seed=5, count=3000):
    """Requests and logins of some clients, out of order by up to four seconds."""
    dice, requests, logins = random.Random(seed), [], []
    for n in range(count):
        at = n * 0.25 - dice.uniform(0, 4) + 10
        client = f"c{dice.randint(0, 30)}"
        if dice.random() < 0.2:
            logins.append({"when": at, "from": {"ip": client}, "user": {"name": f"u{n}"}, "status": "ok"})
        else:
            requests.append({"at": at, "client": client, "url": f"/{n}", "note": {"n": n}})
    for name, records in (("requests", requests), ("logins", logins)):
        (folder / f"{name}.ndjson").write_text("".join(json.dumps(r) + "\n" for r in records))
    return requests, logins


def micros(seconds):
    return round(seconds * 1_000_000)


def expected(requests, logins):
    found = []
    for request in requests:
        at = micros(request["at"])
        near = [login for login in logins if login["from"]["ip"] == request["client"]
                and at - 30_000_000 <= micros(login["when"]) <= at]
        found += [{**request, "user": login["user"]["name"], "status": login["status"]} for login in near] or [request]
    return found


def texts(records):
    return sorted(json.dumps(r, sort_keys=True) for r in records)


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_a_join_of_two_files_agrees_with_comparing_all_with_all(streamd, tmp_path, workers):
    requests, logins = streams(tmp_path)
    run = Streamd(streamd, PIPELINE, tmp_path, args=("--workers", workers))
    assert run.run() == 0, run.stderr
    books = books_of(run)
    assert books["known"].read == len(requests) + len(logins) and not books["known"].left
    assert texts(rows(tmp_path / "out/known.ndjson")) == texts(expected(requests, logins))
    # Silences between requests; those at the end may be told too, when event time has gone so far.
    times, silences = {}, set()
    for request in requests:
        times.setdefault(request["client"], []).append(request["at"])
    for client, all_of in times.items():
        all_of.sort()
        silences |= {(client, micros(a)) for a, b in zip(all_of, all_of[1:]) if b - a > 60}
    ends = {(client, micros(all_of[-1])) for client, all_of in times.items()}
    told = {(row["client"], micros(datetime.fromisoformat(row["last_seen"]).timestamp()))
            for row in rows(tmp_path / "out/silent.ndjson")}
    assert silences and silences <= told <= silences | ends


def test_a_kill_in_the_middle_changes_nothing(streamd, tmp_path):
    requests, logins = streams(tmp_path, seed=6)
    pipeline = PIPELINE.replace("follow: false", "follow: true")
    run = Streamd(streamd, pipeline, tmp_path)
    parts = {name: (tmp_path / f"{name}.ndjson").read_text().splitlines(keepends=True)
             for name in ("requests", "logins")}
    for name in parts:
        (tmp_path / f"{name}.ndjson").write_text("")
    for n in range(5):
        run.start()
        for name, all_of in parts.items():
            piece = all_of[n * len(all_of) // 5:(n + 1) * len(all_of) // 5]
            with open(tmp_path / f"{name}.ndjson", "a") as file:
                file.writelines(piece)
        out = tmp_path / "out/known.ndjson"
        before = len(rows(out)) if out.exists() else 0
        run.wait_until(lambda: out.exists() and len(rows(out)) > before, what="results of this part")
        run.kill9()
    last = Streamd(streamd, PIPELINE, tmp_path)
    assert last.run() == 0, last.stderr
    assert texts(rows(tmp_path / "out/known.ndjson")) == texts(expected(requests, logins))


@pytest.mark.parametrize("old, new, told", [
    ("[requests, logins]", "requests", 'operator "known" reads 2 inputs, here is 1 named'),
    ("[requests, logins]", "[requests, logins, silent]", 'operator "known" reads 2 inputs, here are 3 named'),
    ("[from.ip]", "[from.ip, user]", "second_by must have as many parts as by"),
    ("within: 30s\n", "\n", '"within" is missing'),
    ("for: 60s", "for: 0s", "for must be longer than 0"),
])
def test_a_wrong_join_is_explained(streamd, tmp_path, old, new, told):
    assert old in PIPELINE
    file = tmp_path / "wrong.yaml"
    file.write_text(PIPELINE.replace(old, new))
    done = call(streamd, "check", file)
    assert done.returncode == 2 and told in done.stderr, done.stderr
