# SPDX-License-Identifier: Apache-2.0
"""What the Shodan stand-in understands of a query: which banners match, what facets say,
which fields are given back.
"""

import ipaddress
import shlex
from collections import Counter

# What minify leaves out: a service's own properties, which make a banner large.
LARGE = ("http", "ssl", "ssh", "ftp", "dns", "elastic", "opts")


class QueryError(Exception):
    """The query cannot be understood; its text is for the answer."""


def address(record):
    return record.get("ipv6") or record.get("ip_str")


def _values(record, name):
    """Everything that a filter or facet of that name looks at in a banner."""
    location = record.get("location") or {}
    found = {
        "ip": address(record), "port": record["port"], "org": record.get("org"),
        "isp": record.get("isp"), "asn": record.get("asn"), "os": record.get("os"),
        "product": record.get("product"), "version": record.get("version"),
        "transport": record["transport"], "country": location.get("country_code"),
        "city": location.get("city"), "hostname": record["hostnames"],
        "domain": record["domains"], "tag": record.get("tags"),
        "vuln": list(record.get("vulns") or {}), "hash": record["hash"],
        "module": (record.get("_shodan") or {}).get("module"),
    }
    if name not in found:
        raise QueryError(f"Unknown filter: {name}")
    value = found[name]
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


FACETS = ("asn", "city", "country", "domain", "ip", "isp", "org", "os", "port", "product", "tag",
          "version", "vuln")
FILTERS = (*FACETS, "hash", "hostname", "module", "net", "transport")


class Query:
    """Words that must be in `data`, and filters name:value[,value], either with "-" before."""

    def __init__(self, text):
        try:
            words = shlex.split(text)
        except ValueError:
            raise QueryError("The search request timed out or your query was invalid.") from None
        self._conditions = []
        self.filters = []
        for word in words:
            wanted = not word.startswith("-")
            name, colon, value = word.lstrip("-").partition(":")
            if colon and name in FILTERS:
                self.filters.append(name)
                self._conditions.append((wanted, name, value.split(",")))
            elif colon and name.isidentifier():
                raise QueryError(f"Unknown filter: {name}")
            else:
                self._conditions.append((wanted, None, word.lstrip("-").lower()))

    def matches(self, record):
        return all(self._holds(record, name, value) == wanted
                   for wanted, name, value in self._conditions)

    @staticmethod
    def _holds(record, name, value):
        if name is None:
            return value in record["data"].lower()
        if name == "net":
            at = ipaddress.ip_address(address(record))
            try:
                return any(at in ipaddress.ip_network(v, strict=False) for v in value)
            except ValueError:
                raise QueryError("Invalid network") from None
        have = {str(v).lower() for v in _values(record, name)}
        return any(v.lower() in have for v in value)


def facets(records, wanted):
    """The answer to "country:10,port": how often each value occurs, most frequent first."""
    answer = {}
    for part in wanted.split(","):
        name, _, top = part.partition(":")
        if name not in FACETS:
            raise QueryError(f"Invalid facet: {name}")
        counts = Counter(v for record in records for v in _values(record, name))
        ordered = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
        answer[name] = [{"count": n, "value": value} for value, n in ordered[:int(top or 10)]]
    return answer


def minified(record):
    return {name: value for name, value in record.items() if name not in LARGE}


def with_fields(record, names):
    """Only these properties; a dot goes inward."""
    answer = {}
    for name in names:
        value, found = record, True
        for part in name.split("."):
            found = isinstance(value, dict) and part in value
            if not found:
                break
            value = value[part]
        if found:
            inner = answer
            *path, last = name.split(".")
            for part in path:
                inner = inner.setdefault(part, {})
            inner[last] = value
    return answer
