# SPDX-License-Identifier: Apache-2.0
"""The HTTP client against a real nginx: TLS with good and bad certificates, gzip, uploads, and
connections that are kept."""
import os
import subprocess
from pathlib import Path

import pytest

from service import Process, accepts, directory_of_its_own, free_port, need, wait_until

NAMES = ("good", "expired", "elsewhere", "foreign", "mutual", "plain")

CONFIG = """\
{user}
daemon off;
worker_processes 1;
pid {dir}/nginx.pid;
error_log {dir}/error.log info;
events {{ worker_connections 128; }}
http {{
  access_log off;
  client_max_body_size 8m;
  client_body_temp_path {dir}/body;
  proxy_temp_path {dir}/proxy;
  fastcgi_temp_path {dir}/fastcgi;
  uwsgi_temp_path {dir}/uwsgi;
  scgi_temp_path {dir}/scgi;
  root {dir}/www;
  gzip on;
  gzip_types *;
{servers}
}}
"""

SERVER = """\
  server {{
    listen 127.0.0.1:{port}{tls};
    {more}
    location /put/ {{ dav_methods PUT; create_full_put_path on; }}
    location = /downgrade {{ return 302 http://127.0.0.1:{plain}/big; }}
    location = /upgrade {{ return 302 https://127.0.0.1:{good}/big; }}
  }}
"""


def openssl(folder, *words):
    subprocess.run([need("openssl", "openssl"), *words], cwd=folder, check=True, capture_output=True)


def authority(folder, name):
    openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key",
            "-out", f"{name}.pem", "-subj", f"/CN={name}", "-days", "2")


def certificate(folder, name, ca, names="DNS:localhost,IP:127.0.0.1", days="2"):
    (folder / f"{name}.ext").write_text(f"subjectAltName={names}\n")
    openssl(folder, "req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out",
            f"{name}.csr", "-subj", "/CN=localhost")
    openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key",
            "-CAcreateserial", "-days", days, "-out", f"{name}.pem", "-extfile", f"{name}.ext")


class Servers:
    def __init__(self, folder):
        self.folder = folder
        self.ports = {name: free_port() for name in NAMES}

    def write(self):
        (self.folder / "www").mkdir()
        (self.folder / "www" / "big").write_bytes(b"0123456789abcdef" * 65536)
        authority(self.folder, "ca")
        authority(self.folder, "foreign-ca")
        certificate(self.folder, "good", "ca")
        certificate(self.folder, "expired", "ca", days="-1")
        certificate(self.folder, "elsewhere", "ca", names="DNS:elsewhere.example")
        certificate(self.folder, "foreign", "foreign-ca")
        certificate(self.folder, "client", "ca")
        servers = ""
        for name, port in self.ports.items():
            cert = "good" if name == "mutual" else name
            more = f"ssl_certificate {cert}.pem; ssl_certificate_key {cert}.key;"
            if name == "mutual":
                more += " ssl_client_certificate ca.pem; ssl_verify_client on;"
            servers += SERVER.format(port=port, tls="" if name == "plain" else " ssl",
                                     more="" if name == "plain" else more,
                                     plain=self.ports["plain"], good=self.ports["good"])
        config = self.folder / "nginx.conf"
        config.write_text(CONFIG.format(dir=self.folder, servers=servers,
                                        user="user root;" if os.geteuid() == 0 else ""))
        return config

    def url(self, name, path="/big", host="127.0.0.1"):
        return f"http{'' if name == 'plain' else 's'}://{host}:{self.ports[name]}{path}"

    def fetch(self, url, *words, ca="ca.pem"):
        """(exit status, what was said)"""
        words = [*words, f"ca={self.folder / ca}"] if ca else words
        done = subprocess.run([os.environ["HTTP_FETCH"], url, *words], text=True,
                              capture_output=True, timeout=120)
        assert done.stderr == ""
        return done.returncode, done.stdout.strip()


@pytest.fixture(scope="module")
def nginx():
    with directory_of_its_own(None, "http-client") as folder:
        servers = Servers(folder)
        config = servers.write()
        program = need("nginx", "nginx-light")
        process = Process("nginx", [program, "-p", folder, "-c", config, "-e", folder / "error.log"],
                          folder / "output.log", orphan_signal="TERM")
        process.start()
        try:
            wait_until(lambda: all(accepts(p) for p in servers.ports.values()), 30, "nginx listens")
            yield servers
        finally:
            process.terminate()


SIZE = 16 * 65536


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_good_certificate_is_taken_by_name_and_by_address(nginx, host):
    assert nginx.fetch(nginx.url("good", host=host)) == (0, f"200 {SIZE} 1")


@pytest.mark.parametrize("name, says, hint", [
    ("expired", "the server's certificate has expired", "renew it"),
    ("elsewhere", "the server's certificate is for another host", "host name"),
    ("foreign", "signed by an authority that is not trusted", "tls.ca"),
])
def test_a_bad_certificate_is_refused_for_good_with_its_reason(nginx, name, says, hint):
    status, said = nginx.fetch(nginx.url(name, "/big?secret"))
    message, advice, retry = said.split(" | ")
    assert status == 1
    assert message.startswith(f"error: GET 127.0.0.1:{nginx.ports[name]}: ")
    assert says in message and hint in advice and retry == "never"
    assert "secret" not in said


def test_the_systems_authorities_do_not_know_ours(nginx):
    status, said = nginx.fetch(nginx.url("good"), ca=None)
    assert status == 1 and "not trusted" in said


def test_insecure_takes_any_certificate(nginx):
    for name in ("expired", "elsewhere", "foreign"):
        assert nginx.fetch(nginx.url(name), "insecure=1") == (0, f"200 {SIZE} 1")


def test_a_server_that_wants_to_know_us_gets_our_certificate(nginx):
    mine = [f"cert={nginx.folder / 'client.pem'}", f"key={nginx.folder / 'client.key'}"]
    assert nginx.fetch(nginx.url("mutual"), *mine) == (0, f"200 {SIZE} 1")
    assert nginx.fetch(nginx.url("mutual"))[1].startswith("400 ")


def test_certificate_files_that_can_not_be_used_are_named(nginx):
    status, said = nginx.fetch(nginx.url("good"), ca="nothing.pem")
    assert status == 1 and "the CA file" in said and "nothing.pem" in said
    wrong = [f"cert={nginx.folder / 'client.pem'}", f"key={nginx.folder / 'good.key'}"]
    status, said = nginx.fetch(nginx.url("good"), *wrong)
    assert status == 1 and "key" in said


def test_https_on_a_plain_port_and_the_other_way_round(nginx):
    port = nginx.ports["plain"]
    status, said = nginx.fetch(f"https://127.0.0.1:{port}/")
    assert status == 1 and "does not speak TLS" in said
    assert nginx.fetch(f"http://127.0.0.1:{nginx.ports['good']}/big")[1].startswith("400 ")


def test_a_connection_is_kept_for_many_requests(nginx):
    for name in ("plain", "good"):
        assert nginx.fetch(nginx.url(name), "times=20") == (0, f"200 {20 * SIZE} 1")


def test_a_body_comes_as_it_is_too(nginx):
    assert nginx.fetch(nginx.url("good"), "accept=identity") == (0, f"200 {SIZE} 1")


def test_an_upload_arrives_whole(nginx):
    url = nginx.url("good", "/put/file")
    assert nginx.fetch(url, "method=PUT", "upload=3000000") == (0, "201 0 1")
    lines = (nginx.folder / "www/put/file").read_text().splitlines()
    assert lines[0] == '{"n":0}' and len(lines) > 100_000


def test_an_upload_that_is_too_large_gets_the_servers_answer(nginx):
    status, said = nginx.fetch(nginx.url("good", "/put/file"), "method=PUT", "upload=20000000")
    assert status == 0 and said.startswith("413 ")


def test_redirects_lead_up_to_tls_and_never_down(nginx):
    assert nginx.fetch(nginx.url("plain", "/upgrade")) == (0, f"200 {SIZE} 2")
    status, said = nginx.fetch(nginx.url("good", "/downgrade"))
    assert status == 1 and "from https to http" in said and said.endswith("never")
