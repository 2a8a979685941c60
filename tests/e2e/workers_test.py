# SPDX-License-Identifier: Apache-2.0
"""Several workers give the answers of one, and the same books, however records travel between
them: windows over few keys get sums, others records, all of them what passed `where` before."""

import json
import random

import pytest

from books import books_of, sorted_outputs
from harness import Streamd

FILES = 3

PIPELINE = """\
pipeline: workers
checkpoint: {every: 50ms}
dead_letters: dead
sources:
  requests: {type: file, path: "../in/*.ndjson", follow: false,
             time: {field: at, format: unix, max_delay: 1s, late: route}}
operators:
  errors: {type: window, input: requests, where: status >= 400, window: {sliding: 3s, every: 1s}, by: [host],
           compute: {n: count(), longest: max(took), first: min(client)}, having: n > 1}
  all: {type: window, input: requests, window: {tumbling: 1s},
        compute: {n: count(), sum: sum(took), mean: avg(took), rate: rate(), bad: share(status >= 500)}}
  sets: {type: window, input: requests, where: status < 300, window: {tumbling: 2s}, by: [country, host],
         compute: {n: count(), clients: distinct(client)}}
  visits: {type: window, input: requests, where: status < 500, window: {session: {gap: 1s, max: 5s}}, by: [client],
           compute: {n: count()}, having: n > 1}
  totals: {type: window, input: all, window: {tumbling: 5s}, compute: {n: sum(n), seconds: count()}}
sinks:
"""
NODES = ("errors", "all", "sets", "visits", "totals")
SINKS = "".join(f"  {name}_out: {{type: file, input: {name}, path: out/{name}}}\n" for name in NODES)
LATE = "  late: {type: file, input: [errors.late, all.late, sets.late], path: out/late}\n"
DEAD = "  dead: {type: file, path: out/dead}\n"


def requests(folder):
    """Few hosts, many clients; records that are late, that have no host, or a text for a number."""
    dice = random.Random(9)
    for part in range(FILES):
        with open(folder / f"{part}.ndjson", "w", encoding="ascii") as file:
            for n in range(4000):
                at = n * 0.005 - (6 if n > 1000 and dice.random() < 0.02 else 0) - dice.random() / 2
                record = {"at": at, "status": dice.choice((200, 200, 204, 301, 404, 500)),
                          "took": dice.randrange(1000) / 8, "host": f"h{dice.randrange(8)}",
                          "country": dice.choice("ABC"), "client": f"c{dice.randrange(2000)}"}
                if n % 100 == 50:
                    del record["host"]
                elif n % 100 == 51:
                    record["took"] = "long"
                file.write(json.dumps(record) + "\n")


def run_of(streamd, folder, workers):
    folder.mkdir()
    run = Streamd(streamd, PIPELINE + SINKS + LATE + DEAD, folder, args=["--workers", workers])
    assert run.run() == 0, run.stderr
    return run


@pytest.mark.parametrize("workers", [2, 3, FILES + 1])
def test_several_workers_answer_as_one(streamd, tmp_path, workers):
    (tmp_path / "in").mkdir()
    requests(tmp_path / "in")
    one, several = (run_of(streamd, tmp_path / str(n), n) for n in (1, workers))
    expected, found = (sorted_outputs(run.directory / "out") for run in (one, several))
    assert expected.keys() == {*NODES, "late", "dead"}
    assert all(expected.values()), {name: len(rows) for name, rows in expected.items()}
    for name, rows in expected.items():
        assert found[name] == rows, name
    assert books_of(several) == books_of(one)
