# SPDX-License-Identifier: Apache-2.0
"""What a compose file means, as Docker Compose itself reads it: with its own library, built here,
once, from its Go module. Nothing of Docker is needed."""

import json
import os
import re
import subprocess
from pathlib import Path

from downloads import fetched
from mongodb_service import go_compiler

HERE = Path(__file__).parent / "compose"
VERSION = re.search(r"compose-go/v2 v(\S+)", (HERE / "go.mod").read_text()).group(1)


def compose_reader():
    """The program; built by the first caller."""
    def build(folder):
        options = {"cwd": HERE, "env": {**os.environ, "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}}
        yield [go_compiler(), "build", "-trimpath", "-buildvcs=false", "-o", folder / "compose", "."], options

    return fetched(f"compose-{VERSION}", f"Docker Compose's library {VERSION} (Go, built here)", build,
                   "compose") / "compose"


def compose_model(file, env_file):
    """The project as a dictionary; a ValueError with compose's words when there is none."""
    done = subprocess.run([compose_reader(), file, env_file], capture_output=True, text=True, timeout=60,
                          env={"PATH": os.environ["PATH"], "HOME": "/"})
    if done.returncode != 0:
        raise ValueError(done.stderr.strip())
    return json.loads(done.stdout)
