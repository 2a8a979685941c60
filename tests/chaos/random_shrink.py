# SPDX-License-Identifier: Apache-2.0
"""Makes a failing case small: leaves out nodes, then lines, for as long as it still fails.

    STREAMD_BIN=… python3 -B tests/chaos/random_shrink.py FAILED/case.json tests/chaos/cases/NAME.json

It keeps whatever fails in an uninterrupted run with one worker, or, with --pieces, in one of ten
runs that are killed and re-sharded. Cases in that folder are played before the random ones.
"""

import argparse
import copy
import random
import shutil
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e"), str(HERE.parent / "services")]

import harness  # noqa: E402
import oracle  # noqa: E402
from random_case import Case  # noqa: E402
from random_run import Refused, check, in_pieces, straight  # noqa: E402
from scenario import binary_under_test  # noqa: E402


def fails(binary, case, pieces):
    """Refused cases and those on which the harness itself stumbles do not count."""
    folder = Path(tempfile.mkdtemp(prefix="shrink-"))
    try:
        check(binary, case, folder)
        answer = oracle.answer(case)
        for k in range(10 if pieces else 1):
            at = folder / str(k)
            at.mkdir()
            found = in_pieces(binary, case, answer, at, random.Random(k), 4) if pieces \
                else straight(binary, case, answer, at, 1)
            if found:
                return True
        return False
    except (Refused, KeyError, AssertionError):
        return False
    finally:
        harness.started.clear()
        shutil.rmtree(folder)


def smaller_pipelines(case):
    """The case without one sink, and without what then nobody reads; without one part of a node."""
    for section in ("sinks", "operators"):
        for name, config in case.pipeline.get(section, {}).items():
            for key in [None, *config]:
                if key in ("type", "input", "path", "window"):
                    continue
                for part in ([None, *config[key]] if isinstance(config.get(key), (dict, list)) else [None]):
                    made = copy.deepcopy(case)
                    node = made.pipeline[section][name]
                    if key is None:
                        del made.pipeline[section][name]
                    elif part is None:
                        del node[key]
                    else:
                        node[key].remove(part) if isinstance(node[key], list) else node[key].pop(part)
                    yield tidy(made)
            if isinstance(config.get("input"), list):
                for one in config["input"]:
                    made = copy.deepcopy(case)
                    made.pipeline[section][name]["input"] = one
                    yield tidy(made)


def tidy(case):
    """Takes out what nobody reads."""
    document = case.pipeline
    if document.get("dead_letters") not in document["sinks"]:
        document.pop("dead_letters", None)
    while True:
        nodes = [*document["sinks"].values(), *document.get("operators", {}).values()]
        inputs = [i for n in nodes for i in oracle.inputs_of(n)]
        read = {name.split(".")[0] for name in inputs}
        unread = [(section, name) for section in ("sources", "operators")
                  for name in document.get(section, {}) if name not in read]
        if not unread:
            break
        for section, name in unread:
            del document[section][name]
    paths = {path for source in document["sources"].values() for path in source["path"]}
    case.files = {path: text for path, text in case.files.items() if path in paths}
    case.packed = [path for path in case.packed if path in paths]
    case.trees = {text: tree for text, tree in case.trees.items() if text in str_values(document)}
    return case


def str_values(document):
    if isinstance(document, str):
        return {document}
    parts = document.values() if isinstance(document, dict) else document if isinstance(document, list) else ()
    return {text for part in parts for text in str_values(part)}


def fewer_lines(case):
    for path, text in case.files.items():
        lines = text.split(b"\n")
        size = len(lines) // 2
        while size:
            for at in range(0, len(lines), size):
                made = copy.deepcopy(case)
                made.files[path] = b"\n".join(lines[:at] + lines[at + size:])
                yield made
            size //= 2


def shrink(binary, case, pieces):
    for steps in (smaller_pipelines, fewer_lines):
        found = True
        while found:
            found = next((made for made in steps(case) if fails(binary, made, pieces)), None)
            case = found or case
    return case


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("case", type=Path)
    parser.add_argument("to", type=Path)
    parser.add_argument("--pieces", action="store_true")
    chosen = parser.parse_args()
    binary, case = binary_under_test(), Case.load(chosen.case)
    if not fails(binary, case, chosen.pieces):
        raise SystemExit("this case does not fail")
    small = shrink(binary, case, chosen.pieces)
    small.save(chosen.to)
    operators = len(small.pipeline.get("operators", {}))
    print(f"{sum(map(len, small.files.values()))} bytes of data, {operators} operators")


if __name__ == "__main__":
    main()
