#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""./dev chaos: injures streamd and what it talks to, and compares its answers.

Each scenario runs in a folder of its own with dice of its own. The time that --for gives is shared
out evenly; every scenario plays at least one round. A failure prints the command that plays it
again, and leaves its folder behind.

exit: 0 all held, 1 something broke, 2 the arguments are wrong
"""

import argparse
import re
import shutil
import sys
import tempfile
import time
import traceback
import zlib
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e"), str(HERE.parent / "services")]

import harness  # noqa: E402
from scenario import Chaos, Failed, binary_under_test  # noqa: E402

# Modules with SCENARIOS, in the order in which they run.
MODULES = ("kill", "power_cut", "storage", "damage", "clock", "producers", "load",
           "odd_records", "slow_sink", "random_run", "away_sink", "away_list", "kafka_broker",
           "kafka_leaders", "kafka_offsets", "kafka_rebalance")

UNITS = {"s": 1, "m": 60, "h": 3600}


def duration(text):
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", text)
    if not found:
        raise argparse.ArgumentTypeError(f"'{text}' is no duration such as 90s, 30m or 1h")
    return float(found[1]) * UNITS[found[2]]


def arguments(known):
    parser = argparse.ArgumentParser(prog="./dev chaos", description=__doc__.splitlines()[0])
    parser.add_argument("--for", dest="seconds", type=duration, default=300.0, metavar="TIME",
                        help="how long in all: 90s, 30m, 1h [5m]")
    parser.add_argument("--only", action="append", choices=known, metavar="NAME",
                        help="only this scenario; may be given again: " + ", ".join(known))
    parser.add_argument("--seed", type=int, help="play what an earlier run played [by the clock]")
    parser.add_argument("--small", action="store_true", help="one short round of each, as ./dev test does")
    parser.add_argument("--list", action="store_true", help="say what there is, and end")
    return parser.parse_args()


def end_children():
    for run in harness.started:
        if run.running:
            run.kill9()
    harness.started.clear()


def play(scenario, binary, root, seed, seconds, small):
    """The trouble as text; None when everything held."""
    folder = root / scenario.name
    folder.mkdir()
    # Its own dice: what it plays does not depend on which others are played.
    chaos = Chaos(binary, folder, seed ^ zlib.crc32(scenario.name.encode()), seconds, small, sys.stdout)
    chaos.seed = seed
    print(f"{scenario.name}: {scenario.about}", flush=True)
    began = time.monotonic()
    trouble = None
    try:
        scenario.run(chaos)
    except Failed as failed:
        trouble = str(failed)
    except Exception:  # noqa: BLE001: an error of the harness is a failure of this scenario
        trouble = traceback.format_exc()
    finally:
        if trouble:
            for run in harness.started:
                for title, text in run.tails():
                    print(f"--- {title}\n{text}")
        end_children()
    facts = ", ".join(f"{count} {name}" for name, count in chaos.facts.items())
    print(f"  {'BROKE' if trouble else 'held'}: {chaos.rounds} rounds in {time.monotonic() - began:.0f} s"
          f"{': ' + facts if facts else ''}", flush=True)
    return trouble


def main():
    scenarios = [s for name in MODULES for s in __import__(name).SCENARIOS]
    chosen = arguments([s.name for s in scenarios])
    if chosen.only:
        scenarios = [s for s in scenarios if s.name in chosen.only]
    elif chosen.small:
        scenarios = [s for s in scenarios if s.small]
    if chosen.list:
        for s in scenarios:
            print(f"{s.name:24} {s.about}{' (' + ', '.join(s.needs) + ')' if s.needs else ''}")
        return 0
    binary = binary_under_test()
    seed = time.time_ns() % 10**9 if chosen.seed is None else chosen.seed
    print(f"seed {seed}", flush=True)
    root = Path(tempfile.mkdtemp(prefix="streamd-chaos-"))
    ends = time.monotonic() + chosen.seconds
    broke = []
    for k, scenario in enumerate(scenarios):
        share = max(0.0, ends - time.monotonic()) / (len(scenarios) - k)
        trouble = play(scenario, binary, root, seed, share, chosen.small)
        if trouble is None:
            shutil.rmtree(root / scenario.name, ignore_errors=True)
        else:
            broke.append((scenario, trouble))
    for scenario, trouble in broke:
        small = " --small" if chosen.small else ""
        print(f"\n{scenario.name}: {trouble}\n  its files: {root / scenario.name}\n"
              f"  again: ./dev chaos --only {scenario.name} --seed {seed}{small}")
    if broke:
        return 1
    root.rmdir()
    print(f"all {len(scenarios)} held")
    return 0


if __name__ == "__main__":
    sys.exit(main())
