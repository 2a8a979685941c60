# SPDX-License-Identifier: Apache-2.0
"""One of two producers has a clock that is a day ahead or a day behind, or falls silent. The answers
about the other one are right, and what could not be used is counted.
"""

import time
from collections import Counter

from live import Live, keep_sending
from scenario import Scenario

DAY = 86400


def ahead(chaos):
    live = Live(chaos, "ahead", "10s")
    live.run.start()
    keep_sending(live, ("one", "two"), 2 if chaos.small else 20, DAY)
    last = time.time()
    live.send("one", last + 3)
    # What the other one says is of now, whatever it says: if it fell silent, it would hold the windows.
    live.wait_for("one", "the windows of the right clock close", until=int(last) + 1,
                  each=lambda: live.send("two", time.time() + DAY))
    # What the last record has opened stays open.
    live.expected = Counter({k: n for k, n in live.expected.items() if k[1] <= int(last) + 1})
    live.check("one", "another producer is a day ahead")
    chaos.check(not live.found("two"), f"a window in the future has closed: {live.found('two')}")
    books = live.stop()
    chaos.check(books["requests"].left == {"times clamped": live.sent["two"]}, f"{books['requests'].left}")
    chaos.check(not books["per_second"].left, f"{books['per_second'].left}")


def ahead_and_silent(chaos):
    """All fall silent, first the one whose clock is right: event time goes on from the right time."""
    live = Live(chaos, "silent", "700ms")
    live.run.start()
    keep_sending(live, ("one", "two"), 1, DAY)
    keep_sending(live, ("two",), 1.5, DAY)
    live.wait_for("one", "the last windows close in the silence")
    keep_sending(live, ("one",), 1.5)
    live.wait_for("one", "the windows after the silence close")
    live.check("one", "another producer was a day ahead, then all were silent")
    chaos.check(not live.found("two"), f"a window in the future has closed: {live.found('two')}")
    books = live.stop()
    chaos.check(not books["per_second"].left, f"{books['per_second'].left}")


def behind(chaos):
    live = Live(chaos, "behind", "700ms")
    live.run.start()
    keep_sending(live, ("one", "two"), 2 if chaos.small else 20, -DAY)
    # As long as the slow one speaks, it holds the windows of all. It falls silent.
    held = live.found("one")
    keep_sending(live, ("one",), 2.5)
    live.wait_for("one", "a silent producer no longer holds windows", until=int(time.time()) - 2)
    chaos.check(not held, f"windows closed before the slow producer's time: {held}")
    # Its day-old windows are over; what still comes for them is late, and counted.
    keep_sending(live, ("one",), 0.3)
    live.wait_for("one", "the last windows close")
    live.check("one", "another producer is a day behind")
    live.check("two", "a producer that is a day behind")
    seen = sum(live.found("two").values())
    live.send("two", time.time() - DAY)
    books = live.stop()
    chaos.check(not books["requests"].left, f"{books['requests'].left}")
    window = books["per_second"]
    chaos.check(window.left == {"late": 5}, f"late: {window}")
    chaos.check(window.read == sum(live.found("one").values()) + seen + 5, f"{window}")


def producer_clocks(chaos):
    while chaos.goes_on():
        ahead(chaos)
        ahead_and_silent(chaos)
        behind(chaos)
        chaos.count("producers a day ahead")
        chaos.count("producers a day behind")


SCENARIOS = [
    Scenario("producer_clocks", "one producer a day ahead, one a day behind, one falls silent",
             producer_clocks),
]
