# SPDX-License-Identifier: Apache-2.0
"""The syslog source and sink against a real rsyslogd, logger and nginx, and against senders
that mean no good."""

import json
import resource
import socket
import subprocess
import time

import pytest

from books import books_of, unbalanced
from certificates import Certificates
from harness import Nginx, Streamd, call, free_port
from rsyslog_service import Forward, Rsyslog

RECEIVE = """\
pipeline: syslog
checkpoint: {{every: 100ms}}
sources:
  logs:
    type: syslog
    listen: [{listen}]
    {settings}
sinks:
  out: {{type: file, input: logs, path: out/records.ndjson}}
"""
SEND = """\
pipeline: alerts
checkpoint: {{every: 100ms}}
sources:
  alerts: {{type: file, path: "alerts/*.ndjson", follow: true}}
sinks:
  remote:
    type: syslog
    input: alerts
    to: {to}
    retry: {{first: 50ms, longest: 200ms}}
    {settings}
"""


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates") / "all")


class Receiver(Streamd):
    """streamd that writes what it receives at ports of its own."""

    def __init__(self, streamd, tmp_path, listen=("udp", "tcp"), settings="", workers=1):
        self.ports = {kind: free_port() for kind in listen}
        addresses = ", ".join(f"{kind}://127.0.0.1:{port}" for kind, port in self.ports.items())
        super().__init__(streamd, RECEIVE.format(listen=addresses, settings=settings), tmp_path,
                         args=["--workers", workers])

    def ready(self):
        self.start()
        self.wait_until(lambda: self.stderr.count("receives at") == len(self.ports), 30,
                        "it listens")
        return self

    def records(self):
        return [json.loads(line) for path in sorted(self.directory.glob("out/records*.ndjson*"))
                for line in path.read_text().split("\n")[:-1]]

    def wait_for(self, count, timeout=60):
        self.wait_until(lambda: len(self.records()) >= count, timeout, f"{count} records")
        return self.records()

    def end(self):
        """Its books, which balance."""
        assert self.sigterm() == 0, self.stderr
        books = books_of(self)
        assert unbalanced(books) == []
        return books


def tls_settings(certificates, name="good", ca=True):
    certificate, key = certificates.pair(name)
    authority = f", ca: {certificates.ca}" if ca else ""
    return f"tls: {{cert: {certificate}, key: {key}{authority}}}"


def udp(port, *messages):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        for message in messages:
            out.sendto(message if isinstance(message, bytes) else message.encode(),
                       ("127.0.0.1", port))


def test_rsyslog_over_udp_tcp_with_both_framings_and_tls(streamd, tmp_path, certificates):
    run = Receiver(streamd, tmp_path, ("udp", "tcp", "tls"), tls_settings(certificates)).ready()
    ports = run.ports
    forwards = [Forward(ports["udp"], protocol="udp", format="rfc3164"),
                Forward(ports["tcp"], framing="octet-counted", format="rfc5424"),
                Forward(ports["tcp"], framing="traditional", format="iso"),
                Forward(ports["tls"], tls=True, format="rfc5424")]
    client = (certificates.ca, *certificates.pair("client"))
    with Rsyslog(forwards, certificates=client) as rsyslog:
        rsyslog.log("first", tag="app[77]", priority="auth.warning")
        run.wait_for(4)
        rsyslog.log_many([f"message {i}" for i in range(500)], priority="local3.err")
        records = run.wait_for(4 * 501)
    assert len(records) == 4 * 501
    first = [r for r in records if r["message"] == "first"]
    assert len(first) == 4
    for record in first:
        assert (record["facility"], record["severity"], record["severity_code"]) == ("auth", "warning", 4)
        assert (record["app"], record["procid"], record["peer"]) == ("app", "77", "127.0.0.1")
        assert record["host"] and "parse_error" not in record
        stamp = time.strptime(record["timestamp"][:19], "%Y-%m-%dT%H:%M:%S")
        assert stamp.tm_year == time.gmtime().tm_year
    assert sorted(r["format"] for r in first) == ["rfc3164", "rfc3164", "rfc5424", "rfc5424"]
    for i in range(500):
        assert sum(r["message"] == f"message {i}" for r in records) == 4
    books = run.end()
    assert (books["logs"].read, books["out"].written) == (4 * 501, 4 * 501)


def test_a_client_without_certificate_is_told_and_sends_nothing(streamd, tmp_path, certificates):
    run = Receiver(streamd, tmp_path, ("udp", "tls"), tls_settings(certificates)).ready()
    with Rsyslog([Forward(run.ports["tls"], tls=True)],
                 certificates=(certificates.ca, *certificates.pair("self_signed"))) as rsyslog:
        rsyslog.log("let me in")
        run.wait_until(lambda: "TLS connections failed" in run.stderr, 30, "the refusal is told")
    udp(run.ports["udp"], "<13>1 - h a - - - fine")
    assert [r["message"] for r in run.wait_for(1)] == ["fine"]
    run.end()


def test_logger_and_nginx_write_over_udp_and_a_unix_socket(streamd, tmp_path):
    port, path = free_port(), tmp_path / "log"
    run = Streamd(streamd, RECEIVE.format(listen=f"udp://127.0.0.1:{port}, unix:{path}", settings=""),
                  tmp_path)
    run.start()
    run.wait_until(lambda: run.stderr.count("receives at") == 2, 30, "it listens")
    receiver = Receiver.records
    with Nginx(syslog=f"127.0.0.1:{port}") as nginx:
        nginx.get("/hello?a=b", client_ip="203.0.113.9")
    for arguments in (["--rfc5424", "-n", "127.0.0.1", "-P", port, "-d", "--sd-id", "x@1", "--sd-param",
                       'k="v"', "--msgid", "M1"],
                      ["--rfc3164", "-n", "127.0.0.1", "-P", port, "-d"], ["-u", path]):
        subprocess.run(["logger", *map(str, arguments), "-t", "tool", "-p", "mail.err", "--", "by logger"],
                       check=True, timeout=30)
    run.wait_until(lambda: len(receiver(run)) >= 4, 30, "four records")
    by_app = {}
    for record in receiver(run):
        by_app.setdefault(record["app"], []).append(record)
    access = by_app["nginx"][0]
    assert access["message"].startswith("203.0.113.9 - - [") and "GET /hello?a=b" in access["message"]
    assert (access["facility"], access["severity"]) == ("local7", "info")
    tools = by_app["tool"]
    assert len(tools) == 3 and all(t["message"] == "by logger" for t in tools)
    assert all((t["facility"], t["severity"]) == ("mail", "err") for t in tools)
    with_data = [t for t in tools if t["format"] == "rfc5424"]
    assert with_data[0]["structured_data"]["x@1"] == {"k": "v"} and with_data[0]["msgid"] == "M1"
    local = [t for t in tools if t["peer"] is None]
    assert len(local) == 1 and local[0]["host"] is None
    assert run.sigterm() == 0
    assert not path.exists()


def test_what_can_not_be_parsed_is_a_record_with_its_reason(streamd, tmp_path):
    run = Receiver(streamd, tmp_path, ("udp",)).ready()
    udp(run.ports["udp"], b"\xff\xfe\x00rubbish", "no header at all", "<999>what", "<13>Feb 31 03:04:05 h a: x",
        "<34>1 2024-01-02T03:04:05Z h a - - [broken x=\"1", "Zürich ☃")
    records = run.wait_for(6)
    errors = [r["parse_error"] for r in records]
    assert errors == ["no-syslog", "no-syslog", "bad-priority", "bad-time", "bad-structured-data", "no-syslog"]
    assert records[0]["message"] == "\ufffd\ufffd\0rubbish"
    assert records[4]["message"] == "[broken x=\"1" and records[5]["message"] == "Zürich ☃"
    assert run.end()["logs"].left == {}


def test_one_loud_host_does_not_starve_the_rest(streamd, tmp_path):
    run = Receiver(streamd, tmp_path, ("udp", "tcp"), "max_per_sender: 200").ready()
    # Loopback's addresses are many hosts.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as loud, \
            socket.create_connection(("127.0.0.1", run.ports["tcp"]), source_address=("127.0.0.2", 0)) as calm:
        loud.bind(("127.0.0.9", 0))
        for i in range(5000):
            loud.sendto(b"<13>1 - loud a - - - x", ("127.0.0.1", run.ports["udp"]))
            if i % 100 == 0:
                calm.sendall(b"<13>1 - calm a - - - y\n")
        run.wait_until(lambda: sum(r["host"] == "calm" for r in run.records()) == 50, 30, "the calm host")
    run.wait_until(lambda: "beyond max_per_sender" in run.stderr, 30, "the loud host is told")
    assert run.stderr.count("beyond max_per_sender") == 1 and "127.0.0.9" in run.stderr
    books = run.end()["logs"]
    assert books.left["throttled"] > 1000
    assert books.read == books.written + sum(books.left.values())


def test_slow_and_endless_senders_are_closed_while_others_go_on(streamd, tmp_path):
    run = Receiver(streamd, tmp_path, ("tcp",), "message_timeout: 1s\n    max_record: 64KiB").ready()
    address = ("127.0.0.1", run.ports["tcp"])
    slow, endless, good = (socket.create_connection(address) for _ in range(3))
    slow.sendall(b"<13>1 - slow")
    sent = rounds = 0
    endless.settimeout(30)
    deadline = time.monotonic() + 60
    with pytest.raises(OSError):
        # Never an end: the connection is closed when its message takes too long.
        while time.monotonic() < deadline:
            sent += endless.send(b"x" * 4096)
            rounds += 1
            if rounds % 100 == 0:
                good.sendall(b"<13>1 - good a - - - z\n")
    assert sent > 64 * 1024
    slow.settimeout(30)
    assert slow.recv(1) == b""
    good.sendall(b"<13>1 - last a - - - z\n")
    run.wait_until(lambda: any(r.get("host") == "last" for r in run.records()), 30, "the good one")
    assert any(r.get("host") == "slow" for r in run.records())
    assert "message_timeout" in run.stderr
    books = run.end()["logs"]
    assert books.left["dead letters"] >= 1


def test_ten_thousand_connections(streamd, tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    count = min(10_000, hard - 500)
    run = Receiver(streamd, tmp_path, ("tcp",), f"max_connections: {count}").ready()
    clients = []
    try:
        for i in range(count):
            client = socket.create_connection(("127.0.0.1", run.ports["tcp"]), timeout=30)
            client.sendall(b"<13>1 - h%d a - - - one\n" % i)
            clients.append(client)
        run.wait_for(count, 120)
        # One more is refused, and all of the others still count.
        with socket.create_connection(("127.0.0.1", run.ports["tcp"]), timeout=30) as refused:
            assert refused.recv(1) == b""
        for i, client in enumerate(clients):
            client.sendall(b"21 <13>1 - h a - - - two")
        records = run.wait_for(2 * count, 120)
        assert len({r["host"] for r in records if r["message"] == "one"}) == count
        assert sum(r["message"] == "two" for r in records) == count
        print(f"{count} connections at once, limit of descriptors {hard}")
    finally:
        for client in clients:
            client.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert run.end()["logs"].read == 2 * count


def test_kill_nine_loses_at_most_what_came_after_the_last_checkpoint(streamd, tmp_path):
    run = Receiver(streamd, tmp_path, ("tcp", "udp")).ready()
    for round_ in range(3):
        udp(run.ports["udp"], *[f"<13>1 - h a - - - {round_} {i}" for i in range(100)])
        run.wait_until(lambda: sum(r["message"].startswith(f"{round_} ") for r in run.records()) == 100, 30,
                       "what was sent to this run")
        run.kill9()
        run.ready()
    udp(run.ports["udp"], "<13>1 - h a - - - last")
    run.wait_until(lambda: any(r["message"] == "last" for r in run.records()), 30, "the last one")
    messages = [r["message"] for r in run.records()]
    # At most once: nothing twice, and what was lost is the end of a run.
    assert len(messages) == len(set(messages))
    for round_ in range(3):
        kept = [int(m.split()[1]) for m in messages if m.startswith(f"{round_} ")]
        assert kept == list(range(len(kept)))
    assert run.end()["logs"].read == 1


def test_sigterm_ends_in_order_while_senders_send(streamd, tmp_path):
    run = Receiver(streamd, tmp_path, ("tcp",), workers=2).ready()
    with socket.create_connection(("127.0.0.1", run.ports["tcp"])) as client:
        for i in range(1000):
            client.sendall(b"<13>1 - h a - - - %d\n" % i)
        run.wait_for(1000)
        client.sendall(b"<13>1 - h a - - - never ended")
        books = run.end()
    assert books["logs"].read >= 1000


def test_kernel_drops_are_in_the_books(streamd, tmp_path):
    run = Receiver(streamd, tmp_path, ("udp",), "receive_buffer: 4KiB").ready()
    run.pause()
    udp(run.ports["udp"], *["<13>1 - h a - - - " + "x" * 500] * 1000)
    run.resume()
    run.wait_until(lambda: "thrown away by the kernel" in run.stderr, 30, "the drops are told")
    books = run.end()["logs"]
    assert books.left["expired"] > 0
    assert books.written + books.left["expired"] == 1000


def test_check_tells_the_promise_and_every_mistake(streamd, tmp_path):
    good = tmp_path / "good.yaml"
    good.write_text(RECEIVE.format(listen="udp://0.0.0.0:5514", settings=""))
    told = call(streamd, "check", good)
    assert told.returncode == 0 and "lost with a crash" in told.stdout + told.stderr
    assert "at most once" in call(streamd, "docs", "syslog").stdout
    bad = tmp_path / "bad.yaml"
    bad.write_text(RECEIVE.format(listen="udp://0.0.0.0, http://x:1", settings="framing: crlf"))
    told = call(streamd, "check", bad)
    text = told.stdout + told.stderr
    assert told.returncode == 2
    assert "ends with a port" in text and "begins with udp://" in text and "crlf" in text
    assert text.count("bad.yaml:") >= 3


# --- the sink ----------------------------------------------------------------------


class Sender(Streamd):
    def __init__(self, streamd, tmp_path, to, settings=""):
        (tmp_path / "alerts").mkdir()
        super().__init__(streamd, SEND.format(to=to, settings=settings), tmp_path)

    def put(self, records, name="a"):
        with open(self.directory / "alerts" / f"{name}.ndjson", "a") as out:
            for record in records:
                out.write(json.dumps(record) + "\n")


def test_alerts_reach_rsyslog_over_udp_tcp_and_tls(streamd, tmp_path, certificates):
    server = (certificates.ca, *certificates.pair("good"))
    settings = ('message: "{{ ip }} did it\\nagain"\n    severity: "{{ level }}"\n    facility: local4\n'
                '    app: streamd-alerts\n    host: "{{ ip }}"\n    msgid: BLOCK\n'
                '    structured_data: {"a@1": [ip, why, gone]}')
    with Rsyslog(receive=True, certificates=server) as rsyslog:
        for name, to, more in (
                ("udp", f"udp://127.0.0.1:{rsyslog.udp}", ""),
                ("tcp", f"tcp://127.0.0.1:{rsyslog.tcp}", ""),
                ("lf", f"tcp://127.0.0.1:{rsyslog.tcp}", "\n    framing: lf"),
                ("tls", f"tls://localhost:{rsyslog.tls}", "\n    " + tls_settings(certificates, "client"))):
            folder = tmp_path / name
            folder.mkdir()
            before = len(rsyslog.received())
            run = Sender(streamd, folder, to, settings + more)
            run.put({"ip": f"192.0.2.{i}", "why": 'a "b" ]c\\', "level": "crit"} for i in range(100))
            run.start()
            run.wait_until(lambda: len(rsyslog.received()) == before + 100, 60, f"100 messages by {name}")
            assert run.sigterm() == 0, run.stderr
            received = rsyslog.received()[before:]
            assert {r["host"] for r in received} == {f"192.0.2.{i}" for i in range(100)}
            one = received[0]
            assert (one["facility"], one["severity"], one["app"], one["msgid"]) == (
                "local4", "crit", "streamd-alerts", "BLOCK")
            assert one["structured_data"] == f'[a@1 ip="{one["host"]}" why="a \\"b\\" \\]c\\\\"]'
            # rsyslog writes control characters as #ooo.
            end = "did it again" if name == "lf" else "did it#012again"
            assert one["message"] == f"{one['host']} {end}"


def test_the_old_format_is_understood(streamd, tmp_path):
    with Rsyslog(receive=True) as rsyslog:
        run = Sender(streamd, tmp_path, f"tcp://127.0.0.1:{rsyslog.tcp}",
                     'format: rfc3164\n    app: tool\n    procid: "7"\n    host: web1')
        run.put([{"a": 1}])
        run.start()
        run.wait_until(lambda: len(rsyslog.received()) == 1, 60, "the message")
        one = rsyslog.received()[0]
        assert (one["host"], one["app"], one["procid"]) == ("web1", "tool", "7")
        assert json.loads(one["message"]) == {"a": 1}
        assert run.sigterm() == 0


def test_alerts_wait_for_a_server_that_is_away(streamd, tmp_path):
    with Rsyslog(receive=True) as rsyslog:
        run = Sender(streamd, tmp_path, f"tcp://127.0.0.1:{rsyslog.tcp}", 'message: "{{ n }}"')
        run.put([{"n": i} for i in range(10)])
        run.start()
        run.wait_until(lambda: len(rsyslog.received()) == 10, 60, "the first ten")
        rsyslog.stop()
        run.put([{"n": i} for i in range(10, 20)], "b")
        run.wait_until(lambda: "remote" in run.stderr and "refused" in run.stderr.lower(), 60, "it is told")
        run.kill9()
        run.start()
        rsyslog.start()
        run.wait_until(lambda: {r["message"] for r in rsyslog.received()} >= {str(i) for i in range(20)}, 60,
                       "all twenty")
        assert run.sigterm() == 0


def test_a_server_that_nobody_vouches_for_gets_nothing(streamd, tmp_path, certificates):
    server = (certificates.ca, *certificates.pair("other_host"))
    with Rsyslog(receive=True, certificates=server) as rsyslog:
        run = Sender(streamd, tmp_path, f"tls://localhost:{rsyslog.tls}",
                     tls_settings(certificates, "client"))
        run.put([{"n": 1}])
        run.start()
        run.wait_until(lambda: "another host" in run.stderr, 60, "the certificate is told")
        assert rsyslog.received() == []
        run.kill9()
