# SPDX-License-Identifier: Apache-2.0
"""streamd test: users' test files, their reports, what --update writes, and the shipped ones."""

import json
import os
import re
import subprocess
import xml.etree.ElementTree as xml
from pathlib import Path

import pytest

from harness import call

SOURCE_DIR = Path(os.environ.get("STREAMD_SOURCE_DIR", Path(__file__).resolve().parents[2]))
SHIPPED = sorted(p for p in (SOURCE_DIR / "pipelines").rglob("*.yaml") if not p.name.endswith(".test.yaml"))

PIPELINE = """\
pipeline: logins
sources:
  events:
    type: kafka
    brokers: ${BROKERS}
    topics: [events]
    time: {field: at, format: rfc3339, max_delay: 1s, idle_after: 5s}
operators:
  failed: {type: filter, input: events, where: outcome == "failed"}
  guesses:
    type: window
    input: failed
    window: {tumbling: 1m}
    by: [user]
    compute: {failures: count()}
    having: failures >= 3
  sorted: {type: route, input: failed, routes: {root: user == "root"}, otherwise: others}
sinks:
  chat: {type: discord, input: guesses, webhook: "${WEBHOOK}", message: "{{ user }}: {{ failures }}"}
  root: {type: "null", input: sorted.root}
  others: {type: "null", input: sorted.others}
"""

TEST = """\
# about guessed passwords
env: {BROKERS: "broker.example:9092", WEBHOOK: "https://discord.example/api/webhooks/1/secret"}
cases:
  - name: three failures in a minute are told    # and two are not
    steps:
      - in:
          events:
            - {record: {user: ann, outcome: failed}, at: 1s, repeat: 2, every: 1s}
            - {record: {user: bob, outcome: failed}, at: 3s, repeat: 2, every: 1s}
      - restart: true
        in:
          events:
            - {record: {user: ann, outcome: failed}, at: 10s}
    after: 2m
    expect:
      chat:
        - {user: ann, failures: 3}   # bob is not there
      sorted.root: []
      failed: {in: 5, out: 5}
"""


@pytest.fixture
def files(tmp_path):
    (tmp_path / "logins.yaml").write_text(PIPELINE)
    (tmp_path / "logins.test.yaml").write_text(TEST)
    return tmp_path


def run(streamd, folder, *arguments, **options):
    return call(streamd, "test", "logins.test.yaml", *arguments, cwd=folder, **options)


def change(folder, old, new):
    file = folder / "logins.test.yaml"
    text = file.read_text()
    assert text.count(old) == 1, old
    file.write_text(text.replace(old, new))
    return file


# --- passing and failing -------------------------------------------------------------------

def test_a_case_passes_over_a_restart_and_leaves_nothing_behind(streamd, files):
    done = run(streamd, files)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ok    three failures in a minute are told" in done.stdout
    assert "coverage: 6 of 7 nodes saw a record, not root" in done.stdout
    assert done.stdout.endswith("1 case, 0 failed\n")
    assert done.stderr == ""
    assert sorted(p.name for p in files.iterdir()) == ["logins.test.yaml", "logins.yaml"]


def test_it_works_without_a_network_and_without_the_environment(streamd, files):
    prefix = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "-r", "--net"]
    done = call(*prefix, streamd, "test", "logins.test.yaml", cwd=files)
    assert done.returncode == 0, done.stdout + done.stderr
    change(files, 'BROKERS: "broker.example:9092", ', "")
    told = run(streamd, files, env={"BROKERS": "localhost:9092"})
    assert told.returncode == 2
    assert 'variable "BROKERS" is not set' in told.stderr
    assert "give it in the test file, below env:" in told.stderr


def test_a_failing_case_shows_the_row_and_the_field(streamd, files):
    change(files, "failures: 3}", "failures: 4}")
    done = run(streamd, files)
    assert done.returncode == 1
    assert "FAIL  three failures in a minute are told" in done.stdout
    assert "logins.test.yaml:16:7: chat: 1 row differs" in done.stdout
    assert '- {"user":"ann","failures":4}' in done.stdout
    assert re.search(r'\+ \{.*"user":"ann".*"failures":3', done.stdout)
    assert "failures is 3, expected 4" in done.stdout
    assert done.stdout.endswith("1 case, 1 failed\n")


def test_rows_and_books_are_told_apart(streamd, files):
    change(files, "        - {user: ann, failures: 3}   # bob is not there\n",
           "        - {user: ann, failures: 3}\n        - {user: eve, failures: 9}\n")
    change(files, "{in: 5, out: 5}", "{in: 5, out: 4, dropped: {filtered: 1}}")
    done = run(streamd, files)
    assert done.returncode == 1
    assert "chat: 1 row is missing (1 as expected)" in done.stdout
    assert '- {"user":"eve","failures":9}' in done.stdout
    assert "failed: out is 5, expected 4" in done.stdout
    assert "failed: dropped.filtered is 0, expected 1" in done.stdout


def test_a_dead_letter_that_nobody_expects_fails_a_case(streamd, files):
    change(files, "at: 10s}", "at: 10s}\n            - 'no JSON'")
    done = run(streamd, files)
    assert done.returncode == 1
    assert "a dead letter that the case does not expect" in done.stdout
    assert '"code":"bad-json"' in done.stdout and "no JSON" in done.stdout


def test_only_the_cases_that_are_asked_for_run(streamd, files):
    file = files / "logins.test.yaml"
    file.write_text(file.read_text() + "  - {name: the other, in: {events: ['x']}, expect: {dead_letters: 1}}\n")
    done = run(streamd, files, "--case", "other")
    assert done.returncode == 0, done.stdout
    assert "ok    the other" in done.stdout and "three failures" not in done.stdout
    none = run(streamd, files, "--case", "nothing like it")
    assert none.returncode == 2
    assert 'no case is called like "nothing like it"' in none.stderr


def test_a_sink_that_fails_at_first_gets_everything_once(streamd, files):
    change(files, "    after: 2m\n", "    fails: {chat: 2}\n    after: 2m\n")
    done = run(streamd, files)
    assert done.returncode == 0, done.stdout + done.stderr


# --- what sinks send, what sources ask ----------------------------------------------------

SENT = """      chat:
        rows: [{user: ann, failures: 3}]
        sent:
          - {content: "ann: 3"}   # as the channel shows it
"""


def expect_sent(files):
    return change(files, "      chat:\n        - {user: ann, failures: 3}   # bob is not there\n", SENT)


def test_what_a_sink_would_send_is_compared_and_updated(streamd, files):
    file = expect_sent(files)
    assert run(streamd, files).returncode == 0
    right = file.read_text()
    change(files, '"ann: 3"', '"ann: 4"')
    done = run(streamd, files)
    assert done.returncode == 1
    assert "logins.test.yaml:16:7: chat sent: 1 row differs" in done.stdout
    assert '- {"content":"ann: 4"}' in done.stdout and '+ {"content":"ann: 3"}' in done.stdout
    assert 'content is "ann: 3", expected "ann: 4"' in done.stdout
    updated = run(streamd, files, "--update")
    assert updated.returncode == 0, updated.stdout
    assert "updated: 1 expectation" in updated.stdout
    assert file.read_text() == right


def test_a_template_that_fails_is_a_dead_letter_as_in_a_run(streamd, files):
    pipeline = files / "logins.yaml"
    pipeline.write_text(pipeline.read_text().replace("{{ user }}: {{ failures }}", "{{ 1 / (failures - 3) }}"))
    done = run(streamd, files)
    assert done.returncode == 1
    assert "a dead letter that the case does not expect" in done.stdout
    assert '"node":"chat","code":"template"' in done.stdout


def test_mistakes_about_what_is_sent_are_explained(streamd, files):
    expect_sent(files)
    change(files, '{content: "ann: 3"}', "{contents: x}")
    change(files, "{in: 5, out: 5}", "{sent: []}")
    told = run(streamd, files)
    assert told.returncode == 2
    assert 'logins.test.yaml:21:7: error: "failed" is no sink, and sends nothing [rule]' in told.stderr
    change(files, "{sent: []}", "5")
    told = run(streamd, files)
    assert told.returncode == 2
    assert 'logins.test.yaml:19:14: error: "chat" sends no "contents" [unknown-field]' in told.stderr
    assert 'did you mean "content"?' in told.stderr


ASKING = """\
pipeline: asking
sources:
  events:
    type: http
    url: https://api.example/v1/events
    path: items
    every: 1m
    pagination: {cursor: {path: next, param: cursor}}
    time: {field: at, format: rfc3339, idle_after: 5s}
sinks:
  out: {type: stdout, input: events, encode: text, message: "{{ id }}"}
"""

ANSWERS = """\
cases:
  - name: two pages, an outage, and a page behind a restart
    steps:
      - answers:
          events:
            - {path: /v1/events, json: {items: [{id: 1, at: 2024-01-01T00:00:00Z}, {id: 2, at: 2024-01-01T00:00:00Z}], next: b}, times: 1}
            - {path: "/v1/events?cursor=b", unreachable: true, times: 1}
            - {path: "/v1/events?cursor=b", json: {items: [{id: 3, at: 2024-01-01T00:00:00Z}]}}
            - {path: /v1/events, json: {items: [{id: 4, at: 2024-01-01T00:00:00Z}]}}
        expect: {out: {sent: [{line: "1"}, {line: "2"}]}}
      - {restart: true, after: 10s, expect: {out: {sent: [{line: "3"}, {line: "4"}]}}}
    after: 1m
    expect: {out: {sent: [{line: "4"}]}}
"""


@pytest.fixture
def asking(tmp_path):
    (tmp_path / "asking.yaml").write_text(ASKING)
    (tmp_path / "asking.test.yaml").write_text(ANSWERS)
    return tmp_path


def test_a_source_asks_what_the_file_answers_without_a_network(streamd, asking):
    prefix = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "-r", "--net"]
    done = call(*prefix, streamd, "test", "asking.test.yaml", cwd=asking, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "coverage: 2 of 2 nodes saw a record" in done.stdout
    assert done.stderr == ""
    assert sorted(p.name for p in asking.iterdir()) == ["asking.test.yaml", "asking.yaml"]


def test_answers_and_questions_that_do_not_meet_are_told(streamd, asking):
    file = asking / "asking.test.yaml"
    file.write_text(ANSWERS.replace("times: 1}\n            - {path: \"/v1/events?cursor=b\", json", "}\n            - {path: /v2, json"))
    done = call(streamd, "test", "asking.test.yaml", cwd=asking)
    assert done.returncode == 1
    assert 'asking.test.yaml:8:15: "events" never asks for this answer' in done.stdout
    file.write_text(ANSWERS.replace("{path: /v1/events, json: {items: [{id: 4", "{path: /v1/event, json: {items: [{id: 4"))
    done = call(streamd, "test", "asking.test.yaml", cwd=asking)
    assert done.returncode == 1
    assert 'asking.test.yaml:5:11: "events" asks GET /v1/events, and the test file has no answer' in done.stdout
    file.write_text("answers: {events: [{path: /v1/events, json: {items: []}}, {path: /v2, json: []}]}\n"
                    "cases: [{name: nothing, after: 1s, expect: {out: []}}]\n")
    done = call(streamd, "test", "asking.test.yaml", cwd=asking)
    assert done.returncode == 0, done.stdout
    assert 'asking.test.yaml:1:59: warning: "events" asks for this answer in no case [unused-answer]' in done.stderr


def test_a_source_gets_records_or_answers(streamd, asking):
    file = asking / "asking.test.yaml"
    file.write_text("cases:\n  - {name: both, in: {events: [{id: 1}]}, answers: {events: [{json: []}]}}\n")
    told = call(streamd, "test", "asking.test.yaml", cwd=asking)
    assert told.returncode == 2
    assert 'asking.test.yaml:2:23: error: "events" gets answers, so it asks by itself [rule]' in told.stderr
    assert "give it records or answers, not both in one case" in told.stderr


# --- --update, --junit, --coverage ---------------------------------------------------------

def test_update_rewrites_what_is_expected_and_nothing_else(streamd, files):
    right = (files / "logins.test.yaml").read_text()
    change(files, "failures: 3}", "failures: 4}")
    change(files, "{in: 5, out: 5}", "{in: 7, out: 5}")
    done = run(streamd, files, "--update")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "updated: 2 expectations" in done.stdout
    assert (files / "logins.test.yaml").read_text() == right
    again = run(streamd, files, "--update")
    assert (again.returncode, "updated" in again.stdout) == (0, False)


def test_update_fills_in_what_came_where_nothing_was_expected(streamd, files):
    file = change(files, "      chat:\n        - {user: ann, failures: 3}   # bob is not there\n", "      chat: []\n")
    done = run(streamd, files, "--update")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"      chat:\s.*\{user: ann, .*failures: 3", file.read_text())
    assert "# about guessed passwords" in file.read_text() and "# and two are not" in file.read_text()
    assert run(streamd, files).returncode == 0


def test_junit_is_well_formed(streamd, files):
    change(files, "failures: 3}", "failures: 4}")
    change(files, "three failures in a minute are told", "'a <name> & \"quotes\" are told'")
    done = run(streamd, files, "--junit", "out/junit.xml")
    assert done.returncode == 1
    root = xml.parse(files / "out/junit.xml").getroot()
    assert (root.tag, root.get("tests"), root.get("failures")) == ("testsuites", "1", "1")
    (suite,) = root.findall("testsuite")
    (case,) = suite.findall("testcase")
    assert (case.get("classname"), case.get("name")) == ("logins.test.yaml", 'a <name> & "quotes" are told')
    (failure,) = case.findall("failure")
    assert "1 row differs" in failure.get("message") and "expected 4" in failure.text


def test_coverage_shows_each_node(streamd, files):
    done = run(streamd, files, "--coverage")
    assert re.search(r"^    failed +5 +5$", done.stdout, re.M)
    assert re.search(r"^    guesses +5 +1$", done.stdout, re.M)
    assert re.search(r"^    root +0 +0  no record$", done.stdout, re.M)


# --- mistakes ------------------------------------------------------------------------------

def test_mistakes_are_told_like_those_of_a_pipeline(streamd, files):
    (files / "logins.test.yaml").write_text("""\
env: {BROKERS: x, WEBHOOK: "https://discord.example/api/webhooks/1/secret"}
cases:
  - name: mistakes
    in: {event: [{user: ann}]}
    fails: {guesses: 1}
    expect:
      chatt: []
      chat: [{usr: ann}]
""")
    told = run(streamd, files)
    assert told.returncode == 2
    assert 'logins.test.yaml:4:10: error: the pipeline has no source "event" [unknown-source]' in told.stderr
    assert 'did you mean "events"?' in told.stderr
    assert 'logins.test.yaml:5:13: error: the pipeline has no sink "guesses"' in told.stderr
    assert 'logins.test.yaml:7:7: error: the pipeline has no node "chatt"' in told.stderr
    assert "    4 |     in: {event: [{user: ann}]}" in told.stderr
    assert "3 errors" in told.stderr
    (files / "logins.test.yaml").write_text(TEST.replace("{user: ann, failures: 3}", "{usr: ann}"))
    told = run(streamd, files)
    assert told.returncode == 2
    assert 'logins.test.yaml:17:12: error: what comes to "chat" has no field "usr"' in told.stderr
    assert 'did you mean "user"?' in told.stderr


def test_mistakes_of_the_pipeline_show_no_secret(streamd, files):
    (files / "logins.yaml").write_text(PIPELINE.replace("webhook:", "webhok:"))
    told = run(streamd, files)
    assert told.returncode == 2
    assert "logins.yaml:19:" in told.stderr and 'did you mean "webhook"?' in told.stderr
    assert "secret" not in told.stderr


def test_wrong_files_are_usage_errors(streamd, files):
    for name, part in [("missing.test.yaml", "cannot read the test file"),
                       ("logins.yaml", "this is a pipeline, not a test file")]:
        told = call(streamd, "test", name, cwd=files)
        assert told.returncode == 2
        assert part in told.stderr
    assert call(streamd, "test", cwd=files).returncode == 2


def test_the_commands_of_the_guide_work_as_they_stand(streamd, tmp_path):
    blocks = re.findall(r"^```sh\n(.*?)^```$", (SOURCE_DIR / "docs/guide/testing.md").read_text(), re.S | re.M)
    assert len(blocks) == 5
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/streamd").symlink_to(streamd)
    for block in blocks:
        done = subprocess.run(["bash", "-euc", block], cwd=tmp_path, text=True, capture_output=True, timeout=120,
                              env={**os.environ, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"})
        assert done.returncode == 0, block + done.stdout + done.stderr
    assert "3 cases, 0 failed" in done.stdout
    assert xml.parse(tmp_path / "results.xml").getroot().get("tests") == "3"


def test_the_reference_and_the_schema_know_test_files(streamd, tmp_path):
    told = call(streamd, "docs", "tests")
    assert told.returncode == 0 and "### `restart`" in told.stdout and "### `repeat`" in told.stdout
    assert "### `sent`" in told.stdout and "### `headers`" in told.stdout and "### `lines`" in told.stdout
    sent = call(streamd, "docs", "kafka").stdout.split("as `sent`: ")[1].split("\n")[0]
    assert re.findall(r"`(\w+)` \(", sent) == ["topic", "key", "value"]
    schema = json.loads(call(streamd, "schema", "--tests").stdout)
    step = schema["properties"]["cases"]["anyOf"][0]["items"]
    assert {"name", "steps", "in", "after", "expect"} <= set(step["properties"])
    place = step["properties"]["expect"]["additionalProperties"]["anyOf"][2]
    assert {"rows", "sent", "count"} <= set(place["properties"]) and place["additionalProperties"] is False
    answer = step["properties"]["answers"]["additionalProperties"]["anyOf"][0]["items"]
    assert {"path", "headers", "json", "lines"} <= set(answer["properties"])
    assert "cases" in schema["required"] and schema["additionalProperties"] is False


# --- the shipped ones ----------------------------------------------------------------------

@pytest.mark.parametrize("pipeline", SHIPPED, ids=lambda p: p.stem)
def test_every_shipped_pipeline_has_tests_that_pass(pipeline, streamd, tmp_path):
    tests = pipeline.with_name(pipeline.name.replace(".yaml", ".test.yaml"))
    assert tests.exists(), f"{pipeline.name} has no {tests.name} beside it"
    done = call(streamd, "test", tests, cwd=tmp_path, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "restart: true" in tests.read_text()
    assert "dead_letters:" in tests.read_text() + pipeline.read_text()
    assert list(tmp_path.iterdir()) == []
