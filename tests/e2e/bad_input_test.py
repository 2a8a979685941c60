# SPDX-License-Identifier: Apache-2.0
"""Bad input gets a clear answer: every mistake of a pipeline file at once, and a dead
letter for every record that cannot be used, while the stream goes on."""

import base64
import gzip
import re

import pytest

from books import books_of, lines, rows
from harness import Streamd, call

# --- pipeline files ------------------------------------------------------------------

# Each comment names what must be said of its line.
MISTAKES = """\
pipeline: wrong
sources:
  requests:
    type: file
    path: in.ndjson
    folow: true               # unknown-key: did you mean "follow"
    max_record: [1]           # type-mismatch
    time: {field: t, max_delay: 2 parsecs}  # type-mismatch: 1h30m
  idle:                       # unused-node
    type: stdin
operators:
  typed:
    type: convert
    input: requests
    fields: {status: integer} # unknown-value: int, double
  good:
    type: convert
    input: requests
    fields: {status: int, host: string}
  ring_a:                     # cycle
    type: filter
    input: ring_b
    where: "true"
  ring_b:
    type: filter
    input: ring_a
    where: "true"
  lost:
    type: filter
    input: requets            # unknown-input: did you mean "requests"
    where: "true"
  mistyped:
    type: filter
    input: good
    where: status > 'a'       # type-mismatch
  windowed:
    type: window
    input: good
    window: {tumbling: 1m}
    by: [host]
    compute: {requests: count()}
  unknown:
    type: filter
    input: windowed
    where: reqests > 10       # unknown-field: did you mean "requests"
sinks:
  one: {type: file, input: [typed, lost, mistyped], path: out/same.ndjson}
  two: {type: file, input: [unknown, ring_b], path: out/../out/same.ndjson}  # duplicate
  good: {type: "null", input: good}  # duplicate-name
  var: {type: file, input: good, path: "${NO_SUCH_VARIABLE}/x"}  # variable
"""


def expected_mistakes():
    """(line, code, suggestion) of each comment in MISTAKES."""
    for number, text in enumerate(MISTAKES.splitlines(), 1):
        found = re.search(r"# ([a-z-]+)(?:: (.+))?$", text)
        if found:
            yield number, found[1], found[2]


def mistakes(stderr, file):
    """(line, column, message and code, help) of each error that was printed."""
    pattern = re.compile(
        re.escape(str(file)) + r":(\d+):(\d+): error: (.*)\n"
        r" *(\d+) \| (.*)\n +\| ( *)(\^~*)\n(?: +(= help: .*)\n)?")
    found = [m.groups() for m in pattern.finditer(stderr)]
    text = file.read_text().splitlines()
    for line, column, _, shown, snippet, indent, _, _ in found:
        # The line that is shown is the one of the file, and the caret stands at the column.
        assert line == shown and snippet == text[int(line) - 1]
        assert len(indent) == int(column) - 1
    return [(int(m[0]), int(m[1]), m[2], m[7] or "") for m in found]


@pytest.mark.parametrize("verb", ["run", "check"])
def test_every_mistake_of_a_pipeline_is_told_at_once(streamd, tmp_path, verb):
    file = tmp_path / "wrong.yaml"
    file.write_text(MISTAKES)
    told = call(streamd, verb, file, cwd=tmp_path)
    assert told.returncode == 2
    found = mistakes(told.stderr, file)
    by_line = {}
    for line, _, message, hint in found:
        by_line.setdefault(line, []).append((message, hint))
    unmet = []
    for line, code, suggestion in expected_mistakes():
        met = [m for m in by_line.get(line, []) if f"[{code}" in m[0]
               and (suggestion is None or suggestion in m[1] or suggestion in m[0])]
        if not met:
            unmet.append((line, code, suggestion, by_line.get(line)))
    assert unmet == [], told.stderr
    # Nothing else is called wrong, and each mistake has a way out.
    assert sorted(by_line) == sorted(line for line, _, _ in expected_mistakes()), told.stderr
    assert all(hint for _, _, _, hint in found), told.stderr
    assert f"{len(found)} errors" in told.stderr
    # No state folder, no output folder: nothing was begun.
    assert sorted(p.name for p in tmp_path.iterdir()) == ["wrong.yaml"]


def test_text_that_is_no_yaml_is_shown_with_its_place(streamd, tmp_path):
    file = tmp_path / "p.yaml"
    file.write_text("pipeline: a\nsources: {x: [1, 2\nsinks: }\n")
    told = call(streamd, "check", file)
    assert told.returncode == 2
    assert re.search(re.escape(str(file)) + r":\d:\d+: error: ", told.stderr)


def test_a_pipeline_file_that_is_not_there(streamd, tmp_path):
    told = call(streamd, tmp_path / "none.yaml", cwd=tmp_path)
    assert told.returncode == 2
    assert "none.yaml" in told.stderr
    assert list(tmp_path.iterdir()) == []


# --- records -------------------------------------------------------------------------

PIPELINE = """\
pipeline: dirty
sources:
  requests:
    type: file
    path: {path}
    decode: json
    max_record: 1KiB
    time: {{field: time, format: unix}}
operators:
  typed:
    type: convert
    input: requests
    fields: {{status: int}}
  errors:
    type: filter
    input: typed
    where: status >= 400
  hosts:
    type: window
    input: errors
    window: {{tumbling: 1m}}
    by: [host]
    compute: {{errors: count()}}
sinks:
  out: {{type: file, input: errors, path: out/errors.ndjson}}
  per_host: {{type: file, input: hosts, path: out/hosts.ndjson}}
"""

GOOD = b'{"host":"a","status":"404","time":"1700000000.5"}'
MANY = b"".join(GOOD.replace(b"00000.5", b"%05d" % n) + b"\n" for n in range(100_000))
# (record, node, code, what the reason must say)
BAD = [
    (b'{"host":"a","status":"404","time":', "requests", "bad-json", "byte"),
    (b'["no object"]', "requests", "bad-json", "no JSON object"),
    (b'{"host":"a","status":"many","time":"1700000000"}', "typed", "convert", "many"),
    (b'{"host":"a","time":"1700000001"}', "errors", "expression", "status"),
    (b'{"host":"a","status":"404"}', "requests", "no-time", "missing"),
    (b'{"host":"a","status":"404","time":null}', "requests", "no-time", "null"),
    (b'{"host":"a","status":"404","time":"yesterday"}', "requests", "bad-time", "unix"),
    (b'{"host":"a","status":"404","time":"1e300"}', "requests", "bad-time", "unix"),
    (b'{"host":"\xff\xfe","status":"404","time":"1700000002"}', "requests", "bad-utf8", "byte"),
    (b'{"host":"a\x00b","status":"404","time":"1700000003"}', "requests", "bad-json", ""),
    (b'\x00\x00\x00\x00', "requests", "bad-json", ""),
    (b'{"host":"' + b"x" * 1100 + b'","status":"404","time":"1700000004"}', "requests",
     "too-long", "max_record"),
    (b'{"host":"' + b"y" * 300_000 + b'","status":"404","time":"1700000004"}', "requests",
     "too-long", "max_record"),
]


def dead_letters(run):
    return rows(run.state_dir / "dirty/dead_letters/dead_letters.ndjson")


def original(letter):
    data = letter["data"]
    return base64.b64decode(data) if letter["encoding"] == "base64" else data.encode()


@pytest.mark.parametrize("workers", [1, 2])
def test_every_bad_record_is_a_dead_letter_and_the_stream_goes_on(streamd, tmp_path, workers):
    log = tmp_path / "in.ndjson"
    text, places = GOOD + b"\n", []
    for record, *_ in BAD:
        places.append(len(text))
        text += record + b"\n" + GOOD + b"\n"
    log.write_bytes(text)
    run = Streamd(streamd, PIPELINE.format(path=log), tmp_path, args=["--workers", workers])
    assert run.run() == 0, run.stderr

    letters = sorted(dead_letters(run), key=lambda letter: letter["position"])
    assert [letter["position"] for letter in letters] == places
    for letter, (record, node, code, reason) in zip(letters, BAD):
        assert (letter["node"], letter["code"]) == (node, code), letter
        assert reason in letter["reason"] and letter["reason"], letter
        assert letter["source"] == "requests" and str(log) in letter["partition"]
        # What is beyond max_record is not kept whole.
        kept = original(letter)
        assert kept == record if len(record) <= 64 * 1024 else record.startswith(kept) and kept

    assert lines(tmp_path / "out/errors.ndjson") == \
        ['{"host":"a","time":"1700000000.5","status":404}'] * (len(BAD) + 1)
    assert [r["errors"] for r in rows(tmp_path / "out/hosts.ndjson")] == [len(BAD) + 1]

    books = books_of(run)
    at = lambda node: sum(1 for _, n, _, _ in BAD if n == node)  # noqa: E731
    assert books["requests"].read == 2 * len(BAD) + 1
    for node in ("requests", "typed", "errors"):
        assert books[node].left == {"dead letters": at(node)}
    assert books["dead letters"].written == len(BAD)


def test_a_time_in_the_far_future_is_set_back_and_counted(streamd, tmp_path):
    log = tmp_path / "in.ndjson"
    future = b'{"host":"a","status":"404","time":"32503680000"}'
    log.write_bytes(b"\n".join([GOOD, future, GOOD, b""]))
    run = Streamd(streamd, PIPELINE.format(path=log), tmp_path)
    assert run.run() == 0
    assert books_of(run)["requests"].left == {"times clamped": 1}
    # Not one record is lost, and no window lies in the year 3000.
    assert len(lines(tmp_path / "out/errors.ndjson")) == 3
    assert all(r["window_end"] < "2999" for r in rows(tmp_path / "out/hosts.ndjson"))


def test_a_gzip_file_that_was_cut_off_gives_what_it_has_and_a_dead_letter(streamd, tmp_path):
    whole = gzip.compress(MANY, 6)
    log = tmp_path / "in.ndjson.gz"
    log.write_bytes(whole[:len(whole) // 2])
    other = tmp_path / "other.ndjson"
    other.write_bytes(GOOD + b"\n")
    run = Streamd(streamd, PIPELINE.format(path=f"[{log}, {other}]"), tmp_path)
    assert run.run() == 0, run.stderr
    found = len(lines(tmp_path / "out/errors.ndjson"))
    assert 1000 < found < 100_000
    (letter,) = dead_letters(run)
    assert letter["node"] == "requests" and letter["code"] == "truncated-gzip"
    assert "gzip" in letter["reason"] and str(log) in letter["partition"]
    assert books_of(run)["requests"].left == {"dead letters": 1}


def test_a_damaged_gzip_file_gives_a_dead_letter(streamd, tmp_path):
    data = bytearray(gzip.compress(MANY, 6))
    data[len(data) // 2] ^= 0xFF
    log = tmp_path / "in.ndjson.gz"
    log.write_bytes(data)
    run = Streamd(streamd, PIPELINE.format(path=log), tmp_path)
    assert run.run() == 0, run.stderr
    assert "bad-gzip" in {letter["code"] for letter in dead_letters(run)}
    books_of(run)


def test_access_log_lines_that_do_not_fit_are_dead_letters(streamd, tmp_path):
    good = '192.0.2.1 - - [02/Jan/2024:03:04:05 +0000] "GET / HTTP/1.1" 200 5 "-" "curl"'
    bad = ["rubbish", good.replace("02/Jan", "32/Jan"), good.replace(" 200 ", " abc ")]
    log = tmp_path / "access.log"
    log.write_text("\n".join([good, *bad, good, ""]))
    run = Streamd(streamd, f"""\
pipeline: dirty
sources:
  requests: {{type: file, path: {log}, decode: {{access_log: combined}}}}
sinks:
  out: {{type: file, input: requests, path: out/requests.ndjson}}
""", tmp_path)
    assert run.run() == 0, run.stderr
    assert len(lines(tmp_path / "out/requests.ndjson")) == 2
    assert [original(letter).decode() for letter in dead_letters(run)] == bad
    assert books_of(run)["requests"].left == {"dead letters": len(bad)}


def test_broken_utf8_in_an_nginx_json_log_is_mended_not_lost(streamd, tmp_path):
    # nginx escapes quotes and control characters, but lets through what clients send.
    log = tmp_path / "access.log"
    log.write_bytes(b'{"uri":"/a\xff","status":"200"}\n{"uri":"/b","status":"200"}\n')
    run = Streamd(streamd, f"""\
pipeline: dirty
sources:
  requests: {{type: file, path: {log}, decode: {{access_log: json}}}}
operators:
  good: {{type: filter, input: requests, where: has(uri)}}
sinks:
  out: {{type: file, input: good, path: out/requests.ndjson}}
""", tmp_path)
    assert run.run() == 0, run.stderr
    assert [r["uri"] for r in rows(tmp_path / "out/requests.ndjson")] == ["/a\ufffd", "/b"]
    assert books_of(run)["requests"].left == {}
