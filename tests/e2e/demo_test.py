# SPDX-License-Identifier: Apache-2.0
"""pipelines/demo.yaml, which `./dev demo` runs, with fewer records and at full speed."""

import csv
import os
import re
from pathlib import Path

from books import books_of, lines, rows
from harness import Streamd

COUNT = 300_000
ATTACKERS = 5


def test_the_demo_finds_each_attacker_and_ends_with_a_table(streamd, tmp_path):
    text = (Path(os.environ["STREAMD_SOURCE_DIR"]) / "pipelines/demo.yaml").read_text()
    # Five minutes of event time, as in the original, one attacker in each.
    for key, value in (("count", COUNT), ("rate", COUNT // 300), ("speed", 0)):
        text, changed = re.subn(rf"(?m)^(    {key}: )\d+", rf"\g<1>{value}", text)
        assert changed == 1, key
    run = Streamd(streamd, text, tmp_path, args=["--progress"])
    assert run.run(timeout=120) == 0, run.stderr

    alerts = run.stdout.splitlines()
    assert alerts and all(line.startswith("ALERT  ") for line in alerts)
    for n in range(1, ATTACKERS + 1):
        found = [a for a in alerts if re.match(rf"ALERT  203\.0\.113\.{n} sent 11 requests", a)]
        assert len(found) == 1, found
    assert any(re.match(r"ALERT  api_\d+\.example\.com gave 16 answers of status 4xx", a)
               for a in alerts)

    books = books_of(run)
    assert books["requests"].read == books["raw"].written == COUNT
    assert books["alerts"].written + books["host_alerts"].written == len(alerts)
    # What a window's `where` leaves out is counted; nothing else is missing anywhere.
    assert {node: list(b.left) for node, b in books.items() if b.left} == {
        "failing_hosts": ["filtered"], "per_country": ["filtered"]}

    out = tmp_path / "out/demo"
    assert len(lines(out / "requests.ndjson")) == COUNT
    minutes = {row["window_end"] for row in rows(out / "countries.ndjson")}
    assert len(minutes) in (5, 6)  # disorder may reach into the minute before
    with open(out / "hosts.csv", newline="") as file:
        hosts = list(csv.DictReader(file))
    assert {"host", "average", "requests", "window_start", "window_end"} == set(hosts[0])
    assert sum(int(row["requests"]) for row in hosts) == COUNT
