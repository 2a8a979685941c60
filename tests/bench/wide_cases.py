# SPDX-License-Identifier: Apache-2.0
"""Internet-scan data: banners of which few fields are used, the memory of dedupe, the cache of enrich."""

import json
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "services"))

from programs import middle  # noqa: E402
from report import Line, spread  # noqa: E402
from shodan_banners import BannerGenerator  # noqa: E402

WIDE = 6_000  # bytes of a page in a banner, about
MEGABYTES = 400

PIPELINE = """\
pipeline: bench-banners
sources:
  banners:
    type: file
    path: "%s"
    follow: false
    time: {field: timestamp, format: "%%Y-%%m-%%dT%%H:%%M:%%S.%%f", max_delay: 1m}
operators:
  ports: {type: window, input: banners, window: {tumbling: 1m}, by: [port], compute: {banners: count()}}
sinks:
  out: {type: "null", input: ports}
"""


def measure(programs, chosen):
    return [banners(programs, chosen), dedupe(programs, chosen), cache(programs, chosen)], []


def _file(programs, megabytes):
    """Banners of 3 to 20 KB; times go on, so that windows close."""
    file = programs.directory / "banners.ndjson"
    made = [json.dumps(with_page(b.record, n), ensure_ascii=False).encode()
            for n, b in enumerate(BannerGenerator(seed=3, hosts=2000).take(2000))]
    with open(file, "wb") as out:
        written = records = 0
        while written < megabytes << 20:
            for line in made:
                second, minute = records // 100 % 60, records // 6000 % 60
                stamp = b'"timestamp": "2024-05-01T%02d:%02d:%02d.000000"' % (
                    records // 360_000 % 24, minute, second)
                line = re.sub(rb'"timestamp": "[^"]*"', stamp, line, count=1)
                out.write(line + b"\n")
                written += len(line) + 1
                records += 1
    return file, written, records


def with_page(record, n):
    """What makes real banners wide: the page itself, with escapes and quotes."""
    line = f'<a href="/{n}">caf\u00e9 &amp; more</a>\r\n\t'
    size = WIDE // 2 + WIDE * 2 * (n % 97) // 97
    return {**record, "data": (line * (size // len(line) + 1))[:size]}


def banners(programs, chosen):
    file, size, records = _file(programs, MEGABYTES if chosen.records >= 5_000_000 else 50)
    limits = programs.limits(file, "timestamp", "port")
    rates, problems = [], []
    for _ in range(chosen.repeat):
        run = programs.streamd_text(PIPELINE % file, {})
        problems += run.problems
        if run.nodes.get("banners", (0,))[0] != records:
            problems.append(f"{run.nodes.get('banners')} of {records} records")
        rates.append(size / run.cpu / 1e9)
    file.unlink()
    return Line(f"Shodan banners, {size / records / 1000:.0f} KB each, 2 fields used, one window",
                "≥ 1 GB per CPU-second", spread(rates, " GB/CPU-s"),
                f"bare simdjson pass {size / records / limits['json_ns']:.2f} GB/CPU-s",
                middle(rates)[0] >= 1, problems)


def dedupe(programs, chosen):
    keys = 10_000_000 if chosen.records >= 5_000_000 else 1_000_000
    runs = [json.loads(programs.helper("dedupe_cost", keys)) for _ in range(chosen.repeat)]
    each = [run["bytes_per_key"] for run in runs]
    return Line(f"dedupe of {keys:,} keys", "≤ 64 B each",
                f"{spread(each, ' B', 0)}; new key {spread((r['new_ns'] for r in runs), ' ns', 0)}, "
                f"known key {spread((r['known_ns'] for r in runs), ' ns', 0)}", met=middle(each)[0] <= 64)


def cache(programs, chosen):
    """The operator's own work for a record is in the figure."""
    runs = [json.loads(programs.helper("enrich_cost", 10_000).splitlines()[0]) for _ in range(chosen.repeat)]
    whole = [run["record_ns"] for run in runs]
    problems = [f"{run['misses']} of the records were not in the cache" for run in runs if run["misses"]]
    return Line("enrich, 10,000 keys, one text each, all in the cache", "≤ 100 ns a record",
                f"{spread(whole, ' ns', 0)}, of these {spread((r['cache_ns'] for r in runs), ' ns', 0)} in the cache",
                met=middle(whole)[0] <= 100, problems=problems)
