# SPDX-License-Identifier: Apache-2.0
"""The rate limits that the Discord stand-in keeps, on a clock that a test may own."""

from collections import deque


class Window:
    """At most `limit` in `seconds`, counted from the first of them, as Discord's buckets are."""

    def __init__(self, limit, seconds):
        self.limit, self.seconds = limit, seconds
        self.used, self.ends = 0, 0.0

    def take(self, now):
        """0 if there was room, else how many seconds to wait."""
        if now >= self.ends:
            self.used, self.ends = 0, now + self.seconds
        if self.used >= self.limit:
            return self.ends - now
        self.used += 1
        return 0


class InvalidRequests:
    """401, 403 and 429 of the last minutes; too many of them, and the address is banned."""

    def __init__(self, limit=10000, seconds=600):
        self.limit, self.seconds = limit, seconds
        self.count = 0
        self._times = deque()

    def note(self, now):
        """Whether this one was the one too many."""
        self._times.append(now)
        while self._times[0] <= now - self.seconds:
            self._times.popleft()
        self.count = len(self._times)
        return self.count >= self.limit
