# SPDX-License-Identifier: Apache-2.0
"""Fields of a record by name. o.c is the member of that name, otherwise member c of object o."""


def _inside(fields, name):
    """(object, name in it) of a dotted field that stands in an object, or None."""
    outer, dot, inner = name.partition(".")
    there = dot and name not in fields and isinstance(fields.get(outer), dict) and inner in fields[outer]
    return (outer, inner) if there else None


def has(fields, name):
    return name in fields or _inside(fields, name) is not None


def get(fields, name, otherwise=None):
    place = _inside(fields, name)
    return fields[place[0]][place[1]] if place else fields.get(name, otherwise)


def put(fields, name, value):
    place = _inside(fields, name)
    if place:
        fields[place[0]] = {**fields[place[0]], place[1]: value}
    else:
        fields[name] = value


def take_out(fields, name):
    """The field, also where it stands behind one of the same name."""
    fields.pop(name, None)
    place = _inside(fields, name)
    if place:
        fields[place[0]] = {k: v for k, v in fields[place[0]].items() if k != place[1]}
