# SPDX-License-Identifier: Apache-2.0
"""The container image: what is in it, and what it does where it will be used."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/services"), str(ROOT / "tests/e2e"), str(Path(__file__).parent)]

from container import Container, image  # noqa: E402
from services import Kafka  # noqa: E402

USER = 10001
LIMIT = 80 * 1000 * 1000

FOLLOW = """\
pipeline: follow
sources:
  lines: {type: file, path: /in/*.ndjson, follow: true, time: {field: t, format: unix, max_delay: 1h}}
operators:
  sums: {type: window, input: lines, window: {tumbling: 1d}, by: [k], compute: {lines: count()}}
sinks:
  out: {type: file, input: lines, path: out.ndjson}
  counts: {type: file, input: sums, path: counts.ndjson}
"""


@pytest.fixture
def place(tmp_path):
    """Folders as somebody would mount them: one that the image's user may write to, two that it may read."""
    for name in ["state", "pipelines", "in"]:
        (tmp_path / name).mkdir()
    os.chown(tmp_path / "state", USER, USER)
    return tmp_path


def run(place, *arguments, pipeline=None, **options):
    if pipeline:
        (place / "pipelines/x.yaml").write_text(pipeline)
    return Container(arguments or ["/pipelines/x.yaml"],
                     {place / "state": "/state", (place / "pipelines", "ro"): "/pipelines",
                      (place / "in", "ro"): "/in"}, **options)


def output(place, name):
    path = place / "state" / name
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def append(place, first, last):
    with open(place / "in/a.ndjson", "a") as file:
        for n in range(first, last):
            file.write(json.dumps({"t": n, "k": "a", "n": n}) + "\n")


def everything():
    """Each file, folder and link of the image, with its lstat."""
    for folder, folders, files in os.walk(image().root):
        for name in [*folders, *files]:
            path = Path(folder) / name
            yield path.relative_to(image().root), path.lstat()


# --- what is in it ----------------------------------------------------------------------


def test_it_is_small():
    size = sum(about.st_size for _, about in everything() if stat.S_ISREG(about.st_mode))
    assert size <= LIMIT, f"{size / 1e6:.1f} MB"
    print(f"image: {size / 1e6:.1f} MB")


def test_its_settings_are_those_of_a_service():
    config = image().config
    assert config["User"] == f"{USER}:{USER}"
    assert config["Entrypoint"] == ["/usr/bin/streamd"] and config["Cmd"] == ["--help"]
    assert config["StopSignal"] in ("SIGTERM", "15")
    assert set(config["Volumes"]) == {"/state", "/plugins"} and config["WorkingDir"] == "/state"
    assert image().environment["STREAMD_STATE_DIR"] == "/state"
    assert image().environment["STREAMD_PLUGIN_PATH"] == "/plugins"
    check = config["Healthcheck"]
    assert check["Test"] == ["CMD", "/usr/bin/streamd", "health"]
    assert check["Interval"] and check["Timeout"] and check["StartPeriod"] and check["Retries"]


def test_its_labels_say_what_it_is(place):
    labels = {key.removeprefix("org.opencontainers.image."): value
              for key, value in image().config["Labels"].items()}
    assert labels["title"] == "streamd" and labels["licenses"] == "Apache-2.0" and labels["description"]
    assert re.fullmatch("[0-9a-f]{40}|unknown", labels["revision"])
    with run(place, "version") as container:
        assert container.wait() == 0
        assert container.stdout.split() == ["streamd", labels["version"]]


def test_nothing_in_it_helps_an_intruder():
    wrong = []
    for path, about in everything():
        mode = about.st_mode
        if stat.S_ISLNK(mode):
            continue
        if mode & (stat.S_ISUID | stat.S_ISGID):
            wrong.append(f"setuid: {path}")
        if mode & 0o002 and str(path) != "tmp":
            wrong.append(f"everybody may write: {path}")
        if about.st_uid != 0 and str(path) != "state":
            wrong.append(f"not root's: {path}")
    assert wrong == []
    programs = {p.name for p, about in everything()
                if stat.S_ISREG(about.st_mode) and about.st_mode & 0o111 and ".so" not in p.name}
    assert programs == {"streamd"}


def test_scanners_find_its_packages_and_lawyers_their_licences():
    packages = {p.name for p in (image().root / "var/lib/dpkg/status.d").iterdir()}
    assert {"libc6", "libssl3t64", "librdkafka1", "ca-certificates", "tzdata"} <= packages
    for package in packages:
        text = (image().root / "var/lib/dpkg/status.d" / package).read_text()
        assert f"Package: {package}" in text and "\nVersion: " in text
        assert (image().root / "usr/share/doc" / package / "copyright").stat().st_size > 0
    assert "Debian GNU/Linux 13" in (image().root / "etc/os-release").read_text()


# --- what it does -----------------------------------------------------------------------


def test_without_arguments_it_tells_what_it_can_do(place):
    with Container([], {}) as container:
        assert container.wait() == 0 and "Usage" in container.stdout


def test_the_demo_runs_on_a_root_that_nobody_can_write_to(place):
    text = (ROOT / "pipelines/demo.yaml").read_text()
    text = re.sub(r"(?m)^(    count: )\d+", r"\g<1>100000", re.sub(r"(?m)^(    speed: )\d+", r"\g<1>0", text))
    with run(place, pipeline=text) as container:
        assert container.wait() == 0, container.stderr
        assert "ALERT  203.0.113.1 sent 11 requests" in container.stdout
        assert re.search(r"requests +generate +100\D000 +100\D000", container.stderr), container.stderr
    rows = (place / "state/out/demo/requests.ndjson")
    assert len(rows.read_text().splitlines()) == 100_000 and rows.stat().st_uid == USER


def test_a_broken_pipeline_is_explained(place):
    with run(place, pipeline="pipeline: x\nsources:\n  a: {type: fil, path: b}\n") as container:
        assert container.wait() == 2
        assert "/pipelines/x.yaml:3:" in container.stderr and 'did you mean "file"?' in container.stderr


def test_process_1_ends_in_order_when_it_is_told_to(place):
    append(place, 0, 100)
    with run(place, pipeline=FOLLOW) as container:
        container.wait_until(lambda: len(output(place, "out.ndjson")) == 100, what="100 lines")
        assert (place / "state/follow/LOCK").read_text() == "1"
        assert container.kill(signal.SIGTERM)
        assert container.wait(10) == 0, container.stderr
        assert "BOOKS" not in container.stderr and re.search(r"lines +file +100 +100", container.stderr)
    with run(place) as container:
        container.wait_until(lambda: "restored epoch" in container.stderr, what="a second start")
        assert container.kill(signal.SIGINT)
        assert container.wait(10) == 0


def test_a_second_signal_ends_it_at_once(place):
    with run(place, pipeline=FOLLOW) as container:
        container.wait_until(lambda: healthy(container).returncode == 0, what="good health")
        container.kill(signal.SIGTERM)
        container.kill(signal.SIGTERM)
        assert container.wait(10) in (0, 143)


def healthy(container):
    return container.exec(*image().config["Healthcheck"]["Test"][1:])


def test_state_in_a_volume_survives_sigkill(place):
    append(place, 0, 1000)
    with run(place, pipeline=FOLLOW) as container:
        container.wait_until(lambda: len(output(place, "out.ndjson")) == 1000, what="1000 lines")
        container.wait_until(lambda: healthy(container).returncode == 0 and committed(place), what="an epoch")
        append(place, 1000, 1500)
        container.kill()
        assert container.wait(10) == 137
    append(place, 1500, 2000)
    with run(place) as container:
        container.wait_until(lambda: len(output(place, "out.ndjson")) == 2000, what="all lines")
        assert "restored epoch" in container.stderr
        append(place, 200_000, 200_001)  # another day: the window of the first one closes
        container.wait_until(lambda: output(place, "counts.ndjson"), what="the first day")
        assert container.kill(signal.SIGTERM) and container.wait(10) == 0
    assert [row["n"] for row in output(place, "out.ndjson")] == [*range(2000), 200_000]
    assert [(row["k"], row["lines"]) for row in output(place, "counts.ndjson")] == [("a", 2000)]


def committed(place):
    return (place / "state/follow/EPOCH").exists()


def test_its_health_check_says_how_it_is(place):
    with run(place, pipeline=FOLLOW) as container:
        container.wait_until(lambda: healthy(container).returncode == 0, what="good health")
        assert healthy(container).stdout.startswith("follow: well: ")
    # A state folder in which nothing runs.
    with run(place, "health") as container:
        assert container.wait() == 1 and "no running process" in container.stderr


def test_records_can_be_looked_at_inside(place):
    with run(place, pipeline=FOLLOW) as container:
        container.wait_until(lambda: healthy(container).returncode == 0, what="good health")
        # Records come while it looks, for half a minute at most.
        writer = subprocess.Popen(
            ["sh", "-c", 'for i in $(seq 600); do printf \'{"t":1,"k":"b"}\\n\'; sleep 0.05; done >>"$1"',
             "sh", place / "in/b.ndjson"])
        try:
            done = container.exec("/usr/bin/streamd", "tap", "lines", "--limit", "3")
        finally:
            writer.kill()
            writer.wait()
        assert done.returncode == 0 and done.stdout.count('"k":"b"') == 3


def test_another_user_and_a_read_only_state_are_told_apart(place):
    os.chown(place / "state", 4711, 4711)
    with run(place, pipeline=FOLLOW, user=4711) as container:
        container.wait_until(lambda: healthy(container).returncode == 0, what="good health")
    with run(place) as container:  # the image's own user may not write there now
        assert container.wait() == 1 and "state folder /state/follow" in container.stderr


# --- the jobs that it is for ------------------------------------------------------------


def test_the_nginx_job_on_a_log_of_the_host(place):
    lines = [f'192.0.2.{1 if n % 2 else 2 + n % 50} - - [15/May/2024:12:00:{n // 10:02d} +0000] '
             f'"GET /{n} HTTP/1.1" {404 if n % 2 else 200} 12 "-" "test"\n' for n in range(300)]
    (place / "in/access.log").write_text("".join(lines))
    text = (ROOT / "pipelines/nginx-file.yaml").read_text()
    with run(place, pipeline=text, env={"ACCESS_LOG": "/in/access.log", "OUT_DIR": "out"}) as container:
        assert container.wait() == 0, container.stderr
    assert len(output(place, "out/requests.ndjson")) == 300
    assert {row["remote_addr"] for row in output(place, "out/busy_clients.ndjson")} == {"192.0.2.1"}
    assert sum(row["requests"] for row in output(place, "out/per_method.ndjson")) == 150


def test_the_nginx_job_on_kafka(place):
    """pipelines/nginx.yaml as it is; Elasticsearch is away, so the raw records wait in the outbox."""
    records = [(None, json.dumps({"@timestamp": str(1_700_000_000 + n / 10), "client_ip": f"192.0.2.{n % 3}",
                           "host": "a.example", "status": "404", "country": "CH",
                           "request_time": "0.5"}), None) for n in range(600)]
    with Kafka() as kafka:
        for topic in ["nginx-access", "nginx-raw", *(f"goal{n}-topic" for n in (1, 2, 3, 4))]:
            kafka.create_topic(topic)
        kafka.produce("nginx-access", records)
        env = {"KAFKA_BROKERS": kafka.bootstrap, "RAW_DIR": "/state/raw", "ES_URL": "http://127.0.0.1:9"}
        pipelines = {(ROOT / "pipelines", "ro"): "/pipelines", place / "state": "/state"}
        # In "/", where the file that the pipeline names as pipelines/… is.
        with Container(["/pipelines/nginx.yaml"], pipelines, env, workdir="/") as container:
            container.wait_until(lambda: len(kafka.consume_all("nginx-raw")) == 600, what="the raw records")
            container.wait_until(lambda: kafka.consume_all("goal2-topic"), what="failing hosts")
            container.wait_until(lambda: kafka.consume_all("goal1-topic"), what="busy clients")
            assert container.kill(signal.SIGTERM) and container.wait(30) == 0, container.stderr


def test_the_shodan_job(tmp_path):
    """./dev demo shodan, with the image in place of the binary."""
    folder = tmp_path / "demo"
    folder.mkdir()
    os.chown(folder, USER, USER)
    program = tmp_path / "streamd"
    names = ["SHODAN_KEY", "SHODAN_URL", "SHODAN_STREAM_URL", "CROWDSEC_KEY", "CROWDSEC_URL",
             "KAFKA_BROKERS", "MONGODB_URI", "OUR_NETWORKS", "DISCORD_WEBHOOK"]
    options = " ".join(f"--env {name}" for name in names)
    program.write_text(f'#!/bin/sh\nexec /usr/bin/python3 -B {ROOT}/tests/image/container.py {options} '
                       f'--bind {folder} -- "$@"\n')
    program.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-B", ROOT / "tests/e2e/shodan_demo.py", "--banners", "60", "--seconds", "0",
         "--folder", folder, "--streamd", program], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    table = re.findall(r"^(.{14})(.{52}) *(\d+) +(\d+)$", done.stdout, re.M)
    assert len(table) == 14 and all(a == e and int(a) > 0 for _, _, a, e in table), done.stdout
    assert (folder / "state/shodan").stat().st_uid == USER  # it was the image that ran
