#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""streamd's HTTP client beside curl, on the same nginx: CPU and wall time of the client for a large
body plain, over TLS, and over TLS with gzip; each pair in turn, the best of some rounds.

    http_bench.py build/bench/bin/bench_http
"""
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
from service import Process, accepts, directory_of_its_own, need, wait_until  # noqa: E402

ROUNDS = 5
TIMES = 100


def cost(words):
    """(CPU seconds, wall seconds) of a child process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    subprocess.run([str(w) for w in words], check=True, stdout=subprocess.DEVNULL)
    wall = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, wall


def compare(servers, program, name, server, gzip):
    url = servers.url(server, "/json")
    ca = servers.folder / "ca.pem"
    ours = [program, url, f"ca={ca}", f"times={TIMES}"] + ([] if gzip else ["accept=identity"])
    # One connection for all, the body thrown away after it was received and unpacked.
    curl = ["curl", "-sS", "--noproxy", "*", "--cacert", ca] + (["--compressed"] if gzip else [])
    for _ in range(TIMES):
        curl += ["-o", "/dev/null", url]
    best = [min(costs) for costs in zip(*[(*cost(ours), *cost(curl)) for _ in range(ROUNDS)])]
    cpu, wall, curl_cpu, curl_wall = best
    print(f"{name:12} CPU {cpu:6.2f} s, curl {curl_cpu:6.2f} s ({cpu / curl_cpu:4.0%})   "
          f"wall {wall:6.2f} s, curl {curl_wall:6.2f} s ({wall / curl_wall:4.0%})")


def main():
    program = Path(sys.argv[1]).resolve()
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
            compare(servers, program, "plain", "plain", False)
            compare(servers, program, "TLS", "good", False)
            compare(servers, program, "TLS + gzip", "good", True)
        finally:
            nginx.terminate()


if __name__ == "__main__":
    main()
