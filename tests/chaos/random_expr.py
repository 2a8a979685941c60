# SPDX-License-Identifier: Apache-2.0
"""Random CEL expressions over fields of known types, as trees (oracle_cel.py).

A field is (type, use): the type that the plan knows (any: only the record can tell), and what its
values mostly are: text, int, real, flag or time.
"""

from random_data import TEXTS, WORDS

COMPARE = ("<", "<=", ">", ">=", "==", "!=")


def fields(env, uses, types=("any",)):
    return [name for name, (kind, use) in env.items() if use in uses and kind in types]


def condition(dice, env, depth=2):
    """A tree that is true or false."""
    if depth and dice.random() < 0.45:
        op = dice.choice(["&&", "||", "!", "?:"])
        parts = {"!": 1, "?:": 3}.get(op, 2)
        return [op, *(condition(dice, env, depth - 1) for _ in range(parts))]
    makers = [numbers, numbers, texts, presence, flags, times, mixture]
    for maker in dice.sample(makers, len(makers)):
        tree = maker(dice, env)
        if tree:
            return tree
    return ["lit", True]


def numbers(dice, env):
    wide = fields(env, ("number", "int", "real"), ("any", "int", "double", "number"))
    if wide and dice.random() < 0.4:
        constant = dice.choice([dice.randint(-5, 40), dice.randint(-40, 80) / 2])
        return [dice.choice(COMPARE), ["field", dice.choice(wide)], ["lit", constant]]
    family = dice.choice(["int", "double"])
    left = number(dice, env, family, 2)
    return left and [dice.choice(COMPARE), left, ["lit", constant_of(dice, family)]]


def constant_of(dice, family):
    return dice.randint(-6, 30) if family == "int" else dice.randint(-40, 80) / 2


def number(dice, env, family, depth):
    """A tree of that family, or of one that only the record can tell; None when there is no field."""
    names = fields(env, ("int",) if family == "int" else ("real",), ("any", family))
    numerals = fields(env, ("numeral",), ("any", "string"))
    if numerals and dice.random() < 0.15:
        return [family, ["field", dice.choice(numerals)]]
    if not names:
        return None
    if depth and dice.random() < 0.4:
        op = dice.choice(["+", "-", "*", "/", "%"] if family == "int" else ["+", "-", "*", "/"])
        right = dice.choice([["lit", constant_of(dice, family)], number(dice, env, family, depth - 1)])
        return [op, number(dice, env, family, depth - 1), right]
    return ["field", dice.choice(names)]


def texts(dice, env):
    names = fields(env, ("text",), ("any", "string"))
    if not names:
        return None
    name = ["field", dice.choice(names)]
    pool = [t for t in TEXTS + WORDS if "\t" not in t]
    roll = dice.random()
    if roll < 0.3:
        return [dice.choice(["==", "!=", "<", ">="]), name, ["lit", dice.choice(pool)]]
    if roll < 0.6:
        part = ["lit", dice.choice(["", "a", "ge", "é", "к"])]
        return [dice.choice(["startsWith", "endsWith", "contains"]), name, part]
    if roll < 0.8:
        return ["in", name, [["lit", dice.choice(pool)] for _ in range(dice.randint(1, 5))]]
    return [dice.choice(COMPARE), ["size", name], ["lit", dice.randint(0, 4)]]


def presence(dice, env):
    if not env:
        return None
    name = dice.choice(list(env))
    if env[name][0] != "any" or dice.random() < 0.7:
        return ["has", name]
    return [dice.choice(["==", "!="]), ["field", name], ["lit", None]]


def flags(dice, env):
    names = fields(env, ("flag",), ("any", "bool"))
    return names and ["field", dice.choice(names)]


def times(dice, env):
    names = fields(env, ("time",), ("timestamp",))
    seconds = ["lit", dice.randint(0, 2 * 10**9)]
    return names and [dice.choice(COMPARE), ["int", ["field", dice.choice(names)]], seconds]


def mixture(dice, env):
    """Something that fails for most records."""
    names = fields(env, ("text", "int", "real", "flag"))
    if not names or dice.random() < 0.7:
        return None
    return [dice.choice(COMPARE), ["field", dice.choice(names)], ["lit", dice.choice([1, 1.5, "a", True])]]


def value(dice, env):
    """(tree, type, use) of a new field."""
    roll = dice.random()
    if roll < 0.3:
        family = dice.choice(["int", "double"])
        tree = number(dice, env, family, 2)
        if tree:
            return tree, family, "int" if family == "int" else "real"
    if roll < 0.6:
        return condition(dice, env), "bool", "flag"
    if roll < 0.7:
        return ["lit", dice.choice([1, "new", 2.5])], "constant", "none"
    name = dice.choice(list(env)) if env else None
    if name is None:
        return ["lit", 1], "constant", "none"
    return ["field", name], *env[name]
