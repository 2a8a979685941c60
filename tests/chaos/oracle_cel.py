# SPDX-License-Identifier: Apache-2.0
"""The part of CEL that random expressions use: as trees, as text, and their value.

A tree is a list: ["field", "x"], ["lit", 5], ["has", "x"], ["&&", a, b], ["startsWith", a, b] …
JSON can hold it, so a kept case is the text for streamd and the tree for the oracle.
"""

import json
import math

import oracle_fields
from oracle_values import INT_MAX, INT_MIN, NUMBERS, Time, Uint, kind

COMPARISONS = ("<", "<=", ">", ">=")
ARITHMETIC = ("+", "-", "*", "/", "%")
METHODS = ("startsWith", "endsWith", "contains")


class CelError(Exception):
    """The expression has no value for this record."""


def text_of(tree):
    head, *rest = tree
    if head == "field":
        return rest[0]
    if head == "lit":
        value = rest[0]
        return json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else quoted(value)
    if head == "has":
        return f"has({rest[0]})"
    if head == "!":
        return f"!({text_of(rest[0])})"
    if head == "?:":
        return "({} ? {} : {})".format(*map(text_of, rest))
    if head == "in":
        return f"{text_of(rest[0])} in [{', '.join(map(text_of, rest[1]))}]"
    if head == "agg":
        inside = [] if rest[1] is None else [text_of(rest[1])]
        inside += [str(rest[2])] if rest[2] not in (None, "all") else []
        return f"{rest[0]}({', '.join(inside)})"
    if head in METHODS:
        return f"{text_of(rest[0])}.{head}({text_of(rest[1])})"
    if head in ("size", "int", "double", "timestamp"):
        return f"{head}({text_of(rest[0])})"
    return f"({text_of(rest[0])} {head} {text_of(rest[1])})"


def quoted(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"


def truth(tree, record):
    value = evaluate(tree, record)
    if not isinstance(value, bool):
        raise CelError("no bool")
    return value


def evaluate(tree, record):
    head, *rest = tree
    if head == "lit":
        return rest[0]
    if head == "field":
        return field(rest[0], record)
    if head == "has":
        return oracle_fields.has(record, rest[0])
    if head in ("&&", "||"):
        return logic(head == "||", rest, record)
    if head == "?:":
        return evaluate(rest[1] if truth(rest[0], record) else rest[2], record)
    if head == "!":
        return not truth(rest[0], record)
    if head == "in":
        value = evaluate(rest[0], record)
        return any([equal(value, evaluate(item, record)) for item in rest[1]])
    values = [evaluate(part, record) for part in rest]
    if head in ("==", "!="):
        return equal(*values) == (head == "==")
    if head in COMPARISONS:
        return compare(head, *values)
    if head in METHODS:
        if not all(isinstance(v, str) for v in values):
            raise CelError("no string")
        return {"startsWith": str.startswith, "endsWith": str.endswith,
                "contains": str.__contains__}[head](*values)
    if head in ARITHMETIC:
        return arithmetic(head, *values)
    return call(head, values[0])


def field(name, record):
    if not oracle_fields.has(record, name):
        raise CelError(f"no such field {name}")
    return oracle_fields.get(record, name)


def logic(decides, parts, record):
    """One side that decides wins over an error on the other."""
    failed = None
    for part in parts:
        try:
            if truth(part, record) == decides:
                return decides
        except CelError as error:
            failed = error
    if failed:
        raise failed
    return not decides


def equal(a, b):
    ka, kb = kind(a), kind(b)
    if ka in NUMBERS and kb in NUMBERS:
        return float(a) == float(b) if "double" in (ka, kb) else int(a) == int(b)
    return ka == kb and a == b


def compare(op, a, b):
    ka, kb = kind(a), kind(b)
    if ka in NUMBERS and kb in NUMBERS:
        a, b = (float(a), float(b)) if "double" in (ka, kb) else (int(a), int(b))
    elif ka != kb or ka not in ("string", "bool", "timestamp"):
        raise CelError("no such overload")
    elif ka == "timestamp":
        a, b = a.micros, b.micros
    elif ka == "string":
        a, b = a.encode(), b.encode()
    return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[op]


def arithmetic(op, a, b):
    ka, kb = kind(a), kind(b)
    if op == "+" and ka == kb == "string":
        return a + b
    if ka != kb or ka not in NUMBERS:
        raise CelError("no such overload")
    if ka == "double":
        return real(op, a, b)
    least, most = (INT_MIN, INT_MAX) if ka == "int" else (0, 2**64 - 1)
    if op in "/%":
        if b == 0:
            raise CelError("division by zero")
        quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
        # The quotient overflows in both.
        result = quotient if op == "/" or not least <= quotient <= most else a - quotient * b
    else:
        result = {"+": a + b, "-": a - b, "*": a * b}[op]
    if not least <= result <= most:
        raise CelError("overflow")
    return result if ka == "int" else Uint(result)


def real(op, a, b):
    if op == "%":
        raise CelError("no such overload")
    if op == "/":
        if b == 0:
            return math.nan if a == 0 or a != a else math.copysign(math.inf, a) * math.copysign(1, b)
        return a / b
    return {"+": a + b, "-": a - b, "*": a * b}[op]


def call(name, value):
    k = kind(value)
    if name == "size" and k in ("string", "json"):
        return len(value)
    if name == "int":
        if k in ("int", "uint"):
            if value <= INT_MAX:
                return int(value)
        elif k == "double" and -2.0**63 < value < 2.0**63:
            return int(value)
        elif k == "timestamp":
            return value.micros // 1_000_000
        elif k == "string" and value.strip("-").isdigit() and value.count("-") == value.startswith("-") \
                and INT_MIN <= int(value) <= INT_MAX:
            return int(value)
    if name == "double":
        if k in NUMBERS:
            return float(value)
        if k == "string":
            try:
                if value == value.strip():
                    return float(value)
            except ValueError:
                pass
    if name == "timestamp" and k == "timestamp":
        return Time(value.micros)
    raise CelError(f"{name}: no such overload")
