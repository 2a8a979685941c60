# SPDX-License-Identifier: Apache-2.0
"""CrowdSec's local API is killed, frozen, slow, refuses, or breaks off its answers, and streamd is killed
in between: what was banned stays banned, what is banned later is seen when it is back, and each record
comes out once.
"""

import json
from contextlib import ExitStack

from away_services import Far
from books import rows, whole_rows
from harness import Streamd
from outages import Outages
from scenario import Scenario
from services import CrowdSec

PIPELINE = """\
pipeline: job
checkpoint: {{every: 200ms}}
sources:
  in: {{type: file, path: in.ndjson, follow: {follow}}}
lists:
  decisions: {{type: crowdsec, url: "{url}", key: {key}, refresh: 1s, timeout: {timeout}}}
operators:
  judged: {{type: match, input: in, field: address, list: decisions, keep: all}}
sinks:
  out: {{type: file, input: judged, path: out/judged.ndjson}}
"""
# Banned from the beginning, one by one after each outage, never.
BANNED, LATER, CLEAN = "192.0.2.", "198.51.100.", "203.0.113."


def line(n):
    return json.dumps({"n": n, "address": f"{(BANNED, LATER, CLEAN)[n % 3]}{n // 3 % 16}"}) + "\n"


class LocalApi(Far):
    few = 3

    def __init__(self, cleanup):
        super().__init__(cleanup, CrowdSec)
        self.service.import_decisions([{"value": f"{BANNED}{n}"} for n in range(16)])

    def hurts(self, small):
        return super().hurts(small) + self.http_hurts()


class ListRound(Outages):
    who = 'list "decisions"'
    told_once = True  # The copy for a restart is up to date from then on.

    def __init__(self, chaos, far):
        self._settings = {"url": far.proxy.url, "key": far.service.bouncer_key(),
                          "timeout": "3s" if chaos.small else "5s"}
        self._later = []
        run = Streamd(chaos.binary, self.pipeline("true"), chaos.new_folder(f"round{chaos.rounds}"),
                      ["--workers", 1], name="job")
        super().__init__(chaos, far, run, line)

    def pipeline(self, follow):
        return PIPELINE.format(follow=follow, **self._settings)

    def go(self):
        self.run.start()
        self.run.wait_until(self.judged, 60, "the first records are there")
        self.play(self.pipeline("false"))
        for address in self._later:
            self.far.service.delete_decision(address)

    def judged(self):
        return whole_rows(self.run.directory / "out/judged.ndjson")

    def meanwhile(self, hurt, fed):
        self.run.wait_until(lambda: len(self.judged()) >= fed, 30, f"records go on while it is {hurt.name}")

    def afterwards(self, hurt, fed):
        """What is banned now is seen, at the latest when the next question is answered."""
        if not self.feeder.is_alive():
            self.meanwhile(hurt, fed)
            return
        address = f"{LATER}{len(self._later)}"
        self._later.append(address)
        self.far.service.add_decision(address)
        self.run.wait_until(lambda: any(r["address"] == address and "match.type" in r for r in self.judged()),
                            60, f"{address} is banned after it was {hurt.name}")

    def compare(self):
        chaos, found = self.chaos, rows(self.run.directory / "out/judged.ndjson")
        chaos.check([row["n"] for row in found] == list(range(self.feeder.fed)), "records are lost or there twice")
        for row in found:
            judged = row.get("match.type")
            chaos.check(judged == "ban" if row["address"].startswith(BANNED) else
                        judged is None or row["address"] in self._later, f"judged wrongly: {row}")
        for address in self._later:
            # Once banned, always banned: an outage forgets nothing.
            seen = "".join("b" if "match.type" in row else "." for row in found if row["address"] == address)
            chaos.check("b." not in seen and "b" in seen, f"{address}: {seen}")
        chaos.count("records", len(found))


def crowdsec(chaos):
    with ExitStack() as cleanup:
        far = LocalApi(cleanup)
        while chaos.goes_on():
            ListRound(chaos, far).go()


SCENARIOS = [Scenario("away_crowdsec", "CrowdSec's local API likewise: no decision is forgotten", crowdsec,
                      ("crowdsec",))]
