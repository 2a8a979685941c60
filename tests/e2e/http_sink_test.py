# SPDX-License-Identifier: Apache-2.0
"""The http sink: what it sends to a webhook, and what it makes of the answers."""

import gzip
import hashlib
import hmac
import json

import pytest

from books import books_of, rows
from harness import Streamd, call
from http_standin import Answer, Standin

PIPELINE = """\
pipeline: hook
checkpoint: {{every: 100ms}}
sources:
  in: {{type: file, path: in.ndjson, follow: false}}
sinks:
  out: {{type: http, input: in, url: "${{URL}}", retry: {{first: 50ms, longest: 200ms}}{more}}}
  dead: {{type: file, path: out/dead.ndjson}}
dead_letters: dead
"""


class Hook(Standin):
    """Keeps what it took; answers what the test has ordered first."""

    name = "webhook"

    def __init__(self):
        super().__init__()
        self.taken, self.first = [], []

    def _answer(self, request):
        if self.first:
            return self.first.pop(0)
        self.taken.append(request)
        return Answer(204)

    @property
    def bodies(self):
        return [request.body.decode() for request in self.taken]


@pytest.fixture
def hook():
    with Hook() as service:
        yield service


@pytest.fixture
def send(streamd, hook, tmp_path):
    """Runs the pipeline over these records to its end."""

    def run(records, more="", path="/hooks/secret-path?token=secret-token"):
        (tmp_path / "in.ndjson").write_text("".join(json.dumps(r) + "\n" for r in records))
        one = Streamd(streamd, PIPELINE.format(more=more and ", " + more), tmp_path,
                      env={"URL": hook.url + path, "SECRET": "sesame"})
        assert one.run() == 0, one.stderr
        assert "secret-path" not in one.stderr and "secret-token" not in one.stderr
        return one

    return run


def test_each_record_is_a_request_of_its_own(hook, send):
    records = [{"n": n} for n in range(5)]
    run = send(records, "id_header: Idempotency-Key, headers: {X-Team: red}")
    assert [json.loads(body) for body in hook.bodies] == records
    assert {r.headers["Content-Type"] for r in hook.taken} == {"application/json"}
    assert {r.headers["X-Team"] for r in hook.taken} == {"red"}
    assert {r.path for r in hook.taken} == {"/hooks/secret-path"}
    assert len({r.headers["Idempotency-Key"] for r in hook.taken}) == 5
    assert books_of(run)["out"].written == 5


def test_the_content_type_is_that_of_the_headers(hook, send):
    send([{"text": 'a"b'}], "headers: {content-type: text/plain}, body: '{{ text }}'")
    assert hook.taken[0].headers.get_all("Content-Type") == ["text/plain"]
    assert hook.bodies == ['a"b']


@pytest.mark.parametrize("shape,parse", [
    ("array", json.loads), ("lines", lambda body: [json.loads(line) for line in body.splitlines()])])
def test_several_records_share_a_request_as(shape, parse, hook, send):
    records = [{"n": n} for n in range(7)]
    send(records, f"as: {shape}, batch: {{records: 3, linger: 10s}}")
    assert [parse(body) for body in hook.bodies] == [records[:3], records[3:6], records[6:]]


def test_the_body_is_signed(hook, send):
    send([{"n": 1}], 'sign: {secret: "${SECRET}", header: X-Hub-Signature-256}')
    right = hmac.new(b"sesame", hook.taken[0].body, hashlib.sha256).hexdigest()
    assert hook.taken[0].headers["X-Hub-Signature-256"] == "sha256=" + right


def test_the_signature_is_of_the_bytes_that_are_sent(hook, send):
    send([{"text": "x" * 1000}], 'gzip: true, sign: {secret: "${SECRET}"}')
    assert gzip.decompress(hook.taken[0].body)
    right = hmac.new(b"sesame", hook.taken[0].body, hashlib.sha256).hexdigest()
    assert hook.taken[0].headers["X-Signature-256"] == "sha256=" + right


def test_what_stands_between_quotes_stays_there(hook, send):
    send([{"text": 'a"b\\c\nd'}], """body: '{"text": "{{ text }}"}'""")
    assert json.loads(hook.bodies[0]) == {"text": 'a"b\\c\nd'}


def test_requests_are_compressed_where_that_is_wanted(hook, send):
    send([{"text": "x" * 1000}], "gzip: true")
    assert hook.taken[0].headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(hook.taken[0].body)) == {"text": "x" * 1000}


def test_what_may_heal_is_sent_again_and_told_once(hook, send):
    hook.first = [Answer(503, "busy"), Answer(429, "", {"Retry-After": "0"}), Answer(500, "<html><title>Oops</title>")]
    run = send([{"n": 1}])
    assert len(hook.taken) == 1
    assert run.stderr.count(" W ") == 1 and run.stderr.count("healed") == 1


def test_a_webhook_that_is_not_there_is_told_with_its_place_once(streamd, hook, tmp_path):
    hook.stop()
    (tmp_path / "in.ndjson").write_text('{"n":1}\n')
    run = Streamd(streamd, PIPELINE.format(more="").replace("follow: false", "follow: true"), tmp_path,
                  env={"URL": hook.url + "/hook"}).start()
    run.wait_until(lambda: "records wait in the outbox" in run.stderr, 30, "the warning")
    assert run.sigterm() == 0
    warning = next(line for line in run.stderr.splitlines() if "records wait in the outbox" in line)
    assert f"webhook 127.0.0.1:{hook.port}" in warning and warning.count(str(hook.port)) == 1


def test_what_waits_for_a_sink_that_is_gone_is_told_and_kept(hook, streamd, tmp_path):
    (tmp_path / "in.ndjson").write_text('{"n":1}\n')
    pipeline = PIPELINE.format(more="").replace("follow: false", "follow: true")
    run = Streamd(streamd, pipeline, tmp_path, env={"URL": hook.url + "/hook"})
    hook.first = [Answer(503)] * 1000
    run.start()
    run.wait_until(lambda: len(hook.first) < 1000, 30, "it was tried")
    assert run.sigterm() == 0
    run.write(pipeline.replace("  out: {type: http", "  other: {type: http"))
    run.start()
    told = 'sink "out" is not in pipeline hook any more'
    run.wait_until(lambda: told in run.stderr, 30, "the warning")
    assert run.sigterm() == 0
    assert "put the sink back to have it delivered" in run.stderr
    hook.first = []
    run.write(pipeline)
    run.start()
    run.wait_until(lambda: hook.bodies == ['{"n":1}'], 30, "what had waited")
    assert run.sigterm() == 0
    assert "any more" not in run.stderr


def test_what_is_refused_is_a_dead_letter_with_the_words(hook, send, tmp_path):
    hook.first = [Answer(422, "no such channel")]
    run = send([{"n": 1}, {"n": 2}])
    assert hook.bodies == ['{"n": 2}']
    dead = rows(tmp_path / "out/dead.ndjson")
    assert [(d["code"], d["reason"], json.loads(d["data"])) for d in dead] == [
        ("status-422", "it answers 422: no such channel", {"n": 1})]
    assert books_of(run)["out"].left == {"dead letters": 1}


@pytest.mark.parametrize("status", [301, 303, 307])
def test_a_redirect_is_no_delivery(status, hook, send, tmp_path):
    hook.first = [Answer(status, "over there", {"Location": "/elsewhere"})]
    run = send([{"n": 1}, {"n": 2}])
    assert [(r.method, r.path) for r in hook.taken] == [("POST", "/hooks/secret-path")]
    assert hook.bodies == ['{"n": 2}']
    assert [d["code"] for d in rows(tmp_path / "out/dead.ndjson")] == [f"status-{status}"]
    assert books_of(run)["out"].left == {"dead letters": 1}


def test_one_bad_record_does_not_take_the_others_with_it(hook, send, tmp_path):
    # Two records together, then each by itself.
    hook.first = [Answer(400, "one of them is bad"), Answer(400, "this one")]
    send([{"n": 1}, {"n": 2}], "as: array, batch: {records: 2, linger: 10s}")
    assert [json.loads(body) for body in hook.bodies] == [[{"n": 2}]]
    assert [json.loads(d["data"]) for d in rows(tmp_path / "out/dead.ndjson")] == [{"n": 1}]


@pytest.mark.parametrize("wrong,words", [
    ("as: each, batch: {records: 5}", "batch.records needs as: array or lines"),
    ('sign: {secret: ""}', "secret is not empty"),
    ("sign: {secret: s}, headers: {x-signature-256: a}",
     '"x-signature-256" is written by the sink itself, for sign'),
    ("content_type: text/plain, headers: {Content-Type: text/html}",
     '"Content-Type" is written by the sink itself, for content_type'),
    ("id_header: X-Id, headers: {X-Id: a}", '"X-Id" is written by the sink itself, for id_header'),
    ("gzip: true, headers: {Content-Encoding: br}",
     '"Content-Encoding" is written by the sink itself, for gzip'),
    ('bearer: "a\\n"', "bearer must be text without line ends"),
    ('content_type: "text/plain\\r\\n"', "content_type must be text without line ends"),
    ('sign: {secret: s, prefix: "a\\n"}', "prefix must be text without line ends"),
    ('id_header: "bad header"', "id_header is the name of a header"),
    ("method: GET", "POST"),
    ("basic: {user: u, password: p}, bearer: t", "basic and bearer exclude each other")])
def test_check_says_what_is_wrong(wrong, words, streamd, tmp_path):
    (tmp_path / "p.yaml").write_text(PIPELINE.format(more=", " + wrong))
    told = call(streamd, "check", tmp_path / "p.yaml", env={"URL": "https://hooks.example.com/x"})
    assert told.returncode == 2
    assert words in told.stderr
