# SPDX-License-Identifier: Apache-2.0
"""A real nginx on a loopback port that writes the access log a test asks for.

It answers every path: /status/NNN with that status, /files/… with what a test put into
`files`, anything else with 200. The header X-Real-IP sets the client address in the log, so one test process can
look like many clients.
"""

import os
import signal
import sys
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path

from service import (
    Process,
    ServiceError,
    accepts,
    directory_of_its_own,
    free_port,
    need,
    tail,
    wait_until,
)

# What users write by hand: nginx quotes everything, so numbers arrive as strings.
JSON_FORMAT = (
    '{"@timestamp":"$msec","client_ip":"$remote_addr","host":"$host",'
    '"method":"$request_method","uri":"$request_uri","status":"$status",'
    '"body_bytes_sent":"$body_bytes_sent","request_time":"$request_time",'
    '"referer":"$http_referer","user_agent":"$http_user_agent","request_id":"$request_id"}'
)

CONFIG = """\
{user}
daemon off;
worker_processes 1;
pid {dir}/nginx.pid;
error_log {dir}/error.log info;
events {{ worker_connections 128; }}
http {{
  {format}
  access_log {log} {name};
  {syslog}
  client_body_temp_path {dir}/body;
  proxy_temp_path {dir}/proxy;
  fastcgi_temp_path {dir}/fastcgi;
  uwsgi_temp_path {dir}/uwsgi;
  scgi_temp_path {dir}/scgi;
  set_real_ip_from 127.0.0.1;
  real_ip_header X-Real-IP;
  server {{
    listen 127.0.0.1:{port};
    location / {{ return 200 "ok\\n"; }}
    location /files/ {{ root {dir}; }}
{statuses}
  }}
}}
"""


class Nginx:
    """log is "combined", "json" or "custom"; "custom" needs log_format, nginx's own
    syntax, e.g. '$remote_addr $status "$request"'. syslog="127.0.0.1:PORT" sends
    the same lines there as well.
    """

    def __init__(self, log="combined", log_format=None, syslog=None, directory=None, port=None,
                 detached=False):
        if (log == "custom") != (log_format is not None):
            raise ValueError('log_format goes with log="custom"')
        program = need("nginx", "nginx-light")
        self._cleanup = ExitStack()
        self.directory = self._cleanup.enter_context(directory_of_its_own(directory, "nginx"))
        self.port = port or free_port()
        self.access_log = self.directory / "access.log"
        self.files = self.directory / "files"
        self.files.mkdir(exist_ok=True)
        name = "combined" if log == "combined" else "chosen"
        escape = "escape=json " if log == "json" else ""
        text = JSON_FORMAT if log == "json" else log_format
        config = self.directory / "nginx.conf"
        config.write_text(CONFIG.format(
            # As root, nginx gives its workers to another user, who could not
            # reopen a log in this private directory.
            user="user root;" if os.geteuid() == 0 else "",
            dir=self.directory, log=self.access_log, name=name, port=self.port,
            format="" if log == "combined" else f"log_format chosen {escape}'{text}';",
            syslog=f"access_log syslog:server={syslog} {name};" if syslog else "",
            statuses="\n".join(
                f"    location = /status/{code} {{ return {code} \"{code}\\n\"; }}"
                for code in (201, 400, 401, 403, 404, 429, 500, 502, 503)),
        ))
        # SIGTERM, not SIGKILL: only a master that lives can end its workers.
        self._process = Process(
            "nginx", [program, "-p", self.directory, "-c", config, "-e",
                      self.directory / "error.log"],
            self.directory / "output.log", detached, orphan_signal="TERM")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

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

        def listens():
            if not self._process.alive():
                raise ServiceError("nginx did not start:\n" + tail(self.directory / "error.log")
                                   + tail(self._process.log))
            return accepts(self.port)

        wait_until(listens, 30, f"nginx listens on {self.port}")
        return self

    def stop(self):
        """Orderly end; start() appends to the same log."""
        self._process.terminate()

    def close(self):
        """Stop, and remove the directory unless it was given."""
        self._process.terminate()
        self._cleanup.close()

    def get(self, path="/", client_ip=None, headers=None):
        """Ask for a path; return (status, body) when the request is in the log.

        nginx answers first and logs afterwards, so a test that looked at once would
        sometimes miss its own line. Meant for one caller at a time.
        """
        before = self.access_log.stat().st_size
        answer = self._ask(path, client_ip, headers)
        wait_until(lambda: self.access_log.stat().st_size > before, 30, f"nginx logs {path}", 0.002)
        return answer

    def rotate(self):
        """Rotate as logrotate does: rename, then USR1. Returns the old file's new path.

        When it returns, every nginx process writes to the new file.
        """
        number = 1
        while (self.directory / f"access.log.{number}").exists():
            number += 1
        old = self.directory / f"access.log.{number}"
        self.access_log.rename(old)
        self._process.signal(signal.SIGUSR1)
        self.await_reopened()
        return old

    @property
    def pid_file(self):
        """For those that send USR1 themselves."""
        return self.directory / "nginx.pid"

    def await_reopened(self):
        """Return when every nginx process writes to the file that is the log now."""
        wait_until(lambda: self.access_log.exists()
                   and all(self._holds(pid, self.access_log.stat()) for pid in self._all_pids()),
                   30, f"nginx reopens {self.access_log}")

    def pids(self):
        return [self._process.pid] if self._process.alive() else []

    def tails(self):
        return [("nginx errors", tail(self.directory / "error.log"))]

    def _ask(self, path, client_ip, headers):
        request = urllib.request.Request(self.url + path, headers=dict(headers or {}))
        if client_ip is not None:
            request.add_header("X-Real-IP", client_ip)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def _all_pids(self):
        master = self._process.pid
        workers = Path(f"/proc/{master}/task/{master}/children").read_text().split()
        return [master, *workers]

    @staticmethod
    def _holds(pid, file):
        for handle in Path(f"/proc/{pid}/fd").iterdir():
            try:
                if os.path.samestat(handle.stat(), file):
                    return True
            except FileNotFoundError:
                pass  # Closed while we looked.
        return False
