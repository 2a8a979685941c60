# SPDX-License-Identifier: Apache-2.0
"""`./dev demo shodan` in small: the same program, with fewer banners and no pauses."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import shodan_demo

ROOT = Path(os.environ.get("STREAMD_SOURCE_DIR", Path(__file__).resolve().parents[2]))


@pytest.fixture(scope="module")
def shown(streamd, tmp_path_factory):
    """What it printed, and the folder that it left."""
    folder = tmp_path_factory.mktemp("demo")
    done = subprocess.run(
        [sys.executable, "-B", ROOT / "tests/e2e/shodan_demo.py", "--banners", "40", "--seconds", "0",
         "--folder", folder, "--streamd", streamd], capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, folder


def test_it_shows_what_reached_where(shown):
    text, _ = shown
    table = re.findall(r"^(.{14})(.{52}) *(\d+) +(\d+)$", text, re.M)
    assert len(table) == 14 and all(arrived == expected for _, _, arrived, expected in table), text
    assert [place.strip() for place, *_ in table if place.strip()] == [
        "Shodan", "cleaned away", "CrowdSec", "Kafka", "MongoDB", "Discord"]
    # Nothing is compared with nothing.
    assert all(int(arrived) > 0 for _, _, arrived, _ in table), text
    assert text.count("starting ") == 5 and text.rstrip().endswith("the services are stopped")


def test_it_shows_the_messages_of_discord_as_text(shown):
    text, _ = shown
    assert "#alerts  streamd" in text
    assert re.search(r"│ ▌ .*: CROWDSEC: BAN", text) and re.search(r"│ ▌ .*: PORT \d+/TCP", text)
    assert re.search(r"│ ▌ .*: CVE-\d+-\d+", text)


def test_the_things_to_try_next_work(shown, streamd):
    text, _ = shown
    commands = re.findall(r"^  (\(set -a; .*\))$", text, re.M)
    assert len(commands) == 2
    for command in commands:
        done = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and done.stdout, (command, done.stderr)


def test_it_fails_when_something_did_not_arrive(tmp_path, capsys):
    (tmp_path / "messages.txt").write_text("")
    good = [("Kafka", "records", 5, 5)]
    assert shodan_demo.show(good, set(), [], tmp_path, "streamd") == 0
    assert shodan_demo.show([*good, ("Discord", "findings", 4, 5)], set(), [], tmp_path, "streamd") == 1
    assert shodan_demo.show(good, {("192.0.2.1", "port 22/tcp")}, [], tmp_path, "streamd") == 1
    assert shodan_demo.show(good, set(), ["chat: in 5, out 4"], tmp_path, "streamd") == 1
    assert capsys.readouterr().out.count("WRONG") == 3


def test_too_few_banners_are_refused():
    done = subprocess.run([sys.executable, "-B", ROOT / "tests/e2e/shodan_demo.py", "--banners", "3"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "nothing to see" in done.stderr
