#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""./dev demo syslog: pipelines/syslog.yaml whole, on a real rsyslog and OpenSearch and a stand-in of Discord.

exit: 0 all that was expected has arrived and nothing else was told, 1 not so, 2 the arguments are wrong
"""

import argparse
import os
import shutil
import sys
from contextlib import ExitStack
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "services")]

import syslog_job as job  # noqa: E402
from books import books_of, unbalanced  # noqa: E402
from discord_text import render  # noqa: E402
from foreground import Foreground  # noqa: E402
from rsyslog_service import Forward, Rsyslog  # noqa: E402
from services import Discord, OpenSearch, ServiceError, free_port  # noqa: E402

ROOT = HERE.parents[1]
PATIENCE = 120  # Seconds.
LOGGED = 25  # Messages that really go through logger and rsyslog.


def say(text):
    print(f"==> {text}", flush=True)


def play(options, cleanup, folder):
    """The exit code."""
    say("starting OpenSearch")
    opensearch = cleanup.enter_context(OpenSearch())
    say("starting Discord (a stand-in) and a web server with a list of addresses")
    discord, indicators = cleanup.enter_context(Discord()), cleanup.enter_context(job.Indicators())
    port = free_port()
    environment = {"SYSLOG_PORT": str(port), "INDICATORS_URL": indicators.url, "ES_URL": opensearch.url,
                   "DISCORD_WEBHOOK": discord.webhook_url(discord.webhook())}
    (folder / "demo.env").write_text("".join(f"{name}='{value}'\n" for name, value in environment.items()))
    run = Foreground([options.streamd, "run", ROOT / "pipelines/syslog.yaml", "--state-dir", folder / "state",
                      "--progress"], environment)
    cleanup.callback(run.kill)
    run.wait_until(lambda: job.listens(port), PATIENCE)
    made = job.Job.of(job.started())
    say(f"{len(made.messages)} messages of {len(job.HOSTS)} hosts over {job.MINUTES} minutes of event time")
    job.send(port, made.messages)
    say("starting rsyslog; logger says something through it")
    rsyslog = cleanup.enter_context(Rsyslog(forward=[Forward(port)]))
    rsyslog.log_many([f"message {n} of logger" for n in range(LOGGED)], tag="demo")
    total = len(made.messages) + LOGGED
    run.wait_until(lambda: opensearch.count("syslog-*") >= total and len(job.said(discord)) >= len(made.told), PATIENCE)
    code = run.stop()
    if code != 0:
        say(f"streamd ended with {code}")
        return 1
    (folder / "messages.txt").write_text("".join(map(render, discord.messages)))
    return show(job.beyond(job.said(discord), made.told) + unbalanced(books_of(run)),
                [("hosts", "messages sent", books_of(run)["messages"].read, total),
                 ("OpenSearch", "documents in syslog-*", opensearch.count("syslog-*"), total),
                 ("Discord", "alerts", len(job.said(discord)), len(made.told))], folder, options.streamd)


def show(wrong, lines, folder, streamd):
    say("what Discord shows")
    print((folder / "messages.txt").read_text())
    say("what reached where")
    print(f"{'where':14}{'what':30}{'arrived':>9}{'expected':>10}")
    for place, what, arrived, expected in lines:
        print(f"{place:14}{what:30}{arrived:9}{expected:10}{'' if arrived == expected else '   WRONG'}")
    for line in wrong:
        print(f"WRONG: {line}")
    shown = os.path.relpath(folder, ROOT) if folder.is_relative_to(ROOT) else folder
    program = os.path.relpath(streamd, ROOT) if Path(streamd).is_relative_to(ROOT) else streamd
    print(f"""
Three things to try next:
  (set -a; . {shown}/demo.env; {program} lists test {job.LISTED} pipelines/syslog.yaml --state-dir {shown}/state)
  (set -a; . pipelines/example.env; {program} check pipelines/syslog.yaml)
  {program} docs absent      and parse, extract, join, first_seen
""", flush=True)
    return int(bool(wrong or any(a != e for _, _, a, e in lines)))


def arguments():
    parser = argparse.ArgumentParser(prog="./dev demo syslog", description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=ROOT / "out/demo-syslog",
                        help="what is left to look at; emptied before [out/demo-syslog]")
    parser.add_argument("--streamd", type=Path, help=argparse.SUPPRESS,
                        default=os.environ.get("STREAMD_BIN", ROOT / "build/release/bin/streamd"))
    options = parser.parse_args()
    options.streamd = Path(options.streamd).resolve()
    if not os.access(options.streamd, os.X_OK):
        parser.error(f"{options.streamd} is not there: run ./dev build")
    return options


def main():
    options = arguments()
    folder = options.folder.resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        with ExitStack() as cleanup:
            cleanup.callback(lambda: say("the services are stopped"))
            return play(options, cleanup, folder)
    except ServiceError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
