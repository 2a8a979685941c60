# SPDX-License-Identifier: Apache-2.0
"""Indicator lists with the real binary: a file that changes while records flow, and a
stand-in for CrowdSec's local API that goes away, comes back and refuses the key."""

import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from fault_proxy import FaultProxy
from harness import Nginx, Streamd, call, wait_until

URL = """\
pipeline: feeds
sources:
  requests: {type: file, path: in.ndjson, follow: true, scan_every: 10ms}
lists:
  feed:
    type: url
    url: "${FEED}"
    headers: {Auth-Key: "${KEY}"}
    format: csv
    columns: {value: ioc, type: threat, score: confidence, tags: tags, first_seen: seen}
    defaults: {source: nginx}
    refresh: 100ms
  ours: {type: inline, values: [10.0.0.0/8]}
operators:
  known: {type: match, input: requests, field: client_ip, lists: feed, allow: ours}
sinks:
  out: {type: file, input: known, path: out.ndjson}
"""

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


def test_a_file_list_that_loses_nearly_all_is_refused_as_long_as_it_stays_so(streamd, tmp_path):
    blocklist = tmp_path / "blocklist.txt"
    many = "".join(f"192.0.2.{i}\n" for i in range(100))
    blocklist.write_text(many)
    append(tmp_path / "in.ndjson", "192.0.2.7")
    run = Streamd(streamd, FILE, tmp_path).start()
    run.wait_until(lambda: len(rows(tmp_path / "known.ndjson")) == 1, what="the first match")
    replace(blocklist, "198.51.100.1\n")
    run.wait_until(lambda: "has 1 entries instead of 100" in run.stderr, what="a warning")

    def told():
        return call(streamd, "lists", "ls", run.file, "--state-dir", run.state_dir, cwd=tmp_path).stderr

    run.wait_until(lambda: "the last run keeps the 100 entries of before" in told(), what="its status")
    append(tmp_path / "in.ndjson", "192.0.2.8")
    run.wait_until(lambda: len(rows(tmp_path / "known.ndjson")) == 2, what="a match in the list of before")
    assert "healed" not in run.stderr
    replace(blocklist, many.replace("192.0.2.8\n", ""))
    run.wait_until(lambda: 'list "blocklist": healed' in run.stderr, what="healed")
    assert run.sigterm() == 0
    assert "last run" not in told()


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
    assert [line.split()[1] for line in told.stdout.splitlines()] == [
        "crowdsec", "file", "inline", "url"]


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
        assert wait_until(lambda: 'list "decisions": healed' in run.stderr, what="healed")
        assert run.sigterm() == 0
        assert run.stderr.count("trying again") == 1


def feed(*addresses, filler=40):
    """A CSV feed with these addresses, and others that nobody asks for."""
    rows = [f'"2026-05-01 00:00:00", "{a}", "c2", "75", "a,b"' for a in addresses]
    rows += [f'"", "203.0.113.{i}", "", "", ""' for i in range(filler)]
    return '# a feed\n# "seen", "ioc", "threat", "confidence", "tags"\n' + "\n".join(rows) + "\n"


def test_a_list_on_a_server_through_everything_that_goes_wrong(streamd, tmp_path):
    records, out = tmp_path / "in.ndjson", tmp_path / "out.ndjson"
    append(records, "192.0.2.7", "10.1.1.1")
    with Nginx() as nginx, FaultProxy(nginx.port, http=True) as proxy:
        served = nginx.files / "feed.csv"
        served.write_text(feed("192.0.2.7", "10.1.1.1", "nonsense,"))
        env = {"FEED": f"{proxy.url}/files/feed.csv?key={SECRET}", "KEY": SECRET}
        run = Streamd(streamd, URL, tmp_path, env=env).start()
        run.wait_until(lambda: len(rows(out)) == 1, what="the first match")
        row = rows(out)[0]
        assert row["match.indicator"] == "192.0.2.7"
        assert (row["match.type"], row["match.score"], row["match.tags"]) == ("c2", 75, "a,b")
        assert row["match.source"] == "nginx"
        assert row["match.first_seen"] == "2026-05-01T00:00:00Z"
        # Unchanged, it is not sent again.
        run.wait_until(lambda: '" 304 ' in nginx.access_log.read_text(), what="a 304")

        replace(served, feed("192.0.2.7", "198.51.100.1"))
        run.wait_until(lambda: "fetched again: 42 entries" in run.stderr, what="the new list")
        append(records, "198.51.100.1")
        run.wait_until(lambda: len(rows(out)) == 2, what="a match in the new list")

        def harmed(harm, message, number):
            harm()
            run.wait_until(lambda: run.stderr.count("stay in force") == number, what=message)
            assert message in run.stderr
            append(records, "198.51.100.1")
            run.wait_until(lambda: len(rows(out)) == 2 + number, what="a match of before")
            # In this order, so that what a harm serves is never fetched whole.
            replace(served, feed("192.0.2.7", "198.51.100.1", filler=40 + number))
            proxy.pass_through()
            run.wait_until(lambda: run.stderr.count('list "feed": healed') == number, what="healed")

        def page():
            proxy.answer(200, b"<!DOCTYPE html><title>log in</title>")

        def half():
            proxy.cut(after=2000, times=1000)
            replace(served, feed("192.0.2.7", "198.51.100.1", filler=250))

        harmed(lambda: proxy.answer(500), "the server does not give the list (500)", 1)
        harmed(page, "the answer is a web page, no list", 2)
        harmed(lambda: proxy.answer_bytes(b"\0\1\2\3 garbage\r\n\r\n"), "127.0.0.1", 3)
        harmed(half, "closed", 4)
        harmed(proxy.refuse, "efused", 5)
        harmed(lambda: replace(served, feed("192.0.2.7", filler=0)),
               "has 1 entries instead of 47, which looks like a broken one", 6)
        harmed(lambda: proxy.answer(200, feed("192.0.2.7")[:-2].encode()), "ends inside quotes", 7)
        assert run.sigterm() == 0
        no_secret(run)

        # Without the network, a restart goes on with the copy.
        proxy.refuse()
        before = len(rows(out))
        append(records, "198.51.100.1")
        run.start()
        run.wait_until(lambda: len(rows(out)) == before + 1, what="a match out of the copy")
        assert "the copy of the last run is used" in run.stderr
        told = call(streamd, "lists", "ls", run.file, "--state-dir", run.state_dir, env=env)
        assert "the copy of the last run is used" in told.stderr
        proxy.pass_through()
        run.wait_until(lambda: 'list "feed": healed' in run.stderr, what="healed")
        assert run.sigterm() == 0
        no_secret(run)


def test_a_first_download_that_cannot_succeed_says_what_to_do(streamd, tmp_path):
    append(tmp_path / "in.ndjson", "192.0.2.7")
    with Nginx() as nginx:
        for path, message, remedy in (
                ("/status/403", "the server refuses the download (403)", "set headers"),
                ("/files/none", "there is no such list (404)", "is url right?")):
            run = Streamd(streamd, URL, tmp_path, env={"FEED": nginx.url + path, "KEY": "x"})
            assert run.run() == 1
            assert message in run.stderr and remedy in run.stderr


def test_every_record_is_looked_up_in_one_whole_list(streamd, tmp_path):
    """A list that changes under the records: what all its versions have always matches."""
    records, out = tmp_path / "in.ndjson", tmp_path / "out.ndjson"
    file = tmp_path / "blocklist.txt"

    def version(number):
        return "".join(f"10.{number}.{i // 256}.{i % 256}\n" for i in range(20_000))

    replace(file, version(0) + "192.0.2.7\n")
    records.write_text("")
    pipeline = FILE.replace("path: known.ndjson", "path: out.ndjson")
    run = Streamd(streamd, pipeline, tmp_path).start()
    run.wait_until(lambda: "20001 entries" in run.stderr, what="the first version")
    for number in range(1, 9):
        append(records, *["192.0.2.7"] * 500)
        replace(file, version(number) + "192.0.2.7\n")
        run.wait_until(lambda: run.stderr.count("read again: 20001 entries") == number,
                       what=f"version {number}")
    run.wait_until(lambda: len(rows(out)) == 4000, what="all of them")
    assert run.sigterm() == 0


# --- streamd lists ----------------------------------------------------------------------

LISTS = """pipeline: asked
sources:
  requests: {type: file, path: in.ndjson}
lists:
  bad: {type: file, path: bad.csv, format: csv, columns: {value: 1, score: 2, expires: 3}}
  ours: {type: inline, values: [10.0.0.0/8, 10.1.0.0/16, evil.example]}
  feed: {type: url, url: "${FEED}", refresh: 1h}
operators:
  known: {type: match, input: requests, field: client_ip, lists: [bad, ours, feed]}
sinks:
  out: {type: file, input: known, path: out.ndjson}
"""


def ask(streamd, tmp_path, *words, feed="http://127.0.0.1:9/x"):
    (tmp_path / "p.yaml").write_text(LISTS)
    return call(streamd, "lists", *words, "p.yaml", "--state-dir", "state", cwd=tmp_path,
                env={"FEED": feed})


def test_lists_can_be_listed_shown_and_asked(streamd, tmp_path):
    (tmp_path / "bad.csv").write_text("192.0.2.7,80,2100-01-01\n192.0.2.8,1,2001-01-01\n10.0.0,,\n"
                                      "\x1b[31mred,,\n10.1.2.0/24,,\n")
    told = ask(streamd, tmp_path, "ls")
    assert told.returncode == 0
    lines = [line.split() for line in told.stdout.splitlines()]
    assert [line[:4] for line in lines[1:]] == [
        ["bad", "file", "3", "now"], ["ours", "inline", "3", "now"], ["feed", "url", "-", "-"]]
    assert 'error: list "feed": there is no copy of an earlier run' in told.stderr
    assert '1 of 5 lines could not be used: line 3: "10.0.0"' in told.stderr

    shown = ask(streamd, tmp_path, "show", "bad", "--limit", "2")
    assert shown.returncode == 0
    assert shown.stdout == ("192.0.2.7  score: 80  expires: 2100-01-01T00:00:00Z\n?[31mred\n"
                            "2 of 3 entries\n")
    wrong = ask(streamd, tmp_path, "show", "bat")
    assert wrong.returncode == 2 and 'did you mean "bad"?' in wrong.stderr

    found = ask(streamd, tmp_path, "test", "10.1.2.3")
    assert found.returncode == 0
    assert found.stdout == "bad: 10.1.2.0/24\nours: 10.1.0.0/16\nours: 10.0.0.0/8\n"
    found = ask(streamd, tmp_path, "test", "www.evil.example", "--json")
    assert [json.loads(line) for line in found.stdout.splitlines()] == [
        {"list": "ours", "indicator": "evil.example"}]
    none = ask(streamd, tmp_path, "test", "192.0.2.8")
    assert none.returncode == 1 and none.stdout == 'no list has "192.0.2.8"\n'


def test_lists_on_servers_are_fetched_when_asked(streamd, tmp_path):
    (tmp_path / "bad.csv").write_text("")
    with Nginx() as nginx:
        (nginx.files / "x.txt").write_text("198.51.100.0/24,noisy\n")
        url = nginx.url + "/files/x.txt"
        assert ask(streamd, tmp_path, "test", "198.51.100.1", feed=url).returncode == 1
        told = ask(streamd, tmp_path, "test", "198.51.100.1", "--load", feed=url)
        assert told.stdout == "feed: 198.51.100.0/24  comment: noisy\n"
    # The copy is from there; now nobody answers.
    told = ask(streamd, tmp_path, "ls", "--json", feed=url)
    status = {row["list"]: row for row in map(json.loads, told.stdout.splitlines())}
    assert status["feed"]["entries"] == 1 and "error" not in status["feed"]
    assert status["bad"]["entries"] == 0 and status["ours"]["type"] == "inline"
    told = ask(streamd, tmp_path, "ls", "--load", feed=url)
    assert "the copy of the last run is used" in told.stderr


def test_settings_of_lists_are_checked_with_their_places(streamd, tmp_path):
    file = tmp_path / "p.yaml"
    file.write_text(LISTS.replace("format: csv", "format: cvs").replace(
        'refresh: 1h', 'refresh: 1ms, format: json, items: "a[0]"'))
    told = call(streamd, "check", file, cwd=tmp_path, env={"FEED": "http://x/"})
    assert told.returncode == 2
    for expected in ('p.yaml:5:', 'did you mean "csv"?', "p.yaml:7:",
                     "refresh must be at least 100ms",
                     "items and columns of format json must be paths, like data.items[].ip"):
        assert expected in told.stderr, told.stderr
    told = call(streamd, "lists", "ls", file, cwd=tmp_path, env={"FEED": "ftp://x/"})
    assert told.returncode == 2 and "write it as https://host/path" in told.stderr
