# SPDX-License-Identifier: Apache-2.0
"""Reads what a run prints when it ends: the table of nodes, which must balance.

    books = books_of(run)
    assert books["requests"].read == 1000
    assert books["typed"].left == {"dead letters": 3}
"""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

LINE = re.compile(r"^(?P<node>\S.*?) {2,}(?P<type>[a-z_]+) +(?P<read>\d[\d ]*?) {2,}"
                  r"(?P<written>\d[\d ]*?)  (?P<left>\S.*)$")


@dataclass
class Node:
    type: str
    read: int
    written: int
    left: dict = field(default_factory=dict)  # reason: how many


def number(text):
    return int(text.replace(" ", ""))


def books_of(run):
    """The table at the end of the latest start, by node name."""
    text = run.stderr
    assert "BOOKS DO NOT BALANCE" not in text, text
    books, inside = {}, False
    for line in text.splitlines():
        if re.match(r"^node +type +in +out +left out$", line):
            inside = True
            continue
        found = LINE.match(line) if inside else None
        if found is None:
            continue
        left = {}
        if found["left"] != "-":
            for part in found["left"].split(", "):
                reason, count = re.match(r"^(\D+) ([\d ]+)$", part).groups()
                left[reason] = number(count)
        books[found["node"]] = Node(found["type"], number(found["read"]),
                                    number(found["written"]), left)
    assert books, f"no table at the end of:\n{text}"
    return books


def unbalanced(books):
    """Nodes for which in = out + the sum of named reasons does not hold, as text. Who makes
    records of its own of those that come in can only have left out too much."""
    wrong = []
    for name, node in books.items():
        # A clamped time is a remark: the record went on.
        left = sum(count for reason, count in node.left.items() if reason != "times clamped")
        makes_others = node.type in ("absent", "explode", "join", "window")
        if left > node.read if makes_others else node.read != node.written + left:
            wrong.append(f"{name}: in {node.read}, out {node.written}, left out {node.left}")
    return wrong


def lines(path):
    """The lines of an output file without their ends; none when it is not there."""
    path = Path(path)
    return path.read_text().splitlines() if path.exists() else []


def rows(path):
    """The JSON objects of an output file."""
    return [json.loads(line) for line in lines(path)]


def whole_rows(path):
    """The JSON objects that are complete, of a file that is being written."""
    path = Path(path)
    if not path.exists():
        return []
    text = path.read_bytes()
    return [json.loads(line) for line in text[:text.rfind(b"\n") + 1].splitlines()]


def outputs(folder):
    """Every output file of a run: {relative name: bytes}."""
    folder = Path(folder)
    return {str(f.relative_to(folder)): f.read_bytes()
            for f in sorted(folder.rglob("*")) if f.is_file()}


def sorted_outputs(folder):
    """The same, where several workers write: segments of a rotated file joined, lines
    in order, so that only which lines there are counts."""
    joined = {}
    for name, text in outputs(folder).items():
        joined.setdefault(re.sub(r"\.\d{6}$", "", name), []).extend(text.splitlines())
    return {name: sorted(found) for name, found in joined.items()}
