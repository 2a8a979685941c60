# SPDX-License-Identifier: Apache-2.0
"""Compares what the pipelines answered with the oracle's brute force."""

import json
from collections import Counter

# goal -> (key, value) in the results of each pipeline.
JSON_NAMES = {"goal1": ("client_ip", "requests"), "goal2": ("host", "errors"),
              "goal3": ("country", "requests"), "goal4": ("host", "average")}
COMBINED_NAMES = {"goal1": ("remote_addr", "requests"), "goal2": ("path", "errors"),
                  "goal3": ("remote_user", "requests"), "goal4": ("path", "average")}


def expected(oracle_text, unit=100.0):
    """{(goal, key, end): value}; averages in `unit`s of the hundredths that the oracle sums."""
    rows = {}
    for line in oracle_text.splitlines():
        goal, key, end, count, total = line.split("\t")
        rows[goal, key, int(end)] = int(total) / unit / int(count) if goal == "goal4" else int(count)
    return rows


def row_counts(rows):
    """{goal: number of rows}"""
    return dict(Counter(goal for goal, _, _ in rows))


def compare(want, lines_of_goal, names):
    """The first few differences, as text; empty when the answers are the same."""
    differences, seen = [], set()
    for goal, lines in lines_of_goal.items():
        key_name, value_name = names[goal]
        for line in lines:
            row = json.loads(line)
            key = row[key_name].removeprefix("/"), round(float(row["window_end"]))
            value, right = row[value_name], want.get((goal, *key))
            if (goal, *key) in seen:
                differences.append(f"{goal} {key}: twice")
            elif right is None:
                differences.append(f"{goal} {key}: {value}, but there should be no row")
            elif abs(value - right) > (1e-9 * right if goal == "goal4" else 0):
                differences.append(f"{goal} {key}: {value} instead of {right}")
            seen.add((goal, *key))
    missing = want.keys() - seen
    if missing:
        differences.append(f"{len(missing)} rows are missing, such as {min(missing)}")
    return [f"{len(differences)} differences", *differences[:3]] if differences else []
