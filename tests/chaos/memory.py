# SPDX-License-Identifier: Apache-2.0
"""How much memory a run has had at most, and the limit for it: BASE, and PER_KEY for each key. A
sanitizer takes a few times as much.
"""

import time

from file_job import check_books

MIB = 1 << 20
# Of a release build, in bytes: the program, its buffers and those of RocksDB.
BASE, PER_KEY = 300 * MIB, 400


class Memory:
    """The most memory that a process has had; asks again until it ends."""

    def __init__(self, chaos):
        self.chaos, self.most = chaos, 0
        with open(chaos.binary, "rb") as binary:
            self.factor = 5 if b"__asan_init" in binary.read() else 1

    def look(self, pid):
        try:
            with open(f"/proc/{pid}/status") as file:
                found = [int(line.split()[1]) for line in file if line.startswith("VmHWM:")]
        except FileNotFoundError:
            return
        self.most = max(self.most, 1024 * sum(found))

    def check(self, limit, what):
        self.chaos.check(0 < self.most <= limit * self.factor,
                         f"{what}: {self.most // MIB} MiB of memory, the limit is {limit // MIB}")
        self.chaos.facts["MiB at most"] = max(self.chaos.facts.get("MiB at most", 0), self.most // MIB)


def run_to_end(chaos, run, limit, what, timeout):
    """The books of a run that ends by itself and needs no more memory than that."""
    memory = Memory(chaos)
    run.start()
    ends = time.monotonic() + timeout
    while run.running:
        memory.look(run.pid)
        chaos.check(time.monotonic() < ends, f"{what}: not done after {timeout} s")
        time.sleep(0.02)
    chaos.check(run.returncode == 0, f"{what}: exit code {run.returncode}: {run.stderr[-2000:]}")
    memory.check(limit, what)
    return check_books(chaos, run)
