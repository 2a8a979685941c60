# SPDX-License-Identifier: Apache-2.0
"""emit: threshold by brute force: one row for each run of windows of a key that pass `having`, one
after the other, at the record that makes the first of them pass.

For records of one partition, in its order: the clock of a record is its floor.
"""

import math
from collections import defaultdict

from oracle_source import Row


class Key:
    def __init__(self):
        self.records = []
        self.told = set()        # where runs that were told begin; of closed ones at most one
        self.closed = -math.inf  # the last window end that was looked at


def run_threshold(rules, taken):
    rows, keys = [], defaultdict(Key)
    for record in taken:
        key = keys[record.group]
        close(rules, key, record.floor, rows)
        key.records.append(record)
        check(rules, key, record, rows)
    for key in keys.values():
        close(rules, key, math.inf, rows)
    return rows


def row_of(rules, key, end):
    """The row of a window that passes; None when it does not."""
    taken = [r for r in key.records if end - rules.size <= r.time < end and end > r.floor]
    return rules.fields(taken, end - rules.size, end)


def check(rules, key, record, rows):
    """Windows that hold the record and do not begin after the newest one of the key."""
    newest = max(r.time for r in key.records)
    last = (newest // rules.every + 1) * rules.every
    ends = [e for e in rules.windows_of(record.time) if record.floor < e <= last]
    if not ends:
        return
    before = ends[0] - rules.every
    if before > record.floor:
        passed = row_of(rules, key, before) is not None
    else:
        passed = any(e <= record.floor for e in key.told)
    orphan = before if before > record.floor and not passed and before in key.told else None
    for end in ends:
        fields = row_of(rules, key, end)
        if fields and passed:
            key.told.discard(end)
        elif fields and not is_told(rules, key, end, orphan):
            rows.append(Row(fields, record.time))
            key.told.add(end)
        orphan = None if fields else end if end in key.told else orphan
        passed = fields is not None


def is_told(rules, key, end, orphan=None):
    """Also when the run has just grown by a window in front, or lost windows there."""
    if end in key.told:
        return True
    for mark in (end + rules.every, orphan):
        if mark in key.told:
            key.told.remove(mark)
            key.told.add(end)
            return True
    return False


def close(rules, key, floor, rows):
    """What happens at the window ends up to the floor."""
    if not key.records:
        return
    ends = {end for r in key.records for end in range((r.time // rules.every + 1) * rules.every,
                                                      r.time + rules.size + rules.every + 1, rules.every)}
    for end in sorted(e for e in ends if key.closed < e <= floor):
        fields = row_of(rules, key, end)
        goes_on = any(e < end for e in key.told)
        if fields and not goes_on and not is_told(rules, key, end):
            rows.append(Row(fields, end - 1))
            key.told.add(end)
        first = min((e for e in key.told if e <= end), default=None)
        key.told = {e for e in key.told if e > end or (fields and e == first)}
    if floor > key.closed:
        key.closed = floor
        key.records = [r for r in key.records if r.time + 2 * rules.size > floor]
