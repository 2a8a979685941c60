# SPDX-License-Identifier: Apache-2.0
"""Measurements from file to `null`: speed, workers, checkpoints, memory, access logs."""

import inputs
from answers import COMBINED_NAMES, JSON_NAMES, compare, expected, row_counts
from programs import middle
from report import Line, spread

TIGHT = "300ms"  # A bound of disorder that a good part of the records breaks.


def measure(programs, chosen):
    return Cases(programs, chosen).lines()


class Cases:
    def __init__(self, programs, chosen):
        self.programs = programs
        self.records = chosen.records
        self.repeat = chosen.repeat
        self.whole = inputs.requests(programs.binary, chosen.records)
        self.halves = inputs.halves(programs.binary, chosen.records)
        self.log = inputs.combined(programs.binary, chosen.records)
        self.keys = inputs.many_keys()

    # --- what is run -------------------------------------------------------------

    def goals(self, path, workers=1, every="1s", pipeline="nginx_file"):
        return self.programs.streamd(pipeline, {"INPUT": path, "CHECKPOINT_EVERY": every}, workers)

    def both_halves(self, workers):
        return self.goals(self.halves[0].parent / "*.ndjson", workers)

    def two_processes(self):
        """The walls of two processes with a half each, at the same time: what two cores can do."""
        return max(run.wall for run in self.programs.at_once(
            [lambda: self.goals(self.halves[0]), lambda: self.goals(self.halves[1])]))

    def variants(self):
        return {
            "limits": lambda: self.programs.limits(self.whole),
            "goals": lambda: self.goals(self.whole),
            "seldom": lambda: self.goals(self.whole, every="1h"),
            "one": lambda: self.both_halves(1),
            "two": lambda: self.both_halves(2),
            "processes": self.two_processes,
            "log limits": lambda: self.programs.limits(self.log),
            "log": lambda: self.goals(self.log, pipeline="combined"),
            "log two": lambda: self.goals(self.log, pipeline="combined_two"),
            "keys": lambda: self.programs.streamd("million_keys", {"INPUT": self.keys}),
        }

    # --- whether it is right -----------------------------------------------------

    def answers(self, pipeline, path, files, names, max_delay, workers=1, unit=100.0, options=()):
        """Runs once with files in place of `null`: (differences from the oracle, rows)."""
        micros = {"1s": 1_000_000, TIGHT: 300_000}[max_delay]
        want = expected(self.programs.helper("oracle", *options, micros, *files), unit)
        folder = self.programs.directory / f"{pipeline}-{max_delay}-{workers}"
        folder.mkdir()
        run = self.programs.streamd(pipeline, {"INPUT": path, "MAX_DELAY": max_delay}, workers, folder)
        problems = run.problems if max_delay == "1s" else []  # Late records are meant to be there.
        lines = {goal: (folder / f"{goal}.ndjson").read_text().splitlines()
                 if (folder / f"{goal}.ndjson").exists() else [] for goal in names}
        found = compare(want, lines, names)
        return problems + [f"max_delay {max_delay}: {f}" for f in found], row_counts(want)

    def counted(self, runs, rows):
        """What is wrong with the counts of timed runs."""
        problems = []
        for run in runs:
            problems += run.problems
            wanted = {"requests": self.records, **rows}
            for node, count in wanted.items():
                got = run.nodes.get(node, (None,))[0]
                if got != count:
                    problems.append(f"{node} saw {got} records instead of {count}")
        return problems

    # --- the result --------------------------------------------------------------

    def lines(self):
        wrong, rows = self.answers("nginx_file", self.whole, [self.whole], JSON_NAMES, "1s")
        wrong += self.answers("nginx_file", self.whole, [self.whole], JSON_NAMES, TIGHT)[0]
        wrong_two = self.answers("nginx_file", self.halves[0].parent / "*.ndjson", self.halves,
                                 JSON_NAMES, TIGHT, workers=2)[0]
        wrong_log, log_rows = self.answers("combined", self.log, [self.whole], COMBINED_NAMES, "1s",
                                           unit=1.0, options=["--whole-seconds"])
        runs = {name: [] for name in self.variants()}
        for _ in range(self.repeat):
            for name, variant in self.variants().items():
                runs[name].append(variant())
        limit = runs["limits"][0]
        return [
            self.speed(runs, wrong + self.counted(runs["goals"], rows)),
            self.workers(runs, wrong_two + self.counted(runs["one"] + runs["two"], rows)),
            self.checkpoints(runs, wrong + self.counted(runs["seldom"], rows)),
            self.memory(runs["keys"]),
            self.access_log(runs, "log", "five goals, nginx combined lines → null, one worker",
                            wrong_log + self.counted(runs["log"], log_rows)),
            self.access_log(runs, "log two", "nginx combined lines, 4 fields, two windows",
                            self.counted(runs["log two"], {g: log_rows[g] for g in ("goal1", "goal2")}), 5),
        ], [f"simdjson {limit['simdjson']}"]

    def rate(self, run):
        """Million records per CPU-second."""
        return self.records / run.cpu / 1e6

    def speed(self, runs, problems):
        rates = [self.rate(r) for r in runs["goals"]]
        limits = runs["limits"]
        return Line(
            "five goals, file → null, one worker", "≥ 4 M records per CPU-second",
            f"{spread(rates, ' M/CPU-s')}, {1000 / middle(rates)[0]:.0f} ns of CPU a record, "
            f"{middle(r.wall for r in runs['goals'])[0]:.2f} s, "
            f"{middle(r.rss for r in runs['goals'])[0] / 1e6:.0f} MB",
            f"read {middle(l['read_ns'] for l in limits)[0]:.0f} ns "
            f"({middle(l['read_mb_s'] for l in limits)[0]:,.0f} MB/s), "
            f"bare simdjson pass {middle(l['json_ns'] for l in limits)[0]:.0f} ns a record",
            middle(rates)[0] >= 4, problems)

    def workers(self, runs, problems):
        ratios = [a.wall / b.wall for a, b in zip(runs["one"], runs["two"])]
        processes = [a.wall / b for a, b in zip(runs["one"], runs["processes"])]
        return Line("two workers on two files, against one", "≥ 1.85 × as fast", spread(ratios, " ×"),
                    f"two processes with a file each {spread(processes, ' ×')}",
                    middle(ratios)[0] >= 1.85, problems)

    def checkpoints(self, runs, problems):
        costs = [100 * (a.cpu / b.cpu - 1) for a, b in zip(runs["goals"], runs["seldom"])]
        return Line("checkpoint every 1 s, against every 1 h", "≤ 5 % more CPU", spread(costs, " %", 1),
                    "0 %", middle(costs)[0] <= 5, problems)

    def memory(self, runs):
        problems = [p for run in runs for p in run.problems]
        for run in runs:
            if run.nodes.get("results", (None,))[0] != inputs.KEYS:
                problems.append(f"{run.nodes.get('results')} instead of {inputs.KEYS:,} keys")
        rss = [run.rss / 1e6 for run in runs]
        return Line("1 M live keys (count per client, 1 min)", "≤ 200 MB RSS", spread(rss, " MB", 0),
                    "12 MB for the text of the keys", middle(rss)[0] <= 200, problems)

    def access_log(self, runs, name, what, problems, goal=None):
        rates = [self.rate(r) for r in runs[name]]
        limits = runs["log limits"]
        return Line(what, f"≥ {goal} M records per CPU-second" if goal else "–",
                    f"{spread(rates, ' M/CPU-s')}, {1000 / middle(rates)[0]:.0f} ns of CPU a record",
                    f"read {middle(l['read_ns'] for l in limits)[0]:.0f} ns, "
                    f"with line ends {middle(l['lines_ns'] for l in limits)[0]:.0f} ns a record",
                    middle(rates)[0] >= goal if goal else None, problems)
