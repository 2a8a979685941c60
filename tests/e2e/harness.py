# SPDX-License-Identifier: Apache-2.0
"""Runs the streamd binary for end-to-end tests: write a pipeline, start it, kill it,
start it again on the same state, look at what it printed.

    def test_something(streamd, kafka, tmp_path):
        run = Streamd(streamd, PIPELINE, tmp_path, env={"KAFKA_BROKERS": kafka.bootstrap})
        run.start()
        run.wait_until(lambda: len(kafka.consume_all("out")) == 10, 30, "10 results")
        run.kill9()
        run.start()
        assert run.sigterm() == 0

conftest.py kills what a test leaves running, and prints the logs when it fails.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "services"))

from services import Kafka, Nginx, free_port, stop_process, tail, wait_until  # noqa: E402,F401

# Every Streamd of the running test; conftest.py empties it.
started = []


class Streamd:
    """One pipeline and its state directory; start() may be called again after an end."""

    def __init__(self, binary, pipeline, directory, args=(), env=None, name="pipeline"):
        self.binary = str(binary)
        self.directory = Path(directory)
        self.file = self.directory / f"{name}.yaml"
        self.state_dir = self.directory / f"{name}.state"
        self.name = name
        self.args = [str(a) for a in args]
        self.env = {**os.environ, **{k: str(v) for k, v in (env or {}).items()}}
        self.runs = 0
        self._child = None
        self.write(pipeline)

    def write(self, pipeline):
        """Replace the pipeline file; the next start reads it."""
        self.file.write_text(pipeline)

    # --- life -------------------------------------------------------------------

    def start(self, *args):
        """streamd run FILE --state-dir DIR, with the object's args and these."""
        assert not self.running, f"{self.name} is already running"
        self.runs += 1
        command = [self.binary, "run", str(self.file), "--state-dir", str(self.state_dir),
                   *self.args, *map(str, args)]
        with open(self._log("out"), "wb") as out, open(self._log("err"), "wb") as err:
            self._child = subprocess.Popen(
                # It must not outlive a test runner that is killed.
                ["setpriv", "--pdeathsig", "KILL", *command],
                cwd=self.directory, env=self.env, stdin=subprocess.DEVNULL,
                stdout=out, stderr=err)
        if self not in started:
            started.append(self)
        return self

    @property
    def running(self):
        return self._child is not None and self._child.poll() is None

    @property
    def pid(self):
        return self._child.pid

    @property
    def returncode(self):
        return self._child.poll()

    def wait(self, timeout=60):
        """Wait for the process to end by itself; return its exit code."""
        try:
            return self._child.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} did not end within {timeout} s") from None

    def run(self, *args, timeout=60):
        """start() and wait(), for pipelines that end."""
        return self.start(*args).wait(timeout)

    def kill9(self):
        self._child.kill()
        return self._child.wait()

    def sigterm(self, timeout=60):
        """Ask it to end; return its exit code."""
        self._child.terminate()
        return self.wait(timeout)

    def pause(self):
        stop_process(self._child)

    def resume(self):
        self._child.send_signal(signal.SIGCONT)

    def wait_until(self, condition, timeout=30, what="the condition"):
        """wait_until that also fails, at once, when the process has ended."""

        def met_while_running():
            # The order matters: what the process did last still counts.
            ended = not self.running
            value = condition()
            assert value or not ended, (
                f"{self.name} ended with {self.returncode} before: {what}")
            return value

        return wait_until(met_while_running, timeout, what)

    # --- what it printed ----------------------------------------------------------

    @property
    def stdout(self):
        """Of the latest start."""
        return self._log("out").read_text(errors="replace")

    @property
    def stderr(self):
        return self._log("err").read_text(errors="replace")

    def tails(self):
        """(title, last lines) of the latest runs' output, for failure reports."""
        return [(f"{self.name} run {n} std{stream}", tail(self._log(stream, n)))
                for n in range(max(1, self.runs - 9), self.runs + 1) for stream in ("out", "err")]

    def _log(self, stream, run=None):
        return self.directory / f"{self.name}.{run or self.runs}.{stream}"


def call(binary, *args, timeout=60, env=None, cwd=None, stdin=""):
    """Run another command of the binary, e.g. check; its CompletedProcess, with text."""
    return subprocess.run([str(binary), *map(str, args)], input=stdin, capture_output=True,
                          text=True, timeout=timeout, cwd=cwd, env={**os.environ, **(env or {})})
