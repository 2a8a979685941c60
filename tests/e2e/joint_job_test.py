# SPDX-License-Identifier: Apache-2.0
"""Several pipeline files given together that have an equal source: one job, which reads it once."""

import json

import pytest

from books import books_of
from harness import Streamd, call

SOURCE = """\
sources:
  %s:
    type: file
    path: in.ndjson
    follow: %s
    time: {field: ts, format: unix, max_delay: 0s}
"""
ALERTS = """\
pipeline: alerts
%s
operators:
  bad: {type: filter, input: requests, where: status >= 400}
sinks:
  out: {type: file, input: bad, path: alerts.ndjson}
"""
HISTORY = """\
pipeline: history
%s
operators:
  per_host: {type: window, input: raw, window: {tumbling: 10s}, by: [host], compute: {n: count()}}
sinks:
  out: {type: file, input: per_host, path: history.ndjson}
"""


def alerts(follow="false"):
    return ALERTS % SOURCE % ("requests", follow)


def history(follow="false"):
    return HISTORY % SOURCE % ("raw", follow)


def records(count):
    return [{"ts": n // 10, "host": f"h{n % 3}", "status": 400 if n % 5 == 0 else 200} for n in range(count)]


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def rows(path):
    return sorted(json.dumps(json.loads(line), sort_keys=True) for line in path.read_text().splitlines())


def job(streamd, folder, follow="false", **more):
    """alerts.yaml and history.yaml in one process."""
    (folder / "history.yaml").write_text(history(follow))
    return Streamd(streamd, alerts(follow), folder, args=["history.yaml"], name="alerts", **more)


def answers_apart(streamd, folder, made):
    folder.mkdir()
    write(folder / "in.ndjson", made)
    for name, text in (("alerts", alerts()), ("history", history())):
        assert Streamd(streamd, text, folder, name=name).run() == 0
    return rows(folder / "alerts.ndjson"), rows(folder / "history.ndjson")


@pytest.mark.parametrize("workers", [1, 3])
def test_one_job_reads_once_and_answers_as_two(streamd, tmp_path, workers):
    made = records(3000)
    write(tmp_path / "in.ndjson", made)
    run = job(streamd, tmp_path)
    assert run.run("--workers", workers) == 0, run.stderr
    books = books_of(run)
    assert books["alerts.requests"].read == 3000
    assert [name for name in books if name.startswith("history.")] == ["history.per_host", "history.out"]
    assert [p.name for p in run.state_dir.iterdir()] == ["alerts+history"]
    assert (rows(tmp_path / "alerts.ndjson"), rows(tmp_path / "history.ndjson")) == \
        answers_apart(streamd, tmp_path / "apart", made)


def test_a_kill_loses_nothing_in_either(streamd, tmp_path):
    made = records(40_000)
    write(tmp_path / "in.ndjson", made[:20_000])
    run = job(streamd, tmp_path, follow="true").start()
    for part in range(4):
        run.wait_until(lambda: (tmp_path / "alerts.ndjson").exists() and
                       len(rows(tmp_path / "alerts.ndjson")) >= 4000 + part * 1000, 30, "alerts of this part")
        run.kill9()
        with open(tmp_path / "in.ndjson", "a") as file:
            file.writelines(json.dumps(row) + "\n" for row in made[20_000 + part * 5000:25_000 + part * 5000])
        run.start()
    run.wait_until(lambda: len(rows(tmp_path / "alerts.ndjson")) == 8000, 30, "all alerts")
    assert run.sigterm() == 0
    assert job(streamd, tmp_path).run() == 0
    assert (rows(tmp_path / "alerts.ndjson"), rows(tmp_path / "history.ndjson")) == \
        answers_apart(streamd, tmp_path / "apart", made)


def test_state_of_a_file_that_ran_alone_is_not_left_behind_in_silence(streamd, tmp_path):
    write(tmp_path / "in.ndjson", records(100))
    alone = Streamd(streamd, alerts(), tmp_path, name="alerts")
    assert alone.run() == 0
    together = job(streamd, tmp_path)
    assert together.run() == 1
    assert "alerts+history has no state yet, but" in together.stderr and "it ran alone" in together.stderr
    assert "--fresh" in together.stderr
    assert together.run("--fresh") == 0, together.stderr
    assert "earlier state is kept in" in together.stderr
    again = Streamd(streamd, alerts(), tmp_path, name="alerts")
    assert again.run() == 1
    assert "it ran together with others" in again.stderr
    assert "run alerts, history again" in again.stderr


def test_dead_letters_of_a_joint_job_are_found_with_all_its_files(streamd, tmp_path):
    write(tmp_path / "in.ndjson", records(10))
    with open(tmp_path / "in.ndjson", "a") as file:
        file.write("no json\n")
    run = job(streamd, tmp_path)
    assert run.run() == 0
    shown = call(streamd, "dlq", "ls", "alerts.yaml", "history.yaml", "--state-dir", run.state_dir, cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert "1 of 1 dead letters" in shown.stdout and "alerts.requests" in shown.stdout
    (tmp_path / "other.yaml").write_text(alerts().replace("pipeline: alerts", "pipeline: other")
                                         .replace("in.ndjson", "other.ndjson").replace("alerts.n", "o.n"))
    apart = call(streamd, "dlq", "ls", "alerts.yaml", "other.yaml", "--state-dir", run.state_dir, cwd=tmp_path)
    assert apart.returncode == 2
    assert "share no source" in apart.stderr


def test_check_shows_the_job_and_what_collides(streamd, tmp_path):
    (tmp_path / "alerts.yaml").write_text(alerts())
    (tmp_path / "history.yaml").write_text(history())
    told = call(streamd, "check", "alerts.yaml", "history.yaml", cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    assert "pipelines alerts, history are one job" in told.stdout
    assert told.stdout.count("in.ndjson") == 1
    (tmp_path / "history.yaml").write_text(history().replace("history.ndjson", "alerts.ndjson"))
    collides = call(streamd, "check", "alerts.yaml", "history.yaml", cwd=tmp_path)
    assert collides.returncode == 2
    assert "history.yaml:" in collides.stderr
    assert 'sink "history.out" writes to the same place as sink "alerts.out"' in collides.stderr
