# SPDX-License-Identifier: Apache-2.0
"""Certificates of one test run: a CA that nobody else knows, and what it has signed."""

import subprocess
from pathlib import Path

from service import ServiceError, need

AUTHORITY = ("-subj", "/CN=streamd tests CA", "-addext", "basicConstraints=critical,CA:TRUE",
             "-addext", "keyUsage=critical,keyCertSign,cRLSign")


class Certificates:
    """Made in `directory`, once; a folder that has them is taken as it is.

    ca                 the file to trust
    pair("good")       (certificate, key) for localhost, 127.0.0.1 and ::1
    pair("expired")    the same, but over since 2021
    pair("other_host") for other.example only
    pair("self_signed") for localhost, signed by nobody
    pair("client")     of a client, not for a server
    """

    NAMES = {
        "good": "DNS:localhost,IP:127.0.0.1,IP:::1",
        "expired": "DNS:localhost,IP:127.0.0.1,IP:::1",
        "other_host": "DNS:other.example",
        "self_signed": "DNS:localhost,IP:127.0.0.1,IP:::1",
        "client": "DNS:client.example",
    }

    def __init__(self, directory):
        self._directory = Path(directory)
        self.ca = self._directory / "ca.pem"
        if (self._directory / "complete").exists():
            return
        self._directory.mkdir(parents=True, exist_ok=True)
        self._openssl("req", "-x509", *self._new_key("ca"), "-days", "2", *AUTHORITY,
                      "-out", self.ca)
        for name in self.NAMES:
            self._make(name)
        (self._directory / "complete").touch()

    def pair(self, name):
        if name not in self.NAMES:
            raise ValueError(f"no certificate {name!r}; there are {', '.join(self.NAMES)}")
        return self._directory / f"{name}.pem", self._directory / f"{name}.key"

    def _make(self, name):
        certificate, _ = self.pair(name)
        subject = ("-subj", f"/CN=streamd tests {name.replace('_', ' ')}")
        alternatives = f"subjectAltName={self.NAMES[name]}"
        if name == "self_signed":
            self._openssl("req", "-x509", *self._new_key(name), *subject, "-days", "2",
                          "-addext", alternatives, "-out", certificate)
            return
        request = self._directory / f"{name}.csr"
        self._openssl("req", "-new", *self._new_key(name), *subject, "-out", request)
        self._sign(request, certificate, alternatives, expired=name == "expired",
                   usage="clientAuth" if name == "client" else "serverAuth")

    def _sign(self, request, certificate, alternatives, expired, usage):
        # "openssl ca", because "x509 -req" of Debian's version cannot date back.
        database = self._directory / "index.txt"
        database.write_text("")
        config = self._directory / "ca.cnf"
        config.write_text(
            "[ca]\ndefault_ca = own\n[own]\nunique_subject = no\nrand_serial = yes\n"
            f"database = {database}\nnew_certs_dir = {self._directory}\ndefault_md = sha256\n"
            "policy = any\nx509_extensions = leaf\n[any]\ncommonName = supplied\n"
            f"[leaf]\nbasicConstraints = CA:FALSE\nextendedKeyUsage = {usage}\n{alternatives}\n")
        dates = ("-startdate", "20200101000000Z", "-enddate", "20210101000000Z") if expired \
            else ("-days", "2")
        self._openssl("ca", "-batch", "-notext", "-config", config, "-cert", self.ca, "-keyfile",
                      self._directory / "ca.key", "-in", request, "-out", certificate, *dates)

    def _new_key(self, name):
        return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-keyout", self._directory / f"{name}.key")

    @staticmethod
    def _openssl(*arguments):
        done = subprocess.run([need("openssl", "openssl"), *map(str, arguments)],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            raise ServiceError(f"openssl {arguments[0]} failed:\n{done.stderr[-1000:]}")
