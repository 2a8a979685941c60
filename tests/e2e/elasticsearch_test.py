# SPDX-License-Identifier: Apache-2.0
"""The elasticsearch sink against a real OpenSearch, directly and through what goes wrong on the way.

Whatever happens, the index holds each record once and the other sinks go on.
"""

import json
import threading
import time
from contextlib import contextmanager

import pytest

from books import books_of, rows, whole_rows
from fault_proxy import FaultProxy
from harness import Streamd, call
from http_standin import Answer, Standin
from services import OpenSearch
from tls_front import TlsFront

PIPELINE = """\
pipeline: web
checkpoint: {{every: 200ms}}
sources:
  in: {{type: file, path: in.ndjson, follow: {follow},
       time: {{field: at, format: unix, max_delay: 1s, idle_after: 10h}}}}
operators:
  counts: {{type: window, input: in, window: {{tumbling: 10s}}, by: [client], compute: {{n: count()}}}}
sinks:
  raw: {{type: elasticsearch, input: in, url: "{url}", index: "web-%Y.%m.%d", batch: {{records: 100, linger: 20ms}},
        retry: {{first: 50ms, longest: 500ms}}{more}}}
  counted: {{type: file, input: counts, path: out/counts.ndjson}}
  dead: {{type: file, path: out/dead.ndjson}}
dead_letters: dead
"""
BEGIN = 1_700_000_000  # 2023-11-14, 22:13:20


@pytest.fixture(scope="module")
def opensearch():
    with OpenSearch() as service:
        yield service


@pytest.fixture
def clean(opensearch):
    """Without indices of an earlier test."""
    for index in opensearch.indices():
        opensearch.delete_index(index)
    return opensearch


def row(n, **more):
    return {"n": n, "client": f"c{n % 7}", "at": str(BEGIN + n / 100), **more}


def write(folder, begin, end):
    with open(folder / "in.ndjson", "a") as out:
        out.writelines(json.dumps(row(n)) + "\n" for n in range(begin, end))


def pipeline(url, follow="true", more=""):
    return PIPELINE.format(url=url, follow=follow, more=more and ", " + more)


def numbers(opensearch, index="web-*"):
    return sorted(hit["_source"]["n"] for hit in opensearch.search(index))


def warnings(run):
    return [line for line in run.stderr.splitlines() if " W " in line]


def test_each_record_is_there_once_in_the_index_of_its_day(streamd, clean, tmp_path):
    write(tmp_path, 0, 1000)
    run = Streamd(streamd, pipeline(clean.url, "false"), tmp_path)
    assert run.run() == 0, run.stderr
    assert numbers(clean) == list(range(1000))
    assert clean.indices() == ["web-2023.11.14"]
    books = books_of(run)
    assert (books["raw"].read, books["raw"].written) == (1000, 1000)
    # The same again, on new state: the same ids.
    first = [hit["_id"] for hit in clean.search("web-*")]
    assert run.run("--fresh") == 0, run.stderr
    assert [hit["_id"] for hit in clean.search("web-*")] == first


def test_what_the_cluster_refuses_is_a_dead_letter_with_its_words(streamd, clean, tmp_path):
    clean.put_template("web", {"index_patterns": ["web-*"], "template": {
        "mappings": {"properties": {"size": {"type": "integer"}}}}})
    with open(tmp_path / "in.ndjson", "w") as out:
        for n in range(20):
            out.write(json.dumps(row(n, size="large" if n % 5 == 0 else n)) + "\n")
    run = Streamd(streamd, pipeline(clean.url, "false"), tmp_path)
    assert run.run() == 0, run.stderr
    assert numbers(clean) == [n for n in range(20) if n % 5]
    dead = rows(tmp_path / "out/dead.ndjson")
    assert sorted(json.loads(d["data"])["n"] for d in dead) == [0, 5, 10, 15]
    assert {(d["node"], d["code"], d["source"]) for d in dead} == {("raw", "mapper-parsing-exception", "in")}
    assert all("failed to parse field [size]" in d["reason"] for d in dead)
    assert books_of(run)["raw"].left == {"dead letters": 4}


FAULTS = {
    "refuses connections": lambda proxy: proxy.refuse(),
    "does not answer": lambda proxy: proxy.hang(),
    "is slow": lambda proxy: proxy.slow(20_000),
    "answers 429": lambda proxy: proxy.too_many_requests(0, None),
    "answers 500": lambda proxy: proxy.server_error(None),
    "answers garbage": lambda proxy: proxy.garbage(None),
    "answers with a web page": lambda proxy: proxy.html(200, None),
    "stores it and closes before its answer": lambda proxy: proxy.cut(0, None),
    "closes in the middle of its answer": lambda proxy: proxy.cut(60, None),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_is_lost_or_there_twice_when_it(fault, streamd, clean, tmp_path):
    with FaultProxy(clean.port, http=True) as proxy:
        # Short only where it is waited for: a busy machine's first bulk takes a second by itself.
        hangs = fault == "does not answer"
        run = Streamd(streamd, pipeline(proxy.url, more="timeout: 3s" if hangs else "timeout: 30s"), tmp_path)
        write(tmp_path, 0, 500)
        run.start()
        run.wait_until(lambda: clean.count("web-*") == 500, 60, "the first ones are there")
        FAULTS[fault](proxy)
        write(tmp_path, 500, 3000)
        # The windows and the other sink do not notice.
        run.wait_until(lambda: len(whole_rows(tmp_path / "out/counts.ndjson")) >= 14, 60, "counts go on")
        if fault == "is slow":
            proxy.pass_through()
        else:
            run.wait_until(lambda: " W sink \"raw\"" in run.stderr, 60, "it is told")
            time.sleep(1)  # The length of the outage.
            proxy.pass_through()
            run.wait_until(lambda: "healed" in run.stderr, 60, "and that it is over")
        run.wait_until(lambda: clean.count("web-*") == 3000, 60, "everything is there")
        assert run.sigterm() == 0
        assert numbers(clean) == list(range(3000))
        # A slow machine's own bulks take longer than the short timeout too: each is told and healed.
        outages = run.stderr.count(": healed after ") if hangs else int(fault != "is slow")
        assert len(warnings(run)) == outages, run.stderr
        assert rows(tmp_path / "out/dead.ndjson") == []


def test_kill_9_in_an_outage_loses_nothing_and_repeats_nothing(streamd, clean, tmp_path):
    with FaultProxy(clean.port, http=True) as proxy:
        run = Streamd(streamd, pipeline(proxy.url), tmp_path)
        write(tmp_path, 0, 1000)
        run.start()
        run.wait_until(lambda: clean.count("web-*") > 0, 60, "it has begun")
        for n in range(1, 4):
            proxy.cut(0, None) if n == 2 else proxy.refuse()
            write(tmp_path, n * 1000, n * 1000 + 1000)
            run.wait_until(lambda: " W sink \"raw\"" in run.stderr, 60, "the outage is told")
            run.kill9()
            if n == 3:
                proxy.pass_through()
            run.start()
        run.wait_until(lambda: clean.count("web-*") == 4000, 60, "everything is there")
        assert run.sigterm() == 0
        assert numbers(clean) == list(range(4000))


def test_what_waits_at_the_end_is_sent_after_the_next_start(streamd, clean, tmp_path):
    with FaultProxy(clean.port, http=True) as proxy:
        proxy.refuse()
        run = Streamd(streamd, pipeline(proxy.url), tmp_path)
        write(tmp_path, 0, 100)
        run.start()
        run.wait_until(lambda: " W sink \"raw\"" in run.stderr, 60, "the outage is told")
        assert run.sigterm() == 0
        assert "wait in the outbox and are sent after the next start" in run.stderr
        proxy.pass_through()
        run.start()
        assert run.running
        run.wait_until(lambda: clean.count("web-*") == 100, 60, "everything is there")
        assert "of an earlier run wait in the outbox" in run.stderr
        assert run.sigterm() == 0


def test_a_request_that_is_too_large_is_halved(streamd, clean, tmp_path):
    write(tmp_path, 0, 300)
    run = Streamd(streamd, pipeline(clean.url, "false"), tmp_path)
    with FaultProxy(clean.port, http=True) as proxy:
        run.write(pipeline(proxy.url, "false"))
        proxy.answer(413, b"too large", times=3)
        assert run.run() == 0, run.stderr
        assert proxy.faults == 3
    assert numbers(clean) == list(range(300))


def test_an_index_that_takes_nothing_is_told(streamd, clean, tmp_path):
    """As when the cluster's disks are full: each document is answered 429 in a request that is well."""
    block = {"index.blocks.read_only_allow_delete": True}
    assert clean.request("PUT", "/web-2023.11.14", {"settings": block})[0] == 200
    write(tmp_path, 0, 100)
    run = Streamd(streamd, pipeline(clean.url), tmp_path)
    run.start()
    run.wait_until(lambda: warnings(run), 60, "it is told")
    assert "does not take the documents now" in warnings(run)[0] and "block" in warnings(run)[0], run.stderr
    settings = {"index.blocks.read_only_allow_delete": None}
    assert clean.request("PUT", "/web-2023.11.14/_settings", settings)[0] == 200
    run.wait_until(lambda: clean.count("web-*") == 100, 60, "everything is there")
    run.wait_until(lambda: "healed after" in run.stderr, 60, "and that it is over")
    assert run.sigterm() == 0
    assert numbers(clean) == list(range(100))


class Replacing(Standin):
    """A cluster that has no room for the first version of a document when it comes first, and
    takes a while for the next request, so that another one could come meanwhile."""

    def __init__(self):
        super().__init__()
        self.documents, self.versions, self.busy, self.most = {}, [], 0, 0
        self._lock, self._both = threading.Lock(), threading.Event()

    def _answer(self, request):
        lines = [json.loads(line) for line in request.body.decode().splitlines()]
        with self._lock:
            self.busy += 1
            self.most = max(self.most, self.busy)
            refuse = not self.versions
        if self.most > 1:
            self._both.set()
        self._both.wait(0.5)
        items = []
        with self._lock:
            for action, document in zip(lines[::2], lines[1::2]):
                self.versions.append(document["v"])
                if refuse and document["v"] == 1:
                    items.append({"index": {"status": 429, "error": {"type": "busy", "reason": "queue full"}}})
                    continue
                self.documents[action["index"]["_id"]] = document["v"]
                items.append({"index": {"status": 200}})
            self.busy -= 1
        return Answer(body={"errors": refuse, "items": items})


REPLACING = """\
pipeline: hosts
sources: {{in: {{type: file, path: in.ndjson}}}}
sinks:
  out: {{type: elasticsearch, input: in, url: "{url}", index: hosts, id: "{{{{ host }}}}", action: index, gzip: false,
        batch: {{records: 2, linger: 0s}}, retry: {{first: 50ms, longest: 100ms}}}}
"""


def test_the_last_document_of_an_id_replaces_it_whatever_happens_on_the_way(streamd, tmp_path):
    versions = [("b", 0), ("a", 1), ("a", 2), ("c", 3), ("a", 4), ("c", 5)]
    (tmp_path / "in.ndjson").write_text("".join(f'{{"host":"{host}","v":{v}}}\n' for host, v in versions))
    with Replacing() as cluster:
        run = Streamd(streamd, REPLACING.format(url=cluster.url), tmp_path)
        assert run.run() == 0, run.stderr
        assert cluster.documents == {"a": 4, "b": 0, "c": 5}
        assert cluster.versions == [0, 1, 0, 1, 2, 3, 4, 5]
        assert cluster.most == 1


@contextmanager
def secured(opensearch, certificate="good"):
    with TlsFront(opensearch.url, certificate, user="writer", password="sesame") as front:
        yield front


def test_a_cluster_with_tls_and_a_password(streamd, clean, tmp_path):
    write(tmp_path, 0, 50)
    with secured(clean) as front:
        login = f"tls: {{ca: {front.ca}}}, basic: {{user: writer, password: \"${{ES_PASSWORD}}\"}}"
        run = Streamd(streamd, pipeline(front.url, "false", login), tmp_path, env={"ES_PASSWORD": "sesame"})
        assert run.run() == 0, run.stderr
    assert numbers(clean) == list(range(50))


BAD_LOGINS = {
    "a wrong password": ("good", "wrong", "ca", "401"),
    "an expired certificate": ("expired", "sesame", "ca", "expired"),
    "a certificate for another host": ("other_host", "sesame", "ca", "other"),
    "a certificate of nobody we know": ("good", "sesame", None, "certificate"),
}


@pytest.mark.parametrize("trouble", BAD_LOGINS)
def test_a_person_is_told_about(trouble, streamd, clean, tmp_path):
    certificate, password, ca, words = BAD_LOGINS[trouble]
    write(tmp_path, 0, 50)
    with secured(clean, certificate) as front:
        tls = f"tls: {{ca: {front.ca}}}, " if ca else ""
        login = tls + "basic: {user: writer, password: \"${ES_PASSWORD}\"}"
        run = Streamd(streamd, pipeline(front.url, "true", login), tmp_path, env={"ES_PASSWORD": password})
        run.start()
        run.wait_until(lambda: " E sink \"raw\"" in run.stderr, 60, "a person is told")
        errors = [line for line in run.stderr.splitlines() if " E " in line]
        assert len(errors) == 1 and words in errors[0], run.stderr
        assert password not in run.stderr
        assert run.sigterm() == 0
    assert clean.count("web-*") == 0


def test_a_template_is_put_there_before_the_first_document(streamd, clean, tmp_path):
    body = {"index_patterns": ["web-*"], "priority": 7, "template": {"mappings": {"properties": {"n": {"type": "keyword"}}}}}
    (tmp_path / "web.json").write_text(json.dumps(body))
    write(tmp_path, 0, 10)
    run = Streamd(streamd, pipeline(clean.url, "false", "index_template: {name: web-streamd, file: web.json}"),
                  tmp_path)
    assert run.run() == 0, run.stderr
    assert clean.mapping("web-2023.11.14")["n"] == {"type": "keyword"}


STREAM = {"index_patterns": ["web-stream"], "priority": 9, "data_stream": {},
          "template": {"mappings": {"properties": {"n": {"type": "integer"}}}}}


@pytest.fixture
def data_stream(clean, tmp_path):
    """Settings of a sink that writes into one, which is deleted at the end."""
    (tmp_path / "stream.json").write_text(json.dumps(STREAM))
    yield "index_template: {name: web-stream, file: stream.json}"
    clean.request("DELETE", "/_data_stream/web-stream")
    clean.request("DELETE", "/_index_template/web-stream")


def test_a_data_stream_holds_each_record_once(streamd, clean, data_stream, tmp_path):
    with open(tmp_path / "in.ndjson", "w") as out:
        for n in range(300):
            stamp = {} if n == 7 else {"@timestamp": f"2023-11-14T22:{n // 60:02}:{n % 60:02}Z"}
            out.write(json.dumps(row(n, **stamp)) + "\n")
    text = pipeline(clean.url, "false", data_stream).replace("web-%Y.%m.%d", "web-stream")
    run = Streamd(streamd, text, tmp_path)
    assert run.run() == 0, run.stderr
    wanted = [n for n in range(300) if n != 7]
    assert numbers(clean, "web-stream") == wanted
    # Nobody has made an ordinary index of that name.
    status, found = clean.request("GET", "/_data_stream/web-stream")
    assert status == 200 and len(found["data_streams"][0]["indices"]) == 1
    (dead,) = rows(tmp_path / "out/dead.ndjson")
    assert json.loads(dead["data"])["n"] == 7 and "@timestamp" in dead["reason"]
    assert run.run("--fresh") == 0, run.stderr
    assert numbers(clean, "web-stream") == wanted


def test_a_data_stream_takes_no_action_index_and_says_so(streamd, clean, data_stream, tmp_path):
    (tmp_path / "in.ndjson").write_text(json.dumps(row(1, **{"@timestamp": "2023-11-14T22:00:00Z"})) + "\n")
    text = pipeline(clean.url, "false", data_stream + ", action: index").replace("web-%Y.%m.%d", "web-stream")
    run = Streamd(streamd, text, tmp_path)
    assert run.run() == 0, run.stderr
    (dead,) = rows(tmp_path / "out/dead.ndjson")
    assert "op_type of create" in dead["reason"], dead


def test_a_hostile_index_name_is_a_dead_letter(streamd, clean, tmp_path):
    names = ["shop", "../_all", "A B", "*", "x/_bulk", "Upper"]
    with open(tmp_path / "in.ndjson", "w") as out:
        for n, name in enumerate(names):
            out.write(json.dumps(row(n, host=name)) + "\n")
    run = Streamd(streamd, pipeline(clean.url, "false").replace("web-%Y.%m.%d", "web-{{ host }}"), tmp_path)
    assert run.run() == 0, run.stderr
    assert clean.indices() == ["web-shop", "web-upper"]
    assert {d["code"] for d in rows(tmp_path / "out/dead.ndjson")} == {"index-name"}
    assert len(rows(tmp_path / "out/dead.ndjson")) == 4


def test_check_says_where_a_configuration_is_wrong(streamd, tmp_path):
    bad = pipeline("http://localhost:9200", more="api_key: k, basic: {user: u, password: p}")
    (tmp_path / "p.yaml").write_text(bad.replace("web-%Y.%m.%d", "{{ client }}"))
    told = call(streamd, "check", tmp_path / "p.yaml")
    assert told.returncode == 2
    assert "must begin with plain text" in told.stderr
    (tmp_path / "p.yaml").write_text(bad)
    told = call(streamd, "check", tmp_path / "p.yaml")
    assert told.returncode == 2 and "api_key excludes basic and bearer" in told.stderr
