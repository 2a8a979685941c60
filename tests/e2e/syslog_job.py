# SPDX-License-Identifier: Apache-2.0
"""Job D, which pipelines/syslog.yaml describes: messages of a dozen hosts over half an hour, and the truth about what
has to be told of them.
"""

import random
import socket
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOSTS = [f"web{n}" for n in range(1, 9)] + ["db1", "db2", "mail", "vpn"]
QUIET = "db2"                  # says nothing for a quarter of an hour
GUESSER = "198.51.100.77"      # tries many names on three hosts
CLUMSY = "203.0.113.50"        # mistypes a few times
LISTED = "192.0.2.200"
INDICATORS = f"# seen at work\n{LISTED}\n198.18.0.0/15\n"
MINUTES = 30
ROUTINE = ("session opened for user backup", "GET /health 200 0.4 ms", "rotated 3 files",
           "connection from 10.0.0.7 closed", "Grüße, 你好", "checkpoint complete: wrote 5 buffers")


@dataclass
class Job:
    """messages: (time, host, app, severity, text) in the order of their times; told: (what, how it begins)."""

    messages: list = field(default_factory=list)
    told: set = field(default_factory=set)

    @classmethod
    def of(cls, start, seed=1):
        job, dice = cls(), random.Random(seed)
        for host in HOSTS:
            at = dice.uniform(0, 20)
            while at < MINUTES * 60:
                if not (host == QUIET and 8 * 60 <= at < 24 * 60):
                    job.add(start, at, host, dice.choice(("cron", "nginx", "postgres")), 6, dice.choice(ROUTINE))
                at += dice.uniform(10, 25)
        for n in range(45):
            user = dice.choice(("root", "admin", "invalid user oracle", "invalid user test"))
            job.add(start, 9 * 60 + n * 5, f"web{n % 3 + 1}", "sshd", 5,
                    f"Failed password for {user} from {GUESSER} port {40000 + n} ssh2")
        for n in range(6):
            job.add(start, 5 * 60 + n * 40, "vpn", "sshd", 5,
                    f"Failed password for alice from {CLUMSY} port {50000 + n} ssh2")
        for minute, host in ((12, "web3"), (13, "web3"), (20, "mail")):
            job.add(start, minute * 60 + 7, host, "kernel", 4,
                    f"IN=eth0 OUT= SRC=10.0.0.3 DST={LISTED} PROTO=TCP DPT=443")
        job.messages.sort()
        job.told = {("password guessing", f"{GUESSER}: 10 failed logins in five minutes"),
                    ("silent host", f"{QUIET} has said nothing since"), ("host is back", f"{QUIET} speaks again"),
                    ("listed address", f"web3 names {LISTED}"), ("listed address", f"mail names {LISTED}")}
        return job

    def add(self, start, seconds, host, app, severity, text):
        self.messages.append((start + timedelta(seconds=seconds), host, app, severity, text))


def framed(message, number):
    """The message as some host would send it: RFC 5424 by length, or RFC 3164 up to a line end."""
    at, host, app, severity, text = message
    priority = 8 * 4 + severity
    if number % 2:
        return f"<{priority}>{at:%b} {at.day:2d} {at:%H:%M:%S} {host} {app}[{number}]: {text}\n".encode()
    data = f'<{priority}>1 {at:%Y-%m-%dT%H:%M:%S.%fZ} {host} {app} {number} - [job@32473 n="{number}"] {text}'.encode()
    return b"%d %s" % (len(data), data)


def send(port, messages):
    """All of them over one connection, which takes both kinds of frames."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as out:
        out.sendall(b"".join(framed(message, n) for n, message in enumerate(messages)))


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def started(now=None):
    """When the first message was said, so that the last one is of now."""
    now = now or datetime.now(timezone.utc)
    return now.replace(microsecond=0) - timedelta(minutes=MINUTES, seconds=10)


def said(discord):
    """(what, text) of everything in the channel."""
    return [(embed["title"].replace("\\", ""), embed["description"].replace("\\", ""))
            for message in discord.messages for embed in message["embeds"]]


def beyond(told, expected):
    """What was told and not expected, or expected and not told."""
    wrong = [f"not expected: {what}: {text}" for what, text in told
             if not any(what == w and text.startswith(begin) for w, begin in expected)]
    for what, begin in sorted(expected):
        count = sum(w == what and text.startswith(begin) for w, text in told)
        if count != 1:
            wrong.append(f"told {count} times: {what}: {begin}")
    return wrong


class Indicators:
    """A web server with one list, as those who publish such lists have."""

    def __enter__(self):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):  # noqa: N802 (the library's name)
                body = INDICATORS.encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_port}/listed.txt"
