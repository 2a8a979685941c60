# SPDX-License-Identifier: Apache-2.0
"""What a random pipeline knows of the records at each place."""

from dataclasses import dataclass

JSON_FIELDS = {"t": ("any", "none"), "k": ("any", "text"), "g": ("any", "int"), "x": ("any", "real"),
               "s": ("any", "numeral"), "b": ("any", "flag"), "u": ("any", "text"), "ip": ("any", "address"),
               "ts": ("any", "moment"), "o": ("any", "object"), "o.c": ("any", "int")}
LOG_FIELDS = {"remote_addr": ("string", "text"), "remote_user": ("string", "text"),
              "request_method": ("string", "text"), "path": ("string", "text"),
              "status": ("int", "int"), "body_bytes_sent": ("int", "int"),
              "time_local": ("timestamp", "time"), "http_user_agent": ("string", "text"),
              "query": ("string", "text")}


@dataclass(frozen=True)
class Stream:
    """What is known of what leaves a port."""
    name: str
    env: dict
    closed: bool
    ordered: bool       # one partition, one path: the order of arrival is fixed
    punctual: bool      # nothing is late
    around_1970: bool   # the only time at which a window of 4000 days ends
    step: int           # mean micros between records
    timed: bool = True  # nothing is older than what came before: alarms have the time of their record
    raw: bool = True    # records, not results of windows
    gone: frozenset = frozenset()  # names that it had


def together(chosen):
    """The streams as one input."""
    env = {}
    for name, (kind, use) in chosen[0].env.items():
        uses = [s.env.get(name) for s in chosen]
        if None not in uses:
            same = all(u == uses[0] for u in uses)
            env[name] = (kind, use) if same else ("mixed", "none")
    names = {n for s in chosen for n in s.env} - set(env)
    return Stream("", env, chosen[0].closed, False, all(s.punctual for s in chosen),
                  any(s.around_1970 for s in chosen),
                  min(s.step for s in chosen), all(s.timed for s in chosen), chosen[0].raw,
                  frozenset().union(names, *(s.gone for s in chosen)))
