# SPDX-License-Identifier: Apache-2.0
"""Banners as Shodan's crawlers write them, made from a seed, with the truth about each.

The same seed gives the same banners. Some hosts are "ours": what a watcher has to
report about them is in Banner.findings, so a test compares sets instead of guessing.
"""

import gzip
import ipaddress
import json
import random
from dataclasses import dataclass
from datetime import datetime, timedelta

OUR_NETWORKS = ("203.0.113.0/26", "198.51.100.128/28", "2001:db8:a::/48")
OTHER_NETWORKS = ("192.0.2.0/24", "198.51.100.0/25", "203.0.113.128/25", "2001:db8:f::/48")

# network -> (asn, org, country)
OWNERS = {
    "203.0.113.0/26": ("AS64496", "Example Industries", "DE"),
    "198.51.100.128/28": ("AS64497", "Example Labs", "FR"),
    "2001:db8:a::/48": ("AS64496", "Example Industries", "DE"),
    "192.0.2.0/24": ("AS64500", "Some Hosting", "US"),
    "198.51.100.0/25": ("AS64501", "Télécom de l'Exemple", "FR"),
    "203.0.113.128/25": (None, None, None),
    "2001:db8:f::/48": ("AS64502", "六合网络", "CN"),
}
PLACES = {"DE": ("DEU", "Germany", "Frankfurt am Main", 50.11, 8.68),
          "FR": ("FRA", "France", None, 48.85, 2.35),
          "US": ("USA", "United States", "Ashburn", 39.04, -77.48),
          "CN": ("CHN", "China", "北京", 39.9, 116.4)}

# port -> (module, transport, product, versions, cpe vendor:product)
SERVICES = {
    443: ("https", "tcp", "nginx", ("1.18.0", "1.22.1", 1.14), "igor_sysoev:nginx"),
    80: ("http", "tcp", "Apache httpd", ("2.4.49", "2.4.57"), "apache:http_server"),
    8443: ("https", "tcp", "Apache Tomcat", ("9.0.30",), "apache:tomcat"),
    22: ("ssh", "tcp", "OpenSSH", ("7.4", "8.9p1", "9.2p1"), "openbsd:openssh"),
    53: ("dns-udp", "udp", None, (), None),
    21: ("ftp", "tcp", "vsftpd", ("2.3.4", "3.0.3"), "vsftpd:vsftpd"),
    3306: ("mysql", "tcp", "MySQL", ("5.7.33", 8), "oracle:mysql"),
    9200: ("elastic", "tcp", "Elastic", ("7.10.2",), "elasticsearch:elasticsearch"),
    502: ("modbus", "tcp", None, (), None),
    445: ("smb", "tcp", "Samba", ("4.9.5",), "samba:samba"),
}
FLAWS = {"Apache httpd 2.4.49": ("CVE-2021-41773", "CVE-2021-42013"),
         "Apache Tomcat 9.0.30": ("CVE-2020-1938",),
         "OpenSSH 7.4": ("CVE-2018-15473", "CVE-2023-38408"),
         "vsftpd 2.3.4": ("CVE-2011-2523",), "Samba 4.9.5": ("CVE-2021-44142",),
         "nginx 1.14": ("CVE-2019-9511",)}
TAGS = {"elastic": ["database"], "mysql": ["database"], "modbus": ["ics"], "https": ["cloud"]}


@dataclass(frozen=True)
class Banner:
    """One observation, and the truth about it."""

    record: dict
    number: int  # Its place in what the generator gave, from 0.
    ours: bool
    repeats: object  # The number of the banner that said the same before, or None.
    findings: frozenset  # ("port", ip, port, transport) and ("cve", ip, cve), if it is ours.

    @property
    def ip(self):
        return self.record.get("ipv6") or self.record["ip_str"]

    @property
    def line(self):
        """As it stands in a file or stream, with its line end."""
        return json.dumps(self.record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def findings(banners):
    """Every finding of the banners, with the number of the banner that tells it first."""
    first = {}
    for banner in banners:
        for finding in sorted(banner.findings):
            first.setdefault(finding, banner.number)
    return first


def write_file(path, banners, members=3):
    """A .json.gz of several gzip members, as the command line client appends them."""
    banners = list(banners)
    size = -(-len(banners) // members) or 1
    with open(path, "wb") as file:
        for begin in range(0, max(len(banners), 1), size):
            file.write(gzip.compress(b"".join(b.line for b in banners[begin:begin + size])))
    return path


class BannerGenerator:
    """Endless banners: next(), or take(n). hosts is how many addresses answer, half of them
    ours; repeats is the share of banners that say what was said before; so many seconds lie
    between two banners at most."""

    def __init__(self, seed=1, hosts=60, repeats=0.25, start="2024-05-01T00:00:00", apart=2):
        self._random = random.Random(seed)
        self._time = datetime.fromisoformat(start)
        self._repeats, self._apart = repeats, apart * 1_000_000
        self._given = []
        self._hosts = [self._host(OUR_NETWORKS if n % 2 == 0 else OTHER_NETWORKS)
                       for n in range(hosts)]

    def __iter__(self):
        return self

    def take(self, count):
        return [next(self) for _ in range(count)]

    def __next__(self):
        dice = self._random
        self._time += timedelta(microseconds=dice.randrange(1, self._apart))
        if self._given and dice.random() < self._repeats:
            banner = self._again(dice.choice(self._given))
        else:
            banner = self._first(dice.choice(self._hosts))
        self._given.append(banner)
        return banner

    # --- one banner -------------------------------------------------------------

    def _host(self, networks):
        network = ipaddress.ip_network(self._random.choice(networks))
        offset = self._random.randrange(1, min(network.num_addresses, 1 << 16) - 1)
        port_count = self._random.randrange(1, 5)
        return (network[offset], str(network),
                self._random.sample(sorted(SERVICES), port_count))

    def _again(self, earlier):
        """The same content, seen later by another crawler."""
        record = {**earlier.record, "timestamp": self._timestamp(),
                  "_shodan": {**earlier.record["_shodan"], "crawler": self._hex(20)}}
        if record["_shodan"]["id"]:
            record["_shodan"]["id"] = self._id()
        repeats = earlier.number if earlier.repeats is None else earlier.repeats
        return Banner(record, len(self._given), earlier.ours, repeats, earlier.findings)

    def _first(self, host):
        address, network, ports = host
        dice = self._random
        port = dice.choice(ports)
        module, transport, product, versions, vendor = SERVICES[port]
        asn, org, country = OWNERS[network]
        record = {"ip": int(address), "ip_str": str(address)} if address.version == 4 else \
            {"ipv6": str(address)}
        names = [f"h{int(address) % 1000}.example.net"] if dice.random() < 0.5 else []
        record.update({
            "port": port, "transport": transport, "timestamp": self._timestamp(),
            "hostnames": names, "domains": ["example.net"] if names else [],
            "org": org, "isp": dice.choice([org, None]),
            "os": dice.choice([None] * 9 + ["Linux 4.x"]),
            "location": self._location(country), "opts": {},
            "_shodan": {"id": dice.choice([self._id(), self._id(), None]), "module": module,
                        "crawler": self._hex(20), "ptr": bool(names), "options": {}},
        })
        if asn is not None or dice.random() < 0.5:
            record["asn"] = asn
        if dice.random() < 0.3:
            record["_id"] = self._id()
        self._product(record, product, versions, vendor)
        SHAPES[module](self, record)
        self._fill(record)
        ours = network in OUR_NETWORKS
        found = {("port", str(address), port, transport)} if ours else set()
        if ours:
            found |= {("cve", str(address), cve) for cve in record.get("vulns", {})}
        return Banner(record, len(self._given), ours, None, frozenset(found))

    def _product(self, record, product, versions, vendor):
        dice = self._random
        if product is not None:
            version = dice.choice(versions)
            record["product"], record["version"] = product, version
            cpe = f"cpe:/a:{vendor}:{version}"
            record["cpe"] = cpe if dice.random() < 0.1 else [cpe]
            record["cpe23"] = [f"cpe:2.3:a:{vendor}:{version}"]
            flaws = FLAWS.get(f"{product} {version}")
            if flaws:
                record["vulns"] = {cve: self._flaw(cve) for cve in flaws}
        tags = list(TAGS.get(record["_shodan"]["module"], []))
        if tags and dice.random() < 0.7:
            record["tags"] = tags
        if dice.random() < 0.1:
            record["uptime"] = dice.randrange(1, 100000)

    def _flaw(self, cve):
        dice = self._random
        score = round(dice.uniform(4, 10), 1)
        return {"verified": dice.random() < 0.2, "cvss": dice.choice([score, str(score), None]),
                "references": [f"https://example.org/{cve}/{n}" for n in range(dice.randrange(4))],
                "summary": f"A flaw with the name {cve} that \"lets\" others in.\n"}

    def _location(self, country):
        if country is None:
            return dict.fromkeys(("city", "region_code", "postal_code", "country_code",
                                  "country_code3", "country_name", "latitude", "longitude",
                                  "area_code", "dma_code"))
        code3, name, city, latitude, longitude = PLACES[country]
        return {"city": city, "region_code": None, "area_code": None, "dma_code": None,
                "postal_code": None, "country_code": country, "country_code3": code3,
                "country_name": name, "latitude": latitude, "longitude": longitude}

    def _fill(self, record):
        """Real banners of this kind have 3 to 20 KB; the raw bytes of the answer are in opts."""
        record["hash"] = 0 if not record["data"] else \
            random.Random(record["data"]).randrange(-1 << 31, 1 << 31)
        size = len(json.dumps(record, ensure_ascii=False).encode())
        wanted = min(19000, int(3200 + self._random.expovariate(1 / 3000)))
        if size < wanted:
            record["opts"] = {"raw": self._hex((wanted - size) // 2)}

    # --- shapes of the modules --------------------------------------------------

    def _http(self, record):
        rows = self._random.randrange(20, 120)
        html = "<!DOCTYPE html>\r\n<html><head><title>Übersicht & more</title></head><body>\r\n" + \
            "".join(f"<p class=\"r{n}\">{self._hex(12)} 'quoted' \\ </p>\r\n" for n in range(rows))
        record["http"] = {
            "host": record.get("ip_str") or record["ipv6"], "location": "/", "status": 200,
            "title": self._random.choice(["Übersicht & more", None, "🔒 Login"]), "html": html,
            "html_hash": self._random.randrange(-1 << 31, 1 << 31), "robots": None,
            "robots_hash": None, "sitemap": None, "securitytxt": None, "favicon": None,
            "server": record.get("product"), "redirects": [], "headers_hash": -1234567,
            "components": {"jQuery": {"categories": ["JavaScript libraries"]}}}
        record["data"] = ("HTTP/1.1 200 OK\r\nServer: " + str(record.get("product")) +
                          "\r\nContent-Type: text/html\r\nX-Request: " + self._hex(8) + "\r\n\r\n")

    def _https(self, record):
        self._http(record)
        dice = self._random
        record["ssl"] = {
            "cert": {"serial": dice.getrandbits(dice.choice([32, 64, 127, 160])), "version": 2,
                     "subject": {"CN": "www.example.net"}, "expired": dice.random() < 0.2,
                     "issuer": {"C": "US", "O": "Let's Encrypt", "CN": "R3"},
                     "issued": "20240101000000Z", "expires": "20240401000000Z",
                     "pubkey": {"type": "rsa", "bits": 2048}, "sig_alg": "sha256WithRSAEncryption",
                     "fingerprint": {"sha1": self._hex(20), "sha256": self._hex(32)},
                     "extensions": [{"name": "subjectAltName",
                                     "data": "0\x11\x82\x0fexample.net"}]},
            "cipher": {"name": "TLS_AES_256_GCM_SHA384", "bits": 256, "version": "TLSv1.3"},
            "chain": [f"-----BEGIN CERTIFICATE-----\n{self._hex(500)}\n-----END CERTIFICATE-----\n"
                      for _ in range(dice.randrange(1, 4))],
            "dhparams": dice.choice([None, {"bits": 2048, "generator": dice.choice([2, "2"]),
                                            "prime": self._hex(256)}]),
            "versions": ["TLSv1.2", "TLSv1.3", "-SSLv3"], "alpn": ["h2", "http/1.1"],
            "jarm": self._hex(31), "ja3s": self._hex(16), "tlsext": [], "trust": {"revoked": None}}

    def _ssh(self, record):
        record["data"] = f"SSH-2.0-OpenSSH_{record['version']}\nKey type: ssh-rsa\n" \
                         f"Key: {self._hex(270)}\n"
        record["ssh"] = {"type": "ssh-rsa", "hassh": self._hex(16), "fingerprint": self._hex(16),
                         "key": self._hex(270), "mac": "hmac-sha2-256", "cipher": "aes128-ctr",
                         "kex": {"kex_algorithms": ["curve25519-sha256"] * 8,
                                 "server_host_key_algorithms": ["ssh-ed25519", "ssh-rsa"],
                                 "unused": 0, "kex_follows": False}}

    def _dns(self, record):
        record["data"] = "\nRecursion: enabled\nResolver ID: \u0000\u0001\ufffd"
        record["dns"] = {"resolver_hostname": None, "recursive": True, "resolver_id": None,
                         "software": None}

    def _ftp(self, record):
        record["data"] = f"220 (vsFTPd {record['version']})\r\n530 Login incorrect.\r\n"
        record["ftp"] = {"features": {"MDTM": {"parameters": []}}, "anonymous": False,
                         "features_hash": -11}

    def _binary(self, record):
        record["data"] = self._random.choice(
            ["", "J\u0000\u0000\u0000\n5.7.33\u0000\u0008\ufffd\ufffdmysql_native_password\u0000",
             "Unit ID: 0\n-- Device Identification: \ufffd\r\n"])

    def _elastic(self, record):
        indices = {f"logs-{n}": {"uuid": self._hex(11), "health": "yellow", "docs": n * 1000}
                   for n in range(self._random.randrange(5, 60))}
        record["elastic"] = {"cluster": {"cluster_name": "elasticsearch", "status": "yellow"},
                             "nodes": {}, "indices": indices}
        record["data"] = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{}"

    # --- small things -----------------------------------------------------------

    def _timestamp(self):
        # Python, like Shodan, leaves the fraction out when it is zero.
        if self._random.random() < 0.05:
            self._time = self._time.replace(microsecond=0) + timedelta(seconds=1)
        return self._time.isoformat()

    def _hex(self, count):
        return self._random.randbytes(count).hex()

    def _id(self):
        raw = self._hex(16)
        return "-".join((raw[:8], raw[8:12], raw[12:16], raw[16:20], raw[20:]))


SHAPES = {"http": BannerGenerator._http, "https": BannerGenerator._https,
          "ssh": BannerGenerator._ssh, "dns-udp": BannerGenerator._dns,
          "ftp": BannerGenerator._ftp, "mysql": BannerGenerator._binary,
          "elastic": BannerGenerator._elastic, "modbus": BannerGenerator._binary,
          "smb": BannerGenerator._binary}
