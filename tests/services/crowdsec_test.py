# SPDX-License-Identifier: Apache-2.0
"""CrowdSec's local API answers a bouncer, and keeps its decisions."""

import subprocess

import pytest

from crowdsec_service import crowdsec_programs
from services import CrowdSec, ServiceError

STREAM = "/v1/decisions/stream?scopes=ip,range,country"


@pytest.fixture(scope="module")
def crowdsec():
    with CrowdSec() as service:
        yield service


@pytest.fixture
def key(crowdsec):
    crowdsec.delete_all_decisions()
    return crowdsec.bouncer_key()


def found(decisions):
    return sorted((d["scope"], d["value"], d["type"]) for d in decisions or [])


def test_no_decision_is_null_and_a_wrong_key_is_403(crowdsec, key):
    assert crowdsec.ask("/v1/decisions?ip=192.0.2.1", key) == (200, None)
    assert crowdsec.ask("/v1/decisions", "wrong") == (403, {"message": "access forbidden"})


def test_an_address_is_found_by_itself_and_by_its_range(crowdsec, key):
    crowdsec.add_decision("192.0.2.9", reason="seen by a test")
    crowdsec.add_decision("2001:db8::/64", kind="captcha", duration="90s")
    status, answer = crowdsec.ask("/v1/decisions?ip=192.0.2.9", key)
    assert (status, found(answer)) == (200, [("Ip", "192.0.2.9", "ban")])
    assert answer[0]["scenario"] == "seen by a test"
    _, answer = crowdsec.ask("/v1/decisions?ip=2001:db8::5", key)
    assert found(answer) == [("Range", "2001:db8::/64", "captcha")]
    assert answer[0]["duration"].startswith("1m")


def test_the_stream_tells_everything_once_and_then_the_changes(crowdsec, key):
    crowdsec.add_decision("192.0.2.1")
    crowdsec.add_decision("XX", scope="Country")
    _, first = crowdsec.ask(STREAM + "&startup=true", key)
    assert found(first["new"]) == [("Country", "XX", "ban"), ("Ip", "192.0.2.1", "ban")]
    crowdsec.delete_decision("192.0.2.1")
    crowdsec.delete_decision("XX")
    _, then = crowdsec.ask(STREAM, key)
    assert then["new"] is None
    assert {("Country", "XX", "ban"), ("Ip", "192.0.2.1", "ban")} <= set(found(then["deleted"]))


def test_many_decisions_come_from_one_import(crowdsec, key):
    crowdsec.import_decisions([{"value": f"10.1.{n // 200}.{n % 200}"} for n in range(1000)])
    crowdsec.import_decisions([{"value": "10.2.0.0/16", "type": "captcha"}])
    assert len(crowdsec.decisions()) == 1001
    _, answer = crowdsec.ask("/v1/decisions?ip=10.2.3.4", key)
    assert found(answer) == [("Range", "10.2.0.0/16", "captcha")]


def test_a_deleted_bouncer_is_locked_out(crowdsec, key):
    other = crowdsec.bouncer_key("to-be-deleted", "a-key-of-its-own")
    assert crowdsec.ask("/v1/decisions", other)[0] == 200
    crowdsec.delete_bouncer("to-be-deleted")
    assert crowdsec.ask("/v1/decisions", other)[0] == 403
    assert crowdsec.ask("/v1/decisions", key)[0] == 200


def test_kill_and_start_keep_port_keys_and_decisions(crowdsec, key):
    crowdsec.add_decision("192.0.2.77")
    crowdsec.kill()
    with pytest.raises(OSError):
        crowdsec.ask("/v1/decisions", key)
    crowdsec.start()
    assert found(crowdsec.ask("/v1/decisions?ip=192.0.2.77", key)[1]) == [
        ("Ip", "192.0.2.77", "ban")]
    crowdsec.stop()
    crowdsec.start()
    assert len(crowdsec.decisions()) == 1


def test_a_paused_service_does_not_answer_and_a_resumed_one_does(crowdsec, key):
    crowdsec.pause()
    with pytest.raises(TimeoutError):
        crowdsec.ask("/v1/decisions", key, timeout=0.5)
    crowdsec.resume()
    assert crowdsec.ask("/v1/decisions", key)[0] == 200


def test_what_cscli_refuses_is_an_error_with_its_words(crowdsec):
    with pytest.raises(ServiceError, match="cscli decisions add.*"):
        crowdsec.cscli("decisions", "add", "--no-such-option")


def test_a_package_that_cannot_be_fetched_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("STREAMD_CACHE", str(tmp_path))
    failed = subprocess.CompletedProcess([], 100, "E: Unable to fetch")
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: failed)
    with pytest.raises(ServiceError, match="(?s)CrowdSec.*apt-get update.*./dev services fetch"):
        crowdsec_programs()
