# SPDX-License-Identifier: Apache-2.0
"""What the functions of compute give for the records of one window, all at once."""

import math
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

from oracle_values import INT_MAX, INT_MIN, NO_VALUE, NUMBERS, SECOND, Time, identity, kind, order, time_text


@dataclass(frozen=True)
class Near:
    """A number that may differ by this part of itself."""
    value: float
    by: float


def refused(function, value):
    """Whether a value is none that the function can take."""
    if value is None:
        return False
    k = kind(value)
    if function in ("count", "share"):
        return k != "bool"
    if function in ("sum", "avg", "quantile"):
        return k not in NUMBERS or not math.isfinite(value)
    if function in ("min", "max"):
        return k == "json" or (k == "double" and math.isnan(value))
    return False


def exact_sum(values):
    total = sum(map(Fraction, values), Fraction(0))
    if not any(isinstance(v, float) for v in values):
        return int(total) if INT_MIN <= total <= INT_MAX else NO_VALUE
    return float(total)


def result(function, argument, values, count, span):
    """values: inputs in order of time, then arrival, None where there was nothing; count: records."""
    there = [v for v in values if v is not None]
    if function == "count":
        return count if argument == "all" else sum(there)
    if function == "rate":
        return count / (span / SECOND)
    if function == "share":
        return sum(there) / count
    if function == "sum":
        return exact_sum(there)
    if function == "distinct":
        return len({identity(v) for v in there})
    if function == "top":
        return top(there, argument)
    if not there:
        return None
    if function == "entropy":
        parts = [c / len(there) for c in Counter(map(identity, there)).values()]
        return Near(-sum(p * math.log2(p) for p in parts) if len(parts) > 1 else 0.0, 1e-9)
    if function == "avg":
        return float(sum(map(Fraction, there), Fraction(0))) / len(there)
    if function in ("min", "max"):
        return (min if function == "min" else max)(there, key=order)
    if function == "quantile":
        return Near(float(sorted(there)[math.floor(argument * (len(there) - 1))]), 0.0101)
    return there[0] if function == "first" else there[-1]


def top(values, k):
    counts = Counter(map(identity, values))
    one = {identity(v): v for v in values}
    best = sorted(counts, key=lambda i: (-counts[i], order(one[i])))
    return [{"value": written(one[i]), "count": counts[i]} for i in best[:k]]


def written(value):
    """A list is JSON when the window makes it, whatever the sink's time_format."""
    return time_text(value.micros) if isinstance(value, Time) else value
