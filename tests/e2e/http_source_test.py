# SPDX-License-Identifier: Apache-2.0
"""The http source against a real nginx (ETag, gzip, status codes), killed and resumed."""

import json
import os

import pytest

from books import books_of
from harness import Streamd, call
from http_standin import Answer, Standin
from service import Process, accepts, free_port, need, tail, wait_until

SECRET = "planted-token-0123456789"
PIPELINE = """\
pipeline: job
checkpoint: {{every: 100ms}}
sources:
  polled:
    type: http
    {settings}
sinks:
  out: {{type: file, input: polled, path: out/records.ndjson}}
"""
NGINX = """\
{user}
daemon off;
worker_processes 1;
pid {dir}/nginx.pid;
error_log {dir}/error.log info;
events {{ worker_connections 64; }}
http {{
  log_format asked '$request_method $request_uri $status "$http_if_none_match"';
  access_log {dir}/access.log asked;
  client_body_temp_path {dir}/body;
  proxy_temp_path {dir}/proxy;
  fastcgi_temp_path {dir}/fastcgi;
  uwsgi_temp_path {dir}/uwsgi;
  scgi_temp_path {dir}/scgi;
  gzip on;
  gzip_types *;
  gzip_min_length 1;
  server {{
    listen 127.0.0.1:{port};
    root {dir}/site;
    location / {{ etag on; }}
    location = /html {{ default_type text/html; return 200 "<html>log in</html>"; }}
    location = /gone {{ return 410; }}
  }}
}}
"""


class Site:
    """nginx over a folder of files."""

    def __init__(self, directory):
        self.directory, self.port = directory, free_port()
        self.root = directory / "site"
        self.root.mkdir(parents=True)
        config = directory / "nginx.conf"
        config.write_text(NGINX.format(dir=directory, port=self.port,
                                       user="user root;" if os.geteuid() == 0 else ""))
        self._process = Process("nginx", [need("nginx", "nginx-light"), "-p", directory, "-c",
                                          config, "-e", directory / "error.log"],
                                directory / "output.log", False, orphan_signal="TERM")

    def __enter__(self):
        self._process.start()
        wait_until(lambda: accepts(self.port), 30, "nginx listens")
        return self

    def __exit__(self, *_):
        self._process.terminate()

    def put(self, name, text):
        """As a whole: nginx never sees half a file."""
        fresh = self.root / (name + ".new")
        fresh.write_text(text)
        fresh.rename(self.root / name)

    def asked(self):
        log = self.directory / "access.log"
        return log.read_text().splitlines() if log.exists() else []

    def url(self, name):
        return f"http://127.0.0.1:{self.port}/{name}"

    def tails(self):
        return [("nginx errors", tail(self.directory / "error.log"))]


@pytest.fixture
def site(tmp_path):
    with Site(tmp_path / "nginx") as nginx:
        yield nginx


def new_run(streamd, folder, **settings):
    settings = {"proxy": "none", **settings}
    text = "\n    ".join(f"{name}: {json.dumps(value)}" for name, value in settings.items())
    return Streamd(streamd, PIPELINE.format(settings=text), folder, name="job")


def records(run):
    path = run.directory / "out/records.ndjson"
    return [json.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []


def test_an_unchanged_file_is_read_once_also_over_a_restart(streamd, site, tmp_path):
    site.put("list.json", '{"items": [{"n": 1}, {"n": 2}]}')
    run = new_run(streamd, tmp_path, url=site.url("list.json"), path="items", every="50ms").start()

    def unchanged(count):
        return sum(" 304 " in line for line in site.asked()) >= count

    run.wait_until(lambda: unchanged(3), 30, "nginx answers 304")
    assert run.sigterm() == 0
    assert records(run) == [{"n": 1}, {"n": 2}]
    before = len(site.asked())
    run.start()
    run.wait_until(lambda: len(site.asked()) >= before + 3, 30, "it asks again")
    assert all(" 304 " in line for line in site.asked()[before:]), site.asked()[before:]
    site.put("list.json", '{"items": [{"n": 1}, {"n": 2}, {"n": 3}]}')
    run.wait_until(lambda: len(records(run)) == 5, 30, "the changed file is read")
    assert run.sigterm() == 0
    assert [r["n"] for r in records(run)] == [1, 2, 1, 2, 3]


@pytest.mark.parametrize("name, text, settings", [
    ("a.ndjson", '{"a":"1"}\r\n\n{"a":"2"}', {"format": "ndjson"}),
    ("a.csv", '\ufeffa\n1\n"2"\n', {"format": "csv"}),
    ("a.json", ' [{"a":"1"},\n {"a":"2"}] ', {}),
])
def test_each_format_gives_the_same_records(streamd, site, tmp_path, name, text, settings):
    site.put(name, text)
    run = new_run(streamd, tmp_path, url=site.url(name), once=True, **settings)
    assert run.run() == 0, run.stderr
    assert records(run) == [{"a": "1"}, {"a": "2"}]
    assert run.run() == 0, run.stderr
    assert len(records(run)) == 2, "once is once"


def test_lines_are_texts(streamd, site, tmp_path):
    site.put("list.txt", "192.0.2.1\n\n192.0.2.2")
    run = new_run(streamd, tmp_path, url=site.url("list.txt"), format="lines", once=True)
    assert run.run() == 0, run.stderr
    assert records(run) == [{"message": "192.0.2.1"}, {"message": "192.0.2.2"}]


def test_a_large_answer_is_taken_and_one_beyond_the_limit_refused(streamd, site, tmp_path):
    many = [{"n": n, "text": "x" * 100} for n in range(20_000)]
    site.put("large.json", json.dumps(many))
    run = new_run(streamd, tmp_path, url=site.url("large.json"), once=True)
    assert run.run() == 0, run.stderr
    assert records(run) == many
    (tmp_path / "small").mkdir()
    run = new_run(streamd, tmp_path / "small", url=site.url("large.json"), once=True,
                  max_response="1MiB")
    assert run.run() == 1
    assert "1048576" in run.stderr or "1MiB" in run.stderr, run.stderr


def test_html_is_named_and_retried_and_a_missing_page_ends_the_run(streamd, site, tmp_path):
    run = new_run(streamd, tmp_path, url=site.url("html"), bearer=SECRET).start()
    run.wait_until(lambda: "HTML instead of JSON" in run.stderr, 30, "the warning")
    assert run.sigterm() == 0
    assert SECRET not in run.stderr
    (tmp_path / "gone").mkdir()
    run = new_run(streamd, tmp_path / "gone", url=site.url(f"gone?key={SECRET}"))
    assert run.run() == 1
    assert "status 410" in run.stderr
    assert SECRET not in run.stderr
    assert SECRET not in call(streamd, "check", run.file).stdout


def test_a_broken_record_is_a_dead_letter_and_the_others_go_on(streamd, site, tmp_path):
    site.put("mixed.json", '[{"a":"1"}, {"a":01}, 7, {"a":"2"}]')
    run = new_run(streamd, tmp_path, url=site.url("mixed.json"), once=True)
    assert run.run() == 0, run.stderr
    assert records(run) == [{"a": "1"}, {"a": "2"}]
    assert books_of(run)["polled"].left == {"dead letters": 2}


# --- pages, killed ---------------------------------------------------------------------


class Pages(Standin):
    """Thirty pages of ten numbers, by cursor."""

    name = "pages"

    def _answer(self, request):
        begin = int(request.query.get("after", 0))
        return Answer(body={"items": [{"n": n} for n in range(begin, begin + 10)],
                            "next": begin + 10 if begin < 290 else None})


def test_kills_while_pages_are_read_lose_nothing_and_repeat_nothing(streamd, tmp_path):
    with Pages(None) as pages:
        run = new_run(streamd, tmp_path, url=pages.url, once=True, path="items",
                      pagination={"cursor": {"path": "next", "param": "after"}})
        for kill in range(1, 6):
            run.start()
            seen = len(pages.requests)
            wait_until(lambda: len(pages.requests) > seen + kill or not run.running, 30, "pages")
            run.kill9()
        assert run.run() == 0, run.stderr
        assert [r["n"] for r in records(run)] == list(range(300))


def test_an_outage_in_the_middle_is_told_once(streamd, tmp_path):
    with Pages(None) as pages:
        pages.order(Answer(503, "busy", {"Retry-After": "1"}), times=3)
        run = new_run(streamd, tmp_path, url=pages.url, once=True, path="items",
                      pagination={"cursor": {"path": "next", "param": "after"}})
        assert run.run() == 0, run.stderr
        assert len(records(run)) == 300
        assert run.stderr.count("trying again") == 1
        assert run.stderr.count("healed") == 1
