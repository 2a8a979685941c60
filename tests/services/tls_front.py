# SPDX-License-Identifier: Apache-2.0
"""A real nginx that speaks TLS (HTTP/1.1) and asks for a password, alone or before
another service: what a secured Elasticsearch looks like from outside.
"""

import socket
import ssl
import urllib.error
import urllib.request
from base64 import b64encode

from certificates import Certificates
from service import Service, need, tail

CONFIG = """\
daemon off;
# One process: a signal to it stops or freezes all of the service.
master_process off;
pid {dir}/nginx.pid;
error_log {dir}/error.log info;
events {{ worker_connections 512; }}
http {{
  access_log {dir}/access.log;
  client_max_body_size 0;
  client_body_temp_path {dir}/body;
  proxy_temp_path {dir}/proxy;
  fastcgi_temp_path {dir}/fastcgi;
  uwsgi_temp_path {dir}/uwsgi;
  scgi_temp_path {dir}/scgi;
  server {{
    listen 127.0.0.1:{port} ssl;
    {ipv6}
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    ssl_protocols TLSv1.2 TLSv1.3;
    {password}
    location / {{ {answer} }}
  }}
}}
"""

PROXY = """
      proxy_pass {upstream};
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Authorization "";
      proxy_read_timeout 300s;
"""


class TlsFront(Service):
    """upstream is a URL to pass requests to; without one, every path answers "ok".

    certificate is one of Certificates' names. user and password switch basic
    authentication on. use_certificate() changes the certificate of a running front.
    """

    name = "tls"
    orphan_signal = "TERM"

    def __init__(self, upstream=None, certificate="good", user=None, password=None,
                 directory=None, port=None, detached=False):
        self._program = need("nginx", "nginx-light")
        self._upstream, self._certificate = upstream, certificate
        self._user, self._password = user, password
        super().__init__(directory, port, detached)
        self.certificates = Certificates(self.directory / "certificates")
        # As in its own service: an ordinary user's nginx keeps to this directory.
        self.directory.chmod(0o755)

    @property
    def url(self):
        """By name, as it stands in the good certificate."""
        return f"https://localhost:{self.port}"

    @property
    def ca(self):
        """The file that a client has to trust."""
        return self.certificates.ca

    def use_certificate(self, name):
        """Present another certificate, on the same port: what happens after a renewal."""
        self._certificate = name
        self.stop()
        return self.start()

    def get(self, path="/", ca="its own", user=None, password=None, timeout=60):
        """(status, body). ca=None trusts what the system trusts. Raises what went wrong:
        ssl.SSLCertVerificationError, ConnectionRefusedError, TimeoutError."""
        context = ssl.create_default_context(cafile=str(self.ca) if ca == "its own" else ca)
        request = urllib.request.Request(self.url + path)
        if user is not None:
            word = b64encode(f"{user}:{password}".encode()).decode()
            request.add_header("Authorization", f"Basic {word}")
        try:
            with urllib.request.urlopen(request, timeout=timeout, context=context) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except urllib.error.URLError as error:
            # urllib's wrapper says the same of everything.
            raise error.reason from None

    def tails(self):
        return [("tls front errors", tail(self.directory / "error.log"))]

    def _argv(self):
        return [self._program, "-p", self.directory, "-c", self.directory / "nginx.conf", "-e",
                self.directory / "error.log"]

    def _prepare(self):
        certificate, key = self.certificates.pair(self._certificate)
        (self.directory / "www").mkdir(exist_ok=True)
        (self.directory / "www" / "ok").write_text("ok\n")
        # A file, because "return" would come before the question for the password.
        answer = PROXY.format(upstream=self._upstream) if self._upstream else \
            f"root {self.directory}/www; try_files /ok =404;"
        password = ""
        if self._user is not None:
            users = self.directory / "users"
            users.write_text(f"{self._user}:{{PLAIN}}{self._password}\n")
            users.chmod(0o644)
            password = f'auth_basic "streamd tests"; auth_basic_user_file {users};'
        (self.directory / "nginx.conf").write_text(CONFIG.format(
            dir=self.directory, port=self.port, certificate=certificate, key=key, answer=answer,
            password=password, ipv6=f"listen [::1]:{self.port} ssl;" if _has_ipv6() else ""))

    def _answers(self):
        # Only the front is asked: what is behind it may be down on purpose.
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            with socket.create_connection(("127.0.0.1", self.port), 5) as plain:
                with context.wrap_socket(plain):
                    return True
        except OSError:
            return False


def _has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False
