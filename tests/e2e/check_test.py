# SPDX-License-Identifier: Apache-2.0
"""`streamd check` for programs: its formats and its exit codes. What it says is in
tests/golden/check."""

import json
import re

import pytest

from harness import call

DOUBTFUL = """\
pipeline: doubtful
sources: {requests: {type: generate, count: 10}}
operators:
  busy: {type: window, input: requests, window: {tumbling: 1m}, compute: {part: share(status == '500')}, having: part > 1.0}
sinks: {out: {type: stdout, input: busy}}
"""
# An umlaut before the mistake: columns count characters.
BROKEN = """\
pipeline: broken
sources: {requests: {type: generate, cuont: 10}}
sinks:
  out: {type: stdout, input: requests, encode: text, message: "ü: 100 %, {{ client_ip"}
"""
KEYS = ["file", "line", "column", "end_line", "end_column", "severity", "code", "message", "remedy"]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "doubtful.yaml").write_text(DOUBTFUL)
    (tmp_path / "broken.yaml").write_text(BROKEN)
    (tmp_path / "good.yaml").write_text(DOUBTFUL.replace("doubtful", "good").replace("> 1.0", "> 0.5"))
    return tmp_path


def check(streamd, folder, *words):
    return call(streamd, "check", *words, cwd=folder)


def test_warnings_pass_unless_strict(streamd, folder):
    told = check(streamd, folder, "doubtful.yaml")
    assert told.returncode == 0
    assert "doubtful.yaml:4:114: warning: " in told.stderr and "pipeline doubtful" in told.stdout
    strict = check(streamd, folder, "--strict", "doubtful.yaml")
    assert (strict.returncode, strict.stdout, strict.stderr) == (2, "", told.stderr)
    good = check(streamd, folder, "--strict", "good.yaml")
    assert (good.returncode, good.stderr) == (0, "")


def test_a_warning_does_not_keep_a_pipeline_from_running(streamd, folder):
    run = call(streamd, "run", "doubtful.yaml", cwd=folder)
    assert run.returncode == 0 and "is never true" in run.stderr


@pytest.mark.parametrize("files, strict, code, count", [
    (["good.yaml"], [], 0, 0), (["doubtful.yaml"], [], 0, 1), (["doubtful.yaml"], ["--strict"], 2, 1),
    (["broken.yaml"], [], 2, 2), (["doubtful.yaml", "broken.yaml"], [], 2, 3)])
def test_json(streamd, folder, files, strict, code, count):
    told = check(streamd, folder, "--format", "json", *strict, *files)
    assert (told.returncode, told.stderr) == (code, "")
    problems = json.loads(told.stdout)
    assert len(problems) == count
    for problem in problems:
        assert list(problem) == KEYS
        assert problem["remedy"] and problem["message"]
        assert problem["severity"] == ("error" if problem["file"] == "broken.yaml" else "warning")


def test_json_has_the_places_of_the_text(streamd, folder):
    problems = json.loads(check(streamd, folder, "--format", "json", "broken.yaml").stdout)
    first, second = problems
    assert (first["line"], first["column"], first["end_line"], first["end_column"]) == (2, 38, 2, 43)
    assert first["code"] == "unknown-key" and first["remedy"] == 'did you mean "count"?'
    line = BROKEN.splitlines()[second["line"] - 1]
    assert line[second["column"] - 1:second["end_column"] - 1] == "{{"


def test_json_of_a_file_that_is_not_there(streamd, folder):
    told = check(streamd, folder, "--format", "json", "nowhere.yaml")
    assert told.returncode == 2
    problem, = json.loads(told.stdout)
    assert (problem["file"], problem["line"], problem["code"]) == ("nowhere.yaml", 0, "no-file")


def test_github(streamd, folder):
    told = check(streamd, folder, "--format", "github", "doubtful.yaml", "broken.yaml")
    assert (told.returncode, told.stderr) == (2, "")
    assert told.stdout.count("\n") == 3  # line ends of messages are escaped
    commands = [re.fullmatch(r"::(error|warning) (\S+=[^,]*(?:,\S+=[^,]*)*)::(.*)", line).groups()
                for line in told.stdout.splitlines()]
    kind, properties, message = commands[0]
    assert kind == "warning"
    known = dict(p.split("=", 1) for p in properties.split(","))
    assert known["file"] == "doubtful.yaml" and known["line"] == "4" and known["col"] == "114"
    assert known["title"] == "streamd%3A never-true"
    assert "%0Ahelp: " in message
    assert [c[0] for c in commands] == ["warning", "error", "error"]


def test_github_escapes_what_it_would_take_for_its_own(streamd, folder):
    name = "100%, a:b.yaml"
    (folder / name).write_text("pipeline: '%0A::error::mine'\nsources: {r: {type: generate}}\n"
                               "sinks: {out: {type: stdout, input: r}}\n")
    told = check(streamd, folder, "--format", "github", name)
    line, = told.stdout.splitlines()
    assert line.startswith("::error file=100%25%2C a%3Ab.yaml,line=1,")
    assert '"%250A::error::mine" cannot name a pipeline' in line


def test_an_unknown_format_is_wrong_usage(streamd, folder):
    assert check(streamd, folder, "--format", "xml", "good.yaml").returncode == 2
