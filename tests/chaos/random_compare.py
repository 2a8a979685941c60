# SPDX-License-Identifier: Apache-2.0
"""Compares what a run wrote and counted with what the oracle says; the differences as text."""

import json
import math
import re
from collections import Counter, defaultdict
from pathlib import Path

from oracle_aggregates import Near
from oracle_values import Duration, Ip, Time, duration_text, parse_object, time_text, unix_text

NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
SHOWN = 4


def as_json(value, unix):
    """The value as it is read back from JSON."""
    if isinstance(value, Time):
        return number(unix_text(value.micros)) if unix else time_text(value.micros)
    if isinstance(value, Duration):
        return duration_text(value.micros)
    if isinstance(value, Ip):
        return value.text
    if isinstance(value, dict):
        return {name: as_json(v, unix) for name, v in value.items()}
    if isinstance(value, list):
        return [as_json(v, unix) for v in value]
    if isinstance(value, float):
        # A sum of nothing is 0, or 0.0 where only doubles could have been.
        return 0 if value == 0 else value if math.isfinite(value) else None
    return value


def number(text):
    return parse_object(b'{"n":' + text.encode() + b"}")["n"]


def line_of(fields, csv, near=()):
    """One row as text that is equal for equal rows; the names in near are left out."""
    cells = {name: cell(v) if csv else as_json(v, False) for name, v in fields.items() if name not in near}
    return json.dumps(cells, sort_keys=True, ensure_ascii=False)


def cell(value):
    """A CSV cell: whether 1 is a number or a text, it does not tell."""
    if value is None or isinstance(value, str):
        text = value
    elif isinstance(value, bool):
        text = "true" if value else "false"
    else:
        text = json.dumps(value)
    if text and NUMBER.fullmatch(text):
        if float(text) == 0:
            return "0"
        return repr(float(text)) if set(text) & set(".eE") else str(int(text))
    if text and text[0] in "[{":
        try:
            return json.dumps(as_json(json.loads(text), False), sort_keys=True)
        except ValueError:
            pass
    return text


def csv_rows(text):
    """RFC 4180; unlike the csv module it tells "" (empty text) from nothing (null)."""
    rows, row = [], []
    for found in re.finditer(r'(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\n)', text):
        row.append(found[1].replace('""', '"') if found[1] is not None else found[2] or None)
        if found[3] == "\n":
            rows.append(row)
            row = []
    return rows


def read_rows(path, csv):
    """(header or None, rows)."""
    text = path.read_bytes() if path.exists() else b""
    if not csv:
        # The encoder writes -0.0 as it came.
        return None, [as_json(parse_object(line), False) for line in text.split(b"\n") if line]
    header, *rows = csv_rows(text.decode()) or [[]]
    return header, [dict(zip(header, row)) for row in rows]


def shown(value, unix, csv):
    """The same for what stands in a cell, where there is a text for a number without end."""
    if csv and isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return as_json(value, unix)


def sink_trouble(name, config, flow, folder):
    csv, unix = config.get("encode") == "csv", config.get("time_format") == "unix"
    header, found = read_rows(Path(folder) / config["path"], csv)
    if csv and header and set(header) != set(flow.columns):
        return [f"sink {name}: columns {header}, expected {flow.columns}"]
    expected = []
    for row in flow.rows:
        fields = {k: shown(v, unix, csv) for k, v in row.fields.items()}
        expected.append({c: fields.get(c) for c in flow.columns} if csv else fields)
    near = {k for fields in expected for k, v in fields.items() if isinstance(v, Near)}
    ours, theirs = (Counter(line_of(fields, csv, near) for fields in rows) for rows in (found, expected))
    if ours != theirs:
        extra, lacking = list((ours - theirs).elements()), list((theirs - ours).elements())
        return [f"sink {name}: {len(found)} rows, expected {len(expected)}; {len(extra)} should not be there, "
                f"{len(lacking)} are missing", *(f"  found    {line}" for line in sorted(extra)[:SHOWN]),
                *(f"  expected {line}" for line in sorted(lacking)[:SHOWN])]
    return near_trouble(name, found, expected, csv, near) if near else []


def near_trouble(name, found, expected, csv, near):
    groups = defaultdict(lambda: ([], []))
    for k, rows in enumerate((found, expected)):
        for fields in rows:
            groups[line_of(fields, csv, near)][k].append([fields.get(n) for n in sorted(near)])
    for line, (ours, theirs) in groups.items():
        if len(ours) > 1:
            continue
        for a, b in zip(ours[0], theirs[0]):
            a = float(a) if a is not None else None
            if b is None or a is None:
                same = a is b
            else:
                same = abs(a - b.value) <= b.by * abs(b.value)
            if not same:
                return [f"sink {name}: {sorted(near)} is {a}, expected {b}, in\n  {line}"]
    return []


def rows_trouble(case, answer, folder):
    """Of all sinks, the one of the dead letters too."""
    troubles = []
    for name, flow in answer.sinks.items():
        config = case.pipeline["sinks"][name]
        if config["type"] == "file":
            troubles += sink_trouble(name, config, flow, folder)
    if "dead_letters" in case.pipeline:
        path = Path(folder) / case.pipeline["sinks"][case.pipeline["dead_letters"]]["path"]
        troubles += dead_trouble(answer, [] if not path.exists() else path.read_bytes().splitlines())
    return troubles


def dead_trouble(answer, lines):
    letters = map(json.loads, lines)
    # How often a result failed depends on when its key was looked at.
    found = Counter(letter["node"] for letter in letters if letter["source"] != letter["node"] or letter["partition"])
    expected = Counter({name: len(node.dead) for name, node in answer.nodes.items()})
    return [f"dead letters: {dict(found)}, expected {dict(+expected)}"] if found != +expected else []


def books_trouble(case, answer, books):
    """Of a run that was not interrupted."""
    troubles = []
    failed = sum(node.left.pop("failed results", 0) for node in books.values())
    shared = any("+" in name for name in books)  # windows that are one have books of their own
    for name, node in answer.nodes.items():
        found = books[name]
        if shared and found.type == "window":
            continue
        more = failed if name == case.pipeline.get("dead_letters") else 0
        ours = found.read, found.written, found.left
        theirs = node.read + more, node.written + more, node.left
        if ours != theirs:
            troubles.append(f"books of {name}: in, out, left {ours}, expected {theirs}")
    return troubles
