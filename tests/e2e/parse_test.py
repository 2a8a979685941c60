# SPDX-License-Identifier: Apache-2.0
"""Operators parse and extract with the real binary: good lines, lines that do not fit, and what a wrong
configuration is told."""

import json
import os
from pathlib import Path

import pytest

from books import books_of
from harness import Streamd, call

SOURCE_DIR = Path(os.environ.get("STREAMD_SOURCE_DIR", Path(__file__).resolve().parents[2]))

AUTH_LOG = """\
Nov 21 18:30:00 web-1 sshd[4711]: Failed password for invalid user admin from 203.0.113.7 port 22 ssh2
2026-11-21T18:30:01.5+00:00 web-1 sshd[4711]: Invalid user bob from 2001:db8::7
Nov 21 18:30:02 web-1 CRON[1]: fetched hxxps://evil[.]example/x d41d8cd98f00b204e9800998ecf8427e
Nov 21 18:30:03 web-1 kernel: all is well
this is no line of a log
"""


def rows(file):
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def test_the_shipped_pipeline_finds_failed_logins_and_what_is_mentioned(streamd, tmp_path):
    (tmp_path / "auth.log").write_text(AUTH_LOG)
    pipeline = (SOURCE_DIR / "pipelines/parse.yaml").read_text()
    assert "follow: true" in pipeline
    run = Streamd(streamd, pipeline.replace("follow: true", "follow: false"), tmp_path,
                  env={"AUTH_LOG": tmp_path / "auth.log"})
    assert run.run() == 0, run.stderr
    logins = rows(tmp_path / "out/logins.ndjson")
    assert [(r["host"], r["pid"], r["login.user"], r["login.client_ip"]) for r in logins] == [
        ("web-1", 4711, "admin", "203.0.113.7"), ("web-1", 4711, "bob", "2001:db8::7")]
    assert [r["indicator"] for r in rows(tmp_path / "out/indicators.ndjson")] == [
        "203.0.113.7", "2001:db8::7", "https://evil.example/x", "evil.example", "d41d8cd98f00b204e9800998ecf8427e"]
    dead = rows(tmp_path / "out/not-understood.ndjson")
    assert len(dead) == 1 and "this is no line" in json.dumps(dead[0])
    books = books_of(run)
    assert books["headed"].read == 5 and books["headed"].left == {"dead letters": 1}
    assert books["failed"].written == 4


# Format, its options, a text that fits with its fields, and one that does not.
FORMATS = {
    "json": ("fields: [a, b.c]", '{"a": 1, "b": {"c": [2]}}', {"p.a": 1, "p.b.c": [2]}, '{"a": 1'),
    "kv": ("", 'user=bob msg="a b"', {"p": {"user": "bob", "msg": "a b"}}, "words"),
    "csv": ("columns: [a, b]", '1,"x, y"', {"p.a": "1", "p.b": "x, y"}, '1,"x'),
    "regex": (r"pattern: 'id=(?P<id>\d+)'", "id=17", {"p.id": "17"}, "id="),
    "grok": ("pattern: '^%{IP:ip} %{NUMBER:took:double}$'", "::1 0.5", {"p.ip": "::1", "p.took": 0.5}, "::1 x"),
    "cef": ("fields: [src]", "CEF:0|v|p|1|id|n|5|src=1.2.3.4 x=y",
            {"p.cef_version": "0", "p.vendor": "v", "p.product": "p", "p.product_version": "1", "p.class_id": "id",
             "p.name": "n", "p.severity": "5", "p.src": "1.2.3.4"}, "CEF:0|v"),
    "leef": ("", "LEEF:2.0|v|p|1|id|^|a=1^b=2",
             {"p.leef_version": "2.0", "p.vendor": "v", "p.product": "p", "p.product_version": "1",
              "p.event_id": "id", "p.attributes": {"a": "1", "b": "2"}}, "LEEF:2.0|v|p"),
    "user_agent": ("", "curl/8.1", {"p.browser": "curl", "p.browser_version": "8.1", "p.device": "tool",
                                    "p.bot": False}, None),
    "url": ("params: true", "http://h/p?a=%41", {"p.scheme": "http", "p.host": "h", "p.path": "/p",
                                                 "p.query": "a=%41", "p.params": {"a": "A"}}, "no url"),
    "syslog": ("", "<34>1 2003-10-11T22:14:15.003Z h app - - - hi",
               {"p.timestamp": "2003-10-11T22:14:15.003Z", "p.facility": "auth", "p.severity": "crit",
                "p.facility_code": 4, "p.severity_code": 2, "p.host": "h", "p.app": "app", "p.procid": None,
                "p.msgid": None, "p.message": "hi", "p.format": "rfc5424"}, "no syslog"),
}
PIPELINE = """\
pipeline: parsed
sources: {in: {type: file, path: in.ndjson}}
operators:
  parsed: {type: parse, input: in, field: m, format: %s, into: p, on_error: %s, keep_field: false, %s}
sinks:
  out: {type: file, input: parsed, path: out/out.ndjson}
  dead: {type: file, path: out/dead.ndjson}
dead_letters: dead
"""


@pytest.mark.parametrize("format", FORMATS)
def test_each_format_gives_its_fields_and_keeps_the_others(streamd, tmp_path, format):
    options, good, fields, bad = FORMATS[format]
    records = [{"n": 1, "m": good}, {"n": 2}, {"n": 3, "m": 5}] + ([{"n": 4, "m": bad}] if bad else [])
    (tmp_path / "in.ndjson").write_text("".join(json.dumps(r) + "\n" for r in records))
    run = Streamd(streamd, PIPELINE % (format, "dead_letter", options), tmp_path)
    assert run.run() == 0, run.stderr
    assert rows(tmp_path / "out/out.ndjson") == [{"n": 1, **fields}, {"n": 2}]
    dead = rows(tmp_path / "out/dead.ndjson")
    assert [d["reason"] for d in dead][:1] == ['field "m": it is no text']
    assert all(d["code"] == "parse" for d in dead) and len(dead) == len(records) - 2
    assert books_of(run)["parsed"].left == {"dead letters": len(records) - 2}


@pytest.mark.parametrize("policy,expected", [("keep", [{"n": 1, "m": "none"}]), ("'null'", [{"n": 1, "p.id": None}])])
def test_what_does_not_fit_may_go_on(streamd, tmp_path, policy, expected):
    (tmp_path / "in.ndjson").write_text('{"n":1,"m":"none"}\n')
    run = Streamd(streamd, PIPELINE % ("regex", policy, r"pattern: 'id=(?P<id>\d+)'"), tmp_path)
    assert run.run() == 0, run.stderr
    assert rows(tmp_path / "out/out.ndjson") == expected
    assert not rows(tmp_path / "out/dead.ndjson")


def test_what_goes_on_as_it_came_has_all_that_it_had(streamd, tmp_path):
    came = '{"n":1,"m":"none","p":{"id":"own"}}\n{"n":2,"p":{"id":"own"}}\n'
    (tmp_path / "in.ndjson").write_text(came + '{"n":3,"m":"id=7","p":{"id":"own"}}\n')
    run = Streamd(streamd, PIPELINE % ("regex", "keep", r"pattern: 'id=(?P<id>\d+)'"), tmp_path)
    assert run.run() == 0, run.stderr
    assert rows(tmp_path / "out/out.ndjson") == [*map(json.loads, came.splitlines()), {"n": 3, "p": {"id": "7"}}]


@pytest.mark.parametrize("options,told", [
    ("format: grok, pattern: '%{WORD:a} %{NOPE:b}'", ['there is no pattern "NOPE"', "4:80:"]),
    ("format: grok, pattern: '%{A:a}', patterns: {A: '(?=x)'}", ["look-ahead", "patterns"]),
    ("format: regex, pattern: '(?P<a>[z-a])'", ["invalid character class range", "RE2"]),
    ("format: regex, pattern: 'x'", ["captures nothing"]),
    ("format: grok", ["pattern"]),
    ("format: kv", ["kv needs into or fields"]),
    ("format: csv, columns: [a, a]", ['columns names "a" twice']),
    ("format: cef, columns: [a]", ['"columns" is for format: csv']),
    ("format: xml", ["json, kv, csv"]),
    ("format: json, into: x, patern: y", ["patern"]),
    ("format: url, on_error: drop", ["dead_letter"]),
])
def test_a_wrong_configuration_is_told_with_place_and_remedy(streamd, tmp_path, options, told):
    file = tmp_path / "wrong.yaml"
    file.write_text("pipeline: wrong\nsources: {in: {type: file, path: in.ndjson}}\noperators:\n"
                    f"  parsed: {{type: parse, input: in, field: m, {options}}}\n"
                    "sinks: {out: {type: stdout, input: parsed}}\n")
    wrong = call(streamd, "check", file, cwd=tmp_path)
    assert wrong.returncode == 2
    for text in told:
        assert text in wrong.stderr, wrong.stderr
    assert "wrong.yaml:4:" in wrong.stderr
