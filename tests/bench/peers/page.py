# SPDX-License-Identifier: Apache-2.0
"""The table of the comparison, and the page around it."""

import subprocess

import bench
from programs import middle
from report import spread

COLUMNS = ("engine", "reads → writes", "records per CPU-second", "the same without start-up", "CPU",
           "of that start-up", "wall", "peak memory", "rows", "verdict")
PATHS = {"file": "file → files", "kafka": "Kafka → Kafka"}


def _median(result, what):
    return middle(getattr(run, what) for run in result.runs)[0]


def _streamd(results, reads):
    return next((r for r in results if r.peer.name == "streamd" and r.peer.reads == reads), None)


def _title(peer):
    return f"{peer.name} {peer.version}".strip()


def _beyond_start(result, records, short):
    """Records per CPU-second, from the difference between the long and the short input."""
    more = _median(result, "cpu") - result.start
    return (records - short) / more if more > 0 else None


def _cells(result, results, records, short):
    ours = _streamd(results, result.peer.reads)
    rate = _beyond_start(result, records, short)
    beyond = "–" if rate is None else f"{rate:,.0f}"
    if rate and ours not in (None, result) and (best := _beyond_start(ours, records, short)):
        beyond += f" (streamd: × {best / rate:,.1f})"
    verdict = "right"
    if result.problems:
        verdict = "INVALID: " + "; ".join(dict.fromkeys(result.problems))
    return [_title(result.peer), PATHS[result.peer.reads],
            spread([records / run.cpu for run in result.runs], "", 0), beyond,
            spread([run.cpu for run in result.runs], " s"), f"{result.start:.2f} s",
            spread([run.wall for run in result.runs], " s"),
            spread([run.rss / 1e6 for run in result.runs], " MB", 0), f"{result.rows:,}",
            verdict.replace("|", "/").replace("\n", " ")]


def rows(results, records, short):
    """The table, as lines of Markdown."""
    ordered = sorted(results, key=lambda r: (r.peer.reads, r.peer.name != "streamd"))
    lines = [COLUMNS, ["---"] * len(COLUMNS), *(_cells(r, results, records, short) for r in ordered)]
    return ["| " + " | ".join(cells) + " |" for cells in lines]


def wins(results):
    """Where another engine needs less than streamd on the same input, by the medians."""
    found = []
    for result in results:
        ours = _streamd(results, result.peer.reads)
        if ours is None or ours is result or result.problems:
            continue
        for what, name, unit, scale in (("cpu", "CPU", "s", 1), ("wall", "time", "s", 1),
                                        ("rss", "memory", "MB", 1e6)):
            theirs, mine = _median(result, what) / scale, _median(ours, what) / scale
            if theirs < mine:
                found.append(f"- {result.peer.name} needs less {name}: {theirs:,.1f} {unit} against "
                             f"{mine:,.1f} {unit} ({PATHS[result.peer.reads]}).")
    return found or ["- In these figures, nowhere."]


def page(results, chosen, short, binary, counts, busy):
    version = subprocess.run([binary, "version"], capture_output=True, text=True,
                             check=True).stdout.strip()
    total = sum(counts.values())
    return "\n".join([
        "# streamd beside what one could use instead", "",
        f"Written by `{bench.command_line('./dev bench --peers')}`; how it measures is said in "
        "`tests/bench/peers/peers.py`.", "",
        f"- Machine: {bench.machine()}; load average {busy} the run",
        f"- Version: {version}; those of the others stand beside their names",
        f"- Input: {chosen.records:,} records of `streamd generate nginx` (100,000 clients, Zipf-like; up to "
        "1 s out of order, max_delay 1 s, so that none is late; 10,000 per second of event time)",
        f"- {chosen.repeat} runs of each, in turn: median (smallest–largest). Start-up is the CPU of a run on "
        f"{short:,} records; what the JVM compiles later stays in the figures and weighs less on longer inputs",
        "- Goals: requests per client in 20 s, every 1 s, if > 10; 4xx per host in 30 s, every 1 s, if > 15; "
        "2xx per country and minute; mean request_time per host and minute. Their "
        f"{total:,} rows ({', '.join(f'{name} {count:,}' for name, count in counts.items())}) compared with "
        "a brute force, row by row, in every run; the column `rows` says how many are asked of an engine", "",
        *rows(results, chosen.records, short), "",
        "## Where another engine wins", "", *wins(results),
        "- Not in the table: they answer questions that were not known before, in SQL, with joins; DuckDB and "
        "ClickHouse over files of any size on all cores, Flink and Spark on many machines. streamd runs "
        "declared pipelines on one.", "",
        "## Settings and remarks", "",
        *(f"- **{r.peer.name}** ({r.peer.reads}): {r.peer.settings}."
          + (f" To know: {r.peer.remarks}." if r.peer.remarks else "") for r in results)]) + "\n"
