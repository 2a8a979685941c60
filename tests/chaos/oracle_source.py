# SPDX-License-Identifier: Apache-2.0
"""What a source makes of its files: records with their event time and their floor.

A file is a partition. The floor of a record is the largest event time before it in its partition
minus max_delay: windows that end at or before it are closed to this record.
"""

import math
import re
from dataclasses import dataclass, field

from oracle_values import SECOND, Time, kind, parse_object, read_time

UNITS = {"us": 1, "ms": 1000, "s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND, "d": 86400 * SECOND}
COMBINED = re.compile(r'(\S+) - (\S+) \[([^\]]+)\] "([^"]*)" (\d{3}) (\d+|-) "([^"]*)" "([^"]*)"')
REQUEST = re.compile(r"(\S+) (\S+) (HTTP/\d\.\d)")
COLUMNS = ("remote_addr remote_user time_local request request_method request_uri path query "
           "server_protocol status body_bytes_sent http_referer http_user_agent vhost").split()


def micros(duration):
    """Of a duration as the pipeline file writes it: 1m30s."""
    return sum(int(float(n) * UNITS[u]) for n, u in re.findall(r"([\d.]+)(us|ms|s|m|h|d)", duration))


@dataclass
class Row:
    fields: dict
    time: int
    floor: float = -math.inf     # windows count the record only when they end later
    origin: bytes = None         # the line it was; None for results of windows

    def but(self, fields):
        return Row(fields, self.time, self.floor, self.origin)


@dataclass
class Flow:
    """What leaves a node through one port. columns: None when the rest lives in raw bytes."""
    rows: list
    columns: list = None
    ordered: bool = False  # one partition on one path: the order of arrival is fixed


@dataclass
class Node:
    """The books of one node, and its dead letters as (code, line)."""
    read: int = 0
    written: int = 0
    left: dict = field(default_factory=dict)
    dead: list = field(default_factory=list)

    def drop(self, reason, count=1):
        if count:
            self.left[reason] = self.left.get(reason, 0) + count

    def reject(self, code, row):
        self.dead.append((code, row.origin))


def unescaped(text):
    return re.sub(r"\\x([0-9A-F]{2})", lambda m: chr(int(m[1], 16)), text)


def access_log(line):
    found = COMBINED.fullmatch(line.decode())
    if not found:
        raise ValueError("no such line")
    parts = [unescaped(found[k]) if found[k] != "-" else None for k in range(1, 9)]
    at = read_time(found[3], "clf")
    if at is None:
        raise ValueError("no time")
    fields = {"remote_addr": parts[0], "remote_user": parts[1], "time_local": Time(at), "request": parts[3]}
    request = REQUEST.fullmatch(unescaped(found[4]))
    if request:
        path, mark, query = request[2].partition("?")
        fields |= {"request_method": request[1], "request_uri": request[2], "path": path,
                   "server_protocol": request[3]}
        if mark:
            fields["query"] = query
    fields |= {"status": int(found[5]), "body_bytes_sent": 0 if found[6] == "-" else int(found[6]),
               "http_referer": parts[6], "http_user_agent": parts[7]}
    return fields


def read(config, texts):
    """(Flow, Node) of a source. texts: the bytes of each of its files."""
    decode = config.get("decode", "json")
    logs = decode != "json"
    time = config["time"]
    node, rows = Node(), []
    for text in texts:
        newest = -math.inf
        for line in text.split(b"\n"):
            line = line.removesuffix(b"\r")
            if not line:
                continue
            node.read += 1
            row = Row({}, 0, newest - micros(time.get("max_delay", "0s")), line)
            try:
                row.fields = access_log(line) if logs else parse_object(line)
            except ValueError:
                node.reject(None, row)
                continue
            name = time.get("field", "time_local")
            value = row.fields.get(name)
            at = None if kind(value) == "null" else read_time(value, time.get("format", "rfc3339"))
            if at is None:
                node.reject(None, row)
                continue
            row.time = at
            newest = max(newest, at)
            rows.append(row)
    node.written = len(rows)
    return Flow(rows, COLUMNS if logs else None, len(texts) == 1), node
