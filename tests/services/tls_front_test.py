# SPDX-License-Identifier: Apache-2.0
"""The TLS front refuses and accepts as a secured service does."""

import ssl

import pytest

from services import Nginx, TlsFront


@pytest.fixture(scope="module")
def front():
    with TlsFront(user="streamd", password="correct horse") as service:
        yield service


def test_a_password_is_asked_for_and_a_wrong_one_is_refused(front):
    assert front.get()[0] == 401
    assert front.get(user="streamd", password="wrong")[0] == 401
    assert front.get(user="streamd", password="correct horse") == (200, "ok\n")


def test_who_does_not_know_the_ca_is_not_let_through(front):
    with pytest.raises(ssl.SSLCertVerificationError):
        front.get(ca=None)


@pytest.mark.parametrize("name, reason", [
    ("expired", "certificate has expired"),
    ("other_host", "Hostname mismatch"),
    ("self_signed", "self-signed certificate"),
])
def test_a_bad_certificate_is_refused_for_its_own_reason(front, name, reason):
    front.use_certificate(name)
    try:
        with pytest.raises(ssl.SSLCertVerificationError, match=reason):
            front.get()
    finally:
        front.use_certificate("good")
    assert front.get(user="streamd", password="correct horse")[0] == 200


def test_kill_and_start_keep_the_port_and_the_ca(front):
    url, ca = front.url, front.ca.read_text()
    front.kill()
    with pytest.raises(OSError):
        front.get()
    front.start()
    assert (front.url, front.ca.read_text()) == (url, ca)
    assert front.get()[0] == 401


def test_a_paused_front_accepts_and_does_not_answer(front):
    front.pause()
    with pytest.raises(TimeoutError):
        front.get(timeout=0.5)
    front.resume()
    assert front.get()[0] == 401


def test_requests_are_passed_to_the_service_behind_it():
    with Nginx() as behind, TlsFront(upstream=behind.url) as front:
        assert front.get("/status/404") == (404, "404\n")
        behind.stop()
        assert front.get("/")[0] == 502
        behind.start()
        assert front.get("/") == (200, "ok\n")
