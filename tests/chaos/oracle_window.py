# SPDX-License-Identifier: Apache-2.0
"""Operator window by brute force: every record is kept, every window computed from its records."""

import math
from collections import defaultdict

import oracle_fields
from oracle_aggregates import refused, result
from oracle_cel import CelError, evaluate, truth
from oracle_sessions import run_sessions
from oracle_source import Flow, Row, micros
from oracle_threshold import run_threshold
from oracle_values import Duration, NO_VALUE, Time, identity


class Rules:
    def __init__(self, config, trees):
        self.by = config.get("by", [])
        self.compute = {name: trees[text] for name, text in config["compute"].items()}
        self.having = trees[config["having"]] if "having" in config else None
        self.emit = config.get("emit", "close")
        kind = config["window"]
        self.gap = 0
        if "session" in kind:
            self.gap, self.max = micros(kind["session"]["gap"]), micros(kind["session"]["max"])
        elif "tumbling" in kind:
            self.size = self.every = micros(kind["tumbling"])
        else:
            self.size, self.every = micros(kind["sliding"]), micros(kind["every"])
        self.columns = [*self.by, *self.compute, "window_start", "window_end"]

    def windows_of(self, time):
        """Ends of the windows [end - size, end) that hold the time."""
        end = (time // self.every + 1) * self.every
        while end - self.size <= time:
            yield end
            end += self.every

    def fields(self, taken, start, end):
        """The row of one window, or None when it does not pass. taken: its records by arrival."""
        if not taken:
            return None
        taken = sorted(taken, key=lambda t: t.time)
        fields = dict(zip(self.by, taken[0].key))
        for k, (name, (_, function, _, argument)) in enumerate(self.compute.items()):
            fields[name] = result(function, argument, [t.inputs[k] for t in taken], len(taken), end - start)
        fields |= {"window_start": Time(start), "window_end": Time(end)}
        return fields if self.passes(fields) else None

    def passes(self, fields):
        there = {name: value for name, value in fields.items() if value is not NO_VALUE}
        try:
            return self.having is None or truth(self.having, there)
        except CelError:
            return False


class Taken:
    """A record that enters: its key, its inputs, its time and floor."""

    def __init__(self, row, key, inputs):
        self.key, self.inputs, self.row = key, inputs, row
        self.time, self.floor = row.time, row.floor
        self.group = tuple(map(identity, key))


def admit(config, rules, trees, flow, node):
    for row in flow.rows:
        try:
            if "where" in config and not truth(trees[config["where"]], row.fields):
                node.drop("filtered")
                continue
        except CelError:
            node.reject("expression", row)
            continue
        if not all(oracle_fields.has(row.fields, name) for name in rules.by):
            node.reject("missing-field", row)
            continue
        try:
            inputs = [value_of(tree, row.fields) for tree in rules.compute.values()]
        except CelError:
            node.reject(None, row)
            continue
        if any(refused(tree[1], v) for tree, v in zip(rules.compute.values(), inputs)):
            node.reject(None, row)
            continue
        yield Taken(row, [oracle_fields.get(row.fields, name) for name in rules.by], inputs)


def value_of(compute, fields):
    """A plain field that is missing is skipped; an expression that reads one fails."""
    tree = compute[2]
    if tree is None:
        return None
    return oracle_fields.get(fields, tree[1]) if tree[0] == "field" else evaluate(tree, fields)


def run_window(config, trees, flow, node):
    """(what leaves, what is late)."""
    rules = Rules(config, trees)
    taken, late = [], []
    if rules.gap:
        entering = list(admit(config, rules, trees, flow, node))
        rows = run_sessions(rules, entering if flow.ordered else any_order(entering), late)
    else:
        for record in admit(config, rules, trees, flow, node):
            if max(rules.windows_of(record.time), default=-math.inf) <= record.floor:
                late.append(record)
            else:
                taken.append(record)
        rows = run_threshold(rules, taken) if rules.emit == "threshold" else run_panes(rules, taken)
    rows = [row for row in rows if NO_VALUE not in row.fields.values()]
    if late:
        node.drop("late", len(late))
    columns = None if flow.columns is None else [*flow.columns, "lateness"]
    late = [r.row.but({**r.row.fields, "lateness": Duration(int(r.floor) - r.time)}) for r in late]
    return Flow(rows, rules.columns), Flow(late, columns)


def any_order(entering):
    """Records of which none is late, in the order that makes it easy."""
    for record in entering:
        record.floor = -math.inf
    return sorted(entering, key=lambda r: r.time)


def run_panes(rules, taken):
    """emit: close and changed."""
    windows = defaultdict(list)
    for record in taken:
        for end in rules.windows_of(record.time):
            if end > record.floor:
                windows[record.group, end].append(record)
    rows, before = [], {}
    for (group, end), records in sorted(windows.items(), key=lambda w: w[0][1]):
        fields = rules.fields(records, end - rules.size, end)
        if fields is None:
            continue
        values = rules.emit == "changed" and [identity(fields[name]) for name in rules.compute]
        if rules.emit == "close" or before.get(group) != (end - rules.every, values):
            rows.append(Row(fields, end - 1))
        before[group] = end, values
    return rows
