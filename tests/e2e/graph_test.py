# SPDX-License-Identifier: Apache-2.0
"""`streamd graph`: the drawings say what flows where, and Mermaid and Graphviz can read them."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from downloads import node
from editor_tools import graphviz, mermaid
from harness import call

SOURCE_DIR = Path(os.environ.get("STREAMD_SOURCE_DIR", Path(__file__).resolve().parents[2]))
SHIPPED = sorted(p for p in (SOURCE_DIR / "pipelines").rglob("*.yaml") if not p.name.endswith(".test.yaml"))
PLACEHOLDERS = dict(line.split("=", 1) for line in
                    (SOURCE_DIR / "pipelines/example.env").read_text().splitlines() if line[0] != "#")

PIPELINE = """\
pipeline: drawn
dead_letters: broken
sources:
  requests: {type: generate, count: 10, time: {field: "@timestamp", format: unix, late: route}}
lists:
  ours: {type: inline, values: [192.0.2.0/24]}
  bad: {type: inline, values: [198.51.100.1]}
operators:
  busy: {type: window, input: requests, window: {tumbling: 1m}, by: [client_ip], compute: {n: count()}}
  split: {type: route, input: requests, routes: {failed: status == '500', rest: "true"}}
  known: {type: match, input: split.failed, field: client_ip, list: bad, allow: [ours]}
  mine: {type: filter, input: split.rest, where: client_ip in list("ours")}
sinks:
  results: {type: "null", input: busy}
  too_late: {type: file, input: busy.late, path: late.ndjson}
  all: {type: file, input: [known, mine], path: all.ndjson}
  broken: {type: file, path: broken.ndjson}
"""
EDGES = {("requests", "busy", ""), ("requests", "split", ""), ("split", "known", "failed"),
         ("split", "mine", "rest"), ("busy", "results", ""), ("busy", "too_late", "late"),
         ("known", "all", ""), ("mine", "all", "")}
BESIDE = {("bad", "known"), ("ours", "known"), ("ours", "mine"), ("dead letters", "broken")}


@pytest.fixture
def drawn(tmp_path):
    file = tmp_path / "drawn.yaml"
    file.write_text(PIPELINE)
    return file


def parsed(streamd, kind, modules, *files):
    """What the real program reads in the drawing: names by id, and edges between names."""
    told = call(streamd, "graph", "--format", kind, *files, env=PLACEHOLDERS)
    assert told.returncode == 0, told.stderr
    program, _ = node()
    check = SOURCE_DIR / "tests/services/drawing_check.mjs"
    done = subprocess.run([str(program), str(check), kind, str(modules)], input=told.stdout,
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr + told.stdout
    drawing = json.loads(done.stdout)
    drawing["names"] = {v["id"]: plain(v["text"])[0] for v in drawing["vertices"]}
    drawing["types"] = {plain(v["text"])[0]: (plain(v["text"]) + [""])[1] for v in drawing["vertices"]}
    return drawing


def plain(text):
    text = re.sub("ﬂ°°([0-9]+)¶ß", lambda m: chr(int(m[1])), text)  # Mermaid's #43;
    return re.split(r"<br/?>|\\n", text)


def edges(drawing):
    names = drawing["names"]
    return {(names[e["from"]], names[e["to"]], plain(e["text"])[0]) for e in drawing["edges"]}


@pytest.mark.parametrize("kind, modules", [("mermaid", mermaid), ("dot", graphviz)])
def test_the_drawing_has_every_node_and_edge(streamd, drawn, kind, modules):
    drawing = parsed(streamd, kind, modules(), drawn)
    assert edges(drawing) == EDGES | {(a, b, "") for a, b in BESIDE}
    assert drawing["groups"] == ["drawn"]
    assert drawing["types"]["busy"] == "window" and drawing["types"]["too_late"] == "file"
    shapes = {drawing["names"][v["id"]]: v["type"] for v in drawing["vertices"]}
    assert len({shapes[n] for n in ("requests", "busy", "all", "ours")}) == 4


@pytest.mark.parametrize("kind, modules", [("mermaid", mermaid), ("dot", graphviz)])
def test_all_shipped_pipelines_can_be_drawn(streamd, kind, modules):
    files = [f for f in SHIPPED if f.parent.name == "pipelines"]
    drawing = parsed(streamd, kind, modules(), *files)
    for file in files:
        document = yaml.safe_load(file.read_text())
        wanted = {n for s in ("sources", "operators", "sinks", "lists") for n in document.get(s) or {}}
        own = {name.rsplit(".", 1)[-1] for name in drawing["names"].values()}
        assert wanted <= own, file


def test_the_text_shows_ports_keys_lists_and_dead_letters(streamd, drawn):
    told = call(streamd, "graph", drawn)
    assert told.returncode == 0 and told.stderr == ""
    assert told.stdout == """\
pipeline drawn

requests (source generate)
├─ busy (window) by client_ip
│  ├─ results (sink null)
│  └─ [late] too_late (sink file)
└─ split (route)
   ├─ [failed] known (match) <- list ours, bad
   │  └─ all (sink file)
   └─ [rest] mine (filter) <- list ours
      └─ all ↑

ours (list inline)

bad (list inline)

dead letters of all nodes
└─ broken (sink file)
"""


def test_a_broken_pipeline_is_not_drawn(streamd, tmp_path):
    file = tmp_path / "broken.yaml"
    file.write_text(PIPELINE.replace("input: split.rest", "input: split.rset"))
    told = call(streamd, "graph", file)
    assert told.returncode == 2 and told.stdout == "" and "did you mean" in told.stderr
