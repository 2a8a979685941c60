# SPDX-License-Identifier: Apache-2.0
"""What a pipeline must answer, by brute force and from the documentation alone: the rows of every
sink, the books of every node, the dead letters. It knows nothing of workers, batches or restarts:
no answer depends on them.

    answer = oracle.answer(case)
    answer.sinks["out"].rows, answer.nodes["typed"].left, answer.nodes["typed"].dead
"""

from dataclasses import dataclass

import oracle_source
from oracle_nodes import run_convert, run_filter, run_map
from oracle_source import Flow, Node
from oracle_window import run_window

OPERATORS = {"filter": run_filter, "map": run_map, "convert": run_convert}


@dataclass
class Answer:
    sinks: dict   # name: Flow
    nodes: dict   # name: Node


def inputs_of(config):
    names = config.get("input", [])
    return names if isinstance(names, list) else [names]


def joined(config, flows):
    inputs = [flows[name] for name in inputs_of(config)]
    if len(inputs) == 1:
        return inputs[0]
    closed = [flow.columns for flow in inputs if flow.columns is not None]
    columns = list(dict.fromkeys(c for columns in closed for c in columns))
    return Flow([row for flow in inputs for row in flow.rows], columns if len(closed) == len(inputs) else None)


def answer(case):
    document, trees = case.pipeline, case.trees
    flows, nodes, sinks = {}, {}, {}
    for name, config in document["sources"].items():
        flows[name], nodes[name] = oracle_source.read(config, [case.files[path] for path in config["path"]])
    for name, config in document.get("operators", {}).items():
        nodes[name] = node = Node()
        flow = joined(config, flows)
        node.read = len(flow.rows)
        if config["type"] == "window":
            flows[name], flows[name + ".late"] = run_window(config, trees, flow, node)
        else:
            flows[name] = OPERATORS[config["type"]](config, trees, flow, node)
        node.written = len(flows[name].rows)
    for name, config in document["sinks"].items():
        if name == document.get("dead_letters"):
            continue
        sinks[name] = joined(config, flows)
        nodes[name] = Node(len(sinks[name].rows), len(sinks[name].rows))
    for node in nodes.values():
        node.drop("dead letters", len(node.dead))
    return Answer(sinks, nodes)
