# SPDX-License-Identifier: Apache-2.0
"""Job A's source against the stand-in: pages, credits, streams, and what goes wrong."""

import json

import pytest

from books import books_of
from harness import Streamd, call, wait_until
from http_standin import Answer
from services import Shodan
from shodan_banners import BannerGenerator, write_file
from shodan_standin import ERRORS

KEY = "planted-secret-0123456789abcdef"
PIPELINE = """\
pipeline: job
checkpoint: {{every: 100ms}}
sources:
  banners:
    type: shodan
    {settings}
    max_record: 4MiB
sinks:
  out: {{type: file, input: banners, path: out/banners.ndjson}}
"""


@pytest.fixture(scope="module")
def banners():
    return BannerGenerator(seed=5).take(450)


@pytest.fixture
def shodan(banners):
    with Shodan(reversed(banners), key=KEY, rate=None) as standin:
        yield standin


def new_run(streamd, shodan, folder, **settings):
    settings = {"key": KEY, "url": shodan.url, "stream_url": shodan.url, "proxy": "none",
                **settings}
    text = "\n    ".join(f"{name}: {json.dumps(value)}" for name, value in settings.items())
    return Streamd(streamd, PIPELINE.format(settings=text), folder, name="job")


def read(run):
    path = run.directory / "out/banners.ndjson"
    return path.read_bytes().splitlines() if path.exists() else []


def complete(run):
    return [json.loads(line) for line in read(run)]


def paid(shodan):
    """Pages asked for, in order."""
    with shodan.lock:
        return [int(r.query["page"]) for r in shodan.requests if r.path == "/shodan/host/search"]


def no_secret(run):
    for path in run.directory.rglob("*"):
        if path.is_file() and path.suffix in (".out", ".err"):
            assert KEY not in path.read_text(errors="replace"), path
    assert KEY not in call(run.binary, "check", run.file).stdout


def key_of(record):
    return json.dumps(record, sort_keys=True)


def wanted(banners):
    return sorted(key_of(b.record) for b in banners if b.record["transport"] == "tcp")


def warnings(run):
    return [line for line in run.stderr.splitlines() if "source \"banners\"" in line
            and "trying again" in line]


SEARCH = {"mode": "search", "query": "transport:tcp", "pages": 10}


def test_a_search_reads_all_pages_once_and_ends(streamd, shodan, banners, tmp_path):
    run = new_run(streamd, shodan, tmp_path, **SEARCH)
    assert run.run() == 0, run.stderr
    assert sorted(map(key_of, complete(run))) == wanted(banners)
    pages = -(-len(wanted(banners)) // 100)
    assert pages > 2
    assert paid(shodan) == list(range(1, pages + 1))
    assert shodan.query_credits == 100 - pages
    assert "100 query credits left" in run.stderr
    assert run.run() == 0, run.stderr
    assert shodan.query_credits == 100 - pages, "a search that is done costs nothing again"
    assert len(read(run)) == len(wanted(banners))
    no_secret(run)


def test_one_request_a_second_is_kept_on_our_side(streamd, banners, tmp_path):
    with Shodan(reversed(banners), key=KEY, rate=1.0) as shodan:
        run = new_run(streamd, shodan, tmp_path, **SEARCH)
        assert run.run() == 0, run.stderr
        assert sorted(map(key_of, complete(run))) == wanted(banners)
        assert warnings(run) == []


def test_kill_9_in_a_search_pays_no_page_twice_but_the_one_in_flight(streamd, shodan, banners,
                                                                     tmp_path):
    run = new_run(streamd, shodan, tmp_path, **SEARCH)
    pages = -(-len(wanted(banners)) // 100)
    kills = 0
    for page in range(1, pages + 1):
        run.start()
        wait_until(lambda: len(paid(shodan)) >= page + kills or not run.running, 30,
                   f"page {page} is asked for")
        kills += run.running
        run.kill9()
    assert kills >= 2
    assert run.run() == 0, run.stderr
    assert sorted(map(key_of, complete(run))) == wanted(banners)
    asked = paid(shodan)
    assert asked == sorted(asked), "it never goes back"
    assert set(asked) == set(range(1, pages + 1))
    assert len(asked) <= pages + kills, f"paid twice: {asked}"


def test_facets_come_as_one_record_of_their_own(streamd, shodan, banners, tmp_path):
    run = new_run(streamd, shodan, tmp_path, **{**SEARCH, "pages": 1},
                  facets=["country", "port:5"])
    assert run.run() == 0, run.stderr
    first, *rest = complete(run)
    assert first["event"] == "facets" and first["total"] == len(wanted(banners))
    assert set(first["facets"]) == {"country", "port"}
    assert len(rest) == 100 and all("event" not in r for r in rest)


def test_a_repeated_search_gives_its_banners_again(streamd, shodan, banners, tmp_path):
    run = new_run(streamd, shodan, tmp_path, **{**SEARCH, "pages": 1}, every="1s")
    run.start()
    run.wait_until(lambda: len(read(run)) >= 200, 30, "two passes")
    assert run.sigterm() == 0
    assert paid(shodan)[:2] == [1, 1]


@pytest.mark.parametrize("error, says", [
    ("wrong key", "the API key is not valid"),
    ("wrong key as html", "the API key is not valid"),
    ("forbidden", "access denied"),
    ("no credits", "no query credits are left"),
])
def test_what_does_not_heal_ends_the_run_with_advice(streamd, shodan, tmp_path, error, says):
    shodan.order(ERRORS[error], times=None)
    run = new_run(streamd, shodan, tmp_path, **SEARCH)
    assert run.run() == 1
    assert says in run.stderr
    no_secret(run)


def test_a_plan_without_filters_is_named(streamd, shodan, tmp_path):
    shodan.plan = "oss"
    run = new_run(streamd, shodan, tmp_path, **SEARCH)
    assert run.run() == 1
    assert "does not allow filters or further pages" in run.stderr


def test_a_key_that_the_far_side_repeats_is_hidden(streamd, shodan, tmp_path):
    shodan.order(Answer(400, {"error": f"bad query of {KEY}"}), times=None)
    run = new_run(streamd, shodan, tmp_path, **SEARCH)
    assert run.run() == 1
    assert "bad query of ***" in run.stderr
    no_secret(run)


@pytest.mark.parametrize("error", ["too fast", "too fast as text", "bad gateway", "timed out",
                                   "html", "cut json", "no data"])
def test_what_heals_is_told_once_and_loses_nothing(streamd, shodan, banners, tmp_path, error):
    shodan.order(ERRORS[error], times=3)
    run = new_run(streamd, shodan, tmp_path, **SEARCH)
    assert run.run() == 0, run.stderr
    assert sorted(map(key_of, complete(run))) == wanted(banners)
    assert len(warnings(run)) == 1, run.stderr
    assert run.stderr.count("healed: Shodan's search answers again") == 1


def test_the_last_credits_are_kept(streamd, shodan, tmp_path):
    shodan.query_credits = 12
    run = new_run(streamd, shodan, tmp_path, **SEARCH, min_credits=10)
    assert run.run() == 1
    assert shodan.query_credits == 10
    assert len(read(run)) == 200
    assert "10 query credits are left, and min_credits keeps 10" in run.stderr
    assert "goes on at page 3" in run.stderr
    shodan.query_credits = 100
    assert run.run() == 0, run.stderr
    assert paid(shodan)[:4] == [1, 2, 3, 4]


# --- streams ---------------------------------------------------------------------------


def streaming(streamd, shodan, folder, **settings):
    run = new_run(streamd, shodan, folder, mode="stream", **settings).start()
    run.wait_until(lambda: shodan.streams == 1, 30, "the stream is connected")
    return run


def test_a_stream_gives_what_is_published_over_cuts_and_noise(streamd, shodan, tmp_path):
    made = BannerGenerator(seed=8).take(60)
    run = streaming(streamd, shodan, tmp_path)
    shodan.publish(*made[:20])
    shodan.heartbeats()
    run.wait_until(lambda: len(read(run)) == 20, 30, "the first banners")
    shodan.discard(*made[20:25])
    shodan.truncate(made[25])
    run.wait_until(lambda: "trying again" in run.stderr, 30, "the cut is seen")
    run.wait_until(lambda: shodan.joined == 2, 30, "it connects again")
    shodan.publish(*made[26:40])
    run.wait_until(lambda: len(read(run)) == 34, 30, "what came after the cut")
    shodan.send(b"no json\r\n\r\n\n" + made[40].line.replace(b"\n", b"\r\n"))
    run.wait_until(lambda: len(read(run)) == 35, 30, "what came after the noise")
    assert run.sigterm() == 0
    assert complete(run) == [b.record for b in made[:20] + made[26:41]]
    assert "discarded 5 banners" in run.stderr
    assert "in the middle of a banner" in run.stderr
    assert len(warnings(run)) == 1
    assert books_of(run)["banners"].left == {"dead letters": 1}
    no_secret(run)


def test_a_silent_stream_is_left_and_joined_again(streamd, shodan, tmp_path):
    made = BannerGenerator(seed=9).take(4)
    shodan.heartbeat = 0.1
    run = streaming(streamd, shodan, tmp_path, idle_timeout="1s")
    shodan.stall()
    run.wait_until(lambda: "nothing came for 1s" in run.stderr, 30, "the silence is seen")
    run.wait_until(lambda: shodan.joined == 2, 30, "it connects again")
    shodan.publish(*made)
    run.wait_until(lambda: len(read(run)) == 4, 30, "banners")
    assert run.sigterm() == 0


def test_a_line_of_ten_megabytes_is_a_dead_letter(streamd, shodan, tmp_path):
    made = BannerGenerator(seed=10).take(2)
    run = streaming(streamd, shodan, tmp_path)
    shodan.publish(made[0])
    shodan.send(b'{"data":"' + b"x" * 10_000_000 + b'"}\n')
    shodan.publish(made[1])
    run.wait_until(lambda: len(read(run)) == 2, 60, "the banner behind it")
    assert run.sigterm() == 0
    assert books_of(run)["banners"].left == {"dead letters": 1}


@pytest.mark.parametrize("settings, path", [
    ({"alert": "all"}, "/shodan/alert"),
    ({"alert": ["OURALERT00000001"]}, "/shodan/alert/OURALERT00000001"),
    ({"ports": [22, 80]}, "/shodan/ports/22,80"),
    ({"countries": ["de"]}, "/shodan/countries/DE"),
    ({"asn": ["AS64496"]}, "/shodan/asn/64496"),
    ({"tags": ["ics"]}, "/shodan/tags/ics"),
    ({"vulns": ["CVE-2011-2523"]}, "/shodan/vulns/CVE-2011-2523"),
    ({"query": "port:22"}, "/shodan/custom"),
])
def test_each_filter_asks_for_its_stream(streamd, shodan, tmp_path, settings, path):
    made = BannerGenerator(seed=11).take(200)
    run = streaming(streamd, shodan, tmp_path, **settings)
    with shodan.lock:
        asked, wants = shodan.requests[-1], shodan._streams[0].wants
    assert asked.path.replace("%2C", ",") == path
    assert asked.query.get("query") == settings.get("query")
    shodan.publish(*made)
    expected = [b.record for b in made if wants(b.record)]
    assert expected
    run.wait_until(lambda: len(read(run)) == len(expected), 30, "the banners that fit")
    assert run.sigterm() == 0
    assert complete(run) == expected


def test_a_stream_that_is_refused_ends_the_run(streamd, shodan, tmp_path):
    run = new_run(streamd, shodan, tmp_path, mode="stream", alert=["NOSUCHALERT"])
    assert run.run() == 1
    assert "No such alert" in run.stderr
    run = new_run(streamd, shodan, tmp_path, mode="stream", key="wrong-" + KEY)
    assert run.run() == 1
    assert "the API key is not valid" in run.stderr
    no_secret(run)


def test_stream_and_search_survive_an_outage(streamd, shodan, tmp_path):
    made = BannerGenerator(seed=12).take(10)
    run = streaming(streamd, shodan, tmp_path)
    shodan.kill()
    run.wait_until(lambda: "trying again" in run.stderr, 30, "the outage is seen")
    shodan.start()
    run.wait_until(lambda: shodan.joined == 2, 60, "it connects again")
    shodan.publish(*made)
    run.wait_until(lambda: len(read(run)) == 10, 30, "banners")
    assert len(warnings(run)) == 1
    assert run.sigterm() == 0


# --- files and settings ----------------------------------------------------------------


def test_a_downloaded_file_of_several_members_is_read_whole(streamd, shodan, tmp_path):
    made = BannerGenerator(seed=13).take(100)
    write_file(tmp_path / "banners.json.gz", made, members=4)
    run = Streamd(streamd, PIPELINE.format(settings="mode: file\n    path: banners.json.gz"),
                  tmp_path, name="job")
    assert run.run() == 0, run.stderr
    assert complete(run) == [b.record for b in made]


@pytest.mark.parametrize("settings, says", [
    ("mode: search\n    query: x", "need key"),
    ("mode: search\n    key: k", "mode: search needs query"),
    ("mode: stream\n    key: k\n    ports: [22]\n    tags: [ics]", "one kind of filter"),
    ("mode: stream\n    key: k\n    ports: [70000]", "ports from 0 to 65535"),
    ("mode: stream\n    key: k\n    countries: [Germany]", "country codes of two letters"),
    ("mode: stream\n    key: k\n    asn: [ASx]", "numbers like AS3303"),
    ("mode: file", "mode: file needs path"),
    ("mode: search\n    key: k\n    query: x\n    pages: 0", "pages must be from 1"),
    ("mode: search\n    key: k\n    query: x\n    alert: all", "are for mode: stream"),
])
def test_wrong_settings_are_told_with_their_place(streamd, tmp_path, settings, says):
    run = Streamd(streamd, PIPELINE.format(settings=settings), tmp_path, name="job")
    done = call(streamd, "check", run.file)
    assert done.returncode == 2
    assert says in done.stderr + done.stdout
    assert "job.yaml:" in done.stderr + done.stdout
