# SPDX-License-Identifier: Apache-2.0
"""The Shodan stand-in satisfies Shodan's own client, and misbehaves as documented.

The official client is the referee: where it cannot read what the stand-in says, the
stand-in is wrong.
"""

import gzip
import json
import socket
import threading
import urllib.error
import urllib.parse
import urllib.request
import zlib
from collections import Counter
from types import SimpleNamespace

import pytest

from downloads import use_pypi
from http_standin import ManualTime
from services import Shodan, wait_until
from shodan_banners import BannerGenerator, findings, write_file
from shodan_standin import ERRORS, NO_CREDITS, OFFICIAL_CLIENT, PAGE, TOO_FAST


@pytest.fixture(scope="module")
def official():
    """PyPI's shodan, fetched once; without it the error says how to get it."""
    use_pypi(OFFICIAL_CLIENT)
    import shodan

    return shodan


@pytest.fixture(scope="module")
def banners():
    return BannerGenerator(seed=3).take(350)


@pytest.fixture
def shodan(banners):
    with Shodan(reversed(banners), rate=None) as standin:
        yield standin


@pytest.fixture
def api(official, shodan):
    client = official.Shodan(shodan.key)
    client.base_url = client.stream.base_url = shodan.url
    client.api_rate_limit = 0  # The stand-in's limit has a test of its own.
    return client


def get(shodan, path, **query):
    url = f"{shodan.url}{path}?{urllib.parse.urlencode({'key': shodan.key, **query})}"
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


# --- banners ------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_banners():
    first, second = BannerGenerator(9).take(50), BannerGenerator(9).take(50)
    assert [b.line for b in first] == [b.line for b in second]
    assert [b.line for b in first] != [b.line for b in BannerGenerator(10).take(50)]


def test_banners_have_the_shapes_that_readers_trip_over(banners):
    records = [b.record for b in banners]
    required = {"data", "domains", "hash", "hostnames", "port", "timestamp", "transport"}
    assert all(required <= r.keys() for r in records)
    assert all(3000 <= len(b.line) <= 20000 for b in banners)
    assert {"ipv6" in r for r in records} == {True, False}
    assert all(("ip" in r) != ("ipv6" in r) for r in records)
    assert any(r.get("ip", 0) > 2**31 for r in records)
    assert max(r["ssl"]["cert"]["serial"] for r in records if "ssl" in r) > 2**100
    assert {type(r["version"]) for r in records if "version" in r} > {str}
    assert {type(r["cpe"]) for r in records if "cpe" in r} == {str, list}
    assert {type(f["cvss"]) for r in records for f in r.get("vulns", {}).values()} == {
        float, str, type(None)}
    assert any("\0" in r["data"] for r in records) and any(r["data"] == "" for r in records)
    assert any(r["hash"] < 0 for r in records)
    assert any("." not in r["timestamp"] for r in records)
    assert any(r["location"]["country_code"] is None for r in records)


def test_the_truth_tells_what_is_ours_and_what_repeats(banners):
    by_number = {b.number: b for b in banners}
    assert any(b.ours for b in banners) and not all(b.ours for b in banners)
    assert all(b.findings == frozenset() for b in banners if not b.ours)
    assert all(("port", b.ip, b.record["port"], b.record["transport"]) in b.findings
               for b in banners if b.ours)
    again = [b for b in banners if b.repeats is not None]
    assert len(again) > 30
    for banner in again:
        earlier = by_number[banner.repeats]
        assert earlier.repeats is None
        assert earlier.record["data"] == banner.record["data"]
        assert earlier.record["timestamp"] < banner.record["timestamp"]
    told = findings(banners)
    assert {kind for kind, *_ in told} == {"port", "cve"}
    assert all(finding in by_number[number].findings for finding, number in told.items())


def test_a_file_is_several_gzip_members_one_after_another(banners, tmp_path):
    file = write_file(tmp_path / "banners.json.gz", banners, members=3)
    lines = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
    assert lines == [b.line for b in banners]
    one = zlib.decompressobj(wbits=31)
    one.decompress(file.read_bytes())
    assert one.eof and one.unused_data


# --- searches -----------------------------------------------------------------------


def test_the_official_client_pages_through_a_search(api, banners):
    found = list(api.search_cursor("", minify=False))
    assert found == [b.record for b in reversed(banners)]


def test_a_search_gives_facets_and_totals_that_add_up(api, banners):
    answer = api.search("port:443", facets=[("country", 3), "port"])
    wanted = [b.record for b in banners if b.record["port"] == 443]
    assert answer["total"] == len(wanted) and len(answer["matches"]) == min(PAGE, len(wanted))
    assert answer["facets"]["port"] == [{"count": len(wanted), "value": 443}]
    countries = Counter(r["location"]["country_code"] for r in wanted)
    del countries[None]
    assert [row["count"] for row in answer["facets"]["country"]] == [
        count for _, count in countries.most_common(3)]
    counted = api.count("port:443", facets=["country"])
    assert counted["total"] == len(wanted)
    assert sum(row["count"] for row in counted["facets"]["country"]) <= len(wanted)


def test_minify_drops_what_is_large_and_fields_keep_what_is_named(api, banners):
    small = api.search("port:443")["matches"]
    assert small and not any("ssl" in record or "http" in record for record in small)
    some = api.search("port:443", fields=["ip_str", "location.country_code", "ssl.cert.serial"])
    serials = {b.record["ssl"]["cert"]["serial"] for b in banners if "ssl" in b.record}
    assert all(m.keys() <= {"ip_str", "location", "ssl"} for m in some["matches"])
    assert {m["ssl"]["cert"]["serial"] for m in some["matches"]} <= serials


def test_filters_look_at_their_own_property(api, banners):
    ours = api.search("net:203.0.113.0/26")["matches"]
    assert ours and all(m["ip_str"].startswith("203.0.113.") for m in ours)
    flawed = api.search("vuln:CVE-2018-15473")["matches"]
    assert flawed and all("CVE-2018-15473" in m["vulns"] for m in flawed)
    assert api.count('org:"Example Industries" -port:22')["total"] == sum(
        b.record["org"] == "Example Industries" and b.record["port"] != 22 for b in banners)


def test_one_host_is_told_with_a_list_of_vulns(api, banners):
    known = next(b for b in banners if b.record.get("vulns") and "ip_str" in b.record)
    host = api.host(known.ip)
    assert known.record["port"] in host["ports"] and host["ip_str"] == known.ip
    assert set(known.record["vulns"]) <= set(host["vulns"])
    assert {r["port"] for r in host["data"]} == set(host["ports"])
    assert "data" not in api.host(known.ip, minify=True)


def test_a_host_that_nobody_scanned_is_not_found(official, api):
    with pytest.raises(official.APIError, match="No information available"):
        api.host("192.0.2.255")


def test_credits_are_charged_as_documented(shodan, api):
    start = shodan.query_credits
    api.search("html")
    api.count("port:443")
    api.host(api.search("html")["matches"][0]["ip_str"])
    assert api.info()["query_credits"] == start
    api.search("port:443")
    assert api.info()["query_credits"] == start - 1
    api.search("html", page=2)
    assert api.info()["query_credits"] == start - 2
    api.search("html", limit=201)
    assert api.info()["query_credits"] == start - 5


def test_an_exhausted_plan_says_so_with_a_401(official, shodan, api):
    shodan.query_credits = 0
    with pytest.raises(official.APIError, match="Insufficient query credits"):
        api.search("port:443")
    assert get(shodan, "/shodan/host/search", query="port:443") == (
        401, json.dumps({"error": NO_CREDITS}))
    assert api.search("html")["total"] >= 0


def test_a_free_plan_may_not_filter(official, shodan, api):
    shodan.plan = "oss"
    with pytest.raises(official.APIError, match="upgrade your API plan"):
        api.search("port:443")


def test_results_move_to_later_pages_when_new_ones_come(shodan, api):
    first = api.search("", minify=False)["matches"]
    shodan.add(*BannerGenerator(99).take(30))
    second = api.search("", page=2, minify=False)["matches"]
    assert second[:30] == first[70:]


@pytest.mark.parametrize("name, said", [
    ("wrong key", "Invalid API key"),
    ("wrong key as html", "Invalid API key"),
    ("forbidden", r"Access denied \(403"),
    ("too fast", "Request rate limit reached"),
    ("too fast as text", "Request rate limit reached"),
    ("bad gateway", "Bad Gateway"),
    ("timed out", "timed out or your query was invalid"),
    ("no credits", "Insufficient query credits"),
    ("html", "Unable to parse JSON"),
    ("cut json", "Unable to parse JSON"),
])
def test_each_documented_error_reaches_the_official_client(official, shodan, api, name, said):
    shodan.order(ERRORS[name])
    with pytest.raises(official.APIError, match=said):
        api.search("html")
    assert api.search("html")["total"] >= 0


def test_a_wrong_key_is_refused_in_both_ways(official, shodan, api):
    api.api_key = "wrong"
    for kind in ("wrong key", "wrong key as html"):
        shodan.key_error = kind
        with pytest.raises(official.APIError, match="Invalid API key"):
            api.info()


def test_more_than_one_request_a_second_is_refused_until_time_passes(banners):
    clock = ManualTime()
    with Shodan(banners, clock=clock, rate=1.0) as shodan:
        assert get(shodan, "/api-info")[0] == 200
        status, body = get(shodan, "/api-info")
        assert status == 429 and TOO_FAST in body
        clock.advance(0.5)
        assert get(shodan, "/api-info")[0] == 429
        clock.advance(0.5)
        assert get(shodan, "/api-info")[0] == 200
        clock.advance(10)
        assert [get(shodan, "/api-info")[0] for _ in range(2)] == [200, 429]


def test_the_official_clients_own_pace_is_not_refused(official, banners, monkeypatch):
    clock = ManualTime()
    monkeypatch.setattr(official.client, "time", SimpleNamespace(time=clock, sleep=clock.advance))
    with Shodan(banners, clock=clock, rate=1.0) as shodan:
        client = official.Shodan(shodan.key)
        client.base_url = shodan.url
        started = clock()
        assert [client.count("html")["total"] for _ in range(3)]
        assert clock() - started >= 2.0


def test_stop_and_start_keep_port_banners_and_credits(shodan, api):
    api.search("port:443")
    before = api.info()
    for end in (shodan.stop, shodan.kill):
        end()
        with pytest.raises(urllib.error.URLError):
            get(shodan, "/api-info")
        shodan.start()
        assert api.info() == before


def test_a_paused_standin_accepts_and_is_silent(shodan):
    shodan.pause()
    with socket.create_connection(("127.0.0.1", shodan.port), 20) as client:
        client.sendall(f"GET /api-info?key={shodan.key} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        client.settimeout(0.3)
        with pytest.raises(TimeoutError):
            client.recv(1)
        shodan.resume()
        client.settimeout(20)
        assert client.recv(12) == b"HTTP/1.1 200"


# --- streams ------------------------------------------------------------------------


class Reader:
    """A raw reader of one stream, in a thread: its bytes, and how it ended."""

    def __init__(self, shodan, path, **query):
        self.data, self.ended = b"", None
        url = f"{shodan.url}{path}?{urllib.parse.urlencode({'key': shodan.key, **query})}"
        self._answer = urllib.request.urlopen(url, timeout=60)
        before = shodan.streams
        threading.Thread(target=self._read, daemon=True).start()
        wait_until(lambda: shodan.streams > before or self.data, what="the stream is connected")

    def _read(self):
        try:
            while piece := self._answer.read1(1 << 16):
                self.data += piece
            self.ended = "end"
        except Exception as error:
            self.ended = error

    def lines(self, count):
        """The first `count` lines that hold something."""
        wait_until(lambda: len(self._full()) >= count, what=f"{count} lines of a stream")
        return self._full()

    def _full(self):
        whole = self.data[:self.data.rfind(b"\n") + 1]
        return [line for line in whole.split(b"\n") if line]


def new(count, seed=77):
    return BannerGenerator(seed).take(count)


def fitting(banners, fits):
    return [b.record for b in banners if fits(b.record)]


@pytest.mark.parametrize("call, fits", [
    (lambda s: s.banners(), lambda r: True),
    (lambda s: s.ports([443, 22]), lambda r: r["port"] in (443, 22)),
    (lambda s: s.countries(["DE"]), lambda r: r["location"]["country_code"] == "DE"),
    (lambda s: s.asn(["64500", "AS64496"]), lambda r: r.get("asn") in ("AS64500", "AS64496")),
    (lambda s: s.tags(["database"]), lambda r: "database" in r.get("tags", [])),
    (lambda s: s.vulns(["CVE-2018-15473"]), lambda r: "CVE-2018-15473" in r.get("vulns", {})),
    (lambda s: s.alert("OURALERT00000001"), lambda r: r.get("org") in (
        "Example Industries", "Example Labs")),
    (lambda s: s.alert(), lambda r: r.get("org") in ("Example Industries", "Example Labs")),
    (lambda s: s.custom("port:22 country:DE"),
     lambda r: r["port"] == 22 and r["location"]["country_code"] == "DE"),
])
def test_the_official_client_reads_each_stream_with_its_filter(shodan, api, call, fits):
    sent = new(200)
    wanted = fitting(sent, fits)
    assert wanted
    got = []

    def read():
        for banner in call(api.stream):
            got.append(banner)
            if len(got) == len(wanted):
                return

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    wait_until(lambda: shodan.streams == 1, what="the client is connected")
    shodan.publish(*sent)
    thread.join(60)
    assert got == wanted


def test_what_is_published_while_nobody_listens_is_only_found_by_a_search(shodan, api):
    missed, sent = new(3), new(1, seed=78)
    shodan.publish(*missed)
    reader = Reader(shodan, "/shodan/banners")
    shodan.publish(*sent)
    assert reader.lines(1) == [sent[0].line.rstrip(b"\n")]
    assert api.search("", minify=False)["matches"][1] == missed[-1].record


def test_heartbeats_come_when_time_passes_unless_they_were_declined(banners):
    clock = ManualTime()
    with Shodan(banners, clock=clock) as shodan:
        usual = Reader(shodan, "/shodan/banners")
        without = Reader(shodan, "/shodan/banners", heartbeat="False")
        wait_until(lambda: usual.data == b"\n", what="the first empty line")
        clock.advance(shodan.heartbeat)
        wait_until(lambda: usual.data == b"\n\n", what="a heartbeat")
        shodan.heartbeats()
        wait_until(lambda: usual.data == b"\n\n\n", what="a heartbeat on demand")
        assert without.data == b"\n"


def test_a_discarded_event_is_told_to_those_who_asked_for_it(shodan):
    plain, debug = Reader(shodan, "/shodan/banners"), Reader(shodan, "/shodan/banners", debug="1")
    shodan.discard(*new(41))
    last = new(1, seed=5)
    shodan.publish(*last)
    assert json.loads(debug.lines(2)[0]) == {"event": "debug", "discarded": 41}
    assert len(plain.lines(1)) == 1
    found = get(shodan, "/shodan/host/search", minify="false")[1]["matches"]
    assert found[0] == last[0].record and found[1] == new(41)[-1].record


def test_a_stream_can_end_in_the_middle_of_a_line(shodan):
    reader = Reader(shodan, "/shodan/banners")
    whole, half = new(2)
    shodan.publish(whole)
    shodan.truncate(half)
    wait_until(lambda: reader.ended is not None, what="the stream has ended")
    assert reader.ended != "end"
    assert reader.data.strip().split(b"\n")[0] == whole.line.strip()
    assert reader.data.strip().split(b"\n")[1] == half.line[:len(half.line) // 2].rstrip()
    assert shodan.streams == 0


def test_a_stalled_stream_is_silent_and_goes_on_where_it_was(banners):
    clock = ManualTime()
    with Shodan(banners, clock=clock) as shodan:
        reader = Reader(shodan, "/shodan/banners")
        wait_until(lambda: reader.data == b"\n", what="the first empty line")
        shodan.stall()
        shodan.publish(*new(1))
        clock.advance(10 * shodan.heartbeat)
        shodan.heartbeats()
        other = Reader(shodan, "/shodan/banners")
        clock.advance(shodan.heartbeat)
        wait_until(lambda: len(other.data) >= 2, what="another stream's heartbeat")
        assert reader.data == b"\n"
        shodan.stall(False)
        assert reader.lines(1) == [new(1)[0].line.rstrip(b"\n")]


def test_a_key_without_access_is_refused_with_words(official, shodan, api):
    shodan.plan = "oss"
    with pytest.raises(official.APIError, match="Access denied"):
        next(api.stream.banners())
    api.stream.api_key = "wrong"
    with pytest.raises(official.APIError, match="Invalid API key"):
        next(api.stream.ports([443]))


def test_server_sent_events_carry_the_same_banners(shodan):
    reader = Reader(shodan, "/shodan/ports/443,22,80,8443,53,21,3306,9200,502,445", t="sse")
    sent = new(2)
    shodan.publish(*sent)
    assert [line.removeprefix(b"data: ") for line in reader.lines(2)] == [
        b.line.rstrip(b"\n") for b in sent]


def test_a_kill_resets_the_streams_and_a_restart_takes_new_ones(shodan):
    reader = Reader(shodan, "/shodan/banners")
    shodan.kill()
    wait_until(lambda: reader.ended is not None, what="the stream has ended")
    shodan.start()
    again = Reader(shodan, "/shodan/banners")
    shodan.publish(*new(1))
    assert len(again.lines(1)) == 1
