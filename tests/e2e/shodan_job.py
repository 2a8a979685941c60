# SPDX-License-Identifier: Apache-2.0
"""Job A, which pipelines/shodan.yaml describes: the banners that come, and the truth about what
has to reach where.
"""

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shodan_banners import BannerGenerator, findings

DELAY = timedelta(minutes=1)  # max_delay of the stream
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
TOPIC, DATABASE, HISTORY = "shodan-banners", "shodan", "banners-2024-05"


def expected_news(banners, bad):
    """(address, finding) of everything that is news about our hosts; bad: addresses with a ban."""
    told = {(f[1], f[2] if f[0] == "cve" else f"port {f[2]}/{f[3]}") for f in findings(banners)}
    return told | {(b.ip, "CrowdSec: ban") for b in banners if b.ours and b.ip in bad}


def said(discord):
    """What the channel was told, in the same form, repetitions included."""
    titles = [embed["title"].replace("\\", "") for message in discord.messages
              for embed in message["embeds"]]
    # The first ": " is not inside of an address, which has no blank.
    return [tuple(title.split(": ", 1)) for title in titles]


def identity(banner):
    record = banner.record
    return banner.ip, record["port"], record["transport"], record["hash"]


def happened(banner):
    return datetime.fromisoformat(banner.record["timestamp"])


def without_repeats(banners):
    """Those of which nothing was said before, in the order in which they come."""
    first = {}
    for banner in banners:
        first.setdefault(identity(banner), banner)
    return list(first.values())


def spoiled(banner, **changes):
    """The banner with other values; None takes a field out."""
    record = {name: value for name, value in {**banner.record, **changes}.items()
              if name not in changes or changes[name] is not None}
    return replace(banner, record=record, repeats=None, ours=False, findings=frozenset())


@dataclass
class Stream:
    """A search's banners, newest first as a page shows them, then what the live stream brings:
    good banners, and some that cleaning has to take out."""

    found: list
    live: list
    no_port: list
    no_address: list
    no_json: list = field(default_factory=lambda: [b'{"ip_str": "192.0.2.1", "port": 8\n'])

    @classmethod
    def of(cls, count, seed=7, hosts=8):
        # The statistics of some hours; the last ones of them are complete.
        made = BannerGenerator(seed, hosts, apart=max(2, 18_000 // count)).take(count)
        cut = min(100, count // 3)
        return cls(made[:cut][::-1], made[cut:],
                   [spoiled(b, port=p, hash=k) for k, (b, p) in enumerate(zip(made, (0, 70_000)))],
                   [spoiled(made[0], ip_str=None, ipv6=None, ip=None)])

    @property
    def good(self):
        """In the order in which streamd sees them."""
        return self.found + self.live

    @property
    def live_lines(self):
        """What is sent while streamd listens. The last one is good: it closes the windows."""
        bad = [b.line for b in self.no_port + self.no_address] + self.no_json
        return [b.line for b in self.live[:-1]] + bad + [self.live[-1].line]

    @property
    def fresh(self):
        return without_repeats(self.good)

    def statistics(self):
        """collection -> (the field counted, its sum over all windows that are complete)."""
        complete = max(happened(b) for b in self.live) - DELAY

        def closed(size):
            return [b for b in self.fresh
                    if (complete - datetime.min) // size > (happened(b) - datetime.min) // size]

        hours = Counter((happened(b).replace(minute=0, second=0, microsecond=0), cve, b.ip)
                        for b in closed(HOUR) for cve in b.record.get("vulns", {}))
        return {"per-country": ("banners", len(closed(MINUTE))),
                "per-port": ("banners", len(closed(MINUTE))),
                "per-product": ("banners", len(closed(HOUR))),
                "per-organisation": ("banners", len(closed(HOUR))),
                "per-cve": ("hosts", len(hours))}


def with_search(pipeline):
    """The text of pipelines/shodan.yaml with a search, of what was there before, beside the stream."""
    search = '''  found:
    type: shodan
    mode: search
    query: net:203.0.113.0/24,198.51.100.0/24,192.0.2.0/24,2001:db8::/32
    key: ${SHODAN_KEY}
    url: ${SHODAN_URL:-https://api.shodan.io}
    max_record: 16MiB
    # A search gives the newest first: the others are not late because of it.
    time: {field: timestamp, format: "%Y-%m-%dT%H:%M:%S.%f", max_delay: 1d}

lists:
'''
    for old, new in (("\nlists:\n", "\n" + search), ("    input: banners\n", "    input: [found, banners]\n")):
        if pipeline.count(old) != 1:
            raise ValueError(f"pipelines/shodan.yaml has {old!r} {pipeline.count(old)} times, not once")
        pipeline = pipeline.replace(old, new)
    return pipeline


def rows_of(kafka):
    return [json.loads(record.value) for record in kafka.consume_all(TOPIC)]
