# SPDX-License-Identifier: Apache-2.0
"""SIGTERM and SIGINT end a run in order: nothing lost, nothing twice, within 10 s."""

import os
import signal
import socket
import subprocess
import threading
import time

import pytest

from books import books_of, lines, whole_rows
from harness import Streamd, free_port, wait_until

TAIL = """\
pipeline: tail
sources:
  requests:
    type: file
    path: in.ndjson
    follow: true
    scan_every: 10ms
operators:
  count:
    type: window
    input: requests
    window: {tumbling: 1m}
    compute: {requests: count()}
sinks:
  out: {type: file, input: requests, path: out/requests.ndjson}
  per_minute: {type: file, input: count, path: out/count.ndjson}
"""


class Writer:
    """Appends numbered records until it is stopped."""

    def __init__(self, path):
        self.path, self.written, self._stop = path, 0, threading.Event()
        self._thread = threading.Thread(target=self._write, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self._stop.set()
        self._thread.join()

    def _write(self):
        with open(self.path, "ab", buffering=0) as log:
            while not self._stop.is_set():
                first = self.written
                log.write(b"".join(b'{"n":%d}\n' % n for n in range(first, first + 100)))
                self.written = first + 100
                self._stop.wait(0.001)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("workers", [1, 2])
def test_a_signal_while_tailing_ends_in_order_and_the_rest_comes_later(streamd, tmp_path, number,
                                                                       workers):
    out = tmp_path / "out/requests.ndjson"
    run = Streamd(streamd, TAIL, tmp_path, args=["--workers", workers])
    with Writer(tmp_path / "in.ndjson") as writer:
        for _ in range(5):
            before = out.stat().st_size if out.exists() else 0
            run.start()
            run.wait_until(lambda b=before: out.exists() and out.stat().st_size > b, 30, "output")
            start = time.monotonic()
            os.kill(run.pid, number)
            assert run.wait(30) == 0, run.stderr
            assert time.monotonic() - start < 10
            books_of(run)
            # What is there is whole, and a beginning of what was written.
            assert [r["n"] for r in whole_rows(out)] == list(range(len(lines(out))))
        writer.stop()
    run.start()
    run.wait_until(lambda: len(whole_rows(out)) >= writer.written, 30, "the rest is read")
    assert run.sigterm() == 0
    assert [r["n"] for r in whole_rows(out)] == list(range(writer.written))


# Its standard output is a pipe that nobody reads: the run cannot drain.
STUCK = """\
pipeline: stuck
sources:
  requests: {type: generate}
sinks:
  out: {type: stdout, input: requests}
"""


@pytest.fixture
def stuck(streamd, tmp_path):
    """A run that waits for the reader of its output."""
    pipeline = tmp_path / "stuck.yaml"
    pipeline.write_text(STUCK)
    command = [streamd, "run", pipeline, "--state-dir", tmp_path / "s"]
    child = subprocess.Popen([str(word) for word in command],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    # One line has come, so the run is up; a pipe holds 64 KiB, then the writer waits.
    assert child.stdout.readline().startswith(b"{")
    yield child
    child.kill()
    child.communicate()


def test_a_run_that_waits_for_a_far_side_to_begin_ends_in_order(streamd, tmp_path):
    (tmp_path / "in.ndjson").write_text('{"ip":"192.0.2.1"}\n')
    run = Streamd(streamd, "pipeline: waits\n"
                  "sources: {requests: {type: file, path: in.ndjson}}\n"
                  f"lists: {{bad: {{type: crowdsec, url: 'http://127.0.0.1:{free_port()}', key: k}}}}\n"
                  "operators: {known: {type: match, input: requests, field: ip, list: bad}}\n"
                  "sinks: {out: {type: file, input: known, path: out.ndjson}}\n", tmp_path).start()
    run.wait_until(lambda: "trying again" in run.stderr, 30, "it waits for its list")
    assert run.sigterm(timeout=10) == 0, run.stderr
    assert not (tmp_path / "out.ndjson").exists()


def test_services_that_hang_are_waited_for_at_the_same_time(streamd, tmp_path):
    (tmp_path / "in.ndjson").write_text('{"n":1}\n')
    sinks, connections = 8, []
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        run = Streamd(streamd, "pipeline: hung\nsources:\n  in: {type: file, path: in.ndjson, follow: true}\nsinks:\n" +
                      "".join(f"  out{n}: {{type: http, input: in, url: '{url}'}}\n" for n in range(sinks)), tmp_path)
        run.start()
        server.settimeout(30)
        for _ in range(sinks):  # each has sent a request that nobody answers
            connections.append(server.accept()[0])
            assert connections[-1].recv(4)
        start = time.monotonic()
        assert run.sigterm() == 0, run.stderr
        # One after the other it would be 16 s.
        assert time.monotonic() - start < 10
        assert run.stderr.count("wait in the outbox and are sent after the next start") == sinks
        for connection in connections:
            connection.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_the_process_at_once(stuck, number):
    stuck.send_signal(number)
    # A pending signal is merged with the next one of its kind: wait until it was taken.
    status = f"/proc/{stuck.pid}/status"

    def pending():
        with open(status) as file:
            fields = dict(line.split(":", 1) for line in file)
        return int(fields["ShdPnd"], 16) & (1 << (number - 1))

    wait_until(lambda: not pending(), 10, "the first signal is taken")
    assert stuck.poll() is None
    stuck.send_signal(number)
    assert stuck.wait(5) == 128 + number


def test_one_signal_is_enough_also_when_nobody_reads_the_output(stuck):
    start = time.monotonic()
    stuck.terminate()
    code = stuck.wait(20)
    assert time.monotonic() - start < 12
    assert code in (0, 1)
