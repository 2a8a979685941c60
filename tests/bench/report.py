# SPDX-License-Identifier: Apache-2.0
"""Line: one row of the result table, on the terminal and in RESULTS.md."""

from dataclasses import dataclass, field

from programs import middle


def spread(values, unit="", digits=2):
    """'1.23 (1.20–1.31) M/s'"""
    median, low, high = middle(values)
    return f"{median:,.{digits}f} ({low:,.{digits}f}–{high:,.{digits}f}){unit}"


@dataclass
class Line:
    what: str
    goal: str
    measured: str
    limit: str = "–"
    met: bool | None = None  # None: there is no goal
    problems: list = field(default_factory=list)

    def verdict(self):
        if self.problems:
            return "INVALID: " + "; ".join(dict.fromkeys(self.problems))
        return "" if self.met is None else "ok" if self.met else "not met"

    def cells(self):
        return [self.what, self.goal, self.measured, self.limit,
                self.verdict().replace("|", "/").replace("\n", " ")]

    def text(self):
        return (f"{self.what}\n    measured {self.measured}\n    goal     {self.goal}\n"
                f"    limit    {self.limit}\n    {self.verdict() or 'no goal set'}")
