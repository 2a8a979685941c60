# SPDX-License-Identifier: Apache-2.0
"""A real nginx writes the log that the file source tails while it is rotated: every
request arrives exactly once, over restarts of both kinds."""

import shutil
from pathlib import Path
import os

import pytest

from books import books_of, lines, rows, whole_rows
from harness import Nginx, Streamd

TAIL = """\
pipeline: tail
sources:
  requests:
    type: file
    path: {path}
    follow: true
    scan_every: 20ms
    rotate_wait: {rotate_wait}
    decode: {decode}
    time: {{field: {field}}}
sinks:
  out: {{type: file, input: requests, path: out/requests.ndjson}}
"""

# log of nginx: (decode, time, the field that has the path of a request)
LOGS = {"combined": ("{access_log: combined}", "time_local", "request_uri"),
        "json": ("json", '"@timestamp", format: unix', "uri")}


def tailing(streamd, directory, path, log="combined", rotate_wait="30s"):
    """A run that follows nginx's log of that form."""
    decode, time_field, _ = LOGS[log]
    return Streamd(streamd, TAIL.format(path=path, decode=decode, field=time_field,
                                        rotate_wait=rotate_wait), directory)


class Tail:
    """nginx, a streamd that tails its log, and the requests that were made."""

    def __init__(self, nginx, run, field):
        self.nginx, self.run, self.field = nginx, run, field
        self.asked = []
        self.out = run.directory / "out/requests.ndjson"

    def ask(self, count=7):
        for _ in range(count):
            path = f"/request/{len(self.asked)}?q=%22{len(self.asked)}"
            assert self.nginx.get(path)[0] == 200
            self.asked.append(path)

    def arrived(self):
        return [row.get(self.field) for row in whole_rows(self.out)]

    def caught_up(self, in_order=False, timeout=30):
        self.run.wait_until(lambda: len(self.arrived()) >= len(self.asked), timeout,
                            f"{len(self.asked)} requests arrive")
        self.complete(in_order)

    def complete(self, in_order=False):
        """Each request is there once. Files that wait for a start are read together."""
        found = self.arrived()
        assert sorted(found) == sorted(self.asked)
        if in_order:
            assert found == self.asked

    def copytruncate(self):
        """Rotate as logrotate's copytruncate does."""
        log = self.nginx.access_log
        number = 1
        while (log.parent / f"access.log.{number}").exists():
            number += 1
        shutil.copyfile(log, log.parent / f"access.log.{number}")
        os.truncate(log, 0)


@pytest.fixture(params=sorted(LOGS))
def tail(request, streamd, tmp_path):
    with Nginx(log=request.param) as nginx:
        # The pattern takes the rotated files in as well, also those nobody has seen before.
        run = tailing(streamd, tmp_path, f"{nginx.access_log}*", log=request.param)
        yield Tail(nginx, run, LOGS[request.param][2])


def test_every_request_arrives_once_while_the_log_is_rotated(tail):
    tail.ask()
    tail.run.start()
    tail.caught_up(in_order=True)
    for _ in range(3):
        tail.ask()
        tail.nginx.rotate()
        tail.ask()
        tail.caught_up(in_order=True)
    # Twice before anything of the second file was read.
    tail.ask()
    tail.nginx.rotate()
    tail.ask()
    tail.nginx.rotate()
    tail.ask()
    tail.caught_up()
    assert tail.run.sigterm() == 0
    assert books_of(tail.run)["requests"].written == len(tail.asked)


def test_every_request_arrives_once_over_rotations_by_copytruncate(tail):
    tail.ask()
    tail.run.start()
    tail.caught_up(in_order=True)
    for _ in range(3):
        tail.ask()
        # What is written after the copy is made is lost to everyone: there is none.
        tail.copytruncate()
        tail.ask()
        tail.caught_up(in_order=True)
    assert tail.run.sigterm() == 0
    tail.complete(in_order=True)


def test_every_request_arrives_once_over_restarts(tail):
    ends = [tail.run.sigterm, tail.run.kill9]
    tail.run.start()
    for end in ends * 2:
        tail.ask()
        tail.caught_up()
        tail.ask()
        end()
        # While nobody reads: more lines, a rotation, more lines.
        tail.ask()
        tail.nginx.rotate()
        tail.ask()
        tail.run.start()
        tail.ask()
        tail.caught_up()
    for end in ends:
        end()
        tail.ask()
        tail.copytruncate()
        tail.ask()
        tail.run.start()
        tail.caught_up()
    assert tail.run.sigterm() == 0
    tail.complete()


def test_a_plain_path_follows_the_log_over_its_rotations(streamd, tmp_path):
    with Nginx() as nginx:
        run = tailing(streamd, tmp_path, nginx.access_log)
        tail = Tail(nginx, run, LOGS["combined"][2])

        def ask_and_rotate():
            for _ in range(3):
                tail.ask()
                nginx.rotate()
            tail.ask()

        run.start()
        for _ in range(3):
            tail.ask()
            tail.caught_up()
            # Several rotations between two looks, and while nobody looks.
            run.pause()
            ask_and_rotate()
            run.resume()
            tail.caught_up()
            assert run.sigterm() == 0
            ask_and_rotate()
            run.start()
            tail.caught_up()
        assert run.sigterm() == 0


def test_the_shipped_pipeline_answers_from_a_real_log(streamd, tmp_path):
    source = Path(os.environ["STREAMD_SOURCE_DIR"]) / "pipelines/nginx-file.yaml"
    with Nginx() as nginx:
        for n in range(12):
            nginx.get("/busy", client_ip="203.0.113.9")
        for n in range(16):
            nginx.get("/status/404", client_ip=f"198.51.100.{7 if n else 8}")
        nginx.rotate()
        nginx.get("/status/404", client_ip="198.51.100.7")
        nginx.get("/last", client_ip="192.0.2.1")
        run = Streamd(streamd, source.read_text(), tmp_path, env={
            "ACCESS_LOG": f"{nginx.access_log}*", "OUT_DIR": tmp_path / "out"})
        assert run.run() == 0, run.stderr
    books = books_of(run)
    assert books["requests"].read == books["raw"].written == 30
    answers = tmp_path / "out"
    assert {r["remote_addr"] for r in rows(answers / "busy_clients.ndjson")} == {
        "203.0.113.9", "198.51.100.7"}
    assert {r["remote_addr"] for r in rows(answers / "failing_clients.ndjson")} == {
        "198.51.100.7"}
    assert sum(r["requests"] for r in rows(answers / "per_method.ndjson")) == 13
    assert sum(r["requests"] for r in rows(answers / "sizes.ndjson")) == 30
    assert len(lines(answers / "requests.ndjson")) == 30
