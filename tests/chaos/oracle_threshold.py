# SPDX-License-Identifier: Apache-2.0
"""emit: threshold by brute force: one row at the record that makes `having` true in a window that is
still open, and the next one only after a window of the key has closed for which it was false.

For records of one partition, in its order: the clock of a record is its floor.
"""

import math
from collections import defaultdict

from oracle_source import Row


class Key:
    def __init__(self):
        self.records = []
        self.fired = None       # end of the window that did
        self.closed = -math.inf  # the last window end that was looked at


def content(rules, key, end):
    return [r for r in key.records if end - rules.size <= r.time < end and end > r.floor]


def run_threshold(rules, taken):
    rows, keys = [], defaultdict(Key)
    for record in taken:
        key = keys[record.group]
        close(rules, key, record.floor, rows)
        key.records.append(record)
        if key.fired is None:
            check(rules, key, record, rows)
    for key in keys.values():
        close(rules, key, math.inf, rows)
    return rows


def check(rules, key, record, rows):
    """Windows that hold the record and do not begin after the newest one of the key."""
    newest = max(r.time for r in key.records)
    last = (newest // rules.every + 1) * rules.every
    for end in rules.windows_of(record.time):
        if end > last:
            return
        fields = rules.fields(content(rules, key, end), end - rules.size, end) if end > record.floor else None
        if fields:
            rows.append(Row(fields, record.time))
            key.fired = end
            return


def close(rules, key, floor, rows):
    """What happens at the window ends up to the floor."""
    if not key.records:
        return
    ends = {end for r in key.records for end in range((r.time // rules.every + 1) * rules.every,
                                                      r.time + rules.size + rules.every + 1, rules.every)}
    for end in sorted(e for e in ends if key.closed < e <= floor):
        fields = rules.fields(content(rules, key, end), end - rules.size, end)
        if fields and key.fired is None:
            rows.append(Row(fields, end - 1))
            key.fired = end
        elif not fields and key.fired is not None and key.fired <= end:
            key.fired = None
    if floor > key.closed:
        key.closed = floor
        key.records = [r for r in key.records if r.time + 2 * rules.size > floor]
