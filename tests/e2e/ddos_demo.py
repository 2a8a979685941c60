#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""./dev demo ddos: pipelines/ddos.yaml on an access log of forty minutes with six attacks and a crowd in it, and how
well each method found the attackers.

exit: 0 they were found and nobody else was, 1 not so, 2 the arguments are wrong
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE)]

import ddos_quality as quality  # noqa: E402
from ddos_traffic import everything  # noqa: E402

ROOT = HERE.parents[1]
SHOWN = 12  # Lines of what is told.


def say(text):
    print(f"==> {text}", flush=True)


def shown_path(path):
    return os.path.relpath(path, ROOT) if path.is_relative_to(ROOT) else path


def run(options, pipeline, folder, quiet):
    """What the run told; its table and progress go to our own standard error."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ddos.yaml").write_text(pipeline)
    environment = {**os.environ, **quality.environment(options.folder / "access.log", folder)}
    command = ["setpriv", "--pdeathsig", "TERM", options.streamd, "run", folder / "ddos.yaml", "--fresh"]
    with tempfile.TemporaryDirectory(prefix="streamd-demo.") as state:
        command += ["--state-dir", state] + ([] if quiet else ["--progress"])
        with open(folder / "told.txt", "w") as told:
            done = subprocess.run(command, env=environment, stdout=told,
                                  stderr=subprocess.PIPE if quiet else None, text=True)
    if done.returncode != 0:
        sys.exit(f"streamd ended with {done.returncode}\n{done.stderr or ''}")
    return (folder / "told.txt").read_text()


def play(options):
    """The exit code."""
    out = options.folder
    traffic = everything(visitors=200, swarm=700, crowd=1200) if options.small else everything()
    traffic.write(out / "access.log")
    attackers = sum(len(who) for who in traffic.attackers.values())
    clients = len({client for _, client, *_ in traffic.requests})
    say(f"{len(traffic.requests)} requests of {clients} clients, {attackers} of them attackers: "
        f"{shown_path(out)}/access.log")
    told = run(options, quality.pipeline(), out, quiet=False).splitlines()
    print()
    print("\n".join(told[:SHOWN]))
    print(f"… and {len(told) - SHOWN} more in {shown_path(out)}/told.txt\n")
    say("the same once more, for what each method alone has to say")
    every = run(options, quality.pipeline(every_reason=True), out / "reasons", quiet=True)
    blocked, networks = ((out / name).read_text().split() for name in ("blocked.txt", "networks.txt"))
    rows, by_attack = quality.table(traffic, quality.reasons(every), set(blocked), networks)
    print(f"\n{quality.shown(rows, by_attack)}\n")
    program = shown_path(options.streamd)
    print("Three things to try next:\n"
          f"  head -n 3 {shown_path(out)}/blocked.txt {shown_path(out)}/networks.txt\n"
          f"  (ACCESS_LOG=/var/log/nginx/access.log {program} check pipelines/ddos.yaml)   # and without check\n"
          f"  {program} docs score")
    return verdict(rows)


def verdict(rows):
    name, _, wrong, precision, recall = rows[-1]
    if (precision or 0) >= 0.99 and recall >= 0.95:
        return 0
    say(f"not good enough: {name}, precision {precision}, recall {recall}, {wrong} wrong")
    return 1


def main():
    parser = argparse.ArgumentParser(prog="./dev demo ddos", description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="a third of the traffic")
    parser.add_argument("--folder", type=Path, default=ROOT / "out/demo-ddos",
                        help="what is left to look at; emptied before [out/demo-ddos]")
    parser.add_argument("--streamd", type=Path, help=argparse.SUPPRESS,
                        default=os.environ.get("STREAMD_BIN", ROOT / "build/release/bin/streamd"))
    options = parser.parse_args()
    options.streamd, options.folder = Path(options.streamd).resolve(), options.folder.resolve()
    if not os.access(options.streamd, os.X_OK):
        parser.error(f"{options.streamd} is not there: run ./dev build")
    shutil.rmtree(options.folder, ignore_errors=True)
    options.folder.mkdir(parents=True)
    return play(options)


if __name__ == "__main__":
    sys.exit(main())
