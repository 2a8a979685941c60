# SPDX-License-Identifier: Apache-2.0
"""What the stand-ins of foreign HTTP services share: a server in threads of the test's
process, time that a test may own, and answers that a test has ordered.

A stand-in keeps what it was told over stop() and kill(), on the same port. To harm the
connection itself (cut, slow, refuse), a test puts a FaultProxy before it.
"""

import json
import socket
import struct
import sys
import threading
import time
import urllib.parse
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from service import free_port

NGINX_401 = ("<html>\r\n<head><title>401 Authorization Required</title></head>\r\n<body>\r\n"
             "<center><h1>401 Authorization Required</h1></center>\r\n<hr><center>nginx</center>"
             "\r\n</body>\r\n</html>\r\n")
NGINX_502 = NGINX_401.replace("401 Authorization Required", "502 Bad Gateway")


class ManualTime:
    """A clock that only the test moves; called, it gives seconds."""

    def __init__(self, start=1_700_000_000.0):
        self._now = start

    def __call__(self):
        return self._now

    def advance(self, seconds):
        self._now += seconds


@dataclass
class Request:
    method: str
    path: str
    query: dict  # The last value of each parameter.
    headers: object  # Reads names in any case.
    body: bytes


@dataclass
class Answer:
    """body is bytes, text or, with anything else, JSON. `stream` takes a Wire and writes
    an endless body to it; then there is no other."""

    status: int = 200
    body: object = b""
    headers: dict = field(default_factory=dict)
    stream: object = None

    def encoded(self):
        """(content type, bytes)"""
        if isinstance(self.body, bytes):
            return "application/octet-stream", self.body
        if isinstance(self.body, str):
            kind = "text/html" if self.body.lstrip().startswith("<") else "text/plain"
            return f"{kind}; charset=utf-8", self.body.encode()
        return "application/json", json.dumps(self.body, ensure_ascii=False).encode()


class Gone(Exception):
    """The client of a stream has left, or the stand-in ends."""


class Wire:
    """The body of one streamed answer, sent in chunks."""

    def __init__(self, standin, connection):
        self._standin, self._connection = standin, connection

    def write(self, data):
        self.check()
        try:
            self._connection.sendall(b"%x\r\n%b\r\n" % (len(data), data))
        except OSError:
            raise Gone from None

    def check(self):
        """Wait while the stand-in is paused; raises Gone when there is nobody to write to."""
        self._standin.wait_while_paused()
        if not self._standin.running:
            raise Gone
        try:
            self._connection.setblocking(False)
            if self._connection.recv(1, socket.MSG_PEEK) == b"":
                raise Gone
        except BlockingIOError:
            pass
        except OSError:
            raise Gone from None
        finally:
            if self._connection.fileno() >= 0:
                self._connection.setblocking(True)


class Standin:
    """A subclass answers: _answer(request), called in a thread for each connection while
    `lock` is held. The last thousand requests are in `requests`, oldest first."""

    name = "stand-in"

    def __init__(self, port=None, clock=time.time):
        self.port = port or free_port()
        self.clock = clock
        self.lock = threading.RLock()
        self.requests = deque(maxlen=1000)
        self._ordered = []
        self._server = None
        self._awake = threading.Event()
        self._awake.set()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def running(self):
        return self._server is not None

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, error, trace):
        if kind is not None:
            for title, text in self.tails():
                print(f"--- {title}\n{text}", file=sys.stderr)
        self.close()

    def start(self):
        if self._server is None:
            self._server = _Server(self)
            threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self):
        """Listens no more; open connections end. start() continues with what it knows."""
        self._end(reset=False)

    def kill(self):
        """The same with resets in the middle of whatever is sent."""
        self._end(reset=True)

    def pause(self):
        """Connections are accepted and stay open, nothing is answered or streamed."""
        self._awake.clear()

    def resume(self):
        self._awake.set()

    def close(self):
        self.stop()

    def tails(self):
        with self.lock:
            last = [f"{r.method} {r.path}" for r in list(self.requests)[-20:]]
        return [(self.name, "\n".join(last) or "(no request)")]

    def order(self, answer, times=1):
        """The next `times` requests get this answer, before anything else is looked at;
        times=None: until heal(). Orders queue up."""
        with self.lock:
            self._ordered.append([answer, times])

    def heal(self):
        """Forget what was ordered."""
        with self.lock:
            self._ordered.clear()

    def wait_while_paused(self):
        self._awake.wait()

    def reply(self, request):
        """The answer to one request; called by the server's threads."""
        with self.lock:
            self.requests.append(request)
            if self._ordered:
                entry = self._ordered[0]
                if entry[1] is not None:
                    entry[1] -= 1
                    if entry[1] <= 0:
                        self._ordered.pop(0)
                return entry[0]
            return self._answer(request)

    def _answer(self, request):
        raise NotImplementedError

    def _end(self, reset):
        server, self._server = self._server, None
        self._awake.set()
        if server is not None:
            server.shutdown()
            server.server_close()
            server.end_connections(reset)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, standin):
        self.standin = standin
        self._open = set()
        super().__init__(("127.0.0.1", standin.port), _Handler)

    def process_request(self, request, client_address):
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request, client_address):
        error = sys.exc_info()[1]
        if not isinstance(error, (OSError, Gone)):
            super().handle_error(request, client_address)

    def end_connections(self, reset):
        for one in list(self._open):
            try:
                if reset:
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    one.shutdown(socket.SHUT_RD)
                    one.close()
                else:
                    one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Else the body waits until the head is acknowledged.
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def _serve(self):
        standin = self.server.standin
        standin.wait_while_paused()
        path, _, query = self.path.partition("?")
        parameters = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        request = Request(self.command, urllib.parse.unquote(path), parameters, self.headers,
                          self._body())
        answer = standin.reply(request)
        standin.wait_while_paused()
        if answer.stream is not None:
            self._stream(answer)
            return
        kind, body = answer.encoded()
        self._head(answer, {"Content-Type": kind, "Content-Length": len(body)}
                   if answer.status != 204 else {})
        if self.command != "HEAD" and answer.status != 204:
            self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _serve

    def _head(self, answer, usual):
        self.send_response(answer.status)
        given = {name.lower() for name in answer.headers}
        for name, value in usual.items():
            if name.lower() not in given:
                self.send_header(name, value)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _stream(self, answer):
        self.close_connection = True
        self._head(answer, {"Content-Type": "application/json", "Transfer-Encoding": "chunked"})
        try:
            answer.stream(Wire(self.server.standin, self.connection))
            self.connection.sendall(b"0\r\n\r\n")
        except (Gone, OSError):
            pass

    def _body(self):
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(parts)
