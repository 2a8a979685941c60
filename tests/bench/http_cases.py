# SPDX-License-Identifier: Apache-2.0
"""streamd's HTTP client beside curl, on the same nginx: CPU time of the client for a large body
plain, over TLS, and over TLS with gzip; each pair in turn."""

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/services"), str(ROOT / "tests/engine/io/http")]
os.environ.setdefault("HTTP_FETCH", "")

import nginx_tls_test as site  # noqa: E402
from programs import BenchError, middle  # noqa: E402
from report import Line, spread  # noqa: E402
from service import Process, accepts, directory_of_its_own, need, wait_until  # noqa: E402

ROUNDS = 5
TIMES = 100
KINDS = {"plain": ("plain", False), "TLS": ("good", False), "TLS and gzip": ("good", True)}


def cost(words):
    """(CPU seconds, wall seconds) of a child process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    done = subprocess.run([str(w) for w in words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    wall = time.monotonic() - began
    if done.returncode != 0:
        raise BenchError(f"{words[0]}: {done.stderr[-500:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, wall


def compare(servers, program, name, server, compressed):
    url = servers.url(server, "/json")
    ca = servers.folder / "ca.pem"
    ours = [program, url, f"ca={ca}", f"times={TIMES}"] + ([] if compressed else ["accept=identity"])
    # One connection for all, the body thrown away after it was received and unpacked.
    curl = ["curl", "-sS", "--noproxy", "*", "--cacert", ca] + (["--compressed"] if compressed else [])
    for _ in range(TIMES):
        curl += ["-o", "/dev/null", url]
    pairs = [(cost(ours)[0], cost(curl)[0]) for _ in range(ROUNDS)]
    share = [100 * mine / other for mine, other in pairs]
    return Line(f"HTTP client, {TIMES} bodies of 4 MB over one connection, {name}", "≤ 120 % of curl's CPU",
                f"{spread(share, ' %', 0)}: {spread((p[0] for p in pairs), ' s')}",
                f"curl {spread((p[1] for p in pairs), ' s')}", middle(share)[0] <= 120)


def lines(programs):
    with directory_of_its_own(None, "http-bench") as folder:
        servers = site.Servers(folder)
        config = servers.write()
        rows = (f'{{"ip":"10.0.{i % 250}.{i % 199}","port":{i % 65536},"n":{i * 7919 % 100003}}}\n'
                for i in range(80_000))
        (folder / "www/json").write_text("".join(rows))
        nginx = Process("nginx", [need("nginx", "nginx-light"), "-p", folder, "-c", config, "-e",
                                  folder / "error.log"], folder / "output.log", orphan_signal="TERM")
        nginx.start()
        try:
            wait_until(lambda: all(accepts(p) for p in servers.ports.values()), 30, "nginx listens")
            return [compare(servers, programs.folder / "bench_http", name, *kind)
                    for name, kind in KINDS.items()]
        finally:
            nginx.terminate()
