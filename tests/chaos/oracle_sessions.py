# SPDX-License-Identifier: Apache-2.0
"""Session windows by brute force, a record at a time in the order of arrival.

A session ends gap after its last record, or max after its first. What ended at or before a record's
floor is closed to it. With several partitions the order of arrival is not fixed: such cases have no
record that is late and no session that reaches max, and then the order does not matter.
"""

from oracle_source import Row


class Session:
    def __init__(self, record):
        self.start = self.last = record.time
        self.records, self.fired = [record], False

    def end(self, rules):
        return min(self.last + rules.gap, self.start + rules.max)


def run_sessions(rules, taken, late):
    rows, keys = [], {}
    for record in taken:
        sessions = keys.setdefault(record.group, [])
        close(rules, sessions, record.floor, rows)
        session = place(rules, sessions, record)
        if session is None:
            late.append(record)
            continue
        while absorbed(rules, sessions, session):
            pass
        if rules.emit == "threshold" and not session.fired:
            fields = rules.fields(session.records, session.start, session.end(rules))
            if fields:
                session.fired = True
                rows.append(Row(fields, record.time))
    for sessions in keys.values():
        close(rules, sessions, float("inf"), rows)
    return rows


def place(rules, sessions, record):
    """The session that the record is in now; None when it is late."""
    before = [s for s in sessions if s.start <= record.time]
    after = [s for s in sessions if s.start > record.time]
    if before and record.time < before[-1].end(rules):
        session = before[-1]
        session.last = max(session.last, record.time)
        session.records.append(record)
        return session
    if after and after[0].start - record.time < rules.gap and after[0].last - record.time < rules.max \
            and min(after[0].last + rules.gap, record.time + rules.max) > record.floor:
        after[0].start = record.time
        after[0].records.append(record)
        return after[0]
    if record.time + rules.gap <= record.floor:
        return None
    session = Session(record)
    sessions.insert(len(before), session)
    return session


def absorbed(rules, sessions, session):
    """Whether the session took in the one behind it."""
    at = sessions.index(session) + 1
    if at == len(sessions):
        return False
    other = sessions[at]
    if other.start >= session.end(rules) or other.last - session.start >= rules.max:
        return False
    session.last = max(session.last, other.last)
    session.records += other.records
    session.fired |= other.fired
    del sessions[at]
    return True


def close(rules, sessions, floor, rows):
    for session in [s for s in sessions if s.end(rules) <= floor]:
        sessions.remove(session)
        end = session.end(rules)
        fields = rules.fields(session.records, session.start, end)
        if fields and not session.fired:
            rows.append(Row(fields, end - 1))
