# SPDX-License-Identifier: Apache-2.0
"""What a scenario of the chaos harness is, and what it is given.

A scenario injures pipelines for as long as it is told and compares what they answer with the
answers of an undisturbed run, or of a brute force. It lives in tests/chaos/NAME.py:

    def run(chaos):
        log = chaos.folder / "requests.ndjson"
        while chaos.goes_on():            # at least one round, and until the time is over
            ...
            chaos.check(found == expected, "the files differ")

    SCENARIOS = [Scenario("kill", "kill -9 every 1 to 5 s", run)]

and is listed in chaos.py. Everything random comes from chaos.dice, so that the seed which a
failure prints makes the same round again.
"""

import os
import random
import time
from dataclasses import dataclass
from typing import Callable


class Failed(AssertionError):
    """An answer is wrong, the books do not balance, or something never came."""


@dataclass(frozen=True)
class Scenario:
    name: str
    about: str
    run: Callable
    needs: tuple = ()    # programs it starts, e.g. "kafka"; for the listing only
    small: bool = True   # has a form of a few seconds, which ./dev test runs


class Chaos:
    """What one scenario has: its binary, its folder, its dice and its time.

    binary   the streamd under test
    folder   an empty directory of its own
    small    a few seconds in all: one round, little data
    seconds  how long to go on; 0 when small
    """

    def __init__(self, binary, folder, seed, seconds, small, out):
        self.binary = str(binary)
        self.folder = folder
        self.seed = seed
        self.dice = random.Random(seed)
        self.seconds = 0 if small else seconds
        self.small = small
        self.rounds = 0
        self.facts = {}
        self._out = out
        self._began = time.monotonic()

    def goes_on(self):
        """True for the first round, and as long as there is time for one more like the last."""
        spent = time.monotonic() - self._began
        one = spent / self.rounds if self.rounds else 0
        if self.rounds and spent + one > self.seconds:
            return False
        self.rounds += 1
        return True

    def time_left(self):
        return max(0.0, self.seconds - (time.monotonic() - self._began))

    def new_folder(self, name):
        """An empty directory for one run."""
        path = self.folder / f"{self.rounds:03}-{name}"
        path.mkdir(parents=True)
        return path

    def check(self, true, what):
        if not true:
            raise Failed(what)

    def count(self, name, more=1):
        """Facts of the closing table: how often what was done to it."""
        self.facts[name] = self.facts.get(name, 0) + more

    def say(self, text):
        self._out.write(f"    {text}\n")
        self._out.flush()


def binary_under_test():
    path = os.environ.get("STREAMD_BIN", "build/release/bin/streamd")
    if not os.access(path, os.X_OK):
        raise SystemExit(f"chaos: {path} is not an executable file: run ./dev build, or set STREAMD_BIN")
    return os.path.abspath(path)
