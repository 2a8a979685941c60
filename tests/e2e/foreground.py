# SPDX-License-Identifier: Apache-2.0
"""A demo's streamd, in front of who looks on."""

import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Foreground:
    """streamd with its log, its progress and its table on our own standard error."""

    def __init__(self, command, environment):
        self._text = bytearray()
        # A progress line is drawn on a terminal only.
        reader, writer = pty.openpty() if sys.stderr.isatty() else os.pipe()
        self._child = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", *map(str, command)], cwd=ROOT, stderr=writer,
            stdin=subprocess.DEVNULL, env={**os.environ, **environment})
        os.close(writer)
        self._copier = threading.Thread(target=self._copy, args=(reader,), daemon=True)
        self._copier.start()

    @property
    def running(self):
        return self._child.poll() is None

    @property
    def stderr(self):
        text = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", self._text.decode(errors="replace"))
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def stop(self):
        """Its exit code."""
        if self.running:
            self._child.send_signal(signal.SIGTERM)
        code = self._child.wait(60)
        self._copier.join(10)
        return code

    def kill(self):
        self._child.kill()
        self._child.wait()

    def wait_until(self, condition, seconds):
        """Whether it came true; not an error by itself."""
        ends = time.monotonic() + seconds
        while not (met := condition()) and self.running and time.monotonic() < ends:
            time.sleep(0.1)
        return met

    def _copy(self, reader):
        try:
            while data := os.read(reader, 1 << 16):
                self._text += data
                # The terminal that this goes to makes its own line ends.
                sys.stderr.buffer.write(data.replace(b"\r\n", b"\n"))
                sys.stderr.flush()
        except OSError:
            pass  # How a terminal ends.
        os.close(reader)
