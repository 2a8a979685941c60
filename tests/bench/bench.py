#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Measures streamd on the nginx job, beside what the machine and the libraries could do at most.

Variants of a measurement run in turn (A B C A B C …); the table shows medians and ranges. CPU is
user + system time of the process, all its threads. Every run's counts are checked, and one run
of each kind writes its answers to files, which are compared row by row with a brute force. A run that
answers wrongly is printed as INVALID, whatever its speed.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "services"))

from programs import BenchError, Programs  # noqa: E402
import detection_cases  # noqa: E402
import file_cases  # noqa: E402
import kafka_cases  # noqa: E402
import kafka_more_cases  # noqa: E402
import process_cases  # noqa: E402
import service_cases  # noqa: E402
import wide_cases  # noqa: E402
import window_cases  # noqa: E402

GROUPS = {"file": file_cases.measure, "window": window_cases.measure, "kafka": kafka_cases.measure,
          "kafka-more": kafka_more_cases.measure, "process": process_cases.measure,
          "wide": wide_cases.measure, "detection": detection_cases.measure,
          "services": service_cases.measure}
COLUMNS = ("what", "goal", "measured: median (range)", "limit in the same run", "verdict")


def machine():
    model = next((line.partition(":")[2].strip() for line in open("/proc/cpuinfo")
                  if line.startswith("model name")), platform.machine())
    memory = int(open("/proc/meminfo").readline().split()[1]) / 2**20
    kernel = platform.release().partition("-")[0]
    return f"{model}, {os.cpu_count()} CPUs, {memory:.0f} GiB, {platform.system()} {kernel}"


def load():
    """How busy the machine was with other things before we began."""
    return f"{os.getloadavg()[0]:.1f}"


def command_line(front="./dev bench"):
    """What to type to get the same again; where the programs were built is nobody's business."""
    words, rest = [], iter(sys.argv[1:])
    for word in rest:
        if word == "--bin":
            next(rest, None)
        elif not word.startswith("--bin="):
            words.append(word)
    return " ".join([front, *words])


def arguments():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="500,000 records, for a first look")
    parser.add_argument("--records", type=int, help="how many records [5000000]")
    parser.add_argument("--repeat", type=int, default=3, help="how often each is run [3]")
    parser.add_argument("--only", choices=GROUPS, action="append", help="only this group of measurements")
    parser.add_argument("--write", action="store_true", help="write tests/bench/RESULTS.md")
    parser.add_argument("--bin", default="build/bench/bin", help="where the programs are [build/bench/bin]")
    chosen = parser.parse_args()
    chosen.records = chosen.records or (500_000 if chosen.quick else 5_000_000)
    if chosen.records % 2 or chosen.repeat < 1:
        parser.error("an even number of records, and at least one run")
    return chosen


def markdown(line):
    return "| " + " | ".join(line.cells()) + " |"


def results(lines, versions, chosen, busy):
    text = ["# Benchmark results", "",
            f"Written by `{command_line()}`; how it measures is said in `tests/bench/bench.py`.", "",
            f"- Machine: {machine()}; load average before the run: {busy}", f"- Versions: {', '.join(versions)}",
            f"- Input: {chosen.records:,} records of `streamd generate nginx` (100,000 clients, Zipf-like; up to "
            "1 s out of order; 10,000 per second of event time), file in the page cache",
            f"- {chosen.repeat} runs of each variant, in turn", "",
            "| " + " | ".join(COLUMNS) + " |", "|---" * len(COLUMNS) + "|"]
    return "\n".join(text + [markdown(line) for line in lines]) + "\n"


def remarks(file):
    """What people have written below the table; it is theirs to keep true."""
    _, head, text = (file.read_text() if file.exists() else "").partition("\n## ")
    return head + text


def main():
    chosen = arguments()
    lines, versions, busy = [], [], load()
    if float(busy) > 0.5:
        print(f"The machine is busy (load average {busy}): expect worse figures.", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="streamd-bench-") as directory:
        programs = Programs(chosen.bin, directory)
        versions.append(subprocess.run([programs.binary, "version"], capture_output=True, text=True,
                                       check=True).stdout.strip())
        for name, measure in GROUPS.items():
            if chosen.only and name not in chosen.only:
                continue
            try:
                found, libraries = measure(programs, chosen)
            except BenchError as error:
                print(f"{name}: {error}", file=sys.stderr)
                return 1
            versions += libraries
            lines += found
            for line in found:
                print(line.text(), flush=True)
    if chosen.write:
        file = HERE / "RESULTS.md"
        file.write_text(results(lines, versions, chosen, busy) + remarks(file))
    return 1 if any(line.problems for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
