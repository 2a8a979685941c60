# SPDX-License-Identifier: Apache-2.0
"""What every real service of the tests needs: a free port, a child process with
its output in a file, bounded waiting, and a cache for downloads.

Standard library only. Used by every *_service.py and stand-in here; tests import
services.py, which re-exports the public names.
"""

import fcntl
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path


class ServiceError(Exception):
    """A service could not be fetched, started or asked; the message says why."""


def wait_until(condition, timeout=30.0, what="the condition", every=0.05):
    """Poll until condition() is truthy and return its value; fail after timeout."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise AssertionError(f"waited {timeout:g} s in vain: {what}")
        time.sleep(every)


def _standstill(pid):
    """Whether no thread of the process runs any more: all are stopped, or have ended."""
    def state(stat):
        try:
            return stat.read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return "X"
    return all(state(stat) in "TtZX" for stat in Path(f"/proc/{pid}/task").glob("*/stat"))


def stop_process(child):
    """SIGSTOP, and wait until it has stopped: a signal is sent before it is obeyed, and on a busy
    machine another of its threads could still answer."""
    child.send_signal(signal.SIGSTOP)
    wait_until(lambda: _standstill(child.pid), 60, f"process {child.pid} to stop", every=0.001)


def tail(path, lines=40):
    """The last lines of a log file, or a note that there is none."""
    try:
        text = Path(path).read_text(errors="replace").splitlines()
    except OSError as error:
        return f"(no log: {error})"
    return "\n".join(text[-lines:])


def need(program, package):
    """The path of a program, or an error that names the package to install."""
    # nginx lives in /usr/sbin, which is not on an ordinary user's PATH.
    path = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin")
    if path is None:
        raise ServiceError(
            f"{program} is not installed (Debian package {package}): run ./dev setup"
        )
    return path


def cache_dir():
    """Where downloads live, outside the repository: $STREAMD_CACHE or XDG's place."""
    chosen = os.environ.get("STREAMD_CACHE")
    if not chosen:
        base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        chosen = str(Path(base) / "streamd")
    path = Path(chosen).resolve()
    path.mkdir(parents=True, exist_ok=True)
    return path


def cached(name, fetch):
    """The folder `name` of the cache, filled once by fetch(empty_folder).

    The folder appears by a rename after fetch() has succeeded, so half a
    download is never taken for a whole one. Test processes run in parallel: the
    lock lets one of them download while the others wait.
    """
    target = cache_dir() / name
    if target.is_dir():
        return target
    with open(cache_dir() / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.is_dir():
            partial = tempfile.mkdtemp(prefix=f"{name}.partial-", dir=cache_dir())
            try:
                fetch(Path(partial))
                os.chmod(partial, 0o755)
                os.rename(partial, target)
            except BaseException:
                shutil.rmtree(partial, ignore_errors=True)
                raise
    return target


# Lock files of the ports handed out; they stay locked while this process lives,
# so a stopped broker finds its port free when it comes back.
_reserved = []


def free_port(preferred=None):
    """A loopback port that nobody uses and no other test process has been given."""
    # Below the kernel's ephemeral range (from 32768): otherwise some outgoing
    # connection could sit on the port of a service that is being restarted.
    candidates = random.sample(range(20000, 32000), 500)
    if preferred is not None:
        candidates.insert(0, preferred)
    folder = Path(tempfile.gettempdir()) / f"streamd-ports-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    for port in candidates:
        lock = open(folder / str(port), "w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            lock.close()
            continue
        _reserved.append(lock)
        return port
    raise ServiceError("no free port between 20000 and 32000")


def accepts(port):
    """Whether something listens on the loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def directory_of_its_own(directory, name):
    """A given directory is kept; without one, a fresh one is removed at the end."""
    if directory is not None:
        Path(directory).mkdir(parents=True, exist_ok=True)
        yield Path(directory).resolve()
        return
    fresh = tempfile.mkdtemp(prefix=f"streamd-{name}-")
    try:
        yield Path(fresh)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


class Process:
    """A child process whose output goes to a log file; can be started again.

    Unless `detached`, the kernel ends it with `orphan_signal` when its parent
    dies: a test run that is killed leaves no service behind. "Parent" is the
    thread that called start(): let it be one that lasts.
    """

    def __init__(self, name, argv, log, detached=False, orphan_signal="KILL"):
        self.name = name
        self.log = Path(log)
        self._argv = [str(a) for a in argv]
        self._detached = detached
        if not detached:
            self._argv = ["setpriv", "--pdeathsig", orphan_signal] + self._argv
        self._child = None

    @property
    def pid(self):
        return self._child.pid if self._child else None

    def alive(self):
        return self._child is not None and self._child.poll() is None

    def start(self):
        if self.alive():
            raise ServiceError(f"{self.name} is already running")
        with open(self.log, "a") as log:
            self._child = subprocess.Popen(
                self._argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # A session of its own: Ctrl-C in the terminal is for the test
                # runner, which then stops its services in order.
                start_new_session=True,
            )

    def signal(self, number):
        self._must_run()
        self._child.send_signal(number)

    def _must_run(self):
        if not self.alive():
            raise ServiceError(f"{self.name} is not running\n{tail(self.log)}")

    def pause(self):
        self._must_run()
        stop_process(self._child)

    def resume(self):
        self.signal(signal.SIGCONT)

    def kill(self):
        if self.alive():
            self._child.kill()
            self._child.wait()

    def terminate(self, timeout=60):
        """Ask it to end (a paused one is woken first) and wait until it has."""
        if not self.alive():
            return
        self._child.terminate()
        self._child.send_signal(signal.SIGCONT)
        try:
            self._child.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ServiceError(
                f"{self.name} did not stop within {timeout} s\n{tail(self.log)}"
            ) from None

    def must_live(self):
        """Fail with the end of the log if the process has died."""
        if not self.alive():
            code = self._child.returncode if self._child else None
            raise ServiceError(f"{self.name} ended with {code}:\n{tail(self.log)}")


class Service:
    """A service of one process: a fixed port, and a directory that keeps its data.

    A subclass sets `name`, says in _argv() how the process is run, in _answers()
    whether it is ready, and in _prepare() what must be there before each start.
    A given `directory` is kept after close(), and found again by the next start.
    """

    name = "service"
    orphan_signal = "KILL"

    def __init__(self, directory=None, port=None, detached=False):
        self._cleanup = ExitStack()
        self.directory = self._cleanup.enter_context(directory_of_its_own(directory, self.name))
        self.port = port or free_port()
        self._process = Process(self.name, self._argv(), self.directory / "output.log", detached,
                                self.orphan_signal)

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, kind, error, trace):
        if kind is not None:
            for title, text in self.tails():
                print(f"--- {title}\n{text}", file=sys.stderr)
        self.close()

    def start(self, timeout=120):
        """Start it (again, on the same port and data) and wait until it answers."""
        if not self._process.alive():
            self._prepare()
            self._process.start()
        self._await_ready(timeout)
        return self

    def stop(self):
        """Orderly end; start() continues with the same data."""
        self._process.terminate()

    def kill(self):
        """kill -9."""
        self._process.kill()

    def restart(self):
        """kill -9 and start."""
        self.kill()
        return self.start()

    def pause(self):
        """SIGSTOP: connections stay open, nothing answers."""
        self._process.pause()

    def resume(self):
        """SIGCONT, and wait until it answers again."""
        self._process.resume()
        self._await_ready(120)

    def close(self):
        """Kill it and remove the directory, unless it was given."""
        self.kill()
        self._cleanup.close()

    def pids(self):
        return [self._process.pid] if self._process.alive() else []

    def tails(self):
        """(title, last lines of the log) for failure reports."""
        return [(self.name, tail(self._process.log))]

    def _argv(self):
        raise NotImplementedError

    def _prepare(self):
        """Called before each start."""

    def _answers(self):
        return accepts(self.port)

    def _await_ready(self, timeout):
        def ready():
            self._process.must_live()
            return self._answers()

        try:
            wait_until(ready, timeout, f"{self.name} answers on port {self.port}")
        except AssertionError as error:
            raise ServiceError(f"{error}\n{tail(self._process.log)}") from None
