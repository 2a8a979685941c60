# SPDX-License-Identifier: Apache-2.0
"""The mongodb sink against a real server: every record is there once, whatever happens to the
server, to the network or to streamd; what can't be there is a dead letter; no secret is shown."""

import json
import socket
import ssl
import threading
from datetime import datetime

import pytest

from books import books_of, unbalanced
from certificates import Certificates
from harness import Streamd, call
from services import FaultProxy, MongoDB

PIPELINE = """\
pipeline: history
checkpoint: {every: 100ms}
sources:
  in: {type: file, path: in.ndjson, decode: json, from: start, follow: FOLLOW, max_record: 64MiB}
sinks:
  out:
    type: mongodb
    input: in
    uri: "URI"
    database: DATABASE
    retry: {first: 100ms, longest: 1s}
"""


@pytest.fixture(scope="module")
def mongodb():
    with MongoDB() as service:
        yield service


def records(numbers, **more):
    return "".join(json.dumps({"n": n, **more}) + "\n" for n in numbers)


def job(streamd, folder, uri, database, options="collection: all", follow=False):
    text = PIPELINE.replace("FOLLOW", str(follow).lower()).replace("URI", uri)
    text = text.replace("DATABASE", database)
    text += "".join(f"    {line}\n" for line in options.splitlines())
    return Streamd(streamd, text, folder)


def put(folder, text, mode="a"):
    with open(folder / "in.ndjson", mode) as file:
        file.write(text)


def notices(run, level):
    return [line for line in run.stderr.splitlines() if f"Z {level} " in line]


def numbers_in(mongodb, database, collection="all"):
    return sorted(d["n"] for d in mongodb.find_all(database, collection))


def dead_letters(run):
    """(code, reason, data) of each."""
    path = run.state_dir / "history" / "dead_letters" / "dead_letters.ndjson"
    found = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [(d["code"], d["reason"], d["data"]) for d in found]


def ends_well(run):
    assert run.sigterm() == 0, run.stderr
    books = books_of(run)
    assert unbalanced(books) == []
    return books


# --- what is written ------------------------------------------------------------------


def test_records_become_documents_with_types_and_indexes(streamd, mongodb, tmp_path):
    put(tmp_path, '{"n":1,"kind":"a","at":"2026-01-02T03:04:05.678901Z","share":0.5,'
                  '"o":{"x.y":[1,null]},"$where":{"$oid":"507f1f77bcf86cd799439011"},'
                  '"huge":123456789012345678901234567890,"_id":"mine"}\n'
                  '{"n":2,"kind":"b","at":null}\n')
    run = job(streamd, tmp_path, mongodb.uri, "types", """\
collection: "c-{{ kind }}"
dates: [at]
indexes:
  - {keys: {n: 1, kind: -1}}
  - {keys: {at: 1}, expire_after: 30d, name: gone}
""")
    assert run.run() == 0, run.stderr
    document, = mongodb.find_all("types", "c-a")
    assert len(document.pop("_id")) == 32
    assert document == {
        "n": 1, "kind": "a", "at": datetime(2026, 1, 2, 3, 4, 5, 678000), "share": 0.5,
        "o": {"x．y": [1, None]}, "＄where": {"＄oid": "507f1f77bcf86cd799439011"},
        "huge": "123456789012345678901234567890"}
    assert numbers_in(mongodb, "types", "c-b") == [2]
    with mongodb.client() as client:
        indexes = client.types["c-b"].index_information()
    assert indexes["n_1_kind_-1"]["key"] == [("n", 1), ("kind", -1)]
    # This server knows no TTL: told once, not for each collection, and nothing stops.
    warnings = notices(run, "W")
    assert len(warnings) == 1 and "{at: 1}" in warnings[0] and "going on" in warnings[0]


def test_a_run_from_the_beginning_writes_nothing_twice(streamd, mongodb, tmp_path):
    put(tmp_path, records(range(3000)))
    assert job(streamd, tmp_path, mongodb.uri, "again").run() == 0
    first = mongodb.find_all("again", "all")
    run = job(streamd, tmp_path, mongodb.uri, "again")
    assert run.run("--fresh") == 0, run.stderr
    assert mongodb.find_all("again", "all") == first and len(first) == 3000
    assert books_of(run)["out"].left == {}


def test_the_last_version_of_an_id_stays_with_upsert(streamd, mongodb, tmp_path):
    put(tmp_path, "".join(json.dumps({"n": n, "host": f"h{n % 70}"}) + "\n" for n in range(2000)))
    run = job(streamd, tmp_path, mongodb.uri, "newest",
              "collection: all\nmode: upsert\nid: '{{ host }}'\nbatch: {records: 150}")
    assert run.run() == 0, run.stderr
    found = {d["_id"]: d["n"] for d in mongodb.find_all("newest", "all")}
    assert found == {f"h{n % 70}": n for n in range(1930, 2000)}


def test_window_results_have_dates_and_ids_of_their_own(streamd, mongodb, tmp_path):
    put(tmp_path, "".join(json.dumps({"at": 1767225600 + n, "host": f"h{n % 2}"}) + "\n"
                          for n in range(30)))
    run = Streamd(streamd, f"""\
pipeline: history
sources:
  in:
    {{type: file, path: in.ndjson, decode: json, from: start, follow: false,
      time: {{field: at, format: unix}}}}
operators:
  per_host: {{type: window, input: in, window: {{tumbling: 10s}}, by: [host], compute: {{n: count()}}}}
sinks:
  out: {{type: mongodb, input: per_host, uri: "{mongodb.uri}windows", collection: "per-%Y"}}
""", tmp_path)
    for arguments in ([], ["--fresh"]):
        assert run.run(*arguments) == 0, run.stderr
        found = mongodb.find_all("windows", "per-2026")
        assert sorted((d["host"], d["n"], d["window_start"]) for d in found) == [
            (host, 5, datetime(2026, 1, 1, 0, 0, second))
            for host in ("h0", "h1") for second in (0, 10, 20)]


# --- what can't be written ------------------------------------------------------------


def test_what_a_server_never_takes_becomes_a_dead_letter(streamd, mongodb, tmp_path):
    big = json.dumps({"n": 3, "text": "x" * (17 << 20)})
    put(tmp_path, '{"n":1,"at":"2026-01-01T00:00:00Z"}\n{"n":2,"at":"soon"}\n' + big + "\n"
        '{"n":4,"a\\u0000b":1}\n{"n":5,"a.b":1}\n{"n":1,"again":true}\n{"n":6}\n')
    run = job(streamd, tmp_path, mongodb.uri, "dead", """\
collection: all
dates: [at]
bad_keys: reject
indexes: {keys: {n: 1}, unique: true}
""")
    assert run.run() == 0, run.stderr
    assert numbers_in(mongodb, "dead") == [1, 6]
    letters = dead_letters(run)
    assert sorted(code for code, _, _ in letters) == [
        "bad-key", "bad-key", "bad-time", "duplicate-key", "too-large"]
    reason, data = next((reason, data) for code, reason, data in letters if code == "duplicate-key")
    # Two requests at once: either of the two may have been the first.
    assert "E11000" in reason and json.loads(data)["n"] == 1
    assert unbalanced(books_of(run)) == []
    assert books_of(run)["out"].left == {"dead letters": 5}


def test_one_bad_replacement_does_not_take_the_others_with_it(streamd, mongodb, tmp_path):
    with mongodb.client() as client:
        client.mixed.all.create_index("n", unique=True)
    put(tmp_path, records(range(40)) + records([7], other=1) + records(range(40, 80)))
    run = job(streamd, tmp_path, mongodb.uri, "mixed", "collection: all\nmode: upsert")
    assert run.run() == 0, run.stderr
    assert numbers_in(mongodb, "mixed") == list(range(80))
    assert [(code, json.loads(data)) for code, _, data in dead_letters(run)] == [
        ("duplicate-key", {"n": 7, "other": 1})]


def test_hostile_names_of_collections_are_dead_letters(streamd, mongodb, tmp_path):
    names = ["good", "$cmd", "a\x00b", "x" * 300, "dot.", "böse"]
    put(tmp_path, "".join(json.dumps({"n": n, "k": k}) + "\n" for n, k in enumerate(names)))
    run = job(streamd, tmp_path, mongodb.uri, "names", 'collection: "c{{ k }}"')
    assert run.run() == 0, run.stderr
    assert numbers_in(mongodb, "names", "cgood") == [0]
    assert [code for code, _, _ in dead_letters(run)] == ["collection-name"] * 4


# --- a server in trouble --------------------------------------------------------------


def test_a_server_that_is_killed_for_a_while_costs_nothing(streamd, tmp_path):
    with MongoDB() as mongodb:
        put(tmp_path, records(range(1000)))
        run = job(streamd, tmp_path, mongodb.uri, "killed", follow=True).start()
        run.wait_until(lambda: mongodb.count("killed", "all") == 1000, 30, "1000 documents")
        mongodb.kill()
        put(tmp_path, records(range(1000, 4000)))
        run.wait_until(lambda: notices(run, "W"), 60, "a warning")
        put(tmp_path, records(range(4000, 5000)))
        mongodb.start()
        run.wait_until(lambda: "healed after" in run.stderr, 60, "healed")
        run.wait_until(lambda: mongodb.count("killed", "all") == 5000, 60, "5000 documents")
        ends_well(run)
        assert numbers_in(mongodb, "killed") == list(range(5000))
        assert len(notices(run, "W")) == 1 and notices(run, "E") == [], run.stderr
        assert run.stderr.count("healed after") == 1


def test_a_server_that_is_frozen_for_a_while_costs_nothing(streamd, tmp_path):
    with MongoDB() as mongodb:
        put(tmp_path, records(range(1000)))
        # Shorter than the usual 30 s, so that the waiting is told within the test.
        uri = f"{mongodb.uri}?socketTimeoutMS=1000&connectTimeoutMS=1000"
        run = job(streamd, tmp_path, uri, "frozen", follow=True).start()
        run.wait_until(lambda: mongodb.count("frozen", "all") == 1000, 30, "1000 documents")
        mongodb.pause()
        put(tmp_path, records(range(1000, 3000)))
        run.wait_until(lambda: notices(run, "W"), 60, "a warning")
        mongodb.resume()
        run.wait_until(lambda: "healed after" in run.stderr, 60, "healed")
        run.wait_until(lambda: mongodb.count("frozen", "all") == 3000, 60, "3000 documents")
        ends_well(run)
        assert numbers_in(mongodb, "frozen") == list(range(3000))
        assert len(notices(run, "W")) == 1 and notices(run, "E") == [], run.stderr


def test_streamd_ends_soon_beside_a_frozen_server_and_goes_on_later(streamd, tmp_path):
    with MongoDB() as mongodb:
        put(tmp_path, records(range(10)))
        run = job(streamd, tmp_path, mongodb.uri, "stopped", follow=True).start()
        run.wait_until(lambda: mongodb.count("stopped", "all") == 10, 30, "10 documents")
        mongodb.pause()
        put(tmp_path, records(range(10, 500)))
        outbox = run.state_dir / "history" / "outbox" / "out"
        run.wait_until(lambda: sum(f.stat().st_size for f in outbox.iterdir()) > 20_000, 30,
                       "the records in the outbox")
        # The usual time-outs are 30 s and 5 s.
        assert run.sigterm(timeout=15) == 0, run.stderr
        assert "are sent after the next start" in run.stderr
        mongodb.resume()
        run.start()
        run.wait_until(lambda: mongodb.count("stopped", "all") == 500, 30, "500 documents")
        ends_well(run)
        assert numbers_in(mongodb, "stopped") == list(range(500))


def test_answers_that_are_cut_off_cost_nothing(streamd, mongodb, tmp_path):
    with FaultProxy(mongodb.port) as proxy:
        put(tmp_path, records(range(500)))
        uri = f"mongodb://127.0.0.1:{proxy.port}/?directConnection=true&heartbeatFrequencyMS=500"
        run = job(streamd, tmp_path, uri, "cut", follow=True,
                  options="collection: all\nbatch: {records: 50}").start()
        run.wait_until(lambda: mongodb.count("cut", "all") == 500, 30, "500 documents")
        for after in (0, 1, 20):
            start = mongodb.count("cut", "all")
            # The server has done it, and the client does not hear of it.
            proxy.cut(after=after, times=4)
            put(tmp_path, records(range(start, start + 500)))
            run.wait_until(lambda: mongodb.count("cut", "all") == start + 500, 60, "500 more")
        run.wait_until(lambda: proxy.faults >= 12, 30, "all faults played")
        ends_well(run)
    assert numbers_in(mongodb, "cut") == list(range(2000))


def test_streamd_killed_in_the_middle_writes_each_record_once(streamd, mongodb, tmp_path):
    put(tmp_path, records(range(20_000)))
    run = job(streamd, tmp_path, mongodb.uri, "kill9", follow=True,
              options="collection: all\nbatch: {records: 200}")
    for enough in (1, 4000, 9000, 15000):
        run.start()
        run.wait_until(lambda: mongodb.count("kill9", "all") >= enough, 60, f"{enough} documents")
        run.kill9()
    run.start()
    run.wait_until(lambda: mongodb.count("kill9", "all") == 20_000, 60, "20000 documents")
    ends_well(run)
    assert numbers_in(mongodb, "kill9") == list(range(20_000))
    assert dead_letters(run) == []


# --- a wrong place --------------------------------------------------------------------


def test_a_wrong_password_is_told_as_an_error_and_never_shown(streamd, mongodb, tmp_path):
    put(tmp_path, records(range(5)))
    uri = f"mongodb://somebody:hunter2@127.0.0.1:{mongodb.port}/"
    run = job(streamd, tmp_path, uri, "login", follow=True).start()
    run.wait_until(lambda: notices(run, "E"), 60, "an error")
    assert run.running
    assert run.sigterm() == 0
    assert len(notices(run, "E")) == 1 and "authSource" in notices(run, "E")[0], run.stderr
    shown = run.stderr + run.stdout
    for command in ("check", "explain", "graph"):
        told = call(streamd, command, run.file, cwd=tmp_path)
        shown += told.stdout + told.stderr
    assert f"127.0.0.1:{mongodb.port}" in shown and "hunter2" not in shown
    # Once it is right, what waited arrives.
    run.write(run.file.read_text().replace("somebody:hunter2@", ""))
    run.start()
    run.wait_until(lambda: mongodb.count("login", "all") == 5, 30, "5 documents")
    ends_well(run)


def test_a_host_that_is_not_there_is_told_once_by_its_name(streamd, tmp_path):
    put(tmp_path, records(range(5)))
    uri = "mongodb://u:hunter2@nowhere.invalid/?serverSelectionTimeoutMS=500"
    run = job(streamd, tmp_path, uri, "nowhere", follow=True).start()
    run.wait_until(lambda: notices(run, "W"), 60, "a warning")
    assert run.sigterm() == 0
    assert len(notices(run, "W")) == 1 and "nowhere.invalid" in notices(run, "W")[0], run.stderr
    assert "hunter2" not in run.stderr


@pytest.mark.parametrize("uri", ["mongodb://u:hunter2", "mongodb://u:hun/ter2@h/", "http://hunter2/",
                                 "mongodb://h/?hunter2=5", "mongodb://u:hunter2@h/?w=0"])
def test_a_uri_that_is_none_is_told_without_its_text(streamd, tmp_path, uri):
    run = job(streamd, tmp_path, "${WHERE}", "none")
    told = call(streamd, "check", run.file, cwd=tmp_path, env={"WHERE": uri})
    assert told.returncode == 2 and "bad-uri" in told.stderr + told.stdout, told.stderr
    assert "hunter2" not in told.stderr + told.stdout and "ter2" not in told.stderr


# --- TLS ------------------------------------------------------------------------------


class TlsProxy:
    """Speaks TLS and passes what it hears to a port."""

    def __init__(self, certificate, key, port):
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self._upstream = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        try:
            secure = self._context.wrap_socket(client, server_side=True)
        except OSError:
            client.close()
            return
        server = socket.create_connection(("127.0.0.1", self._upstream))
        for pair in ((secure, server), (server, secure)):
            threading.Thread(target=self._pump, args=pair, daemon=True).start()

    @staticmethod
    def _pump(source, target):
        try:
            while data := source.recv(1 << 16):
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def test_tls_with_an_authority_of_ones_own(streamd, mongodb, tmp_path):
    certificates = Certificates(tmp_path / "certificates")
    proxy = TlsProxy(*certificates.pair("good"), mongodb.port)
    put(tmp_path, records(range(3000), text="x" * 1000))
    uri = f"mongodb://localhost:{proxy.port}/?directConnection=true&tls=true"
    run = job(streamd, tmp_path, f"{uri}&tlsCAFile={certificates.ca}", "tls")
    assert run.run() == 0, run.stderr
    proxy.close()
    assert numbers_in(mongodb, "tls") == list(range(3000))


@pytest.mark.parametrize("name", ["self_signed", "other_host", "expired"])
def test_a_certificate_that_is_not_trusted_lets_nothing_out(streamd, mongodb, tmp_path, name):
    certificates = Certificates(tmp_path / "certificates")
    proxy = TlsProxy(*certificates.pair(name), mongodb.port)
    put(tmp_path, records(range(5)))
    uri = f"mongodb://127.0.0.1:{proxy.port}/?directConnection=true&tls=true&tlsCAFile={certificates.ca}"
    run = job(streamd, tmp_path, uri, f"tls-{name}", follow=True).start()
    run.wait_until(lambda: notices(run, "E") or notices(run, "W"), 60, "a word about it")
    assert run.sigterm() == 0
    proxy.close()
    assert mongodb.count(f"tls-{name}", "all") == 0
    assert "certificate" in run.stderr.lower(), run.stderr
