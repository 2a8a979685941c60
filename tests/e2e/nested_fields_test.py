# SPDX-License-Identifier: Apache-2.0
"""What nodes change inside an object is so for whoever reads the object itself afterwards."""

import json

import pytest

from harness import Streamd

SOURCE = """\
pipeline: nested
sources:
  lines:
    type: file
    path: in.ndjson
    follow: false
    decode: json
    time: {field: t, format: unix}
operators:
"""
RECORD = {"t": 1, "a": {"b": "5", "c": [1, 2]}, "k": "v"}


def pipeline(*nodes):
    """Nodes one after the other, then a sink."""
    text, before = SOURCE, "lines"
    for number, (kind, settings) in enumerate(nodes):
        text += f"  n{number}: {{type: {kind}, input: {before}, {settings}}}\n"
        before = f"n{number}"
    return text + f"sinks:\n  out: {{type: stdout, input: {before}}}\n"


def printed(streamd, tmp_path, text, *records):
    (tmp_path / "in.ndjson").write_text("".join(json.dumps(r, separators=(",", ":")) + "\n" for r in records))
    run = Streamd(streamd, text, tmp_path)
    assert run.run() == 0, run.stderr
    return run.stdout


def test_a_removed_password_is_in_no_message_and_in_no_record(streamd, tmp_path):
    text = pipeline(("map", "remove: [user.password]")).replace("sinks:\n", """\
sinks:
  message: {type: stdout, input: n0, encode: text, message: "login by {{ user }}"}
""")
    out = printed(streamd, tmp_path, text, {"t": 1, "user": {"name": "bob", "password": "hunter2"}})
    assert sorted(out.splitlines()) == ['login by {"name":"bob"}', '{"t":1,"user":{"name":"bob"}}']


REMOVE, SET, CONVERT = ("map", "remove: [a.b]"), ("map", "set: {a.b: '\"1\"'}"), ("convert", "fields: {a.b: int}")
EXTRACT, THROTTLE = ("extract", "field: k, as: a.b"), ("throttle", "as: a.b")
PARSE = ("parse", "field: k, format: regex, pattern: '(?P<b>.)', into: a")
WITHOUT, ONE, NUMBER = {"c": [1, 2]}, {"b": "1", "c": [1, 2]}, {"b": 5, "c": [1, 2]}
NONE_HELD, LETTER = {"b": 0, "c": [1, 2]}, {"b": "v", "c": [1, 2]}


@pytest.mark.parametrize("change, changed", [(REMOVE, WITHOUT), (SET, ONE), (CONVERT, NUMBER), (EXTRACT, WITHOUT),
                                             (THROTTLE, NONE_HELD), (PARSE, LETTER)],
                         ids=["remove", "set", "convert", "extract", "throttle", "parse"])
@pytest.mark.parametrize("reader, field", [
    (("map", "keep: [a]"), "a"),
    (("map", "rename: {a: q}"), "q"),
    (("map", "set: {q: a}"), "q"),
    (("map", "set: {q: a}, keep: [q]"), "q"),
    (("map", "rename: {a: q.r}"), "q.r"),
    (("filter", "where: size(a) >= 1"), "a"),
    (("fill", "fields: {q: {from: a}}"), "q"),
    (("window", "by: [k], window: {tumbling: 10s}, compute: {q: first(a)}"), "q"),
    (("window", "by: [a], window: {tumbling: 10s}, compute: {n: count()}"), "a"),
], ids=["keep", "rename", "set", "set-keep", "rename-inside", "filter", "fill", "first", "by"])
def test_whoever_reads_the_object_sees_what_was_changed_inside(streamd, tmp_path, change, changed, reader, field):
    on_the_way = ("filter", 'where: k == "v"')
    out = printed(streamd, tmp_path, pipeline(change, on_the_way, reader), RECORD)
    assert json.loads(out)[field] == changed


@pytest.mark.parametrize("policy", ["keep", "dead_letter"])
def test_what_parse_did_not_read_is_in_the_object_as_it_was(streamd, tmp_path, policy):
    parse = ("parse", f"field: m, format: regex, pattern: 'b=(?P<b>.)', into: a, on_error: {policy}")
    other = {**RECORD, "m": "none" if policy == "keep" else None}
    out = printed(streamd, tmp_path, pipeline(parse, ("map", "keep: [a]")), RECORD, other, {**RECORD, "m": "b=1"})
    assert [json.loads(line)["a"] for line in out.splitlines()] == [RECORD["a"], RECORD["a"], ONE]


def test_a_condition_on_the_object_sees_it_without_what_was_removed(streamd, tmp_path):
    for where, count in (("size(a) == 1", 1), ("size(a) == 2", 0)):
        out = printed(streamd, tmp_path, pipeline(REMOVE, ("filter", f"where: {where}")), RECORD)
        assert len(out.splitlines()) == count


@pytest.mark.parametrize("settings, expected", [
    ("set: {a.b: '\"1\"'}, keep: [a]", {"a": ONE}),
    ("set: {a.b: '\"1\"'}, rename: {a: b2}", {"t": 1, "k": "v", "b2": ONE}),
    ("remove: [a.b], keep: [a]", {"a": WITHOUT}),
    ("rename: {a: q}, remove: [q.b], keep: [q]", {"q": WITHOUT}),
    ("rename: {k: a.b}, keep: [a]", {"a": {"b": "v", "c": [1, 2]}}),
])
def test_the_steps_of_one_map_see_each_other(streamd, tmp_path, settings, expected):
    assert json.loads(printed(streamd, tmp_path, pipeline(("map", settings)), RECORD)) == expected


def test_changes_of_several_nodes_add_up(streamd, tmp_path):
    nodes = (CONVERT, ("map", "set: {a.c: a.b + 1}"), ("map", "rename: {a: q}"), ("map", "remove: [q.b]"),
             ("map", "set: {q2: q}, keep: [q, q2]"))
    out = json.loads(printed(streamd, tmp_path, pipeline(*nodes), RECORD))
    assert out == {"q": {"c": 6}, "q2": {"c": 6}}


def test_of_branches_that_meet_again_each_has_its_own_object(streamd, tmp_path):
    text = pipeline(REMOVE, CONVERT, ("map", "set: {q: a}, keep: [q]"))
    text = text.replace("n1: {type: convert, input: n0", "n1: {type: convert, input: lines")
    text = text.replace("n2: {type: map, input: n1", "n2: {type: map, input: [n0, n1, lines]")
    out = [json.loads(line)["q"] for line in printed(streamd, tmp_path, text, RECORD).splitlines()]
    assert sorted(out, key=str) == sorted([WITHOUT, NUMBER, RECORD["a"]], key=str)


@pytest.mark.parametrize("node", [
    ("window", "by: [l, m], window: {tumbling: 10s}, compute: {n: count()}"),
    ("window", "by: [l, m], window: {session: {gap: 1s, max: 1m}}, compute: {n: count()}"),
    ("absent", "by: [l, m], for: 5s"),
], ids=["pane", "session", "absent"])
def test_a_list_and_a_map_as_key_come_out_as_what_they_were(streamd, tmp_path, node):
    made = ("map", """set: {l: "[k, 'b', 2]", m: "{'x': [1.5], 'y': null}"}""")
    out = printed(streamd, tmp_path, pipeline(made, node), RECORD, {**RECORD, "k": "w"}, {"t": 60, "k": "v"})
    keys = [json.loads(line)["l"] for line in out.splitlines() if json.loads(line)["m"] == {"x": [1.5], "y": None}]
    assert {tuple(key) for key in keys} == {("v", "b", 2), ("w", "b", 2)}


INSIDE = {
    "explode": ("explode", "field: h, as: made"),
    "map": ("map", "set: {made: \"{'a': k == 'v' ? 3 : 4}\"}"),
    "parse": ("parse", "field: text, format: json, into: made"),
}


@pytest.mark.parametrize("maker", INSIDE)
def test_a_window_computes_values_inside_what_a_node_has_made(streamd, tmp_path, maker):
    window = ("window", "window: {tumbling: 1m}, compute: {n: count(), s: sum(made.a), d: distinct(made.a), m: max(made.a), "
                        "e: entropy(made.a), f: first(made.a), same: sum(made.a + 0)}")
    records = [{"t": 1, "k": "v", "h": [{"a": 3}], "text": '{"a":3}'}, {"t": 2, "k": "w", "h": [{"a": 4}], "text": '{"a":4}'}]
    out = json.loads(printed(streamd, tmp_path, pipeline(INSIDE[maker], window), *records))
    assert (out["n"], out["s"], out["d"], out["m"], out["e"], out["f"], out["same"]) == (2, 7, 2, 4, 1.0, 3, 7)


def test_what_is_missing_inside_is_skipped_by_a_window(streamd, tmp_path):
    window = ("window", "window: {tumbling: 1m}, compute: {n: count(), s: sum(made.a), d: distinct(made.a)}")
    records = [{"t": 1, "h": [{"a": 3}, {"b": 1}, 5, {"a": None}]}]
    out = json.loads(printed(streamd, tmp_path, pipeline(INSIDE["explode"], window), *records))
    assert (out["n"], out["s"], out["d"]) == (4, 3, 1)


@pytest.mark.parametrize("node", [("fill", "fields: {made.a: 99}"), ("score", "by: [k], says: made.a")], ids=["fill", "score"])
def test_what_cannot_look_inside_says_so(streamd, tmp_path, node):
    run = Streamd(streamd, pipeline(INSIDE["explode"], node), tmp_path)
    assert run.run() == 2
    assert '"made.a" lies inside "made", which a node before makes' in run.stderr


@pytest.mark.parametrize("settings, record, expected", [
    ("rename: {a: k}", {"t": 1, "k": "v"}, {"t": 1, "k": "v"}),
    ("rename: {a: k}", {"t": 1, "a": 2, "k": "v"}, {"t": 1, "k": 2}),
    ("rename: {a: k}", {"t": 1, "k": {"b": 1}}, {"t": 1, "k": {"b": 1}}),
    ("rename: {x: a.b}", {"t": 1, "a": {"b": "5", "c": 1}}, {"t": 1, "a": {"b": "5", "c": 1}}),
    ("rename: {x: a.b}", {"t": 1, "a": {"b": "5", "c": 1}, "x": 6}, {"t": 1, "a": {"b": 6, "c": 1}}),
    ("rename: {a: k}, keep: [k]", {"t": 1, "k": "v"}, {"k": "v"}),
    ("rename: {a: k, k: a}", {"t": 1, "k": "v"}, {"t": 1, "a": "v"}),
])
def test_a_record_without_the_renamed_field_keeps_the_one_of_the_new_name(
        streamd, tmp_path, settings, record, expected):
    out = printed(streamd, tmp_path, pipeline(("map", settings)), record)
    assert json.loads(out) == expected
