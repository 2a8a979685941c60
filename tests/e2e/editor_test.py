# SPDX-License-Identifier: Apache-2.0
"""The schema in the YAML language server of editors: nothing wrong said of what is right,
mistakes at their place, completion and help."""

import os
from pathlib import Path

import pytest

from harness import call
from language_server import LanguageServer

SOURCE_DIR = Path(os.environ.get("STREAMD_SOURCE_DIR", Path(__file__).resolve().parents[2]))
SHIPPED = sorted(p for p in (SOURCE_DIR / "pipelines").rglob("*.yaml") if not p.name.endswith(".test.yaml"))

PIPELINE = """\
pipeline: p
sources:
  requests:
    type: generate
    count: 10
operators:
  busy:
    type: window
    input: requests
    window: {tumbling: 1m}
    by: [client_ip]
    compute: {requests: count()}
    emit: close
sinks:
  out: {type: stdout, input: busy}
"""


@pytest.fixture(scope="module")
def editor(streamd, tmp_path_factory):
    told = call(streamd, "schema")
    assert told.returncode == 0
    file = tmp_path_factory.mktemp("schema") / "streamd.schema.json"
    file.write_text(told.stdout)
    with LanguageServer(file) as server:
        yield server


@pytest.mark.parametrize("file", SHIPPED, ids=lambda f: f.name)
def test_nothing_is_wrong_with_a_shipped_pipeline(editor, file):
    assert editor.problems(file.read_text()) == []


@pytest.mark.parametrize("right, wrong, line, column, says", [
    ("count: 10", "cuont: 10", 5, 5, "cuont"),
    ("count: 10", "count: many", 5, 12, "integer"),
    ("type: window", "type: windows", 8, 11, '"window"'),
    ("emit: close", "emit: closed", 13, 11, '"threshold"'),
    ("{tumbling: 1m}", "{tumbling: 1m, every: 1s}", 10, 28, "every"),
    ("    compute: {requests: count()}\n", "", 7, 3, "compute"),
    ("operators:", "operator:", 6, 1, "operator"),
    ("pipeline: p", "pipeline: Not A Name", 1, 11, "pattern")])
def test_a_mistake_is_shown_where_it_is(editor, right, wrong, line, column, says):
    found = editor.problems(PIPELINE.replace(right, wrong))
    assert any((at, col) == (line, column) and says in text for at, col, text in found), found
    assert editor.problems(PIPELINE) == []


def test_types_are_offered_with_what_they_do(editor):
    offered = editor.completion(PIPELINE.replace("type: window", "type: |"))
    assert {"window", "filter", "match", "route"} <= set(offered)
    assert "kafka" not in offered and "stdout" not in offered
    assert "Groups records by key" in offered["window"]


def test_keys_are_those_of_the_type(editor):
    offered = editor.completion(PIPELINE.replace("emit: close", "|"))
    assert {"having", "where", "emit", "max_keys"} <= set(offered)
    assert not {"count", "topics", "brokers", "fields"} & set(offered)
    assert "Only results for which this is true leave" in offered["having"]
    assert "window" not in offered and "compute" not in offered  # they are there


def test_values_of_a_choice_are_offered(editor):
    offered = editor.completion(PIPELINE.replace("emit: close", "emit: |"))
    assert {"close", "threshold", "changed"} <= set(offered)
    nested = editor.completion(PIPELINE.replace("{tumbling: 1m}", "\n      |"))
    assert {"tumbling", "sliding", "session"} <= set(nested)


def test_a_key_says_what_it_is(editor):
    told = editor.hover(PIPELINE.replace("emit: close", "em|it: close"))
    assert "When a result leaves." in told and "Default: close" in told
    told = editor.hover(PIPELINE.replace("emit: close", "ha|ving: requests > 5"))
    assert "Only results for which this is true leave" in told and "having: requests > 10" in told
    told = editor.hover(PIPELINE.replace("by: [client_ip]", "b|y: [client_ip]"))
    assert "Fields that make the key" in told
    told = editor.hover(PIPELINE.replace("type: window", "type: win|dow"))
    assert "Groups records by key" in told
