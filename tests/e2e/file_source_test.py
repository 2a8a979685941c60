# SPDX-License-Identifier: Apache-2.0
"""Followed logs that are cut and begin as before: every line arrives once, over restarts of both kinds."""

import json

import pytest

from books import whole_rows
from harness import Streamd

TAIL = """\
pipeline: tail
checkpoint: {every: 20ms}
sources:
  lines: {type: file, path: log, follow: true, scan_every: 10ms}
sinks:
  out: {type: file, input: lines, path: out/lines.ndjson}
"""

ENDS = pytest.mark.parametrize("end", ["sigterm", "kill9"])


class Log:
    """A log, what was written to it, and the run that follows it."""

    def __init__(self, streamd, directory):
        self.run = Streamd(streamd, TAIL, directory, name="tail")
        self.path = directory / "log"
        self.written = []

    def begin(self, *texts):
        """Cuts the log, as `>` does, and writes these lines."""
        self._write("w", texts)

    def append(self, *texts):
        self._write("a", texts)

    def _write(self, mode, texts):
        with open(self.path, mode) as log:
            log.write("".join(json.dumps({"text": text}) + "\n" for text in texts))
        self.written += texts

    def arrived(self):
        return [row["text"] for row in whole_rows(self.run.directory / "out/lines.ndjson")]

    def await_all(self):
        """Until all lines have arrived and are part of a checkpoint."""
        self.run.wait_until(lambda: len(self.arrived()) >= len(self.written), what="all lines arrive")
        assert self.arrived() == self.written
        # One epoch may have begun before.
        enough = self.epoch() + 2
        self.run.wait_until(lambda: self.epoch() >= enough, what="a checkpoint")

    def epoch(self):
        note = self.run.state_dir / "tail/EPOCH"
        return int(note.read_text().split()[0]) if note.exists() else 0


@pytest.fixture
def log(streamd, tmp_path):
    return Log(streamd, tmp_path)


@ENDS
def test_lines_that_a_cut_log_had_before_are_not_lost(log, end):
    log.begin("boot", "ready", "job done")
    log.run.start()
    log.await_all()
    log.begin("boot")
    log.await_all()
    getattr(log.run, end)()
    log.append("ready", "job done")
    log.run.start()
    log.await_all()
    assert log.run.sigterm() == 0


@ENDS
def test_lines_of_a_cut_log_do_not_come_twice(log, end):
    log.begin("boot", "ready")
    log.run.start()
    log.await_all()
    log.begin("boot")
    log.await_all()
    log.append("ready", *(f"request {n}" for n in range(1, 6)))
    log.await_all()
    getattr(log.run, end)()
    log.run.start()
    log.append("last")
    log.await_all()
    assert log.run.sigterm() == 0


def test_a_log_that_is_cut_again_and_again_leaves_one_position(log):
    log.begin("boot", "ready")
    log.run.start()
    log.await_all()
    for _ in range(12):
        log.begin("boot")
        log.await_all()
        log.append("ready")
        log.await_all()
    assert log.run.sigterm() == 0
    log.run.start()
    log.append("last")
    log.await_all()
    assert log.run.sigterm() == 0
    assert "positions of 1 partitions" in log.run.stderr
    assert "was written anew" not in log.run.stderr
