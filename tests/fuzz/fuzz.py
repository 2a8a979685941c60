#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""./dev fuzz: gives each fuzzer its share of CPU time, and says what came of it.

CPU time, not the clock's, so that a figure means the same on a busy machine. Inputs that reach new
code are kept in build/fuzz/corpus/, where the next run goes on from; tests/fuzz/corpus/ is only read.

exit: 0 nothing found, 1 a fuzzer found something (its input is in build/fuzz/crashes/), 2 bad arguments
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/fuzz"
INTERRUPTED = 72  # libFuzzer's own code for an end by SIGINT
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Outcome:
    name: str
    code: int
    cpu: float  # seconds
    text: str

    @property
    def found(self):
        return self.code not in (0, INTERRUPTED)

    def last(self, pattern):
        numbers = re.findall(pattern, self.text)
        return int(numbers[-1]) if numbers else 0

    @property
    def row(self):
        runs = self.last(r"stat::number_of_executed_units:\s+(\d+)") or self.last(r"#(\d+)")
        edges, inputs = self.last(r"cov: (\d+)"), self.last(r"stat::new_units_added:\s+(\d+)")
        return (f"{self.name:<14} {self.cpu / 60:7.1f} min {runs:>12,} runs {edges:>7,} edges "
                f"{inputs:>6,} new inputs" + ("   FOUND SOMETHING" if self.found else ""))


def cpu_seconds(pid):
    """Of a process that is still there, its own threads only; None when it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else (int(fields[11]) + int(fields[12])) / TICKS


def run(name, seconds):
    corpus, crashes = BUILD / "corpus" / name, BUILD / "crashes"
    corpus.mkdir(parents=True, exist_ok=True)
    crashes.mkdir(parents=True, exist_ok=True)
    seeds = ROOT / "tests/fuzz/corpus" / name
    log = BUILD / f"{name}.log"
    used = 0.0
    with open(log, "w", encoding="utf-8", errors="replace") as out:
        child = subprocess.Popen(
            [BUILD / "bin" / f"fuzz_{name}", "-print_final_stats=1", f"-artifact_prefix={crashes}/{name}-",
             corpus, *([seeds] if seeds.is_dir() else [])], stdout=out, stderr=subprocess.STDOUT)
        while (now := cpu_seconds(child.pid)) is not None:
            used = now
            if used >= seconds:
                child.send_signal(signal.SIGINT)
                break
            time.sleep(0.2)
        code = child.wait()
    return Outcome(name, code, used, log.read_text(encoding="utf-8", errors="replace"))


def arguments(known):
    parser = argparse.ArgumentParser(prog="./dev fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("seconds", nargs="?", type=float, default=60, help="of CPU, for each fuzzer [60]")
    parser.add_argument("--only", action="append", choices=known, metavar="NAME",
                        help="only this one; may be given again: " + ", ".join(known))
    parser.add_argument("--jobs", type=int, default=1, help="how many at once [1]")
    return parser.parse_args()


def main():
    known = sorted(p.name.removeprefix("fuzz_") for p in (BUILD / "bin").glob("fuzz_*"))
    if not known:
        sys.exit("no fuzzer was built in build/fuzz/bin; ./dev fuzz builds them")
    options = arguments(known)

    def one(name):
        outcome = run(name, options.seconds)
        print(outcome.row, flush=True)
        if outcome.found:
            print("\n".join(outcome.text.splitlines()[-40:]), flush=True)
        return outcome

    with ThreadPoolExecutor(options.jobs) as pool:
        outcomes = list(pool.map(one, options.only or known))
    found = [o.name for o in outcomes if o.found]
    if found:
        print(f"found something: {', '.join(found)}; the inputs are in {BUILD / 'crashes'}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
