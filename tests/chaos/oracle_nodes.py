# SPDX-License-Identifier: Apache-2.0
"""filter, map and convert, a record at a time. Each takes its configuration, the trees of its
expressions (by their text), the flow that comes in and the books it writes into."""

import oracle_fields
from oracle_cel import CelError, evaluate, truth
from oracle_convert import convert
from oracle_source import Flow


def run_filter(config, trees, flow, node):
    rows = []
    for row in flow.rows:
        try:
            if truth(trees[config["where"]], row.fields):
                rows.append(row)
            else:
                node.drop("filtered")
        except CelError:
            node.reject("expression", row)
    return Flow(rows, flow.columns, flow.ordered)


def run_map(config, trees, flow, node):
    rows = []
    for row in flow.rows:
        try:
            new = {name: evaluate(trees[text], row.fields) for name, text in config.get("set", {}).items()}
        except CelError:
            node.reject("expression", row)
            continue
        fields = dict(row.fields)
        for name, value in new.items():
            oracle_fields.put(fields, name, value)
        renamed = config.get("rename", {})
        moved = {to: oracle_fields.get(fields, name) for name, to in renamed.items()
                 if oracle_fields.has(fields, name)}
        for gone in (*renamed, *renamed.values()):
            oracle_fields.take_out(fields, gone)
        fields |= moved
        for gone in config.get("remove", ()):
            oracle_fields.take_out(fields, gone)
        if config.get("keep"):
            fields = {name: oracle_fields.get(fields, name) for name in config["keep"]
                      if oracle_fields.has(fields, name)}
        rows.append(row.but(fields))
    return Flow(rows, mapped_columns(config, flow.columns), flow.ordered)


def mapped_columns(config, columns):
    if config.get("keep"):
        return config["keep"]
    if columns is None:
        return None
    renamed = config.get("rename", {})
    names = {*columns, *config.get("set", {})} - {*renamed} | {*renamed.values()}
    return sorted(names - {*config.get("remove", ())})


def run_convert(config, trees, flow, node):
    on_error = config.get("on_error", "dead_letter")
    rows = []
    for row in flow.rows:
        fields, bad = dict(row.fields), False
        for name, to in config["fields"].items():
            value = oracle_fields.get(fields, name)
            if value is None:
                continue
            to, form = (to["type"], to.get("format")) if isinstance(to, dict) else (to, None)
            good, converted = convert(value, to, form)
            if good:
                oracle_fields.put(fields, name, converted)
            elif on_error == "null":
                oracle_fields.put(fields, name, None)
            bad = bad or not good
        if bad and on_error == "dead_letter":
            node.reject("convert", row)
        else:
            rows.append(row.but(fields))
    return Flow(rows, flow.columns, flow.ordered)
