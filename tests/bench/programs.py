# SPDX-License-Identifier: Apache-2.0
"""Runs streamd and the helper programs, and measures what they cost."""

import json
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path

PIPELINES = Path(__file__).parent / "pipelines"


class BenchError(Exception):
    """A program that is needed for the measurement failed."""


@dataclass
class Run:
    """One measured run. `nodes`: name -> (in, out, what was left out)."""

    wall: float
    cpu: float
    rss: int  # bytes
    nodes: dict = field(default_factory=dict)
    problems: list = field(default_factory=list)


def middle(values):
    """(median, smallest, largest)"""
    values = list(values)
    return statistics.median(values), min(values), max(values)


class Programs:
    def __init__(self, folder, directory):
        self.folder = Path(folder).resolve()
        self.binary = str(self.folder / "streamd")
        self.directory = Path(directory)

    def helper(self, name, *arguments):
        """Standard output of a helper that must succeed."""
        done = subprocess.run([self.folder / f"bench_{name}", *map(str, arguments)],
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise BenchError(f"bench_{name}: {done.stderr[-1000:]}")
        return done.stdout

    def limits(self, path, *fields):
        return json.loads(self.helper("limits", path, *fields))

    def measured(self, command, env=None):
        """Run a command under bench_cost: (cost, stdout, stderr)."""
        with tempfile.NamedTemporaryFile(dir=self.directory, suffix=".json") as report:
            done = subprocess.run(
                [self.folder / "bench_cost", report.name, *map(str, command)],
                stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=self.directory,
                env={**os.environ, **{k: str(v) for k, v in (env or {}).items()}})
            cost = json.loads(Path(report.name).read_text() or "{}")
        if not cost:
            raise BenchError(f"bench_cost: {done.stderr[-1000:]}")
        return cost, done.stdout, done.stderr

    def streamd(self, pipeline, env, workers=1, goals_to=None, drop_goals=False):
        """One run of a pipeline on a fresh state. `goals_to`: a folder for the goals' rows.
        `drop_goals`: the rows for Kafka are counted and dropped instead."""
        text = (PIPELINES / f"{pipeline}.yaml").read_text()
        if goals_to is not None:
            text = _with_files(text, goals_to)
        if drop_goals:
            text = re.sub(r"\{type: kafka, (input: \w+),.*?time_format: unix\}",
                          r'{type: "null", \1}', text, flags=re.DOTALL)
        return self.streamd_text(text, env, workers)

    def streamd_text(self, text, env, workers=1, beside=None):
        """The same for the text of a pipeline. `beside(state_dir, over)`: what goes on meanwhile, on
        a thread of its own, until the event `over` is set."""
        place = Path(tempfile.mkdtemp(dir=self.directory))
        over = threading.Event()
        other = threading.Thread(target=beside or (lambda *_: None), args=(place / "state", over))
        try:
            (place / "pipeline.yaml").write_text(text)
            other.start()
            cost, _, errors = self.measured(
                [self.binary, "run", place / "pipeline.yaml", "--state-dir", place / "state",
                 "--workers", workers], env)
        finally:
            over.set()
            other.join()
            shutil.rmtree(place, ignore_errors=True)
        run = Run(cost["wall"], cost["user"] + cost["sys"], cost["rss_kib"] * 1024, _table(errors))
        if cost["code"] != 0:
            run.problems.append(f"exit code {cost['code']}: {errors[-600:].strip()}")
        for name, (_, _, left) in run.nodes.items():
            if re.search("dead letters|late|BALANCE", left):
                run.problems.append(f"{name}: {left}")
        return run

    def at_once(self, calls):
        """Run several calls at the same time; their results in order."""
        results = [None] * len(calls)

        def do(i):
            results[i] = calls[i]()

        threads = [threading.Thread(target=do, args=(i,)) for i in range(len(calls))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results


def _table(errors):
    """The table that a run ends with."""
    nodes = {}
    for line in errors.partition("\nnode ")[2].splitlines()[1:]:
        cells = re.split(r"\s{2,}", line.strip())
        if len(cells) == 5:
            name, _, came, went, left = cells
            nodes[name] = (int(came.replace(" ", "")), int(went.replace(" ", "")), left)
    return nodes


def _with_files(text, folder):
    """The pipeline with a file sink in place of each goal's null sink."""
    before, _, rest = text.partition("  # goals:\n")
    goals, _, after = rest.partition("  # end of goals\n")
    goals = re.sub(r'(goal\d): \{type: "null", (input: \w+)\}',
                   lambda m: f'{m[1]}: {{type: file, {m[2]}, path: "{folder}/{m[1]}.ndjson",'
                             " time_format: unix}",
                   goals)
    return before + goals + after
