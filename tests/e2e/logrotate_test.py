# SPDX-License-Identifier: Apache-2.0
"""A real logrotate rotates the log of a real nginx, in each way that people configure, while
streamd follows it: every request arrives exactly once."""

import subprocess

import pytest

from books import whole_rows
from harness import Nginx, Streamd
from service import need

PIPELINE = """\
pipeline: tail
sources:
  requests:
    type: file
    path: {path}
    follow: true
    scan_every: 20ms
    rotate_wait: 50ms
    decode: {{access_log: combined}}
    time: {{field: time_local}}
sinks:
  out: {{type: file, input: requests, path: out/requests.ndjson}}
"""

CONFIG = """\
{log} {{
  rotate {kept}
  {ways}
  postrotate
    {signal}
  endscript
}}
"""

WAYS = {"create": "create",
        "create and compress": "create\n  compress",
        "create and compress the next time": "create\n  compress\n  delaycompress",
        "copytruncate": "copytruncate",
        "copytruncate and compress": "copytruncate\n  compress"}


class Log:
    """nginx's log, and the requests that are in it."""

    def __init__(self, nginx, directory, ways, kept):
        self.nginx, self.directory = nginx, directory
        self.asked = []
        self.config = directory / "rotate.conf"
        signal = "true" if "copytruncate" in ways else f"kill -USR1 $(cat {nginx.pid_file})"
        self.config.write_text(CONFIG.format(log=nginx.access_log, ways=ways, kept=kept,
                                               signal=signal))
        # logrotate reads no configuration that others may write to.
        self.config.chmod(0o600)

    def ask(self, count=7):
        for _ in range(count):
            self.asked.append(f"/request/{len(self.asked)}")
            assert self.nginx.get(self.asked[-1])[0] == 200

    def rotate(self):
        subprocess.run([need("logrotate", "logrotate"), "--force", "--state",
                        self.directory / "rotate.state", self.config], check=True, timeout=60)
        self.nginx.await_reopened()


@pytest.mark.parametrize("end", ["sigterm", "kill9"])
@pytest.mark.parametrize("ways", WAYS)
def test_every_request_arrives_once(ways, end, streamd, tmp_path):
    with Nginx() as nginx:
        # The oldest is deleted, and its inode given away; but what a killed streamd had not
        # committed yet must still be there.
        log = Log(nginx, tmp_path, WAYS[ways], kept=3 if end == "sigterm" else 20)
        run = Streamd(streamd, PIPELINE.format(path=f"{nginx.access_log}*"), tmp_path)

        def arrived():
            return [row["request_uri"] for row in whole_rows(tmp_path / "out/requests.ndjson")]

        run.start()
        for rotation in range(6):
            log.ask()
            log.rotate()
            log.ask()
            if rotation % 2 == 1:
                getattr(run, end)()
                log.ask()
                log.rotate()
                log.ask()
                run.start()
            run.wait_until(lambda: len(arrived()) >= len(log.asked), 60, "all requests arrive")
            assert sorted(arrived()) == sorted(log.asked)
        assert run.sigterm() == 0
        assert sorted(arrived()) == sorted(log.asked)
