#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the image that ./dev image has built, as a container engine would: its user, environment,
entry point and volumes, a process tree of its own in which it is process 1, and by default a root
that nobody can write to. The network is the host's.

As a program, for those who want a streamd to start:
    container.py [--env NAME]… [--bind FOLDER]… -- ARGUMENTS
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from functools import lru_cache
from pathlib import Path

NAME = "streamd"


def cache():
    chosen = os.environ.get("STREAMD_CACHE") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache"), "streamd")
    return Path(chosen) / "image"


def buildah(*arguments):
    done = subprocess.run(
        ["buildah", "--root", cache() / "storage", "--runroot", cache() / "run", *arguments],
        env={**os.environ, "STORAGE_DRIVER": "vfs"}, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"buildah {arguments[0]}: {done.stderr}"
    return done.stdout


class Image:
    """The newest one."""

    def __init__(self):
        about = json.loads(buildah("inspect", "--type", "image", NAME))
        self.config = about["Docker"]["config"]
        self.id = about["FromImageID"]
        # A working copy of this very image, kept for the next test run.
        working = f"streamd-{self.id[:12]}"
        names = buildah("containers", "--format", "{{.ContainerName}}").split()
        for name in names:
            if name.startswith("streamd-") and name != working:
                buildah("rm", name)
        if working not in names:
            buildah("from", "--pull-never", "--name", working, NAME)
        self.root = Path(buildah("mount", working).strip())

    @property
    def environment(self):
        return dict(word.split("=", 1) for word in self.config["Env"])


@lru_cache(maxsize=1)
def image():
    return Image()


class Container:
    """Started at once. mounts: {folder here: path inside}; (folder, "ro") as the key: read only."""

    def __init__(self, arguments, mounts, env=None, workdir=None, user=None, out=None, err=None):
        self._folder = Path(tempfile.mkdtemp(prefix="streamd-container-"))
        self.id = self._folder.name
        (self._folder / "config.json").write_text(
            json.dumps(self._spec([str(a) for a in arguments], mounts, env or {}, workdir, user)))
        # crun knows the cgroups of version 2 or of version 1, not both at once, and needs none here.
        script = ('mount -t tmpfs none /sys/fs/cgroup && exec crun --root "$1/run" '
                  '--cgroup-manager=disabled run -b "$1" "$2"')
        self._out = out or open(self._folder / "out", "wb")
        self._err = err or open(self._folder / "err", "wb")
        self._child = subprocess.Popen(
            ["unshare", "-m", "sh", "-c", script, "sh", self._folder, self.id],
            stdin=subprocess.DEVNULL, stdout=self._out, stderr=self._err)

    def _spec(self, arguments, mounts, env, workdir, user):
        config = image().config
        uid = int(user if user is not None else config["User"].split(":")[0])
        everywhere = [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {"destination": "/dev", "type": "tmpfs", "source": "tmpfs"},
            {"destination": "/dev/shm", "type": "tmpfs", "source": "tmpfs", "options": ["mode=1777"]},
            {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["mode=1777"]},
            {"destination": "/etc/hosts", "type": "bind", "source": "/etc/hosts",
             "options": ["bind", "ro"]},
            {"destination": "/etc/resolv.conf", "type": "bind", "source": "/etc/resolv.conf",
             "options": ["bind", "ro"]}]
        for folder, inside in mounts.items():
            options = ["rbind"]
            if isinstance(folder, tuple):
                folder, _ = folder
                options.append("ro")
            everywhere.append({"destination": str(inside), "type": "bind", "source": str(folder),
                               "options": options})
        self._uid = uid
        return {
            "ociVersion": "1.0.2",
            "root": {"path": str(image().root), "readonly": True},
            "mounts": everywhere,
            "process": {"user": {"uid": uid, "gid": uid}, "cwd": workdir or config["WorkingDir"],
                        "args": [*config["Entrypoint"], *(arguments or config["Cmd"])],
                        "env": [f"{k}={v}" for k, v in {**image().environment, **env}.items()],
                        "capabilities": {}, "noNewPrivileges": True},
            "linux": {"namespaces": [{"type": "pid"}, {"type": "mount"}, {"type": "ipc"},
                                     {"type": "uts"}]}}

    def _crun(self, *arguments):
        return subprocess.run(["crun", "--root", self._folder / "run", *arguments],
                              capture_output=True, text=True, timeout=60)

    @property
    def stdout(self):
        return (self._folder / "out").read_text(errors="replace")

    @property
    def stderr(self):
        return (self._folder / "err").read_text(errors="replace")

    @property
    def running(self):
        return self._child.poll() is None

    def wait(self, timeout=120):
        return self._child.wait(timeout)

    def kill(self, number=signal.SIGKILL):
        """Signals process 1 of the container, as `docker stop` and `docker kill` do."""
        return self._crun("kill", self.id, str(int(number))).returncode == 0

    def exec(self, *arguments):
        """Runs a program of the image beside it, as `docker exec` and health checks do."""
        inside = ["unshare", "-m", "sh", "-c",
                  'mount -t tmpfs none /sys/fs/cgroup && exec crun "$@"', "sh",
                  "--root", self._folder / "run", "--cgroup-manager=disabled", "exec",
                  "--user", f"{self._uid}:{self._uid}", self.id]
        return subprocess.run([*inside, *arguments], capture_output=True, text=True, timeout=60)

    def wait_until(self, condition, seconds=60, what="the condition"):
        ends = time.monotonic() + seconds
        while not condition():
            assert self.running, f"ended with {self.wait()} before {what}: {self.stderr}"
            assert time.monotonic() < ends, f"not within {seconds} s: {what}\n{self.stderr}"
            time.sleep(0.1)

    def close(self):
        if self.running:
            self.kill()
            self._child.wait(30)
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--env", action="append", default=[])
    parser.add_argument("--bind", action="append", default=[])
    parser.add_argument("arguments", nargs="*")
    options = parser.parse_args()
    env = {name: os.environ[name] for name in options.env if name in os.environ}
    with Container(options.arguments, {folder: folder for folder in options.bind}, env,
                   out=sys.stdout, err=sys.stderr) as container:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda number, _: container.kill(number))
        return container.wait(None)


if __name__ == "__main__":
    sys.exit(main())
