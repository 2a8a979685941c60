# SPDX-License-Identifier: Apache-2.0
"""Each example plugin once through the real binary, and those with state through kill -9."""

import json
import random
import socket
import sqlite3

import pytest

from harness import Streamd, call, free_port, wait_until
from plugin_host import SOURCE, example, library, run


def rows(text):
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def output(streamd, name, folder):
    """What the example's pipeline writes to standard output."""
    job = Streamd(streamd, example(streamd, name, folder), folder, name="example")
    assert job.run() == 0, job.stderr
    return rows(job.stdout)


def test_sessions_are_made_of_clicks(streamd, tmp_path):
    # Users are on several workers, so the order among them is anyone's.
    assert sorted(output(streamd, "sessions", tmp_path), key=lambda row: row["started"]) == [
        {"user": "ann", "started": "2024-01-01T09:00:00Z", "ended": "2024-01-01T09:12:00Z", "clicks": 3},
        {"user": "bob", "started": "2024-01-01T09:01:00Z", "ended": "2024-01-01T09:01:00Z", "clicks": 1},
        {"user": "ann", "started": "2024-01-01T11:00:00Z", "ended": "2024-01-01T11:00:00Z", "clicks": 1}]


def test_beaconing_finds_the_one_who_calls_home(streamd, tmp_path):
    found = output(streamd, "beaconing", tmp_path)
    assert [(r["status"], r["client"], r["destination"]) for r in found] == [
        ("found", "192.0.2.7", "c2.example"), ("ended", "192.0.2.7", "c2.example")]
    assert found[0]["calls"] == 12 and found[1]["calls"] == 30
    assert 55 < found[1]["interval"] < 65 and found[1]["spread"] < 0.1


def test_dga_score_is_a_function_of_expressions(streamd, tmp_path):
    found = output(streamd, "dga_score", tmp_path)
    assert [r["query"] for r in found] == ["xjwqpzkfhvtrnb.com",
                                           "8f14e45fceea167a5a36dedd4bea2543.net"]
    assert all(0.5 < r["score"] <= 1 for r in found)


def test_mask_in_c_hides_addresses(streamd, tmp_path):
    assert output(streamd, "mask", tmp_path) == [
        {"client": "192.0.2.*", "who": "a***@example.org"},
        {"client": "2001:db8:1:*", "who": "b***@example.org"}]


def test_typosquat_in_rust_finds_imitations(streamd, tmp_path):
    found = output(streamd, "typosquat", tmp_path)
    assert [(r["query"], r["brand"], r["distance"]) for r in found] == [
        ("www.paypa1.com", "paypal", 1), ("exmaple.net", "example.org", 1)]


def table(folder, sql):
    with sqlite3.connect(folder / "requests.db") as database:
        return database.execute(sql).fetchall()


def test_sqlite_has_each_record_once(streamd, tmp_path):
    job = Streamd(streamd, example(streamd, "sqlite_sink", tmp_path), tmp_path, name="example")
    assert job.run() == 0, job.stderr
    expected = [("192.0.2.7", 403, "/login"), ("192.0.2.7", 404, "/admin")]
    assert table(tmp_path, "SELECT client, status, url FROM failed ORDER BY status") == expected
    assert job.run("--fresh") == 0, job.stderr  # reads all of it again
    assert table(tmp_path, "SELECT client, status, url FROM failed ORDER BY status") == expected


def test_sqlite_explains_a_table_of_another_shape(streamd, tmp_path):
    text = example(streamd, "sqlite_sink", tmp_path)
    with sqlite3.connect(tmp_path / "requests.db") as database:
        database.execute("CREATE TABLE failed (client, status, url)")
    job = Streamd(streamd, text, tmp_path, name="example")
    assert job.run() == 1
    assert "another primary key than record_id" in job.stderr


def test_udp_datagrams_become_records(streamd, tmp_path):
    port = free_port()
    text = example(streamd, "udp_source", tmp_path).replace("5140", str(port))
    job = Streamd(streamd, text, tmp_path, name="example").start()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        def arrived():
            # The first ones are lost while nobody listens yet.
            sender.sendto(b"hello", ("127.0.0.1", port))
            return rows(job.stdout)

        job.wait_until(arrived, 30, "the first datagram")
        sender.sendto("gr\u00fcezi".encode(), ("127.0.0.1", port))
        job.wait_until(lambda: rows(job.stdout)[-1]["message"] == "gr\u00fcezi", 30, "the last one")
    assert job.sigterm() == 0, job.stderr


@pytest.mark.parametrize("name", ["beaconing", "dga_score", "mask", "sessions", "typosquat"])
def test_the_pipeline_of_an_example_passes_its_test(streamd, tmp_path, name):
    example(streamd, name, tmp_path)
    done = call(streamd, "test", "example.test.yaml", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["beaconing", "dga_score", "mask", "sessions", "sqlite_sink", "typosquat",
                                  "udp_source"])
def test_an_example_bears_what_every_user_meets(streamd, name):
    done = call(streamd, "plugin", "test", library(streamd, name))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["beaconing", "mask", "sessions", "typosquat"])
def test_the_reference_of_a_plugin_is_that_of_a_component(streamd, name):
    done = call(streamd, "docs", name, "--plugin", library(streamd, name))
    assert done.returncode == 0, done.stderr
    assert f"`{name}`" in done.stdout and "## Keys" in done.stdout


def test_a_wrong_option_is_explained_at_its_place(streamd, tmp_path):
    text = example(streamd, "beaconing", tmp_path).replace("min_calls: 12", "min_cals: 12, max_spread: 7")
    (tmp_path / "example.yaml").write_text(text)
    done = call(streamd, "check", "example.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert "example.yaml:8:" in done.stderr
    assert "min_calls" in done.stderr and "max_spread must be above 0" in done.stderr


# --- kill -9 -------------------------------------------------------------------------------

KILLED = """\
pipeline: killed
checkpoint: {every: 20ms}
plugins: [%s]
sources:
  calls: {type: file, path: calls.ndjson, time: {field: time, format: unix}}
operators:
  beacons: {type: beaconing, input: calls, by: [client, destination], min_calls: 8}
sinks:
  raw: {type: file, input: calls, path: raw.ndjson}
  out: {type: file, input: beacons, path: out.ndjson}
"""


def write_calls(path, count, seed=3):
    """A hundred clients with a period of their own each, another hundred without one."""
    dice, made = random.Random(seed), []
    for client in range(200):
        period = dice.uniform(20, 90)
        now = 1_704_067_200 + dice.uniform(0, period)
        for _ in range(count // 200):
            made.append((round(now, 3), f"client{client}"))
            now += period * dice.uniform(0.9, 1.1) if client < 100 else dice.expovariate(1 / period)
    made.sort()
    path.write_text("".join(json.dumps({"time": t, "client": c, "destination": "x"}) + "\n"
                            for t, c in made))


def test_state_and_timers_survive_kills(streamd, tmp_path):
    text = KILLED % library(streamd, "beaconing")
    folders = {name: tmp_path / name for name in ("straight", "killed")}
    for folder in folders.values():
        folder.mkdir()
        write_calls(folder / "calls.ndjson", 100_000)
    straight = Streamd(streamd, text, folders["straight"], args=["--workers", 1])
    assert straight.run(timeout=120) == 0, straight.stderr
    expected = sorted((folders["straight"] / "out.ndjson").read_text().splitlines())
    for status in ("found", "ended"):
        assert sum(f'"{status}"' in line for line in expected) >= 95

    job = Streamd(streamd, text, folders["killed"], args=["--workers", 1])
    raw = folders["killed"] / "raw.ndjson"
    size = (folders["killed"] / "calls.ndjson").stat().st_size
    kills = 0
    for k in range(10):
        job.start()
        wait_until(lambda: not job.running or (raw.exists() and raw.stat().st_size > size * k / 12),
                   60, "progress")
        kills += job.running
        job.kill9()
    assert kills >= 8, "the run ended before it was killed often enough"
    assert job.run(timeout=120) == 0, job.stderr
    # Who ends between two batches is told by its timer, else by its next call: not in one order.
    assert sorted((folders["killed"] / "out.ndjson").read_text().splitlines()) == expected


def test_state_is_found_again_by_another_number_of_workers(streamd, tmp_path):
    text = KILLED % library(streamd, "beaconing")
    write_calls(tmp_path / "calls.ndjson", 40_000)
    job = Streamd(streamd, text, tmp_path)
    assert job.run("--workers", 1, timeout=120) == 0, job.stderr
    expected = sorted((tmp_path / "out.ndjson").read_text().splitlines())
    for path in ("out.ndjson", "raw.ndjson"):
        (tmp_path / path).unlink()
    job.start("--fresh", "--workers", 2)
    wait_until(lambda: not job.running or (tmp_path / "raw.ndjson").exists(), 60, "a start")
    job.kill9()
    assert job.run("--workers", 3, timeout=120) == 0, job.stderr
    assert sorted((tmp_path / "out.ndjson").read_text().splitlines()) == expected


def test_examples_build_outside_of_the_tree(streamd, tmp_path):
    """The C one, for speed; plugin_new_test.py builds C++ against the installation."""
    from plugin_host import install_sdk
    install_sdk(streamd, tmp_path / "sdk")
    build = tmp_path / "build"
    run("cmake", "-S", SOURCE / "plugins/mask", "-B", build, f"-DCMAKE_PREFIX_PATH={tmp_path / 'sdk'}",
        "-DSTREAMD_PLUGIN_SANITIZE=OFF")
    run("cmake", "--build", build)
    run("ctest", "--test-dir", build, "--no-tests=error")
