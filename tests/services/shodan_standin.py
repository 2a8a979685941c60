# SPDX-License-Identifier: Apache-2.0
"""Shodan's REST and streaming API, as far as it is documented, in the test's process.

Both live on one port; they have different hosts in reality. What an account may do, its
credits and its errors are attributes that a test changes at any time. The official
client runs against it in shodan_test.py.
"""

import argparse
import itertools
import json
import signal
import threading
import time
from collections import deque

from downloads import pypi
from http_standin import NGINX_401, NGINX_502, Answer, Gone, Standin
from shodan_banners import OUR_NETWORKS, BannerGenerator
from shodan_query import FACETS, FILTERS, Query, QueryError, address, facets, minified, with_fields

# The referee: what it cannot read, the stand-in says wrongly.
OFFICIAL_CLIENT = "shodan==1.31.0"
PAGE = 100
TOO_FAST = ("Request rate limit reached (1 request/ second). Please wait a second before trying "
            "again and slow down your API calls.")
NO_CREDITS = ("Insufficient query credits, please upgrade your API plan or wait for the monthly "
              "limit to reset")
NO_FILTERS = "Please upgrade your API plan to use filters or paging."

# The errors a test can order by name: Shodan.order(ERRORS["bad gateway"]).
ERRORS = {
    "wrong key": Answer(401, {"error": "Invalid API key"}),
    "wrong key as html": Answer(401, NGINX_401),
    "forbidden": Answer(403, {"error": "Access denied (403 Forbidden)"}),
    "too fast": Answer(429, {"error": TOO_FAST}),
    "too fast as text": Answer(200, {"error": TOO_FAST}),
    "bad gateway": Answer(502, NGINX_502),
    "timed out": Answer(200, {"error": "The search request timed out or your query was invalid."}),
    "no credits": Answer(401, {"error": NO_CREDITS}),
    "no data": Answer(524, "<html><body>error code: 524</body></html>"),
    "html": Answer(200, "<html><body>Please stand by</body></html>"),
    "cut json": Answer(200, b'{"matches": [{"ip": 32'),
}


def shodan_client():
    """The folder with the official client."""
    return pypi(OFFICIAL_CLIENT)


class Shodan(Standin):
    """banners are what a search finds, newest first; publish() also streams.

    key            the only one that is accepted
    plan           what /api-info names; "oss" may neither filter nor page nor stream everything
    query_credits  what is left; at 0 what costs a credit is refused
    rate           requests per second of the REST API, by `clock`; None switches it off
    alerts         alert id -> networks, for /shodan/alert
    kept           how many banners a search can find; older ones are forgotten
    heartbeat      seconds between two empty lines of a silent stream, by `clock`
    """

    name = "shodan"

    def __init__(self, banners=(), key="a-test-key-of-32-characters-long", port=None,
                 clock=time.time, query_credits=100, rate=1.0):
        super().__init__(port, clock)
        self.key, self.plan, self.rate = key, "dev", rate
        self.query_credits, self.scan_credits = query_credits, 100
        self.alerts = {"OURALERT00000001": list(OUR_NETWORKS)}
        self.heartbeat = 20.0
        self.kept = 20000
        self.key_error = "wrong key as html"
        self._banners = list(banners)
        self._next_allowed = None
        self._streams = []
        self._joined = 0

    @property
    def streams(self):
        """How many streams are connected. One whose client left counts until that is noticed."""
        with self.lock:
            return len(self._streams)

    @property
    def joined(self):
        """How many streams were ever connected: the one to wait for after a cut."""
        with self.lock:
            return self._joined

    # --- what a test does -------------------------------------------------------

    def add(self, *banners):
        """New results of searches: they come first, so what was on a page moves on."""
        with self.lock:
            self._banners[:0] = reversed(banners)
            del self._banners[self.kept:]

    def publish(self, *banners):
        """Send to every stream whose filter fits, and add(). With nobody connected, what is
        published is not sent later: that is how the real one is."""
        with self.lock:
            self.add(*banners)
            for stream in self._streams:
                for banner in banners:
                    if stream.wants(banner.record):
                        stream.put(stream.framed(banner.line))

    def send(self, data):
        """Any bytes to every stream: a line that is no JSON, half a line, a huge one."""
        self._each(lambda stream: stream.put(data))

    def heartbeats(self):
        """An empty line to every stream that did not decline them."""
        self._each(lambda stream: stream.beats and stream.put(b"\n"))

    def discard(self, *banners):
        """The server drops banners for slow readers: gone, and told to streams with debug=1."""
        with self.lock:
            self.add(*banners)
            event = json.dumps({"event": "debug", "discarded": len(banners)}).encode() + b"\n"
            for stream in self._streams:
                if stream.debug:
                    stream.put(stream.framed(event))

    def truncate(self, banner):
        """Half of the banner's line, and the connection ends."""
        self._each(lambda stream: (stream.put(banner.line[:len(banner.line) // 2]),
                                   stream.put(None)))

    def stall(self, stalled=True):
        """Streams stay connected and silent, without heartbeats; what is published waits."""
        self._each(lambda stream: setattr(stream, "stalled", stalled))

    def _each(self, action):
        with self.lock:
            for stream in self._streams:
                action(stream)

    # --- answers ----------------------------------------------------------------

    def _answer(self, request):
        if request.query.get("key") != self.key:
            return ERRORS[self.key_error]
        parts = request.path.strip("/").split("/")
        stream = self._stream_filter(parts, request.query)
        if stream is not None:
            return stream
        if self._too_fast():
            return ERRORS["too fast"]
        try:
            return self._rest(parts, request.query)
        except (QueryError, ValueError) as error:
            return Answer(400, {"error": str(error)})

    def _rest(self, parts, query):
        match parts:
            case ["api-info"]:
                return Answer(body=self._info())
            case ["shodan", "host", "search"]:
                return self._search(query)
            case ["shodan", "host", "count"]:
                found = self._found(Query(query.get("query", "")))
                return Answer(body={"matches": [], "total": len(found), **_facets(found, query)})
            case ["shodan", "host", "search", "facets"]:
                return Answer(body=list(FACETS))
            case ["shodan", "host", "search", "filters"]:
                return Answer(body=list(FILTERS))
            case ["shodan", "host", "search", "tokens"]:
                parsed = Query(query.get("query", ""))
                return Answer(body={"attributes": {}, "errors": [], "filters": parsed.filters,
                                    "string": query.get("query", "")})
            case ["shodan", "host", addresses]:
                return self._host(addresses.split(","), query)
        return Answer(404, {"error": "Not found"})

    def _too_fast(self):
        """One request each 1/rate seconds; a quarter of that may be the network's jitter."""
        if self.rate is None:
            return False
        now = self.clock()
        if self._next_allowed is not None and now < self._next_allowed - 0.25 / self.rate:
            return True
        self._next_allowed = max(now, self._next_allowed or now) + 1 / self.rate
        return False

    def _info(self):
        return {"plan": self.plan, "query_credits": self.query_credits, "https": True,
                "scan_credits": self.scan_credits, "monitored_ips": 16, "telnet": True,
                "unlocked": True, "unlocked_left": self.query_credits,
                "usage_limits": {"query_credits": 100, "scan_credits": 100, "monitored_ips": 16}}

    def _found(self, query):
        return [b.record for b in self._banners if query.matches(b.record)]

    def _search(self, query):
        parsed = Query(query.get("query", ""))
        if "limit" in query:
            begin, size = int(query.get("offset", 0)), min(int(query["limit"]), 1000)
        else:
            begin, size = (int(query.get("page", 1)) - 1) * PAGE, PAGE
        if begin < 0 or size < 1:
            return Answer(400, {"error": "Invalid page size"})
        refused = self._charge(parsed, begin, size)
        if refused is not None:
            return refused
        found = self._found(parsed)
        matches = found[begin:begin + size]
        if "fields" in query:
            matches = [with_fields(record, query["fields"].split(",")) for record in matches]
        elif query.get("minify", "true").lower() != "false":
            matches = [minified(record) for record in matches]
        return Answer(body={"matches": matches, "total": len(found), **_facets(found, query)})

    def _charge(self, query, begin, size):
        """A filter or a later page costs one credit for each 100 results; the first page of
        plain words is free."""
        if not query.filters and begin + size <= PAGE:
            return None
        if self.plan == "oss":
            return Answer(401, {"error": NO_FILTERS})
        cost = -(-size // PAGE)
        if self.query_credits < cost:
            return ERRORS["no credits"]
        self.query_credits -= cost
        return None

    def _host(self, addresses, query):
        found = [b.record for b in self._banners if address(b.record) in addresses]
        if not found:
            return Answer(404, {"error": "No information available for that IP."})
        hosts = [_host_info([r for r in found if address(r) == one], query)
                 for one in addresses if any(address(r) == one for r in found)]
        return Answer(body=hosts[0] if len(addresses) == 1 else hosts)

    # --- streams ----------------------------------------------------------------

    def _stream_filter(self, parts, query):
        """The answer to a path of the streaming API, None if it is none."""
        match parts:
            case ["shodan", "banners"]:
                if self.plan == "oss":
                    return Answer(403, {"error": "Access denied"})
                wants = Query("").matches
            case ["shodan", "alert"]:
                networks = list(itertools.chain(*self.alerts.values()))
                wants = Query("net:" + ",".join(networks)).matches if networks else lambda _: False
            case ["shodan", "alert", name]:
                if name not in self.alerts:
                    return Answer(404, {"error": "No such alert"})
                wants = Query("net:" + ",".join(self.alerts[name])).matches
            case ["shodan", "asn", values]:
                numbers = (v.upper().removeprefix("AS") for v in values.split(","))
                wants = Query("asn:" + ",".join(f"AS{n}" for n in numbers)).matches
            case ["shodan", ("countries" | "ports" | "tags" | "vulns") as kind, values]:
                name = {"countries": "country"}.get(kind, kind[:-1])
                wants = Query(f"{name}:{values}").matches
            case ["shodan", "custom"]:
                try:
                    wants = Query(query.get("query", "")).matches
                except QueryError as error:
                    return Answer(400, {"error": str(error)})
            case _:
                return None
        return Answer(stream=_Stream(self, wants, query).run)


class _Stream:
    """One connected client. `lock` is the stand-in's."""

    def __init__(self, standin, wants, query):
        self._standin, self.wants = standin, wants
        self.debug = query.get("debug") == "1"
        self.beats = query.get("heartbeat", "").lower() != "false"
        self._sse = query.get("t") == "sse"
        self.stalled = False
        self._waiting = deque()
        self._news = threading.Condition()

    def framed(self, line):
        return b"data: " + line + b"\n" if self._sse else line

    def put(self, data):
        """Bytes to send; None ends the connection in the middle of the body."""
        with self._news:
            self._waiting.append(data)
            self._news.notify()

    def run(self, wire):
        last = self._standin.clock()  # Before anybody can see that it is connected.
        with self._standin.lock:
            self._standin._streams.append(self)
            self._standin._joined += 1
        try:
            wire.write(b"\n")
            self._send_all(wire, last)
        finally:
            with self._standin.lock:
                self._standin._streams.remove(self)

    def _send_all(self, wire, last):
        while True:
            with self._news:
                if self.stalled or not self._waiting:
                    self._news.wait(0.02)
                data = self._waiting.popleft() if self._waiting and not self.stalled else b""
            if data is None:
                raise Gone
            now = self._standin.clock()
            if not data and self.beats and not self.stalled and \
                    now - last >= self._standin.heartbeat:
                data = b"\n"
            if data:
                wire.write(data)
                last = now
            else:
                wire.check()


def _facets(found, query):
    return {"facets": facets(found, query["facets"])} if query.get("facets") else {}


def _host_info(records, query):
    """/shodan/host/{ip}: the newest banner of each port, and what they have in common."""
    newest = {}
    for record in records:
        newest.setdefault((record["port"], record["transport"]), record)
    shown = records if query.get("history", "").lower() == "true" else list(newest.values())
    first = records[0]
    info = {name: first.get(name) for name in ("org", "isp", "asn", "os")}
    info.update({name: first[name] for name in ("ip", "ip_str", "ipv6") if name in first})
    info.update({name: value for name, value in first["location"].items() if name != "dma_code"})
    info.update({
        "ports": sorted({r["port"] for r in shown}),
        "hostnames": sorted({h for r in shown for h in r["hostnames"]}),
        "domains": sorted({d for r in shown for d in r["domains"]}),
        "tags": sorted({t for r in shown for t in r.get("tags", [])}),
        "last_update": max(r["timestamp"] for r in shown)})
    vulns = sorted({v for r in shown for v in r.get("vulns", {})})
    if vulns:
        info["vulns"] = vulns
    if query.get("minify", "").lower() != "true":
        info["data"] = shown
    return info


def main():
    """Runs by itself, with a banner on the streams so many times a second: ./dev services."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("directory", help="named so that the process can be found; not used")
    parser.add_argument("--key", required=True)
    parser.add_argument("--banners", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=2.0)
    options = parser.parse_args()
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    source = BannerGenerator(options.seed)
    with Shodan(reversed(source.take(options.banners)), options.key, options.port) as shodan:
        while not ended.wait(1 / options.rate):
            shodan.publish(next(source))


if __name__ == "__main__":
    main()
