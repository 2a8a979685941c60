# SPDX-License-Identifier: Apache-2.0
"""Measurements of windows: length, number of keys, pauses, rules that share one, state and restart."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import inputs
from programs import PIPELINES, middle
from report import Line, spread

SIZES = ("20s", "600s", "3600s")
KEYS = {10_000: 15, 100_000: 20, 1_000_000: 40, 10_000_000: 60}  # ns per record at most
KEY_TEXT = 12  # bytes of an address, about
RULES = 100
TOUCHED, TOUCHED_TIMES = 500_000, 3  # a second of event time takes about one to compute


def measure(programs, chosen):
    cases = Cases(programs, chosen)
    return [*cases.lengths(), *cases.keys(), cases.rules(), cases.disorder(), cases.touched(),
            cases.restart()], []


class Cases:
    def __init__(self, programs, chosen):
        self.programs, self.repeat = programs, chosen.repeat
        self.records = chosen.records
        self.panes_seconds = 10 if chosen.records >= 5_000_000 else 1

    def alone(self, keys, law, size, records, delay=1):
        return json.loads(self.programs.helper("window_cost", keys, law, size, "1s", records, delay))

    def in_turn(self, variants):
        runs = {name: [] for name in variants}
        for _ in range(self.repeat):
            for name, variant in variants.items():
                runs[name].append(variant())
        return runs

    # --- the operator alone ----------------------------------------------------------

    def lengths(self):
        """The window holds ever more records; what is live is the same."""
        records = 4 * self.records
        runs = self.in_turn({size: lambda s=size: self.alone(100_000, "zipf", s, records) for size in SIZES})
        first = [r["ns"] for r in runs[SIZES[0]]]
        lines = []
        for size in SIZES:
            ns = [r["ns"] for r in runs[size]]
            ratios = [b / a for a, b in zip(first, ns)]
            goal = "–" if size == SIZES[0] else "≤ 1.15 × 20s"
            lines.append(Line(
                f"sliding count, {size} every 1s, 100 k clients, {records:,} records", goal,
                f"{spread(ns, ' ns', 1)} a record, {spread(ratios, ' ×')}, "
                f"{middle(r['bytes_per_key'] for r in runs[size])[0]:.0f} B per live key", "–",
                None if size == SIZES[0] else middle(ratios)[0] <= 1.15))
        return lines

    def keys(self):
        lines, pauses = [], {}
        for count, most in KEYS.items():
            for law in ("zipf", "uniform"):
                records = max(10_000_000, 2 * count) if self.records >= 5_000_000 else 2_000_000
                if count > records:
                    continue
                runs = [self.alone(count, law, "20s", records) for _ in range(self.repeat)]
                pauses[count, law] = runs
                ns = [r["ns"] for r in runs]
                size = [r["bytes_per_key"] for r in runs]
                lines.append(Line(
                    f"{count:,} keys, {law}, sliding count 20s every 1s, 500 k records per second of event time",
                    f"≤ {most} ns a record",
                    f"{spread(ns, ' ns', 1)} a record and its share of closing; "
                    f"{middle(r['live'] for r in runs)[0]:,.0f} live keys, {middle(size)[0]:.0f} B each "
                    "with the cells of 20 panes",
                    "–", middle(ns)[0] <= most))
        return lines + self.pauses(pauses.get((1_000_000, "uniform"), []))

    def pauses(self, runs):
        """Without max_delay a pane is complete at the very batch that closes it."""
        if not runs:
            return []
        at_once = [self.alone(1_000_000, "uniform", "20s", 10_000_000, delay=0) for _ in range(self.repeat)]
        ours = [r["pause_us"][0] / 1000 for r in runs]
        machine = [r["machine_us"][0] / 1000 for r in runs]
        longest = {name: max(r[f"{name}_us"][1] for r in runs) / 1000
                   for name in ("records", "boundary", "checkpoint")}
        return [Line(
            "pauses of the event loop at 1 M keys, 393 k of them touched per second, max_delay 1s, p99.9",
            "≤ 1 ms more than the machine's own",
            f"{spread(ours, ' ms')}; longest: batch of records {longest['records']:.1f} ms, window close "
            f"{longest['boundary']:.1f} ms, checkpoint {longest['checkpoint']:.1f} ms, the others "
            f"{middle(r['checkpoint_us'][0] / 1000 for r in runs)[0]:.1f} ms; without max_delay "
            f"{spread([r['pause_us'][0] / 1000 for r in at_once], ' ms')}",
            f"a loop that does nothing {spread(machine, ' ms')}",
            middle(ours)[0] <= middle(machine)[0] + 1)]

    # --- whole pipelines ---------------------------------------------------------------

    def rules(self):
        path = inputs.requests(self.programs.binary, self.records)
        runs = self.in_turn({n: lambda n=n: self.programs.streamd_text(rules_text(n), {"INPUT": path})
                             for n in (1, RULES)})
        ratios = [b.cpu / a.cpu for a, b in zip(runs[1], runs[RULES])]
        problems = [p for run in runs[1] + runs[RULES] for p in run.problems]
        for run in runs[RULES]:
            given = [run.nodes.get(f"rule{n}", (0, -1))[1] for n in range(RULES)]
            if given[0] != runs[1][0].nodes["rule0"][1] or sorted(given, reverse=True) != given or given[0] <= 0:
                problems.append(f"the rules gave {given[:3]}…, one alone {runs[1][0].nodes['rule0'][1]}")
        return Line(f"{RULES} rules that differ in their threshold, on one source", "≤ 2 × the cost of one",
                    spread(ratios, " ×"), "1 ×", middle(ratios)[0] <= 2, problems)

    def disorder(self):
        """Both inputs hold the same records; in one of them every twentieth comes up to 0.9 s late."""
        ordered, mixed = inputs.disordered(self.programs.binary, self.records)
        runs = self.in_turn({p: lambda p=p: self.programs.streamd("nginx_file", {"INPUT": p})
                             for p in (ordered, mixed)})
        costs = [100 * (b.cpu / a.cpu - 1) for a, b in zip(runs[ordered], runs[mixed])]
        problems = [p for run in runs[ordered] + runs[mixed] for p in run.problems]
        goals = ("goal1", "goal2", "goal3", "goal4")
        for run in runs[mixed] + runs[ordered]:
            if [run.nodes[g] for g in goals] != [runs[ordered][0].nodes[g] for g in goals]:
                problems.append("the answers depend on the order")
        return Line("5 % of the records out of order inside max_delay", "≤ 10 % more CPU",
                    spread(costs, " %", 1), "0 %", middle(costs)[0] <= 10, problems)

    def touched(self):
        path = inputs.panes(self.panes_seconds, TOUCHED, TOUCHED_TIMES)
        runs = self.in_turn({every: lambda e=every: self.programs.streamd(
            "panes", {"INPUT": path, "CHECKPOINT_EVERY": e}) for every in ("1s", "1h")})
        costs = [100 * (a.wall / b.wall - 1) for a, b in zip(runs["1s"], runs["1h"])]
        problems = [p for every in runs.values() for run in every for p in run.problems]
        keys = [TOUCHED * self.panes_seconds / r.wall for r in runs["1s"]]
        return Line(f"checkpoint every 1 s with {middle(keys)[0] / 1e3:,.0f} k touched keys in each",
                    "≤ 5 % of the throughput (at 500 k)", spread(costs, " %", 1), "0 %",
                    middle(costs)[0] <= 5, problems)

    def restart(self):
        """A followed file with so many (key, pane) entries in the window; stop, add a record, start."""
        entries = self.panes_seconds * inputs.KEYS
        took, problems = [], []
        for _ in range(self.repeat):
            with tempfile.TemporaryDirectory(dir=self.programs.directory) as place:
                seconds, problem = restart_once(self.programs.binary, Path(place), self.panes_seconds)
            took.append(seconds)
            problems += problem
        return Line(f"restart with {entries:,} (key, pane) entries, to the first record", "≤ 1 s",
                    spread(took, " s"), "–", middle(took)[0] <= 1, problems)


def rules_text(count):
    text = ("pipeline: bench-rules\nsources:\n  requests: {type: file, path: '${INPUT}', follow: false, "
            "time: {field: '@timestamp', format: unix, max_delay: 1s}}\noperators:\n")
    for n in range(count):
        text += (f"  rule{n}: {{type: window, input: requests, window: {{sliding: 20s, every: 1s}}, "
                 f"by: [client_ip], compute: {{requests: count()}}, having: requests > {10 + n}}}\n")
    return text + "sinks:\n" + "".join(f"  sink{n}: {{type: 'null', input: rule{n}}}\n" for n in range(count))


def restart_once(binary, place, seconds):
    log = place / "panes.ndjson"
    shutil.copyfile(inputs.panes(seconds), log)
    command = [binary, "run", PIPELINES / "panes.yaml", "--state-dir", place / "state", "--workers", "1", "--quiet"]
    env = {**os.environ, "INPUT": str(log), "FOLLOW": "true"}

    def add(text):
        with open(log, "a") as file:
            file.write(text)

    last = f'{{"k":"last","t":{inputs.PANES_START + seconds}}}\n'
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        add(last)
        line = process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate()
    if process.returncode != 0 or b'"last"' not in line:
        return 0.0, [f"first run: {line!r}, exit code {process.returncode} {errors[-300:]!r}"]
    add(last)
    begin = time.monotonic()
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        line = process.stdout.readline()
        took = time.monotonic() - begin
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate()
    good = process.returncode == 0 and b'"last"' in line
    return took, [] if good else [f"restart: {line!r}, exit code {process.returncode} {errors[-300:]!r}"]
