#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""./dev demo ddos: pipelines/ddos.yaml on an access log of forty minutes with six attacks and a crowd in it, and how
well each method found the attackers.

exit: 0 they were found and nobody else was, 1 not so
"""

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
STREAMD = os.environ["STREAMD_BIN"]
OUT = ROOT / "out/demo-ddos"
SHOWN = 12  # Lines of what is told.


def say(text):
    print(f"==> {text}", flush=True)


def run(pipeline, folder, quiet):
    """What the run told; its table and progress go to our own standard error."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "ddos.yaml"
    file.write_text(pipeline)
    environment = {**os.environ, **quality.environment(OUT / "access.log", folder)}
    command = ["setpriv", "--pdeathsig", "TERM", STREAMD, "run", str(file), "--fresh"]
    with tempfile.TemporaryDirectory(prefix="streamd-demo.") as state:
        command += ["--state-dir", state] + ([] if quiet else ["--progress"])
        with open(folder / "told.txt", "w") as told:
            done = subprocess.run(command, env=environment, stdout=told,
                                  stderr=subprocess.PIPE if quiet else None, text=True)
    if done.returncode != 0:
        sys.exit(f"{STREAMD} ended with {done.returncode}\n{done.stderr or ''}")
    return (folder / "told.txt").read_text()


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    traffic = everything()
    traffic.write(OUT / "access.log")
    attackers = sum(len(who) for who in traffic.attackers.values())
    clients = len({client for _, client, *_ in traffic.requests})
    say(f"{len(traffic.requests)} requests of {clients} clients, {attackers} of them attackers: {OUT.relative_to(ROOT)}/access.log")

    told = run(quality.pipeline(), OUT, quiet=False).splitlines()
    print()
    print("\n".join(told[:SHOWN]))
    print(f"… and {len(told) - SHOWN} more in {OUT.relative_to(ROOT)}/told.txt\n")

    say("the same once more, for what each method alone has to say")
    by_reason = quality.reasons(run(quality.pipeline(every_reason=True), OUT / "reasons", quiet=True))
    blocked = set((OUT / "blocked.txt").read_text().split())
    rows, by_attack = quality.table(traffic, by_reason, blocked, (OUT / "networks.txt").read_text().split())
    print(f"\n{quality.shown(rows, by_attack)}\n")

    streamd = os.path.relpath(STREAMD, ROOT)
    print("Three things to try next:\n"
          f"  head -n 3 {OUT.relative_to(ROOT)}/blocked.txt {OUT.relative_to(ROOT)}/networks.txt\n"
          f"  ACCESS_LOG=/var/log/nginx/access.log {streamd} check pipelines/ddos.yaml      then without check\n"
          f"  {streamd} docs score      what the weights mean")
    name, _, wrong, precision, recall = rows[-1]
    good = (precision or 0) >= 0.99 and recall >= 0.95
    if not good:
        say(f"not good enough: {name} {precision} and {recall}, {wrong} wrong")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
