# SPDX-License-Identifier: Apache-2.0
"""A real rsyslogd, on ports and files of its own: it sends what `logger` gives it, and
writes down what it receives.

    with Rsyslog(forward=[Forward(port, framing="octet-counted")]) as rsyslog:
        rsyslog.log("text", tag="app", priority="auth.warning")
    with Rsyslog(receive=True) as rsyslog:
        … something sends to rsyslog.udp, rsyslog.tcp or rsyslog.tls …
        rsyslog.received()
"""

import json
import socket
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from service import Process, ServiceError, accepts, directory_of_its_own, free_port, need, tail, wait_until

TEMPLATES = {"rfc5424": "RSYSLOG_SyslogProtocol23Format", "iso": "RSYSLOG_ForwardFormat",
             "rfc3164": "RSYSLOG_TraditionalForwardFormat"}

GLOBAL = """\
global(workDirectory="{dir}" maxMessageSize="64k"{certificates})
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="{socket}" CreatePath="off" RateLimit.Interval="0" ruleset="out")
"""
RECEIVE = """\
module(load="imudp")
module(load="imptcp")
template(name="seen" type="list" option.jsonf="on") {{
{properties}
}}
ruleset(name="in") {{ action(type="omfile" file="{received}" template="seen") }}
input(type="imudp" address="127.0.0.1" port="{udp}" ruleset="in")
input(type="imptcp" address="127.0.0.1" port="{tcp}" ruleset="in")
"""
RECEIVE_TLS = """\
module(load="imtcp" StreamDriver.Name="gtls" StreamDriver.Mode="1" StreamDriver.AuthMode="x509/certvalid")
input(type="imtcp" address="127.0.0.1" port="{tls}" ruleset="in")
"""
# What of a message is written down, and rsyslog's name for it.
PROPERTIES = {"message": "msg", "host": "hostname", "app": "app-name", "procid": "procid", "msgid": "msgid",
              "structured_data": "structured-data", "priority": "pri", "timestamp": "timereported",
              "facility": "syslogfacility-text", "severity": "syslogseverity-text"}


@dataclass
class Forward:
    """One target. framing: octet-counted or traditional; format: rfc5424, iso or rfc3164."""

    port: int
    protocol: str = "tcp"
    framing: str = "octet-counted"
    format: str = "rfc5424"
    tls: bool = False

    def text(self):
        driver = ('StreamDriver="gtls" StreamDriverMode="1" StreamDriverAuthMode="x509/name" '
                  'StreamDriverPermittedPeers="localhost"') if self.tls else ""
        framing = f'TCP_Framing="{self.framing}"' if self.protocol == "tcp" else ""
        return (f'action(type="omfwd" target="127.0.0.1" port="{self.port}" protocol="{self.protocol}" '
                f'template="{TEMPLATES[self.format]}" {framing} {driver} '
                'action.resumeInterval="1" action.resumeRetryCount="-1" queue.type="LinkedList" '
                'queue.size="200000" queue.timeoutShutdown="10000")')


class Rsyslog:
    """certificates: (ca, certificate, key), for TLS in both directions."""

    def __init__(self, forward=(), receive=False, certificates=None, directory=None):
        program = need("rsyslogd", "rsyslog")
        self._cleanup = ExitStack()
        self.directory = self._cleanup.enter_context(directory_of_its_own(directory, "rsyslog"))
        self.socket = self.directory / "in"
        self._received = self.directory / "received.ndjson"
        self.udp, self.tcp, self.tls = free_port(), free_port(), free_port()
        self._receives, self._tls = receive, receive and certificates is not None
        files = ""
        if certificates is not None:
            names = ("CAFile", "CertFile", "KeyFile")
            files = "".join(f' DefaultNetstreamDriver{name}="{path}"'
                            for name, path in zip(names, certificates))
        text = GLOBAL.format(dir=self.directory, socket=self.socket, certificates=files)
        if receive:
            properties = "\n".join(f'  property(outname="{ours}" name="{theirs}" format="jsonf")'
                                   for ours, theirs in PROPERTIES.items())
            text += RECEIVE.format(udp=self.udp, tcp=self.tcp, received=self._received,
                                   properties=properties)
            if certificates is not None:
                text += RECEIVE_TLS.format(tls=self.tls)
        text += 'ruleset(name="out") {\n' + "\n".join(f.text() for f in forward) + "\nstop\n}\n"
        config = self.directory / "rsyslog.conf"
        config.write_text(text)
        self._process = Process("rsyslogd", [program, "-n", "-f", config, "-i", self.directory / "pid"],
                                self.directory / "output.log")

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, kind, error, trace):
        if kind is not None:
            for title, text in self.tails():
                print(f"--- {title}\n{text}", file=sys.stderr)
        self.close()

    def start(self):
        self._process.start()

        def ready():
            if not self._process.alive():
                raise ServiceError("rsyslogd did not start:\n" + tail(self._process.log))
            return self._takes() and (not self._receives or self._listens())

        wait_until(ready, 30, "rsyslogd takes messages")
        return self

    def _listens(self):
        """On every port: a datagram that comes too early is lost, and a connection waits half a minute."""
        return (accepts(self.tcp) and (not self._tls or accepts(self.tls)) and
                any(int(line.split()[1].rpartition(":")[2], 16) == self.udp
                    for table in ("udp", "udp6") for line in open(f"/proc/net/{table}").readlines()[1:]))

    def _takes(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
            return probe.connect_ex(str(self.socket)) == 0

    def stop(self):
        self._process.terminate()

    def close(self):
        self._process.terminate()
        self._cleanup.close()

    def log(self, text, tag="test", priority="user.notice"):
        """One message through `logger`."""
        done = subprocess.run([need("logger", "bsdutils"), "-u", str(self.socket), "-t", tag, "-p", priority,
                               "--", text], capture_output=True, text=True, timeout=30)
        if done.returncode != 0:
            raise ServiceError(f"logger failed: {done.stderr}")

    def log_many(self, texts, tag="test", priority="user.notice"):
        """Many messages, a line each."""
        done = subprocess.run([need("logger", "bsdutils"), "-u", str(self.socket), "-t", tag, "-p", priority],
                              input="".join(t + "\n" for t in texts), capture_output=True, text=True,
                              timeout=120)
        if done.returncode != 0:
            raise ServiceError(f"logger failed: {done.stderr}")

    def received(self):
        """What has come in so far, a dictionary each."""
        if not self._received.exists():
            return []
        lines = self._received.read_text(errors="replace").split("\n")[:-1]
        return [json.loads(line) for line in lines]

    def tails(self):
        return [("rsyslogd", tail(self._process.log))]
