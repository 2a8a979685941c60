# SPDX-License-Identifier: Apache-2.0
"""The service behind a sink is killed, frozen, slow, refuses, or breaks off its answers, and streamd
is killed in between. Nothing is lost, nothing is there twice where ids make that possible; the windows
and the other sink of the pipeline go on meanwhile, and their files are those of an undisturbed run.
"""

import json
import re
from contextlib import ExitStack

from away_services import Chat, Elasticsearch, Mongo
from books import rows
from harness import Streamd
from outages import Outages
from scenario import Scenario

BEGIN = 1_700_000_000
PIPELINE = """\
pipeline: job
checkpoint: {{every: 200ms}}
sources:
  in:
    type: file
    path: in.ndjson
    follow: {follow}
    time: {{field: at, format: unix, max_delay: 1s, idle_after: 10h}}
operators:
  per_client:
    type: window
    input: in
    window: {{tumbling: 2s}}
    by: [client]
    compute: {{records: count(), sum: sum(n)}}
  chosen: {{type: filter, input: in, where: n % {share} == 0}}
sinks:
  copy: {{type: file, input: in, path: out/copy.ndjson}}
  windows: {{type: file, input: per_client, path: out/windows.ndjson}}
  far: {{{far}, input: chosen}}
"""


def line(n):
    return json.dumps({"n": n, "client": f"c{n % 7}", "at": str(BEGIN + n / 100)}) + "\n"


class SinkRound(Outages):
    who = 'sink "far"'

    def __init__(self, chaos, far):
        self.name = f"round{chaos.rounds}"
        sink = far.sink(self.name, "3s" if chaos.small else far.timeout)
        longest = "300ms" if chaos.small else "5s"
        self._far = f"{sink}, batch: {{{far.batch(chaos.small)}}}, retry: {{first: 50ms, longest: {longest}}}"
        self._share, self.limited = far.share, far.limited
        run = Streamd(chaos.binary, self.pipeline("true"), chaos.new_folder(self.name), ["--workers", 1],
                      name="job")
        super().__init__(chaos, far, run, line)

    def pipeline(self, follow):
        return PIPELINE.format(follow=follow, share=self._share, far=self._far)

    def go(self):
        self.run.start()
        self.run.wait_until(lambda: self.far.count(self.name) > 0, 60, "the first records are there")
        self.play(self.pipeline("false"))

    def meanwhile(self, hurt, fed):
        copy = self.run.directory / "out/copy.ndjson"
        self.run.wait_until(lambda: copy.read_bytes().count(b"\n") >= fed, 30,
                            f"the other sink goes on while it is {hurt.name}")

    def afterwards(self, hurt, fed):
        self.run.wait_until(lambda: self.far.count(self.name) >= -(-fed // self._share), 180,
                            f"all is there after it was {hurt.name}")

    def compare(self):
        chaos, wanted = self.chaos, range(0, self.feeder.fed, self._share)
        found = self.far.numbers(self.name)
        missing = set(wanted) - set(found)
        chaos.check(not missing, f"{len(missing)} of {len(wanted)} are lost, such as {sorted(missing)[:5]}")
        chaos.check(set(found) == set(wanted), "something is there that was never sent")
        twice = found.total() - len(wanted)
        chaos.check(not (twice and self.far.once), f"{twice} are there twice")
        letters = rows(self.run.state_dir / "job/dead_letters/dead_letters.ndjson")
        chaos.check(not letters, f"dead letters: {letters[:3]}")
        self.compare_files()
        chaos.count("records", len(wanted))
        if twice:
            chaos.count("repeated, as an answer was lost", twice)

    def compare_files(self):
        chaos = self.chaos
        text = re.sub(r"(?m)^  far: .*\n|^  chosen: .*\n", "", self.pipeline("false"))
        straight = Streamd(chaos.binary, text, chaos.new_folder("straight"), ["--workers", 1], name="job")
        (straight.directory / "in.ndjson").write_bytes((self.run.directory / "in.ndjson").read_bytes())
        chaos.check(straight.run(timeout=180) == 0, straight.stderr[-2000:])
        for name in ("copy", "windows"):
            texts = [(run.directory / f"out/{name}.ndjson").read_bytes() for run in (straight, self.run)]
            chaos.check(texts[0] == texts[1] != b"", f"{name}.ndjson differs from an undisturbed run's")


def away(make):
    def play(chaos):
        with ExitStack() as cleanup:
            far = make(cleanup)
            while chaos.goes_on():
                SinkRound(chaos, far).go()
    return play


SCENARIOS = [
    Scenario("away_elasticsearch", "OpenSearch is killed, frozen, slow, refuses, breaks off; streamd is killed",
             away(Elasticsearch), ("opensearch",)),
    Scenario("away_mongodb", "the same with MongoDB's protocol", away(Mongo), ("mongodb",)),
    Scenario("away_discord", "the same with Discord, where a lost answer means a repeated message", away(Chat)),
]
