# SPDX-License-Identifier: Apache-2.0
"""Random records: out of order, late, broken, with fields that are missing or of the wrong type."""

import json
from dataclasses import dataclass

from oracle_values import SECOND, clf_text, time_text, unix_text

TEXTS = ["a", "b", "c", "", " ", "ключ", "日本", "é", "e\u0301", "\U0001f600", 'q"q', "back\\slash", "tab\t",
         "a b"]
WORDS = ["get", "post", "geta", "get", "x"]
NUMERALS = ["12", "-7", "0", "007", "3.5", "1e3", "abc", "", " 5", "9223372036854775807", "9223372036854775808"]
SWITCHES = [True, False, "true", "false", "1", "0", 1, 0, "yes", 2]
ADDRESSES = ["10.0.0.1", "192.168.7.9", "::1", "2001:db8::5", "2001:0db8:0:0::5", "10.0.0.256", "host", ""]
WILD = [None, True, False, "text", "", 5, -1, 2.5, [1], {}]
HUGE = [2**63 - 1, -2**63, 2**63, 10**25, 2**53 + 1, -2**53 - 1]
REALS = [1e300, -1e300, 1e-300, 5e-324, -0.0, 0.1, 1e16, 4.35, 123456789.125]
BROKEN = [b"{bad", b"[1,2]", b'"text"', b'{"a":1}x', b"\xff\xfe", b"nul", b"   ", b'{"k":"\xff"}', b"{}",
          b'{"t":}', b'{"a":01}', b'{"t": 1, "k": "\\x"}']


@dataclass
class Shape:
    """What the records of one source are like."""
    form: str          # of the time: unix, unix_ms, rfc3339, clf; access for access logs
    max_delay: int     # micros
    base: int          # the first event time
    step: int          # mean micros from one to the next
    grain: int         # times are multiples of this
    late: float        # part of the records beyond max_delay; 0: none, and none ahead either
    wild: float        # part of the values that are of another type, null or missing
    broken: float      # part of the lines
    reals: int         # style of the doubles
    keys: int


def times(dice, shape, count):
    at = shape.base
    for _ in range(count):
        at += int(dice.expovariate(1 / shape.step))
        behind = 0
        roll = dice.random()
        if roll < 0.3:
            behind = dice.randint(0, shape.max_delay)
        elif roll < 0.3 + shape.late:
            behind = dice.randint(0, max(1, 4 * shape.max_delay) + 40 * shape.step)
        elif shape.late and roll > 0.998:
            behind = -dice.randint(0, 60 * shape.step)
        # Never below what the newest before it allows, when nothing may be late.
        yield (at - behind) // shape.grain * shape.grain


def in_time(moments, shape):
    newest = None
    for at in moments:
        if not shape.late and newest is not None and at < newest - shape.max_delay:
            at = newest
        newest = at if newest is None else max(newest, at)
        yield at


def lines(dice, shape, count):
    """The bytes of one file."""
    tidy = dice.random() < 0.5
    out = []
    for at in in_time(times(dice, shape, count), shape):
        if dice.random() < shape.broken:
            out.append(dice.choice(BROKEN))
        if dice.random() < 0.01:
            out.append(b"")
        line = access_line(dice, at) if shape.form == "access" else json_line(dice, shape, at, tidy)
        out.append(line + (b"\r" if dice.random() < 0.005 else b""))
    return b"\n".join(out) + (b"\n" if dice.random() < 0.7 else b"")


def written(dice, form, at):
    if form == "unix":
        if dice.random() < 0.5:
            return unix_text(at)
        return at // SECOND if at % SECOND == 0 else float(unix_text(at))
    if form == "unix_ms":
        return dice.choice([str, int])(at // 1000)
    if form == "clf":
        return clf_text(at, dice.choice([0, 60, -330]))
    offset = dice.choice([0, 0, 120, -90])
    text = time_text(at + offset * 60 * SECOND)
    zone = f"{'-' if offset < 0 else '+'}{abs(offset) // 60:02}:{abs(offset) % 60:02}"
    return text[:-1] + zone if offset else text


def json_line(dice, shape, at, tidy):
    key = TEXTS[min(dice.randrange(shape.keys), dice.randrange(shape.keys))]
    record = {"t": written(dice, shape.form, at), "k": key, "g": dice.randint(-3, 12),
              "x": real(dice, shape.reals), "s": dice.choice(NUMERALS),
              "b": dice.choice(SWITCHES[:2] if shape.reals else SWITCHES), "u": dice.choice(WORDS),
              "ip": dice.choice(ADDRESSES), "ts": time_text(at - dice.randint(0, 10**9)),
              "o": {"c": dice.choice([0, 1, 2, 2, 3, -1]), "d": [1, {"e": dice.choice(TEXTS)}]}}
    for name in list(record):
        if dice.random() < shape.wild * (0.1 if name == "t" else 1):
            if dice.random() < 0.4:
                del record[name]
            elif name == "t" and not shape.late:
                record[name] = dice.choice([None, True, "text"])
            else:
                record[name] = dice.choice(HUGE if name == "g" and dice.random() < 0.5 else WILD)
    if dice.random() < shape.wild:
        record["o"] = dice.choice([{"c": None}, {"d": 1}, {"c": 2.5}, {"c": "x", "e": {}}, None])
    if not tidy and dice.random() < 0.5:
        names = list(record)
        dice.shuffle(names)
        record = {name: record[name] for name in names}
    plain = dice.random() < (0.9 if tidy else 0.5)
    text = json.dumps(record, ensure_ascii=not plain, separators=(",", ":") if plain else (", ", " : "))
    if not tidy and record and dice.random() < 0.02:
        text = '{"k":"twice",' + text[1:]
    return text.encode()


def real(dice, style):
    if style == 0:
        return dice.randint(-40, 40) / 2
    if style == 1:
        return round(dice.random() * 100, 2)
    if style == 2:
        return dice.choice([dice.gauss(0, 1e3), dice.random() * 1e-9, dice.randint(0, 9)])
    return dice.choice(REALS)


def access_line(dice, at):
    agent = dice.choice(["curl/8", "-", 'Moz \\x22q\\x22', "", "Mozilla/5.0 (X11)"])
    get = "GET /a HTTP/1.1"
    request = dice.choice([get, get, "POST /b?c=d HTTP/1.1", "GET /x/y?q HTTP/2.0", ""])
    line = (f'{dice.choice(["10.0.0.1", "10.0.0.2", "::1", "192.0.2.7"])} - {dice.choice(["-", "bob", "eve"])} '
            f'[{clf_text(at, dice.choice([0, 60, -330]))}] "{request}" '
            f'{dice.choice([200, 200, 404, 500, 302])} '
            f'{dice.choice(["-", 0, 12, 900, 77777])} "{dice.choice(["-", "http://x/"])}" "{agent}"')
    return line.encode()
