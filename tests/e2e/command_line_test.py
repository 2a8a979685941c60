# SPDX-License-Identifier: Apache-2.0
"""The verbs of the command line, their output and their exit codes."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from books import lines
from harness import Streamd, call, free_port

SOURCE_DIR = Path(os.environ.get("STREAMD_SOURCE_DIR", Path(__file__).resolve().parents[2]))
SHIPPED = sorted(p for p in (SOURCE_DIR / "pipelines").rglob("*.yaml") if not p.name.endswith(".test.yaml"))
# What they ask of the environment.
PLACEHOLDERS = dict(line.split("=", 1) for line in
                    (SOURCE_DIR / "pipelines/example.env").read_text().splitlines() if line[0] != "#")

SMALL = """\
pipeline: small
sources: {requests: {type: generate, count: 10}}
sinks: {out: {type: stdout, input: requests}}
"""


@pytest.fixture
def small(tmp_path):
    file = tmp_path / "small.yaml"
    file.write_text(SMALL)
    return file


@pytest.mark.parametrize("content", ["", "# later\n"])
def test_a_pipeline_file_without_anything_is_empty(streamd, tmp_path, content):
    file = tmp_path / "empty.yaml"
    file.write_text(content)
    for verb in ("check", "run"):
        answer = call(streamd, verb, file, cwd=tmp_path)
        assert answer.returncode != 0
        assert "empty.yaml:1:1: error: the file is empty [empty-file]" in answer.stdout + answer.stderr


@pytest.mark.parametrize("name", ["nothing.yaml", "."])
def test_a_pipeline_file_that_cannot_be_read_is_told(streamd, tmp_path, name):
    answer = call(streamd, "check", tmp_path / name, cwd=tmp_path)
    assert answer.returncode != 0
    assert "cannot read the pipeline file [no-file]" in answer.stdout + answer.stderr


# --- run -----------------------------------------------------------------------------

def test_a_file_alone_is_run(streamd, small, tmp_path):
    alone = call(streamd, small, cwd=tmp_path)
    assert alone.returncode == 0, alone.stderr
    assert len(alone.stdout.splitlines()) == 10
    verb = call(streamd, "run", small, "--state-dir", tmp_path / "other", cwd=tmp_path)
    assert (verb.returncode, verb.stdout) == (0, alone.stdout)
    options = call(streamd, small, "--state-dir", tmp_path / "third", "--quiet")
    assert (options.returncode, options.stdout) == (0, alone.stdout)
    assert "node" not in options.stderr


def test_an_option_that_may_be_repeated_takes_one_value(streamd, small, tmp_path):
    done = call(streamd, "run", "--reset-state", "out", "--quiet", small, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    done = call(streamd, "--reset-state", "out", small, "--quiet", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_standard_input_to_standard_output(streamd, tmp_path):
    file = tmp_path / "pipe.yaml"
    file.write_text('pipeline: pipe\nsources: {"in": {type: stdin}}\n'
                    'sinks: {out: {type: stdout, input: "in"}}\n')
    text = "".join(f'{{"n":{n}}}\n' for n in range(1000))
    done = call(streamd, file, cwd=tmp_path, stdin=text)
    assert (done.returncode, done.stdout) == (0, text)


def test_two_pipelines_in_one_process(streamd, small, tmp_path):
    second = tmp_path / "second.yaml"
    second.write_text(SMALL.replace("small", "second").replace("count: 10", "count: 20"))
    both = call(streamd, "run", small, second, cwd=tmp_path)
    assert both.returncode == 0, both.stderr
    assert len(both.stdout.splitlines()) == 30
    assert "pipeline small" in both.stderr and "pipeline second" in both.stderr
    assert sorted(p.name for p in (tmp_path / "state").iterdir()) == ["second", "small"]
    same = call(streamd, "run", small, small, cwd=tmp_path)
    assert same.returncode == 2 and "two files declare pipeline" in same.stderr


@pytest.mark.parametrize("words", [
    [], ["--no-such-option"], ["run"], ["run", "--workers", "0", "x.yaml"],
    ["run", "--workers", "many", "x.yaml"], ["check"], ["list", "nonsense"],
    ["docs", "no_such_component"], ["generate", "nonsense"], ["generate", "--count", "-1"],
    ["generate", "--disorder", "2 parsecs"], ["generate", "--start", ""],
    ["dlq"], ["dlq", "nonsense"], ["dlq", "ls"], ["version", "--what"], ["no-such-verb"]])
def test_wrong_usage_is_told_and_exits_2(streamd, tmp_path, words):
    wrong = call(streamd, *words, cwd=tmp_path)
    assert wrong.returncode == 2
    assert wrong.stdout + wrong.stderr != ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [["schema"], ["docs", "window"], ["list"], ["version"], ["check", "small.yaml"],
                                   ["generate", "nginx"]])
def test_an_output_that_nobody_takes_is_told(streamd, small, words):
    with open("/dev/full", "w") as full:
        done = subprocess.run([streamd, *words], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60,
                              cwd=small.parent)
    assert done.returncode == 1
    assert done.stderr.startswith("error: cannot write the ") and "No space left on device" in done.stderr


def test_a_run_whose_table_nobody_takes_is_a_good_run(streamd, small):
    with open("/dev/full", "w") as full:
        done = subprocess.run([streamd, small], stdout=subprocess.PIPE, stderr=full, text=True, timeout=60,
                              cwd=small.parent)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 10


def test_help_names_every_verb_and_the_exit_codes(streamd):
    told = call(streamd, "--help")
    assert told.returncode == 0
    for verb in ("run", "check", "list", "docs", "schema", "generate", "graph", "version", "dlq"):
        assert re.search(rf"^ +{verb}\b", told.stdout, re.MULTILINE), verb
        assert call(streamd, verb, "--help").returncode == 0
    assert "0 done, 1 failed at run time, 2 wrong configuration" in told.stdout


def test_version(streamd):
    told = call(streamd, "version")
    assert told.returncode == 0
    assert re.fullmatch(r"streamd \d+\.\d+\.\d+\S*\n", told.stdout)
    assert call(streamd, "--version").stdout == told.stdout


# --- check ---------------------------------------------------------------------------

def test_check_prints_the_plan_and_opens_no_socket(streamd, tmp_path):
    # Nothing listens there: a check that connected would wait or complain.
    told = call(streamd, "check", SOURCE_DIR / "pipelines/nginx.yaml", cwd=tmp_path, timeout=20,
                env={"KAFKA_BROKERS": f"127.0.0.1:{free_port()}"})
    assert told.returncode == 0, told.stderr
    assert told.stderr == ""
    for node in ("source requests", "operator typed", "operator busy_clients <- typed",
                 "sink goal1", "sink raw_file"):
        assert node.split(" <-")[0] in told.stdout
    # What is read of each record, and what each sink promises.
    assert re.search(r"decodes +json: .*client_ip", told.stdout)
    assert told.stdout.count("exactly once") == 7
    assert list(tmp_path.iterdir()) == []


def test_check_opens_no_socket_by_the_systems_own_account(streamd, tmp_path):
    """Without a network at all, and with nothing but a read-only view, check still works."""
    prefix = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "-r", "--net"]
    told = call(*prefix, streamd, "check", SOURCE_DIR / "pipelines/nginx.yaml", cwd=tmp_path)
    assert told.returncode == 0, told.stderr


@pytest.mark.parametrize("file", SHIPPED, ids=lambda f: f.name)
def test_every_shipped_pipeline_passes_check(streamd, tmp_path, file):
    told = call(streamd, "check", file, cwd=tmp_path, env=PLACEHOLDERS)
    assert told.returncode == 0, told.stderr
    assert told.stderr == ""


def test_check_says_what_is_not_exactly_once_and_which_time_counts(streamd, small, tmp_path):
    told = call(streamd, "check", small, cwd=tmp_path)
    assert told.returncode == 0
    assert "promise  at least once" in told.stdout
    assert "no time field: arrival time is used" in told.stdout
    assert "dead letters go to a file in the state directory" in told.stdout


# --- reference -----------------------------------------------------------------------

COMPONENTS = {
    "source": {"kafka", "file", "stdin", "generate", "http", "shodan", "syslog"},
    "list": {"crowdsec", "file", "inline", "url"},
    "operator": {"absent", "baseline", "convert", "dedupe", "enrich", "explode", "extract", "fill", "filter",
                 "first_seen", "join", "map", "match", "outliers", "parse", "route", "sample", "score", "throttle",
                 "window"},
    "sink": {"blocklist", "discord", "elasticsearch", "file", "http", "kafka", "mongodb", "null", "stdout", "syslog"}}


def test_list_shows_every_component(streamd):
    listed = json.loads(call(streamd, "list", "--json").stdout)
    by_kind = {}
    for component in listed:
        by_kind.setdefault(component["kind"], set()).add(component["type"])
        assert component["summary"] and component["fields"] is not None
    assert by_kind == COMPONENTS
    text = call(streamd, "list").stdout
    for kind, types in COMPONENTS.items():
        only = call(streamd, "list", kind + "s").stdout
        only_json = json.loads(call(streamd, "list", kind + "s", "--json").stdout)
        assert {c["type"] for c in only_json} == types
        for name in types:
            assert re.search(rf"^{kind} +{name} ", text, re.MULTILINE)
            assert re.search(rf"\b{name}\b", only)


def test_docs_of_each_type_name_each_option(streamd):
    for component in json.loads(call(streamd, "list", "--json").stdout):
        told = call(streamd, "docs", component["type"])
        assert told.returncode == 0 and told.stderr == ""
        for field in component["fields"]:
            assert field["name"] in told.stdout, (component["type"], field["name"])


def test_functions_of_expressions_are_listed_and_explained(streamd):
    listed = json.loads(call(streamd, "list", "functions", "--json").stdout)
    text = call(streamd, "list", "functions").stdout
    page = call(streamd, "docs", "expressions").stdout
    assert {"contains", "matches", "timestamp", "networkName", "math.abs"} <= {f["type"] for f in listed}
    for function in listed:
        assert f"function  {function['signature']} " in text
        assert "| `" + function["signature"].replace("|", "\\|") + "` |" in page
        told = call(streamd, "docs", function["type"]).stdout
        assert function["signature"] in told and function["summary"] in told and function["example"] in told


def test_what_the_page_of_expressions_shows_is_accepted(streamd, tmp_path):
    page = call(streamd, "docs", "expressions").stdout
    shown = []
    for title in ("Fields", "Values", "Of lists and maps"):
        section = page.split(f"## {title}\n")[1].split("\n## ")[0]
        for row in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE):
            shown += [code.strip() for pair in re.findall(r"``(.+?)``|`([^`]+)`", row) for code in pair if code]
    assert len(shown) > 20
    fields = {f"x{n}": code for n, code in enumerate(shown)}
    pipeline = tmp_path / "shown.yaml"
    pipeline.write_text(json.dumps({
        "pipeline": "shown", "sources": {"in": {"type": "stdin", "decode": "json"}},
        "operators": {"out": {"type": "map", "input": "in", "set": fields}},
        "sinks": {"null": {"type": "null", "input": "out"}}}))
    told = call(streamd, "check", pipeline)
    assert told.returncode == 0, told.stderr
    record = {"status": 200, "host": "h", "user": {"name": "bob"}, "headers": {"content-type": "text"}, "@timestamp": 1, "tags": ["a"]}
    run = subprocess.run([streamd, "run", pipeline, "--state-dir", tmp_path / "state"], input=json.dumps(record) + "\n",
                         capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode == 0, run.stderr
    assert re.search(r"^null +null +1 +1 ", run.stderr, re.MULTILINE), run.stderr


def test_nothing_is_complained_about_that_a_killed_namesake_left(streamd):
    """libmongoc's counters, in shared memory under the number of a process that is no more."""
    for _ in range(5):
        last = int(call("sh", "-c", "echo $$").stdout)
        made = [path for path in (Path(f"/dev/shm/mongoc-{last + n}") for n in range(1, 1000))
                if not path.exists()]
        for path in made:
            path.touch()
        try:
            with subprocess.Popen([streamd, "version"], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE) as process:
                assert process.communicate()[1] == b""
            own = Path(f"/dev/shm/mongoc-{process.pid}")
            if own in made:
                assert not own.exists()
                return
        finally:
            for path in made:
                path.unlink(missing_ok=True)
    pytest.fail("other processes took the numbers each time")


def test_docs_are_written_and_compared(streamd, tmp_path):
    folder = tmp_path / "reference"
    assert call(streamd, "docs", "--write", folder, "--check").returncode == 1
    assert call(streamd, "docs", "--write", folder).returncode == 0
    assert call(streamd, "docs", "--write", folder, "--check").returncode == 0
    page = next(p for p in folder.rglob("*") if p.is_file())
    page.write_text("changed")
    told = call(streamd, "docs", "--write", folder, "--check")
    assert told.returncode == 1 and page.name in told.stderr


class Schema:
    """As much of JSON schema (draft 7) as a pipeline's schema uses; anything else is refused."""

    PLAIN = {"$schema", "title", "description", "default", "examples", "definitions",
             # Of editors.
             "markdownDescription", "enumDescriptions", "markdownEnumDescriptions"}

    def __init__(self, root):
        self.root = root

    def problems(self, value, schema=None, at="$"):
        schema = self.root if schema is None else schema
        if schema is True:
            return []
        found = []
        for word, rule in schema.items():
            if word in self.PLAIN or word == "then":
                continue
            if word == "if":
                if not self.problems(value, rule, at):
                    found += self.problems(value, schema["then"], at)
                continue
            found += getattr(self, "check_" + word.strip("$"))(value, rule, schema, at)
        return found

    def check_ref(self, value, rule, _, at):
        part = self.root
        for step in rule.removeprefix("#/").split("/"):
            part = part[step]
        return self.problems(value, part, at)

    def check_type(self, value, rule, _, at):
        kinds = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None),
                 "integer": int, "number": (int, float)}
        rule = [rule] if isinstance(rule, str) else rule
        good = any(isinstance(value, kinds[r]) and (r == "boolean" or not isinstance(value, bool))
                   for r in rule)
        return [] if good else [f"{at}: {value!r} is no {rule}"]

    def check_properties(self, value, rule, _, at):
        if not isinstance(value, dict):
            return []
        return [p for key, part in rule.items() if key in value
                for p in self.problems(value[key], part, f"{at}.{key}")]

    def check_patternProperties(self, value, rule, _, at):
        return [p for pattern, part in rule.items() for key in value if re.search(pattern, key)
                for p in self.problems(value[key], part, f"{at}.{key}")]

    def check_additionalProperties(self, value, rule, schema, at):
        if not isinstance(value, dict):
            return []
        others = [key for key in value if key not in schema.get("properties", {})
                  and not any(re.search(p, key) for p in schema.get("patternProperties", {}))]
        if rule is False:
            return [f"{at}: unknown key {key}" for key in others]
        return [p for key in others for p in self.problems(value[key], rule, f"{at}.{key}")]

    def check_propertyNames(self, value, rule, _, at):
        return [p for key in value for p in self.problems(key, rule, f"{at} key {key}")]

    def check_required(self, value, rule, _, at):
        return [f"{at}: {key} is missing" for key in rule
                if isinstance(value, dict) and key not in value]

    def check_enum(self, value, rule, _, at):
        return [] if value in rule else [f"{at}: {value!r} is none of {rule}"]

    def check_const(self, value, rule, _, at):
        return [] if value == rule else [f"{at}: {value!r} is not {rule!r}"]

    def check_pattern(self, value, rule, _, at):
        bad = isinstance(value, str) and not re.search(rule, value)
        return [f"{at}: {value!r} does not match {rule}"] if bad else []

    def check_items(self, value, rule, _, at):
        items = value if isinstance(value, list) else []
        return [p for n, item in enumerate(items) for p in self.problems(item, rule, f"{at}[{n}]")]

    def check_minItems(self, value, rule, _, at):
        return [f"{at}: too short"] if isinstance(value, list) and len(value) < rule else []

    def check_minProperties(self, value, rule, _, at):
        return [f"{at}: too few keys"] if isinstance(value, dict) and len(value) < rule else []

    def check_maxProperties(self, value, rule, _, at):
        return [f"{at}: too many keys"] if isinstance(value, dict) and len(value) > rule else []

    def check_minimum(self, value, rule, _, at):
        bad = isinstance(value, (int, float)) and value < rule
        return [f"{at}: {value} is less than {rule}"] if bad else []

    def check_maximum(self, value, rule, _, at):
        bad = isinstance(value, (int, float)) and value > rule
        return [f"{at}: {value} is more than {rule}"] if bad else []

    def check_allOf(self, value, rule, _, at):
        return [p for part in rule for p in self.problems(value, part, at)]

    def check_anyOf(self, value, rule, _, at):
        tried = [self.problems(value, part, at) for part in rule]
        return [] if not all(tried) else min(tried, key=len)

    def check_oneOf(self, value, rule, _, at):
        tried = [self.problems(value, part, at) for part in rule]
        fits = sum(not t for t in tried)
        return [] if fits == 1 else [f"{at}: fits {fits} of the choices", *min(tried, key=len)]


@pytest.fixture(scope="module")
def schema(streamd):
    told = call(streamd, "schema")
    assert told.returncode == 0 and told.stderr == ""
    return Schema(json.loads(told.stdout))


@pytest.mark.parametrize("file", SHIPPED, ids=lambda f: f.name)
def test_the_schema_accepts_every_shipped_pipeline(schema, file):
    assert schema.problems(yaml.safe_load(file.read_text())) == []


@pytest.mark.parametrize("wrong", [
    {"sinks": {"out": {"type": "nul", "input": "requests"}}},
    {"sinks": {"out": {"type": "null", "input": "requests", "nonsense": 1}}},
    {"sources": {"requests": {"count": 3}}},
    {"operators": {"w": {"type": "window", "input": "requests", "compute": {"n": "count()"}}}},
    {"nonsense": 1}, {"pipeline": "Upper Case"}])
def test_the_schema_refuses_what_check_refuses(streamd, schema, tmp_path, wrong):
    pipeline = {**yaml.safe_load(SMALL), **wrong}
    assert schema.problems(yaml.safe_load(SMALL)) == []
    assert schema.problems(pipeline) != []
    file = tmp_path / "wrong.yaml"
    file.write_text(yaml.safe_dump(pipeline))
    assert call(streamd, "check", file).returncode == 2


# --- generate ------------------------------------------------------------------------

def test_generate_is_the_same_for_the_same_seed(streamd, tmp_path):
    one = call(streamd, "generate", "--count", 500).stdout
    assert one == call(streamd, "generate", "nginx", "--count", 500, "--seed", 1).stdout
    assert one != call(streamd, "generate", "--count", 500, "--seed", 2).stdout
    file = tmp_path / "out.ndjson"
    assert call(streamd, "generate", "--count", 500, "-o", file).stdout == ""
    assert file.read_text() == one
    records = [json.loads(line) for line in lines(file)]
    assert len(records) == 500
    # As on the topic of the job: all values are strings, time is unix seconds.
    assert all(isinstance(v, str) for r in records for v in r.values())
    assert set(records[0]) == {"server", "client_ip", "method", "status", "request_time", "host",
                               "country", "@timestamp"}
    times = [float(r["@timestamp"]) for r in records]
    assert times == sorted(times)
    # The generate source of a pipeline makes the same records.
    pipeline = tmp_path / "p.yaml"
    pipeline.write_text(SMALL.replace("count: 10", "count: 500, rate: 10000"))
    assert call(streamd, pipeline, cwd=tmp_path).stdout == one


def test_generate_knows_pace_start_and_disorder(streamd):
    text = call(streamd, "generate", "--count", 50, "--rate", 10, "--start",
                "2020-02-29T00:00:00Z", "--disorder", "3s").stdout
    times = [float(json.loads(line)["@timestamp"]) - 1582934400 for line in text.splitlines()]
    assert times != sorted(times)
    assert all(n / 10 - 3.001 <= t <= n / 10 for n, t in enumerate(times))


@pytest.mark.parametrize(("setting", "value", "told"), [
    ("count", "-1", 'expected a whole number, not negative, got "-1"'),
    ("rate", "0", "rate is at least 1"),
    ("clients", "9999999999999", "clients are 1 to 50000000"),
    ("attackers", "99999999999", "attackers are at most 100000"),
    ("disorder", "99999999d", "disorder is not negative and at most 4000000s"),
    ("start", "1900-01-01T00:00:00Z", "start is before 1970"),
    ("start", "yesterday", "start is not an RFC 3339 time")])
def test_generate_refuses_what_its_source_refuses(streamd, tmp_path, setting, value, told):
    file = tmp_path / "out.ndjson"
    wrong = call(streamd, "generate", f"--{setting}={value}", "-o", file)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert told in wrong.stderr and setting in wrong.stderr
    assert not file.exists()
    pipeline = tmp_path / "p.yaml"
    pipeline.write_text(SMALL.replace("count: 10", f"{setting}: {value}"))
    wrong = call(streamd, "check", pipeline)
    assert wrong.returncode == 2 and told in wrong.stderr


def test_a_number_that_is_none_is_told_briefly(streamd, small):
    for words in (["dlq", "show", small, "--number"], ["dlq", "ls", small, "--limit"],
                  ["tap", "requests", "small", "--limit"]):
        for text in ("x", "-1", "1.5", "99999999999999999999"):
            wrong = call(streamd, *words, text)
            assert wrong.returncode == 2
            assert f'{words[-1]}: expected a whole number, not negative, got "{text}"' in wrong.stderr


def test_generate_to_a_place_that_cannot_be_written(streamd, tmp_path):
    told = call(streamd, "generate", "--output", tmp_path / "none" / "x")
    assert told.returncode == 1 and "none/x" in told.stderr
    assert call(streamd, "generate", "--count", 100_000, "--output", "/dev/full").returncode == 1


def test_a_killed_process_leaves_nothing_in_shared_memory(streamd, tmp_path):
    run = Streamd(streamd, "pipeline: p\nsources: {s: {type: generate, rate: 10}}\n"
                  "sinks: {o: {type: stdout, input: s}}\n", tmp_path).start()
    run.wait_until(lambda: run.stdout, 30, "a record")
    pid = run.pid
    run.kill9()
    assert [p.name for p in Path("/dev/shm").glob(f"*{pid}*")] == []
