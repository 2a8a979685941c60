# SPDX-License-Identifier: Apache-2.0
"""A TCP proxy that a test puts before any service, to hurt what passes.

It runs in threads of the test's process. Between two faults it passes bytes as they
are, so TLS and every protocol go through it; answer() and what is built on it need to
see requests and want http=True.
"""

import socket
import struct
import sys
import threading
import time

from service import ServiceError, free_port

HTML = (b"<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n"
        b"<body>\r\n<center><h1>503 Service Temporarily Unavailable</h1></center>\r\n</body>"
        b"</html>")
REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
           413: "Request Entity Too Large", 429: "Too Many Requests",
           500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable",
           504: "Gateway Timeout"}


class FaultProxy:
    """Listens on `port` of an address and passes to upstream, a port or (host, port).

    What it does is set by one of:
      pass_through()      the state at the start, and the end of every fault
      refuse()            nobody listens; open connections are reset
      hang()              connections are accepted, and nothing moves on any of them
      slow(rate)          so many bytes per second and direction
      cut(after, times)   the next answers end after so many bytes, with a reset
      answer(status, …)   the next requests get this and never reach the service
    and holds for connections that are open already. Counters (connections, requests,
    faults) may be read at any time; `requests` is counted with http=True only.
    """

    def __init__(self, upstream, http=False, port=None, address="127.0.0.1"):
        self._upstream = upstream if isinstance(upstream, tuple) else ("127.0.0.1", upstream)
        self._http, self._address = http, address
        self.port = port or free_port()
        self.connections = self.requests = self.faults = 0
        self._lock = threading.Condition()
        self._open = set()
        self._listener = None
        self._mode, self._argument, self._left, self._epoch = "pass", None, None, None

    @property
    def url(self):
        return f"http://{self.host}:{self.port}"

    @property
    def host(self):
        """As URLs write it."""
        return f"[{self._address}]" if ":" in self._address else self._address

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, error, trace):
        if kind is not None:
            print(f"--- fault proxy {self.tails()[0][1]}", file=sys.stderr)
        self.close()

    def start(self):
        self._listen()
        return self

    def stop(self):
        """The same as refuse(); start() listens on the same port again."""
        self.refuse()

    def close(self):
        self.refuse()

    def tails(self):
        return [("fault proxy", f"{self._mode}: {self.connections} connections, "
                                f"{self.requests} requests, {self.faults} faults")]

    # --- what it does -----------------------------------------------------------

    def pass_through(self):
        self._set("pass")
        self._listen()

    def refuse(self):
        self._set("pass")
        if self._listener is not None:
            # Only shutdown wakes the thread that accepts.
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self.reset_connections()

    def hang(self):
        self._set("hang")
        self._listen()

    kill, pause, resume = refuse, hang, pass_through

    def slow(self, rate):
        self._set("slow", rate)
        self._listen()

    def cut(self, after=20, times=1):
        """after=0 is the worst one: the service has done it, and the client hears nothing.
        times=None: until told otherwise. Without http, what counts is the bytes of a
        connection's answers since this call."""
        self._set("cut", after, times)
        self._listen()

    def answer(self, status, body=b"", headers=None, times=None):
        """Answer requests in the service's place, `times` times or until told otherwise."""
        lines = {"Content-Length": len(body), "Content-Type": "application/json", **(headers or {})}
        head = f"HTTP/1.1 {status} {REASONS.get(status, 'Unknown')}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self._instead(head.encode() + b"\r\n" + body, True, times)

    def answer_bytes(self, data, times=None):
        """The same with bytes that need not be HTTP; the connection ends after them."""
        self._instead(data, False, times)

    def too_many_requests(self, retry_after=1, times=1):
        self.answer(429, b'{"error":"too many requests"}', {"Retry-After": retry_after}, times)

    def server_error(self, times=1):
        self.answer(500, b'{"error":"internal"}', times=times)

    def html(self, status=503, times=1):
        """What a proxy on the way says, where JSON is expected."""
        self.answer(status, HTML, {"Content-Type": "text/html"}, times)

    def garbage(self, times=1):
        """Bytes that are no HTTP at all."""
        self.answer_bytes(bytes(range(256)) * 4, times)

    def reset_connections(self):
        with self._lock:
            for pair in list(self._open):
                _reset(*pair)

    # --- its threads ------------------------------------------------------------

    def _instead(self, data, keep, times):
        if not self._http:
            raise ServiceError("this fault proxy was not made with http=True")
        self._set("answer", (data, keep), times)
        self._listen()

    def _set(self, mode, argument=None, times=None):
        with self._lock:
            self._mode, self._argument, self._left = mode, argument, times
            self._epoch = object()
            self._lock.notify_all()

    def _listen(self):
        if self._listener is not None:
            return
        listener = socket.socket(socket.AF_INET6 if ":" in self._address else socket.AF_INET)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((self._address, self.port))
        listener.listen(128)
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def _accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            server = socket.create_connection(self._upstream, 30)
            server.settimeout(None)
            server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:
            # The service is down. A fault that needs none is still played.
            server = None
        link = _Link(self, client, server, self._http)
        with self._lock:
            self._open.add(link.pair)
        try:
            link.run()
        finally:
            with self._lock:
                self._open.discard(link.pair)
            _close(*link.pair)

    def next_request(self):
        """A request begins: (bytes to answer in the service's place, whether the connection
        stays open), or None."""
        with self._lock:
            self.requests += 1
            if self._mode != "answer":
                return None
            instead = self._argument
            self._spend()
            return instead

    def let_pass(self, mark):
        """Wait while nothing moves; then (bytes at once, how many may still come before the
        cut or None). `mark` is the link's own, to see that a fault was set anew."""
        with self._lock:
            while self._mode == "hang" and not mark.gone:
                self._lock.wait(0.2)
            if self._mode == "slow":
                return max(1, self._argument // 20), None
            if self._mode != "cut":
                return 1 << 16, None
            if mark.epoch is not self._epoch:
                mark.epoch, mark.answered = self._epoch, 0
            return 1 << 16, max(0, self._argument - mark.answered)

    def was_cut(self):
        with self._lock:
            self._spend()

    def _spend(self):
        self.faults += 1
        if self._left is not None:
            self._left -= 1
            if self._left <= 0:
                self._mode = "pass"


class _Link:
    """One client's connection and the service's; one thread for each direction."""

    def __init__(self, proxy, client, server, http):
        self._proxy, self._client, self._server = proxy, client, server
        self._requests = _Requests() if http else None
        self.pair = (client, server)
        self.gone, self.epoch, self.answered = False, None, 0

    def run(self):
        back = threading.Thread(target=self._answers, daemon=True)
        back.start()
        try:
            self._ask()
        except OSError:
            pass
        self.gone = True
        _shut(self._server)
        back.join()

    def _ask(self):
        instead = None
        while data := self._client.recv(1 << 16):
            for part, begins in self._requests.split(data) if self._requests else [(data, False)]:
                if begins:
                    self.answered = 0
                    instead = self._proxy.next_request()
                if instead is None:
                    self._send(self._server, part)
                elif self._requests.complete:
                    # Not before: a server reads a request to its end.
                    self._client.sendall(instead[0])
                    if not instead[1]:
                        self._client.shutdown(socket.SHUT_WR)
                        _drain(self._client)
                        return

    def _answers(self):
        try:
            while self._server is not None and (data := self._server.recv(1 << 16)):
                _, left = self._proxy.let_pass(self)
                if left is not None and len(data) >= left:
                    self._client.sendall(data[:left])
                    self._proxy.was_cut()
                    _reset(self._client, self._server)
                    return
                self.answered += len(data)
                self._send(self._client, data)
        except OSError:
            pass
        if not self.gone and self._server is not None:
            _shut(self._client)

    def _send(self, target, data):
        if target is None:
            raise ConnectionError("the service is down")
        while data:
            size, left = self._proxy.let_pass(self)
            target.sendall(data[:size])
            data = data[size:]
            if size < 1 << 16 and left is None:
                time.sleep(0.05)


class _Requests:
    """Finds where HTTP/1.1 requests begin and end in a stream of bytes."""

    def __init__(self):
        self._head, self._body, self._chunked = b"", 0, None

    @property
    def complete(self):
        """Whether the bytes so far end with the end of a request."""
        return not self._head and self._body == 0 and self._chunked is None

    def split(self, data):
        """(bytes, whether a request begins with them) pairs that make up data; `complete`
        speaks of the pair that was given last."""
        while data:
            begins = self.complete
            size = self._take(data)
            yield data[:size], begins
            data = data[size:]

    def _take(self, data):
        if self._body:
            size = min(self._body, len(data))
            self._body -= size
            return size
        if self._chunked is not None:
            return self._take_chunked(data)
        before = len(self._head)
        self._head += data
        end = self._head.find(b"\r\n\r\n")
        if end < 0:
            return len(data)
        head, self._head = self._head[:end].lower(), b""
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name == b"content-length":
                self._body = int(value)
            elif name == b"transfer-encoding" and b"chunked" in value:
                self._chunked = b""
        return end + 4 - before

    def _take_chunked(self, data):
        # Only ever the line of a chunk's size is kept, or the end of the last chunk.
        before = len(self._chunked)
        line = self._chunked + data
        end = line.find(b"\r\n")
        if end < 0:
            self._chunked = line
            return len(data)
        size = int(line[:end].split(b";")[0] or b"0", 16)
        if size:
            self._chunked, self._body = b"", size + 2
            return end + 2 - before
        last = line.find(b"\r\n\r\n")
        if last < 0:
            self._chunked = line
            return len(data)
        self._chunked = None
        return last + 4 - before


def _reset(*sockets):
    """Close with a reset: the other side sees an error, not an end."""
    for one in filter(None, sockets):
        try:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            one.shutdown(socket.SHUT_RD)
        except OSError:
            pass
        one.close()


def _close(*sockets):
    for one in filter(None, sockets):
        one.close()


def _shut(one):
    try:
        if one is not None:
            one.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


def _drain(one):
    """Read until the client closes: closing before would reset what it has not read yet."""
    one.settimeout(5)
    try:
        while one.recv(1 << 16):
            pass
    except OSError:
        pass
