# SPDX-License-Identifier: Apache-2.0
"""`./dev demo syslog`: the same program, on the binary under test."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import syslog_demo
import syslog_job

ROOT = Path(os.environ.get("STREAMD_SOURCE_DIR", Path(__file__).resolve().parents[2]))


@pytest.fixture(scope="module")
def shown(streamd, tmp_path_factory):
    """What it printed."""
    done = subprocess.run(
        [sys.executable, "-B", ROOT / "tests/e2e/syslog_demo.py", "--folder", tmp_path_factory.mktemp("demo") / "left",
         "--streamd", streamd], capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_shows_what_reached_where(shown):
    table = re.findall(r"^(.{14})(.{30}) *(\d+) +(\d+)$", shown, re.M)
    assert len(table) == 3 and all(arrived == expected and int(arrived) > 0 for _, _, arrived, expected in table), shown
    assert shown.rstrip().endswith("the services are stopped")


def test_it_shows_the_alerts_as_text(shown):
    for what in ("PASSWORD GUESSING", "SILENT HOST", "HOST IS BACK", "LISTED ADDRESS"):
        assert f"│ ▌ {what}" in shown
    assert syslog_job.CLUMSY not in shown


def test_the_things_to_try_next_work(shown):
    commands = re.findall(r"^  (\(set -a; .*\))$", shown, re.M)
    assert len(commands) == 2
    for command in commands:
        done = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and done.stdout, (command, done.stderr)


def test_what_is_missing_or_too_much_is_wrong(tmp_path, capsys):
    (tmp_path / "messages.txt").write_text("")
    expected = {("silent host", "db2 has")}
    assert syslog_job.beyond([("silent host", "db2 has said")], expected) == []
    assert len(syslog_job.beyond([], expected)) == 1
    assert len(syslog_job.beyond([("silent host", "db2 has said")] * 2, expected)) == 1
    assert len(syslog_job.beyond([("silent host", "db2 has said"), ("silent host", "db1 has said")], expected)) == 1
    assert syslog_demo.show([], [("Discord", "alerts", 4, 5)], tmp_path, "streamd") == 1
    assert syslog_demo.show([], [("Discord", "alerts", 5, 5)], tmp_path, "streamd") == 0
    assert capsys.readouterr().out.count("WRONG") == 1
