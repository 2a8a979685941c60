# SPDX-License-Identifier: Apache-2.0
"""Followed logs that are cut and begin as before, over restarts of both kinds, and more files than a
process may have open: every line arrives once."""

import json
import re

import pytest

from books import books_of, whole_rows
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


def limited(streamd, directory, soft, hard):
    """The binary, with so many descriptors."""
    script = directory / "limited"
    script.write_text(f'#!/bin/sh\nulimit -Sn {soft} && ulimit -Hn {hard} && exec {streamd} "$@"\n')
    script.chmod(0o755)
    return script


READ = """\
pipeline: tail
checkpoint: {every: 20ms}
sources:
  lines: {type: file, path: 'logs/*'}
sinks:
  out: {type: file, input: lines, path: out/lines.ndjson}
"""


@pytest.mark.parametrize("workers", [1, 2])
def test_more_files_than_may_be_open_are_read(streamd, tmp_path, workers):
    (tmp_path / "logs").mkdir()
    names = [f"{number:04}" for number in range(400)]
    for name in names:
        (tmp_path / "logs" / name).write_text(json.dumps({"text": name}) + "\n")
    run = Streamd(limited(streamd, tmp_path, 128, 128), READ, tmp_path, ("--workers", workers), name="tail")
    assert run.run(timeout=120) == 0
    assert sorted(row["text"] for row in whole_rows(tmp_path / "out/lines.ndjson")) == names
    assert "Too many open files" not in run.stderr
    assert books_of(run)["lines"].read == len(names)


def test_the_limit_of_open_files_is_raised_as_far_as_it_goes(streamd, tmp_path):
    log = Log(limited(streamd, tmp_path, 200, 333), tmp_path)
    log.begin("one")
    log.run.start()
    log.await_all()
    with open(f"/proc/{log.run.pid}/limits") as limits:
        assert re.search(r"^Max open files +333 +333 ", limits.read(), re.MULTILINE)
    assert log.run.sigterm() == 0
