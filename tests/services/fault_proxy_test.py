# SPDX-License-Identifier: Apache-2.0
"""The fault proxy does each harm it promises, as often as it was told, and then none."""

import http.client
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from services import FaultProxy, ServiceError, wait_until

BODY = bytes(range(97, 123)) * 400


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.do_GET()

    def do_GET(self):
        self.server.served += 1
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *_):
        pass


@pytest.fixture
def service():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.served, server.bodies = 0, []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def proxy(service):
    with FaultProxy(service.server_port, http=True) as between:
        yield between


def connect(proxy, timeout=20):
    return http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=timeout)


def ask(connection, method="GET", body=None, headers=None):
    connection.request(method, "/", body, headers or {})
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_it_listens_on_an_address_of_ipv6_where_that_is_wanted(service):
    with FaultProxy(service.server_port, address="::1") as between:
        assert between.url == f"http://[::1]:{between.port}"
        assert ask(http.client.HTTPConnection("::1", between.port, timeout=20)) == (200, BODY)
        with pytest.raises(ConnectionRefusedError):
            ask(connect(between))


def test_without_a_fault_requests_and_answers_pass(proxy, service):
    connection = connect(proxy)
    assert ask(connection) == (200, BODY)
    assert ask(connection, "POST", b"x" * 300000)[0] == 200
    assert service.bodies == [b"x" * 300000]
    assert (proxy.connections, proxy.requests, proxy.faults) == (1, 2, 0)


def test_an_answer_is_given_so_often_and_on_the_same_connection(proxy, service):
    connection = connect(proxy)
    assert ask(connection)[0] == 200
    proxy.too_many_requests(retry_after=7, times=2)
    for _ in range(2):
        connection.request("POST", "/", b"y" * 100000)
        answer = connection.getresponse()
        assert (answer.status, answer.getheader("Retry-After")) == (429, "7")
        assert "error" in json.loads(answer.read())
    assert ask(connection) == (200, BODY)
    assert (service.served, service.bodies, proxy.connections) == (2, [], 1)


def test_an_answer_can_last_until_told_otherwise(proxy):
    proxy.server_error(times=None)
    assert [ask(connect(proxy))[0] for _ in range(5)] == [500] * 5
    proxy.pass_through()
    assert ask(connect(proxy)) == (200, BODY)


def test_html_and_garbage_come_where_json_is_expected(proxy):
    proxy.html()
    status, body = ask(connect(proxy))
    assert status == 503 and body.startswith(b"<html>")
    proxy.garbage()
    with pytest.raises(http.client.BadStatusLine):
        ask(connect(proxy))
    assert ask(connect(proxy))[0] == 200


def test_a_chunked_request_is_read_to_its_end(proxy, service):
    proxy.server_error()
    chunks = (b"a" * n for n in (1, 70000, 3))
    connection = connect(proxy)
    connection.request("POST", "/", chunks, {"Transfer-Encoding": "chunked"}, encode_chunked=True)
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (500, b'{"error":"internal"}')
    assert ask(connection) == (200, BODY)
    assert service.served == 1


def test_an_answer_is_cut_in_its_middle_and_the_next_is_whole(proxy, service):
    proxy.cut(after=len(BODY) // 2)
    with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
        ask(connect(proxy))
    assert ask(connect(proxy)) == (200, BODY)
    assert (service.served, proxy.faults) == (2, 1)


def test_a_cut_before_the_first_byte_hides_what_the_service_has_done(proxy, service):
    proxy.cut(after=0)
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        ask(connect(proxy), "POST", b"done")
    assert service.bodies == [b"done"]


def test_the_cut_counts_each_answer_of_a_connection_anew(proxy):
    connection = connect(proxy)
    proxy.cut(after=len(BODY) + 5000)
    assert ask(connection) == (200, BODY)
    assert ask(connection) == (200, BODY)
    assert proxy.faults == 0


def test_refused_connections_are_refused_and_open_ones_are_reset(proxy):
    connection = connect(proxy)
    assert ask(connection)[0] == 200
    proxy.refuse()
    with pytest.raises(OSError):
        ask(connection)
    with pytest.raises(ConnectionRefusedError):
        ask(connect(proxy))
    proxy.pass_through()
    assert ask(connect(proxy)) == (200, BODY)


def test_a_hanging_service_accepts_and_is_silent_until_it_wakes(proxy, service):
    proxy.hang()
    connection = connect(proxy, timeout=0.5)
    with pytest.raises(TimeoutError):
        ask(connection)
    assert service.served == 0
    waiting, answers = connect(proxy), []
    thread = threading.Thread(target=lambda: answers.append(ask(waiting)))
    thread.start()
    wait_until(lambda: proxy.connections == 2, what="the second connection")
    proxy.pass_through()
    thread.join(20)
    assert answers == [(200, BODY)]


def test_a_slow_service_sends_in_small_pieces(proxy):
    proxy.slow(20000)
    with socket.create_connection(("127.0.0.1", proxy.port), 20) as client:
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        pieces = []
        while piece := client.recv(1 << 16):
            pieces.append(len(piece))
    assert sum(pieces) > len(BODY) and max(pieces) < len(BODY)


def test_a_service_that_is_down_ends_the_connection():
    with FaultProxy(1, http=True) as proxy:
        with pytest.raises((ConnectionError, http.client.HTTPException)):
            ask(connect(proxy))
        proxy.server_error()
        assert ask(connect(proxy))[0] == 500


def test_any_bytes_pass_where_no_requests_are_looked_for(service):
    with FaultProxy(("127.0.0.1", service.server_port)) as proxy:
        assert ask(connect(proxy)) == (200, BODY)
        with pytest.raises(ServiceError, match="http=True"):
            proxy.server_error()
        connection = connect(proxy)
        assert ask(connection)[0] == 200
        proxy.cut(after=10)
        with pytest.raises((ConnectionResetError, http.client.HTTPException)):
            ask(connection)
        assert ask(connect(proxy)) == (200, BODY)
