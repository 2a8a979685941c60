# SPDX-License-Identifier: Apache-2.0
"""deploy/compose.yaml: what it means to Docker Compose, and that all it names is there."""

import os
import re
import subprocess
from pathlib import Path, PurePosixPath

import pytest
from compose_model import compose_model

ROOT = Path(os.environ.get("STREAMD_SOURCE_DIR", Path(__file__).resolve().parents[2]))
COMPOSE, EXAMPLE = ROOT / "deploy/compose.yaml", ROOT / "deploy/example.env"
OURS = {"fetcher", "historian", "dispatcher"}


@pytest.fixture(scope="module")
def model():
    return compose_model(COMPOSE, EXAMPLE)


@pytest.fixture(scope="module")
def services(model):
    return model["services"]


def changed(tmp_path, old, new):
    text = COMPOSE.read_text()
    assert old in text
    file = tmp_path / "compose.yaml"
    file.write_text(text.replace(old, new, 1))
    return file


def test_it_is_what_docker_compose_reads(model):
    assert model["name"] == "streamd-shodan"
    assert set(model["services"]) == OURS | {"kafka", "mongodb", "opensearch", "crowdsec"}


@pytest.mark.parametrize("old, new, told", [
    ("read_only: true", "readonly: true", "readonly"),
    ("restart: unless-stopped", "restart: [1]", "restart"),
    ("mongodb: {condition: service_healthy}", "mongo: {condition: service_healthy}", "mongo"),
    ("- fetcher:/state", "- fetched:/state", "fetched"),
    ("interval: 10s", "interval: often", "often")])
def test_a_mistake_in_it_would_be_found(tmp_path, old, new, told):
    with pytest.raises(ValueError, match=told):
        compose_model(changed(tmp_path, old, new), EXAMPLE)


def test_the_example_names_just_what_it_asks_for(tmp_path):
    asked = set(re.findall(r"\$\{(\w+)", COMPOSE.read_text()))
    given = dict(line.split("=", 1) for line in EXAMPLE.read_text().splitlines() if line[:1] != "#")
    assert set(given) == asked
    for name in asked:
        rest = tmp_path / "rest.env"
        rest.write_text("".join(f"{k}={v}\n" for k, v in given.items() if k != name))
        with pytest.raises(ValueError, match=f"{name}.*deploy/.env"):
            compose_model(COMPOSE, rest)


def test_no_secret_stands_in_it_and_each_service_gets_only_its_own(services):
    secrets = {"SHODAN_KEY", "CROWDSEC_KEY", "DISCORD_WEBHOOK"}
    has = {name: set(services[name].get("environment") or {}) & secrets for name in OURS}
    assert has == {"fetcher": {"SHODAN_KEY", "CROWDSEC_KEY"}, "historian": set(),
                   "dispatcher": {"DISCORD_WEBHOOK"}}
    text = COMPOSE.read_text()
    assert not any(line.split("=", 1)[1] in text for line in EXAMPLE.read_text().splitlines() if "=" in line
                   and line[:1] != "#")


def test_every_service_has_a_health_check_and_waits_for_those_it_needs(services):
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert 'HEALTHCHECK' in dockerfile and '"/usr/bin/streamd", "health"' in dockerfile
    needs = {name: set(services[name].get("depends_on") or {}) for name in services}
    assert needs == {"fetcher": {"kafka", "crowdsec"}, "historian": {"kafka", "mongodb", "opensearch"},
                     "dispatcher": {"kafka"}, "kafka": set(), "mongodb": set(), "opensearch": set(),
                     "crowdsec": set()}
    for name, service in services.items():
        assert all(on["condition"] == "service_healthy" for on in (service.get("depends_on") or {}).values())
        assert name in OURS or service["healthcheck"]["test"][0] == "CMD"


def test_our_services_can_write_to_their_state_and_nowhere_else(services):
    for name in OURS:
        service = services[name]
        assert service["read_only"] and service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        writable = [v["target"] for v in service["volumes"] if not v.get("read_only")]
        assert writable == ["/state"] and "ports" not in service


def test_only_this_machine_reaches_a_port(services):
    ports = [port for service in services.values() for port in service.get("ports") or []]
    assert ports and all(port["host_ip"] == "127.0.0.1" for port in ports)


def test_every_image_is_pinned_and_every_file_and_volume_is_there(model, services):
    for name, service in services.items():
        if name in OURS:
            assert service["image"] == "streamd" and Path(service["build"]["context"]) == ROOT
            assert (ROOT / service["build"]["dockerfile"]).is_file()
        else:
            assert re.fullmatch(r"[\w/.-]+:v?\d+\.\d+[\w.-]*", service["image"]), service["image"]
        for volume in service["volumes"]:
            if volume["type"] == "bind":
                assert Path(volume["source"]).is_dir(), volume
            else:
                assert volume["source"] in model["volumes"]
    used = {v["source"] for s in services.values() for v in s["volumes"] if v["type"] == "volume"}
    assert used == set(model["volumes"])


def on_this_machine(service, path):
    for volume in service["volumes"]:
        if PurePosixPath(path).is_relative_to(volume["target"]) and volume["type"] == "bind":
            return Path(volume["source"]) / PurePosixPath(path).relative_to(volume["target"])
    return None


def test_every_pipeline_it_mounts_passes_check(streamd, services):
    jobs = {}
    for name in OURS:
        service = services[name]
        files = [on_this_machine(service, path) for path in service["command"]]
        assert files and all(file.is_file() for file in files), name
        done = subprocess.run([streamd, "check", *files], capture_output=True, text=True, timeout=60,
                              env={"PATH": os.environ["PATH"], **service["environment"]})
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        jobs[name] = done.stdout
        # Paths that the environment gives to pipelines are mounted, too.
        for value in service["environment"].values():
            if value.startswith("/"):
                assert on_this_machine(service, value).is_file(), value
        # Nothing is left to the default that is meant for a developer's own machine.
        assert "localhost" not in done.stdout and "127.0.0.1" not in done.stdout, done.stdout
    assert jobs["historian"].count("pipeline ") == 1  # one job, which reads the topic once
