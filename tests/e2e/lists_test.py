# SPDX-License-Identifier: Apache-2.0
"""Indicator lists with the real binary: a file that changes while records flow, and a
stand-in for CrowdSec's local API that goes away, comes back and refuses the key."""

import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from harness import Streamd, call, wait_until

SECRET = "hunter2-is-planted"

FILE = """\
pipeline: listed
sources:
  requests: {type: file, path: in.ndjson, follow: true, scan_every: 10ms}
lists:
  blocklist: {type: file, path: blocklist.txt, refresh: 20ms}
  ours: {type: inline, values: [10.0.0.0/8]}
operators:
  known: {type: match, input: requests, field: client_ip, list: blocklist, allow: ours}
  asked: {type: filter, input: requests, where: 'client_ip in list("blocklist", "ours")'}
sinks:
  known_out: {type: file, input: known, path: known.ndjson}
  asked_out: {type: file, input: asked, path: asked.ndjson}
"""

CROWDSEC = """\
pipeline: banned
sources:
  requests: {type: file, path: in.ndjson, follow: true, scan_every: 10ms}
lists:
  decisions: {type: crowdsec, url: "${LAPI}", key: "${KEY}", refresh: 100ms}
operators:
  banned: {type: match, input: requests, field: client_ip, list: decisions}
sinks:
  out: {type: file, input: banned, path: out.ndjson}
"""


def rows(path):
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")]


def append(path, *addresses):
    with open(path, "a", encoding="utf-8") as log:
        log.writelines(json.dumps({"client_ip": a}) + "\n" for a in addresses)


def replace(path, text):
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    os.replace(fresh, path)


def no_secret(run):
    for name in ("out", "err"):
        assert SECRET not in run._log(name).read_text(errors="replace")


def test_a_file_list_that_changes_while_records_flow(streamd, tmp_path):
    records, known = tmp_path / "in.ndjson", tmp_path / "known.ndjson"
    blocklist = tmp_path / "blocklist.txt"
    blocklist.write_text("192.0.2.0/24,test net\n10.9.9.9\nbroken.address.is.a.domain\n10.0.0\n")
    append(records, "192.0.2.7", "198.51.100.1", "10.9.9.9")
    run = Streamd(streamd, FILE, tmp_path).start()
    run.wait_until(lambda: len(rows(tmp_path / "asked.ndjson")) == 2, what="two that are listed")
    run.wait_until(lambda: len(rows(known)) == 1, what="the first match")
    row = rows(known)[0]
    assert row["client_ip"] == "192.0.2.7"
    assert row["match.list"] == "blocklist"
    assert row["match.indicator"] == "192.0.2.0/24"
    assert row["match.comment"] == "test net"
    assert '1 of 4 lines could not be used: line 4: "10.0.0"' in run.stderr

    replace(blocklist, "198.51.100.1\n")
    run.wait_until(lambda: "read again: 1 entries" in run.stderr, what="the new list")
    append(records, "192.0.2.7", "198.51.100.1")
    run.wait_until(lambda: len(rows(known)) == 2, what="a match in the new list")
    assert rows(known)[1]["client_ip"] == "198.51.100.1"

    blocklist.unlink()
    run.wait_until(lambda: "1 entries of before stay in force" in run.stderr, what="a warning")
    append(records, "198.51.100.1")
    run.wait_until(lambda: len(rows(known)) == 3, what="a match in the list of before")
    replace(blocklist, "192.0.2.7\n")
    run.wait_until(lambda: 'list "blocklist": healed' in run.stderr, what="healed")
    append(records, "192.0.2.7")
    run.wait_until(lambda: len(rows(known)) == 4, what="a match after that")
    assert run.sigterm() == 0
    assert run.stderr.count("stay in force") == 1
    assert run.stderr.count("healed") == 1


def test_a_list_that_is_not_there_ends_the_start(streamd, tmp_path):
    append(tmp_path / "in.ndjson", "192.0.2.7")
    run = Streamd(streamd, FILE, tmp_path)
    assert run.run() == 1
    assert 'list "blocklist": cannot read blocklist.txt: No such file' in run.stderr
    assert "make the file" in run.stderr


def test_check_shows_lists_and_opens_nothing(streamd, tmp_path):
    file = tmp_path / "p.yaml"
    file.write_text(CROWDSEC)
    env = {"LAPI": f"http://user:{SECRET}@127.0.0.1:9/{SECRET}", "KEY": SECRET}
    told = call(streamd, "check", file, env=env, cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    assert "list decisions (crowdsec)" in told.stdout
    assert "decisions of CrowdSec at 127.0.0.1:9 (ip, range)" in told.stdout
    assert "knows    type, scenario, origin, scope, expires" in told.stdout
    assert SECRET not in told.stdout + told.stderr
    told = call(streamd, "list", "lists")
    assert [line.split()[1] for line in told.stdout.splitlines()] == ["crowdsec", "file", "inline"]


def test_a_mistyped_list_is_told_with_what_is_meant(streamd, tmp_path):
    file = tmp_path / "p.yaml"
    file.write_text(FILE.replace("list: blocklist", "list: bloklist").replace(
        'list("blocklist"', 'list("blocklst"'))
    told = call(streamd, "check", file, cwd=tmp_path)
    assert told.returncode == 2
    assert 'p.yaml:8:' in told.stderr and 'unknown list "bloklist"' in told.stderr
    assert 'unknown list "blocklst"' in told.stderr
    assert told.stderr.count('did you mean "blocklist"?') == 2


class LocalApi:
    """What /v1/decisions/stream says; see start() and decide()."""

    def __init__(self):
        self.key, self.status, self.questions = SECRET, 200, []
        self.active, self.added, self.deleted = {}, [], []
        self._server = None
        self.port = 0

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                api.answer(self)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()

    def ban(self, value, scope="Ip"):
        decision = {"id": 1, "origin": "cscli", "type": "ban", "scope": scope, "value": value,
                    "duration": "3h59m57.6s", "scenario": "manual"}
        self.active[value] = decision
        self.added.append(decision)

    def unban(self, value):
        self.deleted.append({**self.active.pop(value), "duration": "-1s"})

    def answer(self, request):
        url = urlsplit(request.path)
        query = parse_qs(url.query)
        self.questions.append(request.path)
        status, body = self.status, {"message": "access forbidden"}
        if request.headers["X-Api-Key"] != self.key:
            status = 403
        assert request.headers["User-Agent"].count("/") == 1
        if status == 200:
            if query["startup"] == ["true"]:
                body = {"new": list(self.active.values()) or None, "deleted": self.deleted or None}
            else:
                body = {"new": self.added or None, "deleted": self.deleted or None}
            self.added, self.deleted = [], []
        text = json.dumps(body).encode()
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(text)))
        request.end_headers()
        request.wfile.write(text)


def test_crowdsec_decisions_come_and_go(streamd, tmp_path):
    records, out = tmp_path / "in.ndjson", tmp_path / "out.ndjson"
    append(records, "192.0.2.7", "198.51.100.1")
    with LocalApi() as api:
        api.ban("192.0.2.7")
        env = {"LAPI": f"http://127.0.0.1:{api.port}/", "KEY": SECRET}
        run = Streamd(streamd, CROWDSEC, tmp_path, env=env).start()
        run.wait_until(lambda: len(rows(out)) == 1, what="the first ban")
        row = rows(out)[0]
        assert (row["match.type"], row["match.scope"], row["match.origin"]) == ("ban", "Ip", "cscli")
        assert row["match.expires"]
        api.ban("198.51.100.0/24", "Range")
        api.unban("192.0.2.7")
        run.wait_until(lambda: not api.added, what="the change was fetched")
        asked = len(api.questions)
        run.wait_until(lambda: len(api.questions) > asked, what="the change was applied")
        append(records, "192.0.2.7", "198.51.100.1")
        run.wait_until(lambda: len(rows(out)) == 2, what="the second ban")
        assert rows(out)[1]["match.indicator"] == "198.51.100.0/24"
        assert [q.count("startup=true") for q in api.questions].count(1) == 1

        api.stop()
        run.wait_until(lambda: "stay in force" in run.stderr, what="a warning")
        append(records, "198.51.100.2")
        run.wait_until(lambda: len(rows(out)) == 3, what="a ban of before")
        assert run.sigterm() == 0
        no_secret(run)

        # A restart without the local API goes on with the copy.
        append(records, "198.51.100.3")
        run.start()
        run.wait_until(lambda: len(rows(out)) == 4, what="a ban out of the copy")
        assert "the copy of the last run is used" in run.stderr
        api.start()
        run.wait_until(lambda: 'list "decisions": healed' in run.stderr, what="healed")
        assert "startup=true" in api.questions[-1] or "startup=true" in "".join(api.questions[asked:])
        assert run.stderr.count("stay in force") == 1

        api.key = "another"
        run.wait_until(lambda: run.stderr.count("stay in force") == 2, what="the refusal")
        assert "the local API refuses the key (403)" in run.stderr
        assert "cscli bouncers add" in run.stderr
        assert run.sigterm() == 0
        no_secret(run)


def test_a_refused_key_ends_the_start_and_says_what_to_do(streamd, tmp_path):
    append(tmp_path / "in.ndjson", "192.0.2.7")
    with LocalApi() as api:
        api.key = "another"
        env = {"LAPI": f"http://127.0.0.1:{api.port}", "KEY": SECRET}
        run = Streamd(streamd, CROWDSEC, tmp_path, env=env)
        assert run.run() == 1
        assert "the local API refuses the key (403)" in run.stderr
        assert "cscli bouncers add streamd" in run.stderr
        no_secret(run)


def test_without_a_copy_the_records_wait_for_the_local_api(streamd, tmp_path):
    out = tmp_path / "out.ndjson"
    append(tmp_path / "in.ndjson", "192.0.2.7")
    with LocalApi() as api:
        api.ban("192.0.2.7")
        api.stop()
        env = {"LAPI": f"http://127.0.0.1:{api.port}", "KEY": SECRET}
        run = Streamd(streamd, CROWDSEC, tmp_path, env=env).start()
        run.wait_until(lambda: "trying again" in run.stderr, what="a warning")
        assert rows(out) == []
        api.start()
        run.wait_until(lambda: len(rows(out)) == 1, what="the ban")
        assert wait_until(lambda: 'list "decisions": healed' in run.stderr, 10, "healed")
        assert run.sigterm() == 0
        assert run.stderr.count("trying again") == 1
