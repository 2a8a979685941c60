# SPDX-License-Identifier: Apache-2.0
"""Small libraries in C that are loaded in front of libc, to lie to streamd about its storage or
its clock. They are compiled where they are needed: it takes a tenth of a second.
"""

import os
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
COMPILER = os.environ.get("CC", "cc")


def build(chaos, name):
    """The library of NAME.c."""
    library = chaos.folder / f"{name}.so"
    if not library.exists():
        done = subprocess.run([COMPILER, "-O1", "-Wall", "-Wextra", "-fPIC", "-shared", "-pthread", "-o",
                               str(library), str(HERE / f"{name}.c"), "-ldl"],
                              capture_output=True, text=True)
        chaos.check(done.returncode == 0 and not done.stderr, f"{name}.c: {done.stderr}")
    return library


def preload(run, library, **variables):
    """The next starts of the run have it in front of libc. A sanitizer's runtime wants to be the
    first itself; what it wraps is called by our wrappers all the same."""
    options = [run.env.get("ASAN_OPTIONS", ""), "verify_asan_link_order=0"]
    run.env.update(LD_PRELOAD=str(library), ASAN_OPTIONS=":".join(o for o in options if o), **variables)
