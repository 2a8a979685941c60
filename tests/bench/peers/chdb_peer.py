# SPDX-License-Identifier: Apache-2.0
"""ClickHouse, as the library chDB, on the file."""

from job import Peer
from packages import HERE, pypi

VERSION = "4.4.0"


class ChDB(Peer):
    def __init__(self):
        super().__init__(
            "ClickHouse (chDB)", VERSION, "file",
            "both cores; reads only the six fields it needs; sliding counts as a running sum over "
            "steps",
            "a batch engine: no event time, no state, no late records; it must see the whole file before "
            "its first answer")

    def fetch(self, directory):
        self.python = pypi("chdb", VERSION)

    def command(self, job):
        return [self.python, "-B", HERE / "chdb_job.py", job.path, job.place], {}
