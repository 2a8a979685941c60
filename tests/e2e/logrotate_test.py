# SPDX-License-Identifier: Apache-2.0
"""A real logrotate rotates the log of a real nginx, in each way that people configure, while
streamd follows it: every request arrives exactly once."""

import subprocess

import pytest

from harness import Nginx
from nginx_tail_test import Tail, tailing
from service import need

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


class Logrotate:
    """What rotates an nginx's log when it is told to."""

    def __init__(self, nginx, directory, ways, kept):
        self.nginx, self.directory = nginx, directory
        self.config = directory / "rotate.conf"
        signal = "true" if "copytruncate" in ways else f"kill -USR1 $(cat {nginx.pid_file})"
        self.config.write_text(CONFIG.format(log=nginx.access_log, ways=ways, kept=kept, signal=signal))
        # It reads no configuration that others may write to.
        self.config.chmod(0o600)

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
        logrotate = Logrotate(nginx, tmp_path, WAYS[ways], kept=3 if end == "sigterm" else 20)
        run = tailing(streamd, tmp_path, f"{nginx.access_log}*", rotate_wait="50ms")
        tail = Tail(nginx, run, "request_uri")

        def ask_and_rotate():
            tail.ask()
            logrotate.rotate()
            tail.ask()

        run.start()
        for rotation in range(6):
            ask_and_rotate()
            if rotation % 2 == 1:
                getattr(run, end)()
                ask_and_rotate()
                run.start()
            tail.caught_up(timeout=60)
        assert run.sigterm() == 0
        tail.complete()
