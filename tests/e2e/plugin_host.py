# SPDX-License-Identifier: Apache-2.0
"""Plugins for end-to-end tests: those of the build, and an installed SDK to build others against."""

import os
import shutil
import subprocess
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]


def build_of(streamd):
    """The build folder that the binary is in."""
    return Path(streamd).parents[1]


def library(streamd, name):
    path = build_of(streamd) / "plugins" / name / f"{name}.so"
    assert path.exists(), f"{path} was not built: build with STREAMD_PLUGINS=ON"
    return path


def example(streamd, name, folder):
    """The example of a plugin, where a user would have it: its files, and build/NAME.so."""
    for file in (SOURCE / "plugins" / name).glob("example.*"):
        shutil.copy(file, folder / file.name)
    (folder / "build").mkdir()
    shutil.copy(library(streamd, name), folder / "build")
    return (folder / "example.yaml").read_text()


def run(*command, cwd=None, timeout=300, env=None):
    """Its output; an error with all of it when it fails."""
    done = subprocess.run([str(c) for c in command], cwd=cwd, timeout=timeout, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env={**os.environ, **(env or {})})
    assert done.returncode == 0, f"{command}\n{done.stdout}"
    return done.stdout


def install_sdk(streamd, prefix):
    run("cmake", "--install", build_of(streamd), "--prefix", prefix, "--component", "sdk")
