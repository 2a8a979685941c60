# SPDX-License-Identifier: Apache-2.0
"""The nginx job from file to file, and an independent answer to its questions.

The answers are computed by brute force from the rules that the documentation gives:
a record counts in every window that contains its time and ends after its floor, which
is the largest time seen before it in its file minus max_delay.
"""

import json
import math
import os
import subprocess
from collections import defaultdict
from datetime import datetime, timezone
from decimal import Decimal

SECOND = 1_000_000

# How much data the tests use; 1 is enough to find what they are made to find.
SCALE = float(os.environ.get("STREAMD_TEST_SCALE", "1"))

SOURCE = """\
sources:
  requests:
    type: file
    path: {paths}
    decode: json
    time: {{field: "@timestamp", format: unix, max_delay: 2s}}
"""

GOALS = """\
operators:
  typed:
    type: convert
    input: requests
    fields: {status: int, request_time: double}
  busy_clients:
    type: window
    input: typed
    window: {sliding: 20s, every: 1s}
    by: [client_ip]
    compute: {requests: count()}
    having: requests > 10
  failing_hosts:
    type: window
    input: typed
    where: status >= 400 && status < 500
    window: {sliding: 30s, every: 1s}
    by: [host]
    compute: {errors: count()}
    having: errors > 15
  per_country:
    type: window
    input: typed
    where: status >= 200 && status < 300
    window: {tumbling: 1m}
    by: [country]
    compute: {requests: count()}
  latency:
    type: window
    input: typed
    window: {tumbling: 1m}
    by: [host]
    compute: {average: avg(request_time)}
"""

MORE_WINDOWS = """\
  visits:
    type: window
    input: typed
    window: {session: {gap: 5s, max: 1m}}
    by: [client_ip]
    compute: {requests: count(), bytes: sum(request_time), worst: max(status)}
  uneven:
    type: window
    input: typed
    window: {sliding: 25s, every: 10s}
    by: [country]
    compute:
      clients: distinct(client_ip)
      p95: quantile(request_time, 0.95)
      hosts: top(host, 3)
  methods:
    type: window
    input: typed
    window: {sliding: 10s, every: 5s}
    by: [method]
    compute: {worst: max(status), servers: distinct(server)}
    emit: changed
"""

# Its answers depend on the order of arrival, which one file has and two files do not.
ALARMS = """\
  alarms:
    type: window
    input: typed
    window: {sliding: 20s, every: 1s}
    by: [client_ip]
    compute: {requests: count(), first: first(host), last: last(host)}
    having: requests > 10
    emit: threshold
"""

SINKS = """\
sinks:
  goal1: {type: file, input: busy_clients, path: out/goal1.ndjson}
  goal2: {type: file, input: failing_hosts, path: out/goal2.ndjson, time_format: unix}
  goal3: {type: file, input: per_country, path: out/goal3.csv, encode: csv}
  goal4: {type: file, input: latency, path: out/goal4.ndjson}
  raw: {type: file, input: requests, path: out/raw.ndjson, rotate: {size: 4MiB}}
"""

MORE_SINKS = """\
  visits_out: {type: file, input: visits, path: out/visits.csv, encode: csv, rotate: {size: 128KiB}}
  uneven_out: {type: file, input: uneven, path: out/uneven.ndjson}
  methods_out: {type: file, input: methods, path: out/methods.ndjson}
"""

ALARM_SINK = "  alarms_out: {type: file, input: alarms, path: out/alarms.ndjson}\n"


def job(paths, windows="all", checkpoint="20ms"):
    """The pipeline on these files. windows: goals (the four questions), sets (all kinds
    whose answers do not depend on the order of files) or all."""
    text = "pipeline: job\n" + f"checkpoint: {{every: {checkpoint}}}\n"
    text += SOURCE.format(paths=json.dumps([str(p) for p in paths])) + GOALS
    more = windows != "goals"
    text += (MORE_WINDOWS if more else "") + (ALARMS if windows == "all" else "")
    return text + SINKS + (MORE_SINKS if more else "") + (ALARM_SINK if windows == "all" else "")


def generate(binary, path, count, *, rate=1000, clients=3000, disorder="3s", seed=1):
    """Made-up requests, some of them out of order by more than the job allows."""
    subprocess.run([str(binary), "generate", "--count", str(count), "--rate", str(rate),
                    "--clients", str(clients), "--disorder", disorder, "--seed", str(seed),
                    "--output", str(path)], check=True)


def micros(text):
    return int(Decimal(text) * SECOND)


def floors(records, max_delay=2 * SECOND):
    """(record, time, floor) of each record of one file, in its order."""
    newest = None
    for record in records:
        time = micros(record["@timestamp"])
        yield record, time, -math.inf if newest is None else newest - max_delay
        newest = time if newest is None else max(newest, time)


def windows_of(time, size, every):
    """Ends of the windows [end - size, end) that contain the time."""
    end = (time // every + 1) * every
    while end - size <= time:
        yield end
        end += every


class Answers:
    """One question: collect(record, ...) for each record, then rows()."""

    def __init__(self, key, size, every, where=lambda r: True):
        self.key, self.size, self.every, self.where = key, size, every, where
        self.found = defaultdict(list)
        self.late = 0

    def add(self, record, time, floor):
        if not self.where(record):
            return
        taken = [end for end in windows_of(time, self.size, self.every) if end > floor]
        self.late += not taken
        for end in taken:
            self.found[record[self.key], end].append(record)


def answers(files):
    """Goals 1 to 4 and the late records of each, from the contents of the input files."""
    status = lambda low: lambda r: low <= int(r["status"]) < low + 100  # noqa: E731
    goals = {"busy_clients": Answers("client_ip", 20 * SECOND, SECOND),
             "failing_hosts": Answers("host", 30 * SECOND, SECOND, status(400)),
             "per_country": Answers("country", 60 * SECOND, 60 * SECOND, status(200)),
             "latency": Answers("host", 60 * SECOND, 60 * SECOND)}
    for records in files:
        for record, time, floor in floors(records):
            for goal in goals.values():
                goal.add(record, time, floor)
    return goals


def rfc3339(text):
    return int(datetime.fromisoformat(text.replace("Z", "+00:00"))
               .astimezone(timezone.utc).timestamp()) * SECOND
