# SPDX-License-Identifier: Apache-2.0
"""The blocklist sink: nginx takes what it writes, and a crash costs no entry."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from books import books_of
from harness import Streamd, call, free_port
from service import Process, accepts, need, wait_until

SOURCE_DIR = Path(os.environ.get("STREAMD_SOURCE_DIR", Path(__file__).resolve().parents[2]))
PIPELINE = """\
pipeline: block
checkpoint: {every: 100ms}
sources:
  suspects: {type: file, path: suspects.ndjson, follow: %s}
lists:
  ours: {type: inline, values: [192.0.2.0/28, 127.0.0.1]}
sinks:
  blocked: {type: blocklist, input: suspects, field: ip, path: out/blocked, format: %s, allow: [ours], every: 0s}
"""
CONFIG = """\
%s
daemon off;
pid {0}/nginx.pid;
error_log {0}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {0}/t1; proxy_temp_path {0}/t2; fastcgi_temp_path {0}/t3;
  uwsgi_temp_path {0}/t4; scgi_temp_path {0}/t5;
  server {{
    listen 127.0.0.1:{1};
    include {0}/out/blocked;
    location / {{ return 200; }}
    location = /page {{ root {0}; try_files /suspects.ndjson =404; }}
  }}
}}
"""


def tell(folder, *addresses):
    with open(folder / "suspects.ndjson", "a") as file:
        file.writelines(json.dumps({"ip": ip, "score": n, "score_why": f"flood ({n})"}) + "\n"
                        for n, ip in enumerate(addresses))


def blocked(folder):
    file = folder / "out/blocked"
    return file.read_text().splitlines() if file.exists() else None


def test_nginx_denies_who_is_in_the_file_and_nobody_else(streamd, tmp_path):
    tell(tmp_path, "127.0.0.2", "127.0.0.1", "192.0.2.7", "2001:db8::7", "127.0.0.2", "no address")
    run = Streamd(streamd, PIPELINE % ("false", "nginx"), tmp_path)
    assert run.run() == 0, run.stderr
    assert blocked(tmp_path) == ["deny 127.0.0.2;", "deny 2001:db8::7;"]
    assert books_of(run)["blocked"].left == {"filtered": 2, "dead letters": 1}
    port = free_port()
    user = "user root;" if subprocess.run(["id", "-u"], capture_output=True).stdout.strip() == b"0" else ""
    (tmp_path / "nginx.conf").write_text((CONFIG % user).format(tmp_path, port))
    nginx = Process("nginx", [need("nginx", "nginx-light"), "-p", tmp_path, "-c", tmp_path / "nginx.conf", "-e",
                              tmp_path / "error.log"], tmp_path / "nginx.out", orphan_signal="TERM")
    nginx.start()
    try:
        wait_until(lambda: accepts(port), 30, "nginx listens")
        status = {source: subprocess.run(
            ["curl", "-s", "--noproxy", "*", "--interface", source, "-o", "/dev/null", "-w", "%{http_code}",
             f"http://127.0.0.1:{port}/page"], capture_output=True, text=True, check=True).stdout
            for source in ("127.0.0.1", "127.0.0.2", "127.0.0.3")}
    finally:
        nginx.terminate()
    assert status == {"127.0.0.1": "200", "127.0.0.2": "403", "127.0.0.3": "200"}


def test_a_kill_costs_no_entry(streamd, tmp_path):
    run = Streamd(streamd, PIPELINE % ("true", "plain"), tmp_path)
    told = []
    for n in range(6):
        told.append(f"198.51.100.{n}")
        tell(tmp_path, told[-1])
        run.start()
        run.wait_until(lambda: blocked(tmp_path) == told, 30, f"{told[-1]} in the file")
        run.kill9()
        (tmp_path / "out/blocked").unlink()
    run.start()
    run.wait_until(lambda: blocked(tmp_path) == told, 30, "all are back")
    assert run.sigterm() == 0, run.stderr
    assert blocked(tmp_path) == told


def test_two_nftables_lists_never_share_a_set(streamd, tmp_path):
    line = "type: blocklist, input: suspects, field: ip"
    (tmp_path / "p.yaml").write_text(
        (PIPELINE % ("false", "plain")).split("sinks:")[0] +
        f"sinks:\n  one: {{{line}, path: out/1, format: nftables}}\n"
        f"  two: {{{line}, path: out/2, format: nftables, set: blocked}}\n"
        f"  three: {{{line}, path: out/3, format: nftables, set: others}}\n"
        f"  four: {{{line}, path: out/4, set: others}}\n")
    told = call(streamd, "check", "p.yaml", cwd=tmp_path)
    assert told.returncode == 2
    assert 'sink "two" writes to the same `set` of nftables as sink "one"' in told.stderr
    assert "1 error" in told.stderr


def test_the_lists_of_the_ddos_pipelines_stand_beside_each_other(streamd):
    pipelines = [str(SOURCE_DIR / "pipelines" / name) for name in ("ddos.yaml", "ddos-asn.yaml")]
    told = call(streamd, "check", *pipelines, cwd=SOURCE_DIR,
                env={"BLOCKLIST_FORMAT": "nftables"})
    assert "the same" not in told.stderr and told.returncode == 0, told.stderr


@pytest.mark.parametrize("settings, words", [
    ({"allow": "[oars]"}, 'did you mean "ours"'),
    ({"expire": "0s"}, "expire must be longer than 0"),
    ({"format": "iptables"}, "nftables"),
    ({"set": '"a b"', "format": "nftables"}, "set must be letters, digits and _"),
])
def test_check_says_what_is_wrong(settings, words, streamd, tmp_path):
    line = "type: blocklist, input: suspects, field: ip, path: out/blocked"
    more = "".join(f", {key}: {value}" for key, value in settings.items())
    (tmp_path / "p.yaml").write_text(
        (PIPELINE % ("false", "plain")).split("sinks:")[0] + f"sinks:\n  blocked: {{{line}{more}}}\n")
    told = call(streamd, "check", "p.yaml", cwd=tmp_path)
    assert told.returncode == 2
    assert words in told.stderr and "p.yaml:" in told.stderr
