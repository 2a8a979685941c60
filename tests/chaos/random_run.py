# SPDX-License-Identifier: Apache-2.0
"""Scenario random: pipelines and data by chance, against the oracle.

Each is run straight with one worker, straight with several, and in pieces: its files grow while it
runs, it is killed at random moments and started again with another number of workers. All must
give the rows that the oracle says, and the uninterrupted runs its books too.
"""

import random
import shutil
import time
from pathlib import Path

import harness
import oracle
import random_pipeline
from books import books_of
from harness import Streamd, call
from random_case import Case
from random_compare import books_trouble, rows_trouble
from scenario import Scenario

KEPT = Path(__file__).parent / "cases"


class Refused(Exception):
    """streamd says that the pipeline is not valid."""


def check(binary, case, folder):
    path = folder / "checked.yaml"
    path.write_text(case.text())
    done = call(binary, "check", path)
    if done.returncode:
        raise Refused(done.stderr)


def straight(binary, case, answer, folder, workers):
    case.write(folder)
    run = Streamd(binary, case.text(), folder, args=["--workers", workers])
    if run.run(timeout=120) != 0:
        return [f"exit code {run.returncode}", run.stderr]
    return rows_trouble(case, answer, folder) + books_trouble(case, answer, books_of(run))


def in_pieces(binary, case, answer, folder, dice, kills):
    """Grows the files and kills, then lets it end."""
    run = Streamd(binary, case.text(follow=True), folder)
    # A file that comes later is a partition of its own time: all are there from the first line on.
    sizes = {path: text.find(b"\n", 200) + 1 or text.rfind(b"\n") + 1 for path, text in case.files.items()}
    if any(text and not text[:sizes[path]].strip() for path, text in case.files.items()):
        kills = 0
    for k in range(kills):
        for path, text in case.files.items():
            sizes[path] += int((len(text) - sizes[path]) * dice.choice([0, dice.random(), 2 / (kills - k + 1)]))
            case.grow(folder, path, sizes[path])
        run.start("--workers", dice.randint(1, 4))
        time.sleep(dice.choice([0.02, 0.06, 0.15]) * (0.5 + dice.random()))
        if not run.running:
            return [f"it ended by itself with {run.returncode}", run.stderr]
        run.kill9()
    case.write(folder)
    run.write(case.text())
    if run.run("--workers", dice.randint(1, 4), timeout=120) != 0:
        return [f"exit code {run.returncode}", run.stderr]
    books_of(run)
    return rows_trouble(case, answer, folder)


def trouble_of(binary, case, folder, dice, kills):
    """What is wrong with the case, and in which of its runs; empty when all is as it should be."""
    check(binary, case, folder)
    answer = oracle.answer(case)
    runs = {"one-worker": lambda at: straight(binary, case, answer, at, 1),
            "workers": lambda at: straight(binary, case, answer, at, dice.randint(2, 4)),
            "pieces": lambda at: in_pieces(binary, case, answer, at, dice, kills)}
    for name, play in runs.items():
        at = folder / name
        at.mkdir()
        found = play(at)
        if found:
            return [f"run {name} in {at}:", *found]
    return []


def play(chaos, title, case, dice):
    folder = chaos.new_folder(title)
    case.save(folder / "case.json")
    trouble = trouble_of(chaos.binary, case, folder, dice, 2 if chaos.small else 4)
    chaos.check(not trouble, f"{title}\n" + "\n".join(trouble) + f"\n  kept as {folder / 'case.json'}")
    harness.started.clear()  # nobody wants to see their logs
    shutil.rmtree(folder)


def run(chaos):
    for path in sorted(KEPT.glob("*.json")):
        play(chaos, path.stem, Case.load(path), random.Random(path.stem))
        chaos.count("kept cases")
    while chaos.goes_on():
        for _ in range(15 if chaos.small else 1):
            seed = chaos.dice.randrange(10**9)
            dice = random.Random(seed)
            case = random_pipeline.case(dice, dice.choice([100, 500, 2000]))
            play(chaos, f"seed-{seed}", case, dice)
            chaos.count("pipelines")


SCENARIOS = [Scenario("random", "random pipelines, straight, killed and re-sharded, against an oracle", run)]
