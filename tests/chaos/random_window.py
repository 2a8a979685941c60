# SPDX-License-Identifier: Apache-2.0
"""Random window nodes. Only what has one answer: what depends on the order of arrival is asked of
one partition alone, and sessions of several partitions have nothing late and no length to reach."""

from dataclasses import replace

from random_expr import COMPARE, condition, number

# Functions whose values differ a little from the oracle's, or are no plain value; no one computes with them.
NEAR = ("quantile", "entropy", "top")
KEYS = ("text", "int", "flag", "numeral", "address", "time")


def in_micros(length):
    return f"{length}us" if length % 1000 else f"{length // 1000}ms"


def window(dice, stream, name, expression):
    """(configuration, what leaves)."""
    ordered = stream.ordered and stream.raw
    kind, length = windows(dice, stream, ordered)
    session = "session" in kind
    config = {"window": kind}
    keys = [n for n, (_, use) in stream.env.items() if use in KEYS and not n.startswith("window_")]
    by = dice.sample(keys, min(len(keys), dice.choice([0, 1, 1, 1, 2, 3])))
    if by:
        config["by"] = by
    if dice.random() < 0.3:
        config["where"] = expression(condition(dice, stream.env, 1))
    env = {n: stream.env[n] for n in by}
    config["compute"] = {}
    for k in range(dice.choice([1, 2, 3, 5])):
        text, tree, type_use = compute(dice, stream, ordered, expression)
        config["compute"][f"{name}_{k}"] = text
        env[f"{name}_{k}"] = type_use
    env |= {"window_start": ("timestamp", "time"), "window_end": ("timestamp", "time")}
    alarms = ordered and (session or not stream.around_1970)
    emits = ["close", "close"] + ([] if session else ["changed"]) + (["threshold"] * 2 if alarms else [])
    emit = dice.choice(emits)
    if emit == "threshold" or dice.random() < 0.4:
        config["having"] = having(dice, env, config["compute"], expression)
    # What is only near cannot tell what has changed.
    if emit == "threshold" and not session and not stream.punctual:
        # One window for all: a record that is late for some windows waits for them to close, and
        # the row that it makes pass may hold what has come meanwhile.
        config["window"] = {"tumbling": "4000d"}
    if emit == "changed" and any(text.startswith(("quantile", "entropy")) for text in config["compute"].values()):
        emit = "close"
    config["emit"] = emit
    if dice.random() < 0.2:
        config["max_keys"] = 1_000_000
    env = {n: ("near", "none") if config["compute"].get(n, "").startswith(NEAR) else known
           for n, known in env.items()}
    return config, replace(stream, env=env, closed=True, ordered=False, punctual=True, raw=False,
                           timed=emit != "threshold",
                           step=max(stream.step, length // 4), gone=frozenset())


def windows(dice, stream, ordered):
    step = max(1000, stream.step // 1000 * 1000)
    every = step * dice.choice([1, 3, 10, 40])
    kind = dice.choice(["tumbling", "sliding", "sliding", "session"])
    if kind == "session" and (ordered or stream.punctual):
        gap = step * dice.choice([1, 2, 5])
        longest = gap * dice.choice([1, 3, 20]) if ordered else 4000 * 86400 * 1_000_000
        return {"session": {"gap": in_micros(gap), "max": in_micros(longest)}}, gap
    if kind == "sliding":
        size = int(every * dice.choice([1, 2, 5, 5, 12, 1.5, 2.25, 3.1]))
        return {"sliding": in_micros(size), "every": in_micros(every)}, every
    return {"tumbling": in_micros(every)}, every


def compute(dice, stream, ordered, expression):
    """(text, tree, (type, use))."""
    env = stream.env
    names = "count,count,count if,share,sum,sum,avg,min,max,distinct,top,entropy,rate,quantile".split(",")
    function = dice.choice(names + (["first", "last"] if ordered else []))
    if function == "count":
        return aggregate(expression, "count", None, "all", ("int", "int"))
    if function == "rate":
        return aggregate(expression, "rate", None, None, ("double", "real"))
    if function == "count if":
        return aggregate(expression, "count", condition(dice, env, 1), None, ("int", "int"))
    if function == "share":
        return aggregate(expression, "share", condition(dice, env, 1), None, ("double", "real"))
    if function in ("sum", "avg", "quantile"):
        tree = number(dice, env, dice.choice(["int", "double"]), dice.choice([0, 0, 1]))
        sums = [name for name, (_, use) in env.items() if use == "number"]
        if sums and (tree is None or dice.random() < 0.5):
            tree = ["field", dice.choice(sums)]
        if tree is None:
            return aggregate(expression, "count", None, "all", ("int", "int"))
        argument = 0.5 if function == "quantile" else None
        return aggregate(expression, function, tree, argument, ("number", "number"))
    able = [name for name, (_, use) in env.items() if use not in ("none", "object", "address")]
    if not able:
        return aggregate(expression, "count", None, "all", ("int", "int"))
    name = dice.choice(able)
    kind = ("int", "int") if function == "distinct" else env[name]
    argument = dice.randint(1, 4) if function == "top" else None
    return aggregate(expression, function, ["field", name], argument, kind)


def aggregate(expression, function, tree, argument, known):
    text = expression(["agg", function, tree, argument])
    return text, tree, known


def having(dice, env, computed, expression):
    able = [name for name, text in computed.items() if not text.startswith(NEAR)
            and env[name][1] in ("int", "real", "number")]
    if able and dice.random() < 0.8:
        return expression([dice.choice([">", ">", ">=", "<", "=="]), ["field", dice.choice(able)],
                           ["lit", dice.choice([0, 1, 2, 3, 5, 10])]])
    usable = {name: known for name, known in env.items()
              if not computed.get(name, "").startswith(NEAR)}
    return expression(condition(dice, usable, 1))
