# SPDX-License-Identifier: Apache-2.0
"""Fetches the peers' public packages, once, into the cache (see service.cached)."""

import re
import subprocess
import sys
from pathlib import Path

from service import ServiceError, cache_dir, cached, need

HERE = Path(__file__).parent


def pypi(package, version):
    """A Python interpreter that has the package of that version from PyPI."""
    name = f"peer-{package}-{version}"

    def fetch(folder):
        # Copies nothing of the system's packages: what the peer runs on is what the package asks for.
        _fetch(f"{package} {version} from PyPI", name,
               ["/usr/bin/python3", "-m", "venv", folder],
               [folder / "bin/python", "-m", "pip", "install", "-q", f"{package}=={version}"])

    return cached(name, fetch) / "bin" / "python"


def maven(peer):
    """The folder with the jars that peers/PEER/pom.xml names, from Maven Central."""
    pom = HERE / peer / "pom.xml"
    name = f"peer-{peer}-{maven_version(peer)}"

    def fetch(folder):
        _fetch(f"the jars of {pom.relative_to(HERE.parents[2])} from Maven Central", name,
               [need("mvn", "maven"), "-q", "-B", "-f", pom, "dependency:copy-dependencies",
                "-DincludeScope=runtime", f"-DoutputDirectory={folder}"])

    return cached(name, fetch)


def maven_version(peer):
    return re.search(r"<version.named>([^<]+)", (HERE / peer / "pom.xml").read_text()).group(1)


def _fetch(what, name, *commands):
    print(f"fetching {what}, once", file=sys.stderr)
    for command in commands:
        done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            target, at = cache_dir() / name, command[0]
            raise ServiceError(
                f"{what} could not be fetched. With a network, run ./dev bench --peers again; or copy "
                f"{target} from a machine that has it. {Path(at).name} said:\n{done.stdout[-2000:]}")
