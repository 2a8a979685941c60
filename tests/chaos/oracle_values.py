# SPDX-License-Identifier: Apache-2.0
"""Values as the documentation describes them: kinds, order, text, times.

A field that a record does not have is not in its dict; null is None. Everything here is written
from docs/ and is as slow as it likes.
"""

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import ROUND_FLOOR, Decimal, InvalidOperation

INT_MIN, INT_MAX = -2**63, 2**63 - 1
SECOND = 1_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
# What can be compared; kinds that cannot go in this order.
RANKS = {"bool": 1, "int": 2, "uint": 2, "double": 2, "string": 3, "timestamp": 4, "duration": 5, "ip": 6,
         "json": 7}
NUMBERS = ("int", "uint", "double")


class Uint(int):
    """An integer beyond int64."""


@dataclass(frozen=True)
class Time:
    micros: int


@dataclass(frozen=True)
class Duration:
    micros: int


@dataclass(frozen=True)
class Ip:
    text: str


def kind(value):
    names = {type(None): "null", bool: "bool", int: "int", Uint: "uint", float: "double", str: "string",
             Time: "timestamp", Duration: "duration", Ip: "ip", dict: "json", list: "json"}
    return names[type(value)]


class NoValue:
    """What a sum out of range is: an expression that reads it fails, a result that holds it too."""


NO_VALUE = NoValue()


def identity(value):
    """Equal for values that are one key, one distinct value, or unchanged; 1 and 1.0 are not."""
    if value is NO_VALUE:
        return "none", None
    k = kind(value)
    if k == "json":
        return k, json.dumps(value, sort_keys=True, default=repr)
    return k, 0.0 if k == "double" and value == 0 else value


def order(value):
    """The order of min, max and top: numbers are on one line, text goes by bytes."""
    k = kind(value)
    if k in NUMBERS:
        return RANKS[k], value, NUMBERS.index(k)
    if k == "string":
        return RANKS[k], value.encode(), 0
    if k == "timestamp":
        return RANKS[k], value.micros, 0
    if k == "json":
        return RANKS[k], json.dumps(value, separators=(",", ":")), 0
    return RANKS[k], value, 0


# --- JSON ---------------------------------------------------------------------------------------

def _whole(text):
    number = int(text)
    if INT_MIN <= number <= INT_MAX:
        return number
    return Uint(number) if 0 <= number < 2**64 else float(text)


def _no(text):
    raise ValueError(text)


def parse_object(line):
    """The members of one JSON object; ValueError when the bytes are none."""
    found = json.loads(line.decode("utf-8", "strict"), parse_int=_whole, parse_constant=_no)
    if not isinstance(found, dict):
        raise ValueError("no object")
    return found


# --- times --------------------------------------------------------------------------------------

def time_text(micros):
    """RFC 3339 with as many fraction digits as are needed."""
    whole, fraction = divmod(micros, SECOND)
    text = (EPOCH + timedelta(seconds=whole)).replace(tzinfo=None).isoformat()
    return text + (f".{fraction:06}".rstrip("0") if fraction else "") + "Z"


def unix_text(micros):
    sign, micros = ("-", -micros) if micros < 0 else ("", micros)
    whole, fraction = divmod(micros, SECOND)
    return f"{sign}{whole}" + (f".{fraction:06}".rstrip("0") if fraction else "")


def duration_text(micros):
    return unix_text(micros) + "s"


def clf_text(micros, offset=0):
    at = EPOCH + timedelta(microseconds=micros) + timedelta(minutes=offset)
    sign, minutes = ("-", -offset) if offset < 0 else ("+", offset)
    return (f"{at.day:02}/{MONTHS[at.month - 1]}/{at.year:04}:{at.hour:02}:{at.minute:02}:{at.second:02} "
            f"{sign}{minutes // 60:02}{minutes % 60:02}")


RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
CLF = re.compile(r"(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d:\d\d:\d\d) ([+-]\d{4})")
NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")


def _stamp(date, clock, zone, fraction=None):
    try:
        at = datetime.strptime(f"{date} {clock} {zone}", "%Y-%m-%d %H:%M:%S %z")
    except ValueError:
        return None
    micros = (at - EPOCH) // timedelta(microseconds=1)
    return micros + int((fraction or ".0")[1:7].ljust(6, "0"))


def read_time(value, form):
    """Micros since 1970; None when this is no time of that format."""
    if kind(value) == "timestamp":
        return value.micros
    if form in ("unix", "unix_ms"):
        if kind(value) not in ("int", "double", "string", "uint"):
            return None
        text = value if isinstance(value, str) else repr(value)
        if not NUMBER.fullmatch(text):
            return None
        try:
            micros = int((Decimal(text) * (SECOND if form == "unix" else 1000)).to_integral_value(ROUND_FLOOR))
        except InvalidOperation:
            return None
    else:
        if not isinstance(value, str):
            return None
        found = (RFC3339 if form == "rfc3339" else CLF).fullmatch(value)
        if not found:
            return None
        if form == "rfc3339":
            zone = "+0000" if found[4] in "Zz" else found[4]
            micros = _stamp(found[1], found[2], zone, found[3])
        elif found[2] not in MONTHS:
            return None
        else:
            micros = _stamp(f"{found[3]}-{MONTHS.index(found[2]) + 1:02}-{found[1]}", found[4], found[5])
    earliest, latest = -62135596800 * SECOND, 253402300800 * SECOND
    return micros if micros is not None and earliest <= micros < latest else None
