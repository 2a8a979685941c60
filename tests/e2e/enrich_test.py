# SPDX-License-Identifier: Apache-2.0
"""Operator enrich with services: what it asks, what becomes of records while a service is
refused, hangs, or talks nonsense, and what is left of a kill -9 in the middle of that."""

import json

import pytest

from books import books_of, rows, unbalanced, whole_rows
from fault_proxy import FaultProxy
from harness import Streamd, call
from http_standin import Answer, Standin
from services import CrowdSec

SECRET = "hunter2-is-planted"

HTTP = """\
pipeline: enriched
checkpoint: {{every: 50ms}}
sources:
  in: {{type: file, path: in.ndjson, follow: {follow}, scan_every: 10ms}}
operators:
  known:
    type: enrich
    input: in
    kind: http
    url: "${{URL}}/hosts/{{{{ ip }}}}"
    headers: {{X-Key: "${{KEY}}"}}
    fields: {{owner: owner.name, "tags": tags, "site": "sites.0"}}
    timeout: 700ms
    {more}
sinks:
  out: {{type: file, input: known, path: out/out.ndjson}}
  dead: {{type: file, path: out/dead.ndjson}}
dead_letters: dead
"""

CROWDSEC = """\
pipeline: judged
checkpoint: {every: 50ms}
sources:
  in: {type: file, path: in.ndjson, follow: true, scan_every: 10ms}
operators:
  judged:
    type: enrich
    input: in
    kind: crowdsec
    field: ip
    url: "${URL}"
    api_key: "${KEY}"
    fields: {cs.type: type, cs.scenario: scenario, cs.value: value, cs.until: until, cs.count: count}
    ttl: 1ms
    negative_ttl: 0s
    on_error: 'null'
sinks:
  out: {type: file, input: judged, path: out/out.ndjson}
"""


class Inventory(Standin):
    """Knows every host but those that begin with "none"."""

    name = "inventory"

    def _answer(self, request):
        host = request.path.removeprefix("/hosts/")
        if request.headers["X-Key"] != SECRET:
            return Answer(403, "who are you?")
        if host.startswith("none"):
            return Answer(404, "<html>nobody</html>")
        if host.startswith("bad"):
            return Answer(422, "no such kind of host")
        if host.startswith("large"):
            return Answer(200, {"owner": "x" * 5000})
        return Answer(200, {"owner": {"name": "team " + host}, "tags": ["a", {"b": 1}], "sites": ["x", "y"]})

    @property
    def hosts(self):
        with self.lock:
            return [request.path.removeprefix("/hosts/") for request in self.requests]


@pytest.fixture
def inventory():
    with Inventory() as service:
        yield service


@pytest.fixture
def proxy(inventory):
    with FaultProxy(inventory.port, http=True) as between:
        yield between


def append(folder, *addresses):
    with open(folder / "in.ndjson", "a", encoding="utf-8") as log:
        log.writelines(json.dumps({"ip": a}) + "\n" for a in addresses)


def pipeline(streamd, folder, url, more="on_error: keep", follow=True, key=SECRET):
    return Streamd(streamd, HTTP.format(more=more, follow=str(follow).lower()), folder,
                   env={"URL": url, "KEY": key, "no_proxy": "*"})


def no_secret(run):
    for number in range(1, run.runs + 1):
        for stream in ("out", "err"):
            assert SECRET not in run._log(stream, number).read_text(errors="replace")


def test_what_a_service_says_is_added_and_asked_once(streamd, inventory, tmp_path):
    hosts = ["10.0.0.1", "none.1", "2001:db8::1", "a/../b?c", "10.0.0.1", "none.1"]
    append(tmp_path, *hosts)
    with open(tmp_path / "in.ndjson", "a", encoding="utf-8") as log:
        log.write('{"other": 1}\n{"ip": ""}\n{"ip": null}\n')
    run = pipeline(streamd, tmp_path, inventory.url, follow=False)
    assert run.run() == 0, run.stderr
    assert [row.get("owner") for row in rows(tmp_path / "out/out.ndjson")] == [
        "team 10.0.0.1", None, "team 2001:db8::1", "team a/../b?c", "team 10.0.0.1", None, None, None, None]
    assert rows(tmp_path / "out/out.ndjson")[0] == {
        "ip": "10.0.0.1", "owner": "team 10.0.0.1", "tags": ["a", {"b": 1}], "site": "x"}
    assert sorted(inventory.hosts) == sorted(set(hosts))
    assert unbalanced(books_of(run)) == []
    no_secret(run)


def test_records_without_an_answer_become_dead_letters_with_the_words(streamd, inventory, tmp_path):
    append(tmp_path, "bad.1", "10.0.0.1", "bad.1", "large.1", "none.1")
    run = pipeline(streamd, tmp_path, inventory.url, "on_missing: drop\n    max_answer: 4KiB", follow=False)
    assert run.run() == 0, run.stderr
    assert [row["ip"] for row in rows(tmp_path / "out/out.ndjson")] == ["10.0.0.1"]
    dead = rows(tmp_path / "out/dead.ndjson")
    assert [(d["code"], json.loads(d["data"])["ip"]) for d in dead] == [
        ("bad-answer", "bad.1"), ("bad-answer", "bad.1"), ("bad-answer", "large.1")]
    assert dead[0]["reason"].endswith("answers 422: no such kind of host")
    assert "the answer is larger than 4KiB; raise max_answer" in dead[2]["reason"]
    assert books_of(run)["known"].left == {"filtered": 1, "dead letters": 3}
    assert unbalanced(books_of(run)) == []
    assert run.stderr.count("a question got no answer that can be used") == 1
    assert inventory.hosts.count("bad.1") == 1


FAULTS = {
    "refused": (lambda p: p.refuse(), "refused"),
    "hanging": (lambda p: p.hang(), "no answer in time"),
    "500": (lambda p: p.server_error(None), "answers 500"),
    "429": (lambda p: p.too_many_requests(1, None), "answers 429"),
    "HTML": (lambda p: p.html(200, None), "answers with a web page 503 Service Temporarily Unavailable instead of JSON"),
    "garbage": (lambda p: p.garbage(None), ""),
    "cut": (lambda p: p.cut(30, None), ""),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_service_that_fails_is_told_once_and_heals(name, streamd, inventory, proxy, tmp_path):
    harm, words = FAULTS[name]
    out = tmp_path / "out/out.ndjson"
    append(tmp_path, "before")
    run = pipeline(streamd, tmp_path, proxy.url).start()
    run.wait_until(lambda: len(whole_rows(out)) == 1, what="the first answer")
    harm(proxy)
    for n in range(30):
        append(tmp_path, f"during.{n}", "before")
        run.wait_until(lambda: len(whole_rows(out)) == 3 + 2 * n, what="records that go on")
    warning = [line for line in run.stderr.splitlines() if "until it answers again" in line]
    assert len(warning) == 1 and words in warning[0], run.stderr
    assert "records go on without the fields it gives" in warning[0]
    proxy.pass_through()
    seen = []

    def healed():
        append(tmp_path, f"after.{len(seen)}")
        seen.append(1)
        run.wait_until(lambda: len(whole_rows(out)) == 61 + len(seen), what="a record of after")
        return "healed: the service at" in run.stderr

    run.wait_until(healed, what="healed")
    assert run.sigterm() == 0
    said = [row.get("owner") for row in rows(out)]
    assert said[0] == "team before"
    assert said[1:61] == [None, "team before"] * 30
    assert said[-1] == f"team after.{len(seen) - 1}"
    assert run.stderr.count("healed") == 1
    assert run.stderr.count(" W ") == 1
    assert unbalanced(books_of(run)) == []
    no_secret(run)


def test_a_frozen_service_costs_one_time_out_per_back_off(streamd, inventory, proxy, tmp_path):
    append(tmp_path, "first")
    out = tmp_path / "out/out.ndjson"
    run = pipeline(streamd, tmp_path, proxy.url).start()
    run.wait_until(lambda: len(whole_rows(out)) == 1, what="the first answer")
    proxy.hang()
    asked = proxy.requests
    append(tmp_path, *[f"host.{n}" for n in range(20_000)])
    run.wait_until(lambda: len(whole_rows(out)) == 20_001, what="all that come meanwhile")
    # Four side by side at first, then one at a time.
    assert proxy.requests - asked <= 10
    assert run.sigterm() == 0


def test_kill_9_in_the_middle_of_an_outage_loses_and_doubles_nothing(streamd, inventory, proxy, tmp_path):
    out = tmp_path / "out/out.ndjson"
    append(tmp_path, *[f"host.{n}" for n in range(50)])
    run = pipeline(streamd, tmp_path, proxy.url, "on_error: dead_letter\n    concurrency: 2").start()
    run.wait_until(lambda: len(whole_rows(out)) == 50, what="the first answers")
    proxy.hang()
    for turn in range(4):
        append(tmp_path, *[f"more.{turn}.{n}" for n in range(25)])
        if turn % 2:
            run.wait_until(lambda: "until it answers again" in run.stderr, what="a warning")
        run.kill9()
        run.start()
    proxy.pass_through()
    append(tmp_path, "last")

    def count():
        return len(whole_rows(out)) + len(whole_rows(tmp_path / "out/dead.ndjson"))

    run.wait_until(lambda: count() == 151, what="every record")
    assert run.sigterm() == 0
    arrived = [row["ip"] for row in rows(out)]
    arrived += [json.loads(row["data"])["ip"] for row in rows(tmp_path / "out/dead.ndjson")]
    assert len(arrived) == len(set(arrived)) == 151
    no_secret(run)


def test_a_stop_does_not_wait_for_a_slow_pace(streamd, inventory, tmp_path):
    out = tmp_path / "out/out.ndjson"
    hosts = [f"host.{n}" for n in range(5)]
    append(tmp_path, *hosts)
    run = pipeline(streamd, tmp_path, inventory.url, "rate: 0.001").start()
    run.wait_until(lambda: inventory.hosts, what="the first question")
    assert run.sigterm() == 0
    assert "everything since the last checkpoint will be read again" in run.stderr
    assert whole_rows(out) == []
    run.write(HTTP.format(more="rate: 1000", follow="false"))
    assert run.run() == 0, run.stderr
    assert [row["owner"] for row in rows(out)] == ["team " + host for host in hosts]


def test_a_refused_login_ends_the_start(streamd, inventory, tmp_path):
    append(tmp_path, "10.0.0.1")
    run = pipeline(streamd, tmp_path, inventory.url, key="another")
    assert run.run() == 1
    assert "answers 403: who are you?" in run.stderr
    assert "check the credentials and what they allow" in run.stderr


def test_check_says_what_is_asked_where_and_shows_no_secret(streamd, tmp_path):
    file = tmp_path / "p.yaml"
    env = {"URL": f"http://user:{SECRET}@far.example/{SECRET}", "KEY": SECRET}
    file.write_text(HTTP.format(more="", follow="false"))
    told = call(streamd, "check", file, env=env)
    assert told.returncode == 0, told.stderr
    assert SECRET not in told.stdout + told.stderr
    file.write_text(HTTP.format(more=f"path: {SECRET}\n    rate: 5/s", follow="false").replace(
        "/hosts/{{ ip }}", "{{ ip }}"))
    told = call(streamd, "check", file, env={**env, "URL": f"http://{SECRET}.example"})
    assert told.returncode == 2
    assert "p.yaml:14:5: error: " in told.stderr and '"path" is for kind: table or mmdb' in told.stderr
    assert "the host of url must be written out" in told.stderr
    assert SECRET not in told.stdout + told.stderr.replace(f"path: {SECRET}", "")


# --- the real local API ----------------------------------------------------------


@pytest.fixture(scope="module")
def crowdsec():
    with CrowdSec() as service:
        yield service


def test_crowdsecs_opinion_of_each_address(streamd, crowdsec, tmp_path):
    crowdsec.delete_all_decisions()
    crowdsec.add_decision("192.0.2.9", reason="seen by a test")
    crowdsec.add_decision("198.51.100.0/24", kind="captcha", duration="30m")
    crowdsec.add_decision("2001:db8::/64", kind="throttle")
    key, out = crowdsec.bouncer_key("enrich"), tmp_path / "out/out.ndjson"
    with FaultProxy(crowdsec.port, http=True) as proxy:
        run = Streamd(streamd, CROWDSEC, tmp_path, env={"URL": proxy.url, "KEY": key, "no_proxy": "*"}).start()
        append(tmp_path, "192.0.2.9", "203.0.113.5", "198.51.100.77", "2001:db8:0:0::5", "no address", "::ffff:192.0.2.9")
        run.wait_until(lambda: len(whole_rows(out)) == 6, what="six opinions")
        assert [row.get("cs.type") for row in rows(out)] == ["ban", None, "captcha", "throttle", None, "ban"]
        first = rows(out)[0]
        assert (first["cs.scenario"], first["cs.value"], first["cs.count"]) == ("seen by a test", "192.0.2.9", 1)
        assert first["cs.until"] > "2020"
        assert proxy.requests == 5

        crowdsec.delete_decision("192.0.2.9")
        append(tmp_path, "192.0.2.9")
        run.wait_until(lambda: len(whole_rows(out)) == 7, what="the opinion after that")
        assert "cs.type" not in rows(out)[6]

        proxy.refuse()
        append(tmp_path, "198.51.100.77")
        run.wait_until(lambda: len(whole_rows(out)) == 8, what="a record without an opinion")
        assert rows(out)[7]["cs.type"] is None
        proxy.pass_through()

        def healed():
            before = len(whole_rows(out))
            append(tmp_path, "198.51.100.77")
            run.wait_until(lambda: len(whole_rows(out)) > before, what="the next record")
            return "healed: CrowdSec's local API at" in run.stderr

        run.wait_until(healed, what="healed")
        assert rows(out)[-1]["cs.type"] == "captcha"
        assert run.stderr.count("until it answers again") == 1
        crowdsec.delete_bouncer("enrich")
        proxy.reset_connections()
        known = len(rows(out))
        append(tmp_path, "198.51.100.78")
        run.wait_until(lambda: len(whole_rows(out)) == known + 1, what="a record after the key is gone")
        assert rows(out)[-1]["cs.type"] is None
        assert run.sigterm() == 0
        assert unbalanced(books_of(run)) == []
        assert key not in run.stderr


def test_a_refused_key_ends_the_start_and_says_what_to_do(streamd, crowdsec, tmp_path):
    append(tmp_path, "192.0.2.9")
    run = Streamd(streamd, CROWDSEC, tmp_path, env={"URL": crowdsec.url, "KEY": SECRET, "no_proxy": "*"})
    assert run.run() == 1
    assert "refuses the key (403)" in run.stderr
    assert "cscli bouncers add streamd" in run.stderr
    no_secret(run)
