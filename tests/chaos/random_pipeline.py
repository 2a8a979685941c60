# SPDX-License-Identifier: Apache-2.0
"""Random valid pipelines with their data. case(dice) makes one; the same dice make the same one."""

from dataclasses import replace

import random_data
import random_window
from oracle_cel import text_of
from oracle_values import SECOND
from random_case import Case
from random_data import Shape
from random_expr import condition, value
from random_stream import JSON_FIELDS, LOG_FIELDS, Stream, together

# What becomes of the values of a use, and what the use is then.
CONVERSIONS = {"numeral": ["int", "double"], "flag": ["bool"], "int": ["int", "double", "string"],
               "real": ["double", "int"], "text": ["string", "int"], "address": ["ip"], "moment": ["timestamp"]}
USES = {"int": "int", "double": "real", "bool": "flag", "string": "text", "timestamp": "time", "ip": "address"}


class Maker:
    def __init__(self, dice, records):
        self.dice, self.records = dice, records
        self.trees, self.files, self.packed = {}, {}, []
        self.sources, self.operators, self.sinks = {}, {}, {}
        self.streams, self.unread = {}, set()
        self.late = dice.choice(["drop", "route"])

    def expression(self, tree):
        text = text_of(tree)
        if tree[0] in ("<", "<=", ">", ">=", "==", "!=", "&&", "||", "?:"):
            text = text[1:-1]  # as people write it
        self.trees[text] = tree
        return text

    def add(self, stream):
        self.streams[stream.name] = stream
        self.unread.add(stream.name)

    # --- sources ----------------------------------------------------------------------------

    def source(self, name):
        dice = self.dice
        form = dice.choice(["unix", "unix", "unix_ms", "rfc3339", "clf", "access"])
        delay = dice.choice([0, 500_000, 2 * SECOND, 10 * SECOND])
        grain = SECOND if form in ("clf", "access") else dice.choice([1, 1000, 1000, SECOND])
        base = dice.choice([1_700_000_000, 1_700_000_000, -1_000, 4_000_000_000 - 2**32]) * SECOND
        step = dice.choice([20_000, 200_000, SECOND])
        if form == "unix_ms":
            grain = max(grain, 1000)
        shape = Shape(form, delay // grain * grain, base, step, grain,
                      dice.choice([0, 0.02, 0.1]), dice.choice([0, 0.01, 0.1]), dice.choice([0, 0, 0.02]),
                      dice.randrange(4), dice.choice([2, 6, len(random_data.TEXTS)]))
        paths = [f"in/{name}-{k}.log" for k in range(dice.choice([1, 1, 2, 3]))]
        for path in paths:
            count = self.records // len(paths)
            # One may be shorter than the others, or empty.
            count = dice.choice([count, count, count // 5, min(3, count)])
            self.files[path] = random_data.lines(dice, shape, count)
            if dice.random() < 0.15:
                self.packed.append(path)
        access = form == "access"
        time = {"max_delay": random_window.in_micros(shape.max_delay), "late": self.late}
        if not access:
            time |= {"field": "t", "format": form}
        self.sources[name] = {"type": "file", "path": paths, "time": time,
                              "decode": {"access_log": "combined"} if access else "json"}
        self.add(Stream(name, dict(LOG_FIELDS if access else JSON_FIELDS), access, len(paths) == 1,
                        shape.late == 0, shape.base == -1000 * SECOND, shape.step))

    # --- operators ----------------------------------------------------------------------------

    def operator(self, name):
        dice = self.dice
        names, stream = self.inputs()
        kind = dice.choice(["filter", "map", "convert", "window", "window"])
        if kind == "window" and not stream.timed:
            kind = "filter"
        if kind == "convert" and not any(t == "any" for t, _ in stream.env.values()):
            kind = "map"
        config = {"type": kind, "input": names if len(names) > 1 else names[0]}
        if kind == "window":
            made, out = random_window.window(dice, stream, name, self.expression)
            self.operators[name] = config | made
            self.add(replace(out, name=name))
            if self.late == "route" and stream.raw:
                late = {**stream.env, "lateness": ("duration", "none")}
                # Each worker has some of them: their order is not that of the file.
                self.add(replace(stream, name=name + ".late", env=late, ordered=False, punctual=False,
                                 step=stream.step * 20))
        else:
            made, out = getattr(self, kind)(stream)
            self.operators[name] = config | made
            self.add(replace(out, name=name))
        self.unread -= set(names)

    def inputs(self):
        """One stream, or several of a kind as one."""
        dice = self.dice
        unread = sorted(self.unread)
        first = self.streams[dice.choice(unread if dice.random() < 0.6 else list(self.streams))]
        others = [s for s in self.streams.values() if s.name != first.name and s.closed == first.closed
                  and s.raw == first.raw]
        if not others or dice.random() < 0.7:
            return [first.name], first
        chosen = [first, *dice.sample(others, min(len(others), dice.choice([1, 1, 2])))]
        return [s.name for s in chosen], together(chosen)

    def filter(self, stream):
        return {"where": self.expression(condition(self.dice, stream.env))}, stream

    def map(self, stream):
        dice, config, env = self.dice, {}, dict(stream.env)
        gone = set(stream.gone)
        # An object stays as it is: what removing a part of it means for the whole, no document says.
        free = [n for n in env if n not in ("lateness", "o", "o.c")]
        actions = dice.sample(["set", "rename", "remove", "keep"], dice.choice([1, 1, 2, 3]))
        if "set" in actions:
            config["set"] = {}
            for name in dice.sample(["n1", "n2", *free], dice.choice([1, 2])):
                tree, kind, use = value(dice, stream.env)
                config["set"][name] = self.expression(tree)
                env[name] = (kind, use)
        if "rename" in actions and free:
            name = dice.choice(free)
            to = next(f"r{k}" for k in range(9) if f"r{k}" not in env and f"r{k}" not in gone)
            config["rename"] = {name: to}
            env[to] = env.pop(name)
            free.remove(name)
            gone.add(name)
        if "remove" in actions and len(free) > 3:
            config["remove"] = dice.sample(free, dice.choice([1, 2]))
            for name in config["remove"]:
                del env[name]
                gone.add(name)
        if not env:
            config.setdefault("set", {})["n1"] = self.expression(["lit", 1])
            env["n1"] = ("constant", "none")
        if "keep" in actions or not config:
            config["keep"] = dice.sample(list(env), dice.randint(2, len(env)) if len(env) > 2 else len(env))
            env = {name: env[name] for name in config["keep"]}
        return config, replace(stream, env=env, closed=stream.closed or "keep" in config, gone=frozenset(gone))

    def convert(self, stream):
        dice, env = self.dice, dict(stream.env)
        able = [name for name, (kind, _) in env.items() if kind == "any" and name != "o.c"]
        fields = {}
        for name in dice.sample(able, min(len(able), dice.choice([1, 1, 2, 3]))):
            if env[name][1] in CONVERSIONS:
                fields[name] = dice.choice(CONVERSIONS[env[name][1]])
        if not fields:
            return self.filter_instead(stream)
        on_error = dice.choice(["dead_letter", "null", "keep"])
        for name, to in fields.items():
            env[name] = ("mixed", "none") if on_error == "keep" else (to, USES[to])
        return {"fields": fields, "on_error": on_error}, replace(stream, env=env)

    def filter_instead(self, stream):
        made, out = self.filter(stream)
        return {"type": "filter", **made}, out

    # --- sinks --------------------------------------------------------------------------------

    def sink(self, name, stream):
        dice = self.dice
        csv = stream.closed and dice.random() < 0.4
        config = {"type": "file", "input": stream.name, "path": f"out/{name}.{'csv' if csv else 'ndjson'}"}
        if csv:
            config["encode"] = "csv"
        if dice.random() < 0.3:
            config["time_format"] = "unix"
        self.sinks[name] = {"type": "null", "input": stream.name} if dice.random() < 0.05 else config

    def make(self):
        dice = self.dice
        for k in range(dice.choice([1, 1, 2, 3])):
            self.source(f"src{k}")
        for k in range(dice.randint(2, 6)):
            self.operator(f"op{k}")
        for k, name in enumerate(sorted(self.unread)):
            self.sink(f"out{k}", self.streams[name])
        extra = dice.choice(list(self.streams))
        if extra not in self.unread:
            self.sink("extra", self.streams[extra])
        document = {"pipeline": "chance", "checkpoint": {"every": dice.choice(["10ms", "30ms", "1s"])},
                    "sources": self.sources, "operators": self.operators, "sinks": self.sinks}
        if dice.random() < 0.6:
            self.sinks["dead"] = {"type": "file", "path": "out/dead.ndjson"}
            document["dead_letters"] = "dead"
        return Case(document, self.trees, self.files, self.packed)


def case(dice, records):
    return Maker(dice, records).make()
