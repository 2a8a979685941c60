# SPDX-License-Identifier: Apache-2.0
"""streamd dlq: look at dead letters and replay them after the pipeline was mended."""

import gzip
import json
import os
import re
import subprocess

import pytest

from books import books_of, lines, rows, whole_rows
from harness import Streamd, call, free_port, wait_until
from http_standin import Answer, Standin

PIPELINE = """\
pipeline: shop
sources:
  orders: {{type: file, path: orders.ndjson, follow: {follow}}}
operators:
  typed: {{type: convert, input: orders, fields: {{price: int}}, on_error: {on_error}}}
  paid: {{type: filter, input: typed, where: {where}}}
sinks:
  out: {{type: file, input: paid, path: out/paid.ndjson}}
"""
STRICT = PIPELINE.format(follow="false", on_error="dead_letter", where="price > 0")
MENDED = PIPELINE.format(follow="false", on_error="keep", where="has(price)")

ORDERS = ['{"id":1,"price":"10"}', '{"id":2,"price":"cheap"}', '{"id":3}', 'rubbish',
          '{"id":5,"price":"20"}', '{"id":6,"price":"dear"}']


SALES = """\
pipeline: shop
sources:
  orders: {type: file, path: orders.ndjson, follow: false, time: {field: at, format: unix}}
operators:
  typed: {type: convert, input: orders, fields: {price: int}}
  sales: {type: window, input: typed, window: {tumbling: 1m}, by: [shop],
          compute: {total: sum(price), orders: count()}}
sinks:
  out: {type: file, input: sales, path: out/sales.ndjson}
"""


@pytest.fixture
def shop(streamd, tmp_path):
    """A run that has left four dead letters: of typed (2), paid and orders."""
    (tmp_path / "orders.ndjson").write_text("\n".join(ORDERS) + "\n")
    run = Streamd(streamd, STRICT, tmp_path)
    assert run.run() == 0, run.stderr
    assert sold(run) == [1, 5]
    return run


def sold(run):
    return [row["id"] for row in rows(run.directory / "out/paid.ndjson")]


def dlq(run, verb, *options):
    return call(run.binary, "dlq", verb, run.file, "--state-dir", run.state_dir, *options,
                cwd=run.directory)


def listed(run, *options):
    """(node, code, where, replayed) of each line of `dlq ls`."""
    told = dlq(run, "ls", *options)
    assert told.returncode == 0, told.stderr
    found = re.findall(r"^ *(\d+)  (\S+) +(\S+) +((?:\S.*?)?@\d+) +(.*)$", told.stdout, re.MULTILINE)
    return [(node, code, where.rsplit("@", 1)[1], reason.endswith("(replayed)"))
            for _, node, code, where, reason in found]


def position(number):
    return str(sum(len(order) + 1 for order in ORDERS[:number]))


def test_ls_shows_what_there_is_and_filters(shop):
    everything = listed(shop)
    assert sorted(everything) == sorted([
        ("typed", "convert", position(1), False), ("paid", "expression", position(2), False),
        ("orders", "bad-json", position(3), False), ("typed", "convert", position(5), False)])
    assert [n for n, *_ in listed(shop, "--node", "typed")] == ["typed", "typed"]
    assert [n for n, *_ in listed(shop, "--code", "bad-json")] == ["orders"]
    assert listed(shop, "--node", "typed", "--code", "bad-json") == []
    assert listed(shop, "--limit", 1) == everything[-1:]
    assert "1 of 4 dead letters" in dlq(shop, "ls", "--limit", 1).stdout


def test_show_gives_the_original_bytes_and_the_reason(shop):
    told = dlq(shop, "show", "--code", "bad-json")
    assert told.returncode == 0
    assert "node:      orders" in told.stdout and "code:      bad-json" in told.stdout
    assert f"position:  {position(3)}" in told.stdout
    assert told.stdout.endswith("\nrubbish\n")
    first = dlq(shop, "show", "--number", 1).stdout
    assert "number:    1\n" in first
    none = dlq(shop, "show", "--number", 99)
    assert none.returncode == 1 and "no such dead letter" in none.stderr


def test_what_a_terminal_obeys_is_not_printed(streamd, tmp_path):
    text = """\
pipeline: lines
sources: {lines: {type: file, path: log, follow: false, decode: text}}
operators: {number: {type: parse, input: lines, field: message, format: grok, pattern: '^%{DATA:n:int}$'}}
sinks: {out: {type: file, input: number, path: out.ndjson}}
"""
    (tmp_path / "log").write_bytes(b"\x1b[2Jcleared\x07\n")
    run = Streamd(streamd, text, tmp_path)
    assert run.run() == 0, run.stderr
    assert '"?[2Jcleared?"' in dlq(run, "ls").stdout
    # Through a pipe the record has the bytes that came.
    shown = dlq(run, "show").stdout
    assert shown.count("\x1b") == 1 and shown.endswith("\n\x1b[2Jcleared\x07\n")
    master, slave = os.openpty()
    command = [streamd, "dlq", "show", run.file, "--state-dir", run.state_dir]
    subprocess.run(list(map(str, command)), stdout=slave, cwd=tmp_path, check=True, timeout=30)
    os.close(slave)
    seen = os.read(master, 65536)
    os.close(master)
    assert b"?[2Jcleared?" in seen and b"\x1b" not in seen


def test_syslog_without_a_year_or_a_time_can_be_replayed(streamd, tmp_path):
    text = """\
pipeline: log
sources: {{lines: {{type: file, path: log, follow: false, decode: syslog}}}}
operators: {{pairs: {{type: parse, input: lines, field: message, format: kv, fields: [a], on_error: {on_error}}}}}
sinks: {{out: {{type: file, input: pairs, path: out.ndjson}}}}
"""
    (tmp_path / "log").write_text("<13>Jan  2 03:04:05 h app[1]: words\n<13>app: words\n")
    run = Streamd(streamd, text.format(on_error="dead_letter"), tmp_path)
    assert run.run() == 0, run.stderr
    run.file.write_text(text.format(on_error="keep"))
    told = dlq(run, "replay")
    assert told.returncode == 0 and "replayed 2 dead letters" in told.stderr, told.stderr
    assert [row["message"] for row in rows(tmp_path / "out.ndjson")] == ["words", "words"]
    assert all(replayed for *_, replayed in listed(run))


def test_replay_after_mending_delivers_each_record_once(shop):
    shop.write(MENDED)
    assert dlq(shop, "replay", "--node", "typed").returncode == 0
    assert sorted(sold(shop)) == [1, 2, 5, 6]
    assert {(node, replayed) for node, _, _, replayed in listed(shop)} == {
        ("typed", True), ("paid", False), ("orders", False)}
    again = dlq(shop, "replay", "--node", "typed")
    assert again.returncode == 0 and "no dead letters to replay" in again.stdout
    assert sorted(sold(shop)) == [1, 2, 5, 6]
    # The source stands where it stood: nothing is read again.
    with open(shop.directory / "orders.ndjson", "a") as log:
        log.write('{"id":7,"price":"7"}\n')
    assert shop.run() == 0
    assert sorted(sold(shop)) == [1, 2, 5, 6, 7]


def test_a_replay_goes_only_where_the_records_have_not_been(streamd, tmp_path):
    """Of three nodes that refuse, in one replay; nobody else counts or writes a record twice."""
    wide = PIPELINE + """\
  all: {{type: file, input: orders, path: out/all.ndjson}}
  priced: {{type: file, input: typed, path: out/priced.ndjson}}
"""
    strict, mended = (p.replace("sinks:", "  seen: {type: window, input: orders, window: {tumbling: 1h}, "
                                "compute: {orders: count()}}\nsinks:\n"
                                "  counts: {type: file, input: seen, path: out/counts.ndjson}")
                      for p in (wide.format(follow="false", on_error="dead_letter", where="price > 0"),
                                wide.format(follow="false", on_error="keep", where="has(price)")))
    (tmp_path / "orders.ndjson").write_text("\n".join(ORDERS) + "\n")
    run = Streamd(streamd, strict, tmp_path)
    assert run.run() == 0, run.stderr
    assert sorted(node for node, *_ in listed(run)) == ["orders", "paid", "typed", "typed"]
    run.write(mended)
    told = dlq(run, "replay")
    assert told.returncode == 0 and "replayed 4 dead letters\n" in told.stderr, told.stderr
    assert "what typed refused went to it and on, and not again to seen, counts, all\n" in told.stderr
    assert "what paid refused went to it and on, and not again to seen, counts, all, priced\n" in told.stderr
    # What is still rubbish is a letter again.
    assert [(node, replayed) for node, _, _, replayed in listed(run)].count(("orders", False)) == 1
    ids = {name: sorted(row["id"] for row in rows(tmp_path / f"out/{name}.ndjson"))
           for name in ("paid", "all", "priced")}
    assert ids == {"paid": [1, 2, 5, 6], "all": [1, 2, 3, 5, 6], "priced": [1, 2, 3, 5, 6]}
    books = books_of(told)
    assert [books[name].read for name in ("seen", "all", "typed", "paid", "out")] == [0, 0, 3, 3, 2]


def test_a_record_that_fails_again_is_a_dead_letter_again_as_often_as_it_takes(shop):
    for _ in range(3):
        assert dlq(shop, "replay", "--node", "typed").returncode == 0
        waiting = [x for x in listed(shop, "--node", "typed") if not x[3]]
        assert len(waiting) == 2, dlq(shop, "ls").stdout
    assert sold(shop) == [1, 5]
    shop.write(MENDED)
    assert dlq(shop, "replay", "--node", "typed").returncode == 0
    assert sorted(sold(shop)) == [1, 2, 5, 6]
    assert all(replayed for *_, replayed in listed(shop, "--node", "typed"))


def test_what_no_source_can_read_again_is_told_and_waits_on(streamd, tmp_path):
    """Results of a window that have no value, beside a record that does not convert."""
    huge = 9 * 10**18
    (tmp_path / "orders.ndjson").write_text("".join(
        f'{{"shop":"{shop}","price":"{price}","at":"{n}"}}\n' for n, (shop, price) in enumerate(
            [("a", huge), ("a", huge), ("b", huge), ("b", huge), ("c", "cheap")])))
    run = Streamd(streamd, SALES, tmp_path)
    assert run.run() == 0, run.stderr
    assert sorted(node for node, *_ in listed(run)) == ["sales", "sales", "typed"]

    only_results = dlq(run, "replay", "--node", "sales")
    assert only_results.returncode == 1
    assert ('error: none of 2 dead letters can be replayed '
            '(2 of them: results of operator "sales", which nobody reads)') in only_results.stderr
    assert "= help: " in only_results.stderr

    told = dlq(run, "replay")
    assert told.returncode == 0, told.stderr
    assert "replayed 1 dead letters\n" in told.stderr
    assert 'not replayed: 2 of them: results of operator "sales"' in told.stderr
    # What failed again waits as well, as a letter of its own.
    assert sorted((node, replayed) for node, _, _, replayed in listed(run)) == [
        ("sales", False), ("sales", False), ("typed", False), ("typed", True)]


def test_a_source_that_was_renamed_gets_its_letters_back_under_the_old_name(shop):
    shop.write(MENDED.replace("orders:", "bought:").replace("input: orders", "input: bought"))
    told = dlq(shop, "replay", "--node", "typed")
    assert told.returncode == 1
    assert 'none of 2 dead letters can be replayed (2 of them: the pipeline has no source ' \
           '"orders")' in told.stderr
    assert not any(replayed for *_, replayed in listed(shop))
    shop.write(MENDED)
    assert dlq(shop, "replay", "--node", "typed").returncode == 0
    assert sorted(sold(shop)) == [1, 2, 5, 6]


def test_parts_of_one_record_are_replayed_together(streamd, tmp_path):
    parts = """\
pipeline: shop
sources:
  orders: {{type: file, path: orders.ndjson, follow: false}}
operators:
  items: {{type: explode, input: orders, field: items}}
  typed: {{type: convert, input: items, fields: {{items: int}}, on_error: {on_error}}}
sinks:
  out: {{type: file, input: typed, path: out/items.ndjson}}
"""
    (tmp_path / "orders.ndjson").write_text('{"id":1,"items":["few","many",7]}\n')
    run = Streamd(streamd, parts.format(on_error="dead_letter"), tmp_path)
    assert run.run() == 0, run.stderr
    run.write(parts.format(on_error="keep"))
    told = dlq(run, "replay")
    assert told.returncode == 0 and "replayed 2 dead letters\n" in told.stderr
    assert "not replayed" not in told.stderr
    assert all(replayed for *_, replayed in listed(run))
    assert [row["items"] for row in rows(tmp_path / "out/items.ndjson")] == [7, "few", "many", 7]


class Bulks(Standin):
    """What a cluster keeps of _bulk requests: the first document of an id."""

    def __init__(self):
        super().__init__()
        self.documents = {}

    def _answer(self, request):
        lines = request.body.decode().splitlines()
        items = []
        for action, document in zip(lines[::2], lines[1::2]):
            one = json.loads(action)["create"]["_id"]
            items.append({"create": {"status": 409 if one in self.documents else 201}})
            self.documents.setdefault(one, json.loads(document))
        return Answer(body={"errors": True, "items": items})


def test_records_of_two_replays_are_different_ones_for_a_sink_with_ids(streamd, tmp_path):
    with Bulks() as cluster:
        to_cluster = f'{{type: elasticsearch, input: paid, url: "{cluster.url}", index: shop, gzip: false}}'
        file_sink = "{type: file, input: paid, path: out/paid.ndjson}"
        strict, mended = (p.replace(file_sink, to_cluster) for p in (STRICT, MENDED))
        run = Streamd(streamd, strict, tmp_path)
        for n in range(2):
            with open(tmp_path / "orders.ndjson", "a") as orders:
                orders.write(f'{{"id":{n},"price":"cheap"}}\n')
            run.write(strict)
            assert run.run() == 0, run.stderr
            run.write(mended)
            assert dlq(run, "replay").returncode == 0
            # What the replay has left in the outbox is sent.
            assert run.run() == 0, run.stderr
            assert sorted(d["id"] for d in cluster.documents.values()) == list(range(n + 1))


def test_a_replay_that_is_stopped_marks_nothing(shop):
    """It waits for a list, so nothing was read yet."""
    away = f"http://127.0.0.1:{free_port()}"
    shop.write(MENDED + f"lists: {{bad: {{type: crowdsec, url: '{away}', key: k}}}}\n")
    log = shop.directory / "replay.err"
    with open(log, "wb") as err:
        replay = subprocess.Popen([shop.binary, "dlq", "replay", shop.file, "--state-dir",
                                   shop.state_dir], cwd=shop.directory, stderr=err)
        try:
            wait_until(lambda: "trying again" in log.read_text(), 30, "it waits for its list")
            replay.terminate()
            assert replay.wait(30) == 1
        finally:
            replay.kill()
    assert "the replay was stopped before its end" in log.read_text()
    assert "replayed 4" not in log.read_text()
    assert not any(replayed for *_, replayed in listed(shop))


def test_a_large_record_is_kept_and_replayed_whole(streamd, tmp_path):
    source = "{type: file, path: orders.ndjson, follow: %s"
    wide = [p.replace(source % "false", source % "false, max_record: 4MiB")
            for p in (STRICT, MENDED)]
    order = '{"id":1,"price":"cheap","note":"%s"}' % ("x" * (2 << 20))
    (tmp_path / "orders.ndjson").write_text(order + "\n")
    run = Streamd(streamd, wide[0], tmp_path)
    assert run.run() == 0, run.stderr
    assert dlq(run, "show").stdout.endswith(f"data:      {len(order)} bytes\n{order}\n")
    run.write(wide[1])
    assert dlq(run, "replay").returncode == 0
    assert [len(row["note"]) for row in rows(tmp_path / "out/paid.ndjson")] == [2 << 20]


def test_the_beginning_of_a_record_is_no_record(streamd, tmp_path):
    """A source gives no more of what is longer than max_record."""
    narrow = STRICT.replace("follow: false", "follow: false, max_record: 40B")
    order = '{"id":1,"price":"10","note":"%s"}' % ("x" * 100_000)
    (tmp_path / "orders.ndjson").write_text(order + "\n")
    run = Streamd(streamd, narrow, tmp_path)
    assert run.run() == 0, run.stderr
    assert "bytes, the beginning of the record\n" in dlq(run, "show").stdout
    told = dlq(run, "replay")
    assert told.returncode == 1
    assert "1 of them: only their beginning was read, as they are longer than max_record" \
        in told.stderr
    assert [replayed for *_, replayed in listed(run)] == [False]


def test_what_was_left_of_a_damaged_file_is_no_record(streamd, tmp_path):
    whole = gzip.compress("".join(f"order {n * 7919 % 1000}\n" for n in range(1000)).encode())
    (tmp_path / "orders.gz").write_bytes(whole[:len(whole) // 2])
    run = Streamd(streamd, "pipeline: shop\nsources: {orders: {type: file, path: orders.gz, decode: text}}\n"
                  "sinks: {out: {type: file, input: orders, path: out/orders.ndjson}}\n", tmp_path)
    assert run.run() == 0, run.stderr
    before = rows(tmp_path / "out/orders.ndjson")
    assert [code for _, code, *_ in listed(run)] == ["truncated-gzip"]
    told = dlq(run, "replay")
    assert told.returncode == 1
    assert "1 of them: what could be read of damaged data is no record" in told.stderr
    assert rows(tmp_path / "out/orders.ndjson") == before
    assert [replayed for *_, replayed in listed(run)] == [False]


def test_parts_of_many_records_are_sorted_out_in_one_pass(streamd, tmp_path):
    """Each with each would take minutes."""
    count = 200_000
    run = Streamd(streamd, STRICT, tmp_path)
    folder = run.state_dir / "shop/dead_letters"
    folder.mkdir(parents=True)
    with open(folder / "dead_letters.ndjson", "w") as letters:
        for n in range(count):
            letters.write(json.dumps({"node": "typed", "code": "convert", "reason": "", "source": "orders/items",
                                      "partition": "p", "position": n, "encoding": "utf8",
                                      "data": f'{{"note":"{"x" * 100}","id":{n + count},"price":"1"}}'}) + "\n")
    told = call(run.binary, "dlq", "replay", run.file, "--state-dir", run.state_dir, cwd=tmp_path, timeout=60)
    assert told.returncode == 0 and f"replayed {count} dead letters\n" in told.stderr
    assert len(sold(run)) == count


def test_ls_prints_nothing_that_a_terminal_obeys(streamd, tmp_path):
    (tmp_path / "orders.ndjson").write_text('{"id":1,"price":"\\u001b[2J\\nall is well"}\n')
    run = Streamd(streamd, STRICT, tmp_path)
    assert run.run() == 0, run.stderr
    told = dlq(run, "ls").stdout
    assert len(told.splitlines()) == 3 and "\x1b" not in told
    assert 'field "price" is no int: "?[2J?all is well"' in told


def test_replay_beside_a_running_pipeline_is_refused(shop):
    shop.write(STRICT.replace("follow: false", "follow: true"))
    shop.start()
    shop.wait_until(lambda: "restored epoch" in shop.stderr, 30, "the run is up")
    told = dlq(shop, "replay")
    assert told.returncode == 1
    assert f"locked by process {shop.pid}" in told.stderr and "= help: " in told.stderr
    # Looking is allowed.
    assert len(listed(shop)) == 4
    assert shop.sigterm() == 0
    assert sold(shop) == [1, 5]


def test_bytes_that_are_no_text_come_back_as_they_were(streamd, tmp_path):
    order = b'{"id":9,"price":"\xff\xfe"}'
    (tmp_path / "orders.ndjson").write_bytes(order + b"\n")
    run = Streamd(streamd, STRICT, tmp_path)
    assert run.run() == 0
    told = call("sh", "-c", '"$@" | tail -1 | od -An -c', "sh", streamd, "dlq", "show", run.file,
                "--state-dir", run.state_dir, cwd=tmp_path)
    assert "377 376" in told.stdout


def test_dead_letters_of_a_sink_of_ones_own(streamd, tmp_path):
    (tmp_path / "orders.ndjson").write_text("\n".join(ORDERS) + "\n")
    run = Streamd(streamd, STRICT + "  bad: {type: file, path: out/bad.ndjson}\n"
                  "dead_letters: bad\n", tmp_path)
    assert run.run() == 0, run.stderr
    assert len(lines(tmp_path / "out/bad.ndjson")) == 4
    assert not (run.state_dir / "shop/dead_letters/dead_letters.ndjson").exists()
    assert len(listed(run)) == 4
    run.write(MENDED + "  bad: {type: file, path: out/bad.ndjson}\ndead_letters: bad\n")
    assert dlq(run, "replay", "--code", "convert").returncode == 0
    assert sorted(sold(run)) == [1, 2, 5, 6]
    run.write(STRICT + '  bad: {type: "null"}\ndead_letters: bad\n')
    told = dlq(run, "ls")
    assert told.returncode == 2 and "null" in told.stderr and "= help: " in told.stderr


def test_dead_letters_that_are_no_json_are_told(streamd, tmp_path):
    (tmp_path / "orders.ndjson").write_text("\n".join(ORDERS) + "\n")
    sink = "  bad: {type: file, path: out/bad.log, encode: %s}\ndead_letters: bad\n"
    run = Streamd(streamd, STRICT + sink % "csv", tmp_path)
    assert run.run() == 0, run.stderr
    assert len(lines(tmp_path / "out/bad.log")) == 5
    for verb in ("ls", "show", "replay"):
        told = dlq(run, verb)
        assert told.returncode == 2
        assert 'go to sink "bad" of type file (file out/bad.log, csv)' in told.stderr
        assert "= help: " in told.stderr
    # The same file goes on as JSON. A line that is just being written is nothing to tell.
    run.write(STRICT + sink % "json")
    with open(tmp_path / "orders.ndjson", "a") as orders:
        orders.write("more rubbish\n")
    assert run.run() == 0, run.stderr
    with open(tmp_path / "out/bad.log", "a") as letters:
        letters.write('{"node":"or')
    told = dlq(run, "ls")
    assert "1 of 1 dead letters" in told.stdout
    assert "warning: 5 lines are no dead letters and are left out, the first is " \
           f"{tmp_path / 'out/bad.log'}:1\n" in told.stderr


def test_no_dead_letters(streamd, tmp_path):
    (tmp_path / "orders.ndjson").write_text(ORDERS[0] + "\n")
    run = Streamd(streamd, STRICT, tmp_path)
    assert run.run() == 0
    assert dlq(run, "ls").stdout == "no dead letters\n"
    assert dlq(run, "show").returncode == 1
    assert dlq(run, "replay").stdout == "no dead letters to replay\n"
    assert whole_rows(tmp_path / "out/paid.ndjson") == [{"id": 1, "price": 10}]


def test_a_folder_without_state_is_told(shop):
    told = call(shop.binary, "dlq", "ls", shop.file, "--state-dir", shop.directory / "elsewhere", cwd=shop.directory)
    assert (told.returncode, told.stdout) == (0, "no dead letters\n")
    assert f'warning: pipeline shop has no state in "{shop.directory}/elsewhere"' in told.stderr
    assert "= help: " in told.stderr
    assert "warning" not in dlq(shop, "ls", "--code", "none").stderr


def test_a_result_without_a_value_is_kept_as_it_was_computed(streamd, tmp_path):
    """A sum beyond 64 bits: not a row, not a silent null, but a counted dead letter."""
    huge = 9 * 10**18
    (tmp_path / "orders.ndjson").write_text("".join(
        f'{{"id":{n},"shop":"{shop}","price":{price},"at":"{n}"}}\n'
        for n, (shop, price) in enumerate([("a", huge), ("a", huge), ("b", 7)])))
    run = Streamd(streamd, SALES, tmp_path)
    assert run.run() == 0, run.stderr
    assert [(r["shop"], r["total"]) for r in rows(tmp_path / "out/sales.ndjson")] == [("b", 7)]
    books = books_of(run)
    assert books["sales"].left == {"failed results": 1}
    assert (books["sales"].read, books["sales"].written) == (3, 1)
    told = dlq(run, "show", "--code", "overflow").stdout
    assert 'reason:    "total" is an int beyond 64 bits' in told, told
    assert '"shop":"a"' in told and '"orders":2' in told, told


# --- a sink that refuses dead letters ---------------------------------------------------

REFUSING = """\
pipeline: refusing
dead_letters: dead
sources:
  orders: {type: file, path: orders.ndjson, follow: true, scan_every: 10ms}
sinks:
  out: {type: file, input: orders, path: out/all.ndjson}
  dead: {type: stdout, encode: text, message: "{{ data.id }}"}
"""


def test_a_dead_letter_that_its_own_sink_refuses_is_kept_and_comes_no_more(streamd, tmp_path):
    """What came is no object, so it has no id to be told."""
    (tmp_path / "orders.ndjson").write_text("\n".join(ORDERS) + "\n")
    run = Streamd(streamd, REFUSING, tmp_path)
    run.start()
    run.wait_until(lambda: len(whole_rows(tmp_path / "out/all.ndjson")) == 5, what="the good ones")
    with open(tmp_path / "orders.ndjson", "a") as file:
        file.write("more rubbish\n" + '{"id":7}\n')
    run.wait_until(lambda: len(whole_rows(tmp_path / "out/all.ndjson")) == 6, what="the last one")
    assert run.sigterm() == 0, run.stderr
    assert run.stderr.count('sink "dead": refuses dead letters') == 1
    books = books_of(run)
    assert (books["dead"].read, books["dead"].written) == (2, 0)
    assert books["dead"].left == {"dead letters": 2}
    kept = rows(run.state_dir / "refusing/dead_letters/refused.ndjson")
    assert [row["data"] for row in kept] == ["rubbish", "more rubbish"]
    assert [(node, code) for node, code, _, _ in listed(run)] == [("orders", "bad-json")] * 2
