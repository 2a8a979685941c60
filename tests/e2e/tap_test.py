# SPDX-License-Identifier: Apache-2.0
"""`streamd tap` and `streamd health`: what a running process shows of itself."""

import json
import os
import signal
import socket
import stat
import subprocess
import threading

import pytest
from harness import Streamd, call, stop_process, wait_until

PIPELINE = """\
pipeline: watched
sources:
  requests:
    type: file
    path: requests.ndjson
    follow: true
    time: {field: t, format: unix}
operators:
  typed: {type: convert, input: requests, fields: {status: int}}
  failing: {type: filter, input: typed, where: status >= 500}
sinks:
  out: {type: file, input: failing, path: failing.ndjson}
  calls:
    type: http
    input: failing
    url: ${HOOK_URL:-http://127.0.0.1:9/hook}
    headers: {Authorization: "Bearer ${HOOK_TOKEN:-a-token-of-nobody}"}
"""


class Flow:
    """Writes records to the followed file until it is closed."""

    def __init__(self, path, pause=0.002, text="x"):
        self.path, self.pause, self.text, self.count = path, pause, text, 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write)

    def _write(self):
        with open(self.path, "a") as file:
            while not self._stop.wait(self.pause):
                for _ in range(20):
                    self.count += 1
                    json.dump({"t": self.count, "status": "500" if self.count % 2 else "200",
                               "n": self.count, "text": self.text}, file)
                    file.write("\n")
                file.flush()

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()


@pytest.fixture
def run(streamd, tmp_path):
    (tmp_path / "requests.ndjson").write_text("")
    running = Streamd(streamd, PIPELINE, tmp_path, name="watched").start()
    running.wait_until(lambda: health(running).returncode == 0, what="a healthy process")
    return running


@pytest.fixture
def flow(run):
    with Flow(run.directory / "requests.ndjson") as flowing:
        yield flowing


def tap(run, *args, timeout=60):
    return call(run.binary, "tap", *args, "--state-dir", run.state_dir, timeout=timeout,
                cwd=run.directory)


def health(run, *args):
    return call(run.binary, "health", "--state-dir", run.state_dir, *args, cwd=run.directory)


def start_tap(run, *args, **options):
    return subprocess.Popen([run.binary, "tap", *args, "--state-dir", str(run.state_dir)],
                            cwd=run.directory, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True, **options)


# --- tap ------------------------------------------------------------------------------


def test_records_are_shown_as_they_pass(run, flow):
    done = tap(run, "requests", "--limit", "5")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 5
    for line in lines:
        when, place, record = line.split("  ", 2)
        assert when.startswith("1970-") and "requests.ndjson" in place and "n" in json.loads(record)
    assert done.stderr.startswith("5 records shown; ")


def test_where_finds_fields_that_the_pipeline_itself_does_not_use(run, flow):
    done = tap(run, "failing", "watched", "--where", "n % 3 == 0 && text == 'x'", "--limit", "4", "--json")
    assert done.returncode == 0, done.stderr
    shown = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(shown) == 4
    assert all(s["record"]["n"] % 3 == 0 and s["record"]["status"] == 500 for s in shown)
    assert {(s["node"], s["port"], s["source"]) for s in shown} == {("failing", "out", "requests")}


def test_a_sink_is_looked_at_by_what_enters_it(run, flow):
    done = tap(run, "out", "watched.yaml", "--limit", "2")
    assert done.returncode == 0 and done.stdout.count('"status":500') == 2


def test_dead_letters_are_port_errors(run):
    looking = start_tap(run, "requests", "--port", "errors", "--limit", "1")
    path = run.directory / "requests.ndjson"

    def seen():
        with open(path, "a") as file:
            file.write('{"t":1,broken\n')
        return looking.poll() is not None

    run.wait_until(seen, what="a dead letter in the tap")
    assert looking.returncode == 0 and "bad-json" in looking.stdout.read()


def test_two_taps_see_the_same_and_do_not_change_the_results(run, flow):
    taps = [start_tap(run, "failing", "--limit", "30", "--json") for _ in range(2)]
    shown = [[json.loads(line)["record"]["n"] for line in t.communicate(timeout=60)[0].splitlines()]
             for t in taps]
    assert [len(s) for s in shown] == [30, 30] and [t.returncode for t in taps] == [0, 0]
    wanted = flow.count
    run.wait_until(lambda: tap_count(run) >= wanted // 2 - 20, what="all results")
    results = [json.loads(line)["n"] for line in (run.directory / "failing.ndjson").read_text().splitlines()]
    assert results == list(range(1, 2 * len(results), 2))


def tap_count(run):
    path = run.directory / "failing.ndjson"
    return len(path.read_bytes().splitlines()) if path.exists() else 0


def test_a_reader_that_stops_reading_holds_nothing_up(streamd, run):
    """Its pipe, the socket and the answer fill; then records are skipped, and it is told."""
    with Flow(run.directory / "requests.ndjson", text="y" * 2000) as flow:
        looking = start_tap(run, "requests")
        looking.stdout.readline()
        stop_process(looking)
        begin = flow.count
        run.wait_until(lambda: flow.count > begin + 5000 and tap_count(run) >= (begin + 5000) // 2,
                       what="results beside a reader that sleeps")
        assert tap(run, "failing", "--limit", "1").returncode == 0
        looking.send_signal(signal.SIGCONT)
        told = []
        reader = threading.Thread(target=lambda: told.extend(iter(looking.stderr.readline, "")))
        reader.start()
        drain = threading.Thread(target=looking.stdout.read)
        drain.start()
        run.wait_until(lambda: any("records were skipped" in line for line in told),
                       what="the number of skipped records")
        looking.kill()
        looking.wait()
        reader.join()
        drain.join()
    assert run.sigterm() == 0


def test_readers_that_are_killed_give_their_places_back(run, flow):
    for _ in range(3):
        taps = [start_tap(run, "requests") for _ in range(4)]
        for looking in taps:
            looking.stdout.readline()
        full = tap(run, "requests", "--limit", "1")
        assert full.returncode == 1 and "4 taps are open already" in full.stderr
        for looking in taps:
            looking.kill()
            looking.wait()
        run.wait_until(lambda: tap(run, "requests", "--limit", "1").returncode == 0,
                       what="a free place")


def test_a_process_that_ends_says_so_and_one_that_is_killed_does_not(run, flow):
    looking = start_tap(run, "requests")
    looking.stdout.readline()
    assert run.sigterm() == 0
    _, told = looking.communicate(timeout=30)
    assert looking.returncode == 0
    assert told.splitlines()[-2] == "the pipeline has ended" and " records shown; " in told.splitlines()[-1]
    run.start()
    run.wait_until(lambda: health(run).returncode == 0)
    looking = start_tap(run, "requests")
    looking.stdout.readline()
    run.kill9()
    _, told = looking.communicate(timeout=30)
    assert looking.returncode == 1 and "went away without a last word" in told


def test_secrets_of_the_pipeline_are_stars(streamd, tmp_path):
    (tmp_path / "requests.ndjson").write_text("")
    run = Streamd(streamd, PIPELINE, tmp_path, env={"HOOK_TOKEN": "hunter2-hunter2"}).start()
    run.wait_until(lambda: health(run).returncode == 0)
    with Flow(tmp_path / "requests.ndjson", text="Bearer hunter2-hunter2"):
        for node in ["requests", "failing", "out"]:
            done = tap(run, node, "--limit", "3")
            assert done.returncode == 0 and "hunter2" not in done.stdout
            assert done.stdout.count("***") == 3


# --- mistakes -------------------------------------------------------------------------


def test_a_wrong_name_is_answered_with_the_names(run):
    done = tap(run, "failng")
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        'error: pipeline watched has no node "failng"',
        '  = help: did you mean "failing"? nodes: requests, typed, failing, out, calls, dead letters']
    done = tap(run, "failing", "--port", "late")
    assert done.returncode == 2 and "ports: out, errors" in done.stderr


def test_a_condition_that_does_not_compile_is_explained(run):
    done = tap(run, "failing", "--where", "status >")
    assert done.returncode == 2
    assert done.stderr.startswith("--where:1:") and "status >" in done.stderr and "^" in done.stderr


def test_without_a_process_there_is_an_error_that_says_where_it_looked(run, streamd, tmp_path):
    other = tmp_path / "elsewhere"
    for command in (["tap", "requests"], ["health"]):
        done = call(streamd, *command, "--state-dir", other)
        assert done.returncode == 1 and f"no running process of streamd in {other}" in done.stderr
        done = call(streamd, *command, "nobody", "--state-dir", run.state_dir)
        assert done.returncode == 1 and '"nobody"' in done.stderr
    run.kill9()
    assert stat.S_ISSOCK(os.stat(run.state_dir / "watched/CONTROL").st_mode)  # it is left, and stale
    assert tap(run, "requests").returncode == 1
    assert health(run).returncode == 1
    assert call(streamd, "tap", "requests", "no/such.yaml").returncode == 2
    assert call(streamd, "health", "--patience", "long").returncode == 2


def test_several_pipelines_need_a_name(streamd, tmp_path):
    (tmp_path / "requests.ndjson").write_text("")
    texts = {name: PIPELINE.replace("watched", name).replace("failing.ndjson", f"{name}.ndjson")
             .replace("time: {field: t", "max_record: %dKiB\n    time: {field: t" % size)
             for name, size in [("one", 100), ("two", 200)]}
    run = Streamd(streamd, texts["one"], tmp_path)
    (tmp_path / "two.yaml").write_text(texts["two"])
    run.start(tmp_path / "two.yaml")
    run.wait_until(lambda: health(run).returncode == 0 and len(health(run).stdout.splitlines()) == 2)
    assert health(run).stdout.splitlines()[0].startswith("one: well: ")
    assert health(run, "two").stdout.startswith("two: well: ")
    done = tap(run, "requests")
    assert done.returncode == 2 and "name one of them: one, two" in done.stderr
    with Flow(tmp_path / "requests.ndjson"):
        assert tap(run, "requests", "two.yaml", "--limit", "1").returncode == 0


# --- the socket and health ------------------------------------------------------------


def test_the_socket_is_this_users_only_and_goes_with_the_process(run):
    path = run.state_dir / "watched/CONTROL"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert run.sigterm() == 0
    assert not path.exists()


def test_a_path_that_is_too_long_for_a_socket_works(streamd, tmp_path):
    (tmp_path / "requests.ndjson").write_text("")
    run = Streamd(streamd, PIPELINE, tmp_path)
    run.state_dir = tmp_path / ("d" * 100) / ("e" * 100)
    run.start()
    run.wait_until(lambda: health(run).returncode == 0)
    with Flow(tmp_path / "requests.ndjson"):
        assert tap(run, "requests", "--limit", "1").returncode == 0


def test_nonsense_over_the_socket_harms_nobody(run):
    for noise in [b"GET / HTTP/1.1\r\n\r\n", b"\0" * 100, b"streamd/1\0tap\0node\0\0", b"streamd/1\0" + b"x" * 300_000]:
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(run.state_dir / "watched/CONTROL"))
            client.settimeout(30)
            try:
                client.sendall(noise)
                while client.recv(4096):
                    pass
            except (BrokenPipeError, ConnectionResetError):
                pass
    assert health(run).returncode == 0


def test_health_tells_of_a_sink_whose_far_side_is_away(run, flow):
    """calls posts to a port where nobody listens."""
    def told():
        done = health(run, "--patience", "10ms")
        lines = done.stdout.splitlines()
        return done.returncode == 1 and any(line.startswith('watched: sink "calls": ') for line in lines)

    run.wait_until(told, what="bad health")
    assert health(run, "--patience", "1h").returncode == 0


def test_health_tells_of_a_process_that_is_stopped(run):
    run.pause()
    done = health(run)
    run.resume()
    assert done.returncode == 1 and "watched: the process does not answer" in done.stderr
    wait_until(lambda: health(run).returncode == 0, 30, "good health again")
