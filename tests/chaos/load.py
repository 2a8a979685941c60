# SPDX-License-Identifier: Apache-2.0
"""Many more keys than max_keys: memory stays below a limit, and what was counted or shed is all."""

from books import rows
from harness import Streamd
from memory import BASE, PER_KEY, run_to_end
from scenario import Scenario

MANY_KEYS = """\
pipeline: job
sources:
  requests:
    type: generate
    rate: {rate}
    count: {count}
    clients: {clients}
    hosts: 1000
    skew: 0
    attackers: 0
    partitions: 2
    time: {{field: "@timestamp", format: unix}}
operators:
  per_key:
    type: window
    input: requests
    window: {{tumbling: 20s}}
    by: [client_ip, host]
    compute: {{requests: count()}}
    max_keys: {keys}
    on_full: {policy}
  total:
    type: window
    input: per_key
    window: {{tumbling: 1h}}
    compute: {{requests: sum(requests), keys: count()}}
sinks:
  out: {{type: file, input: total, path: out/total.ndjson}}
"""


def keys(chaos):
    # Of the pairs of client and host hardly one comes twice. 50 million take minutes.
    count, most = (50_000_000, 4_000_000) if chaos.seconds >= 60 else (300_000, 50_000)
    while chaos.goes_on():
        for policy in ("refuse", "evict"):
            text = MANY_KEYS.format(rate=count // 20, count=count, clients=count // 50, keys=most,
                                    policy=policy)
            run = Streamd(chaos.binary, text, chaos.new_folder(policy), args=["--workers", 2], name="job")
            books = run_to_end(chaos, run, BASE + most * PER_KEY, f"{count} keys, {policy}", 3600)
            window = books["per_key"]
            shed = window.left.get("shed", 0)
            (total,) = rows(run.directory / "out" / "total.ndjson")
            chaos.check(window.read == count and set(window.left) == {"shed"}, f"{policy}: {window}")
            chaos.check(total["requests"] + shed == count, f"{policy}: {total} and {window}")
            chaos.check(most * 0.9 <= total["keys"] <= most, f"{policy}: {total}, of {most} keys")
            chaos.count("records shed", shed)


SCENARIOS = [Scenario("load_keys", "many more keys than max_keys, refused and evicted", keys)]
