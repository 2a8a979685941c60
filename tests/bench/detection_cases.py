# SPDX-License-Identifier: Apache-2.0
"""Detection: what pipelines/ddos.yaml costs with all its methods, and how well they find attackers that are known."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

import ddos_quality as quality  # noqa: E402
from ddos_traffic import everything  # noqa: E402
from programs import BenchError, middle  # noqa: E402
from report import Line, spread  # noqa: E402


def measure(programs, chosen):
    return [speed(programs, chosen), *found(programs)], []


def to_nothing(text):
    """The pipeline with nobody who writes."""
    head, _, _ = text.partition("\nsinks:\n")
    return head + '\nsinks:\n  out: {type: "null", input: [reminders, newly]}\n  networks: {type: "null", input: neighbours}\n'


def speed(programs, chosen):
    traffic = everything(seed=2, visitors=6000, swarm=3000, crowd=6000)
    log = programs.directory / "attacked.log"
    traffic.write(log)
    runs = [programs.streamd_text(to_nothing(quality.pipeline()), {"ACCESS_LOG": log, "FOLLOW": "false"})
            for _ in range(chosen.repeat)]
    problems = [p for run in runs for p in run.problems]
    for run in runs:
        if run.nodes.get("requests", (None,))[0] != len(traffic.requests):
            problems.append(f"{run.nodes.get('requests')} instead of {len(traffic.requests):,} lines")
    rates = [len(traffic.requests) / run.cpu / 1e6 for run in runs]
    limits = programs.limits(log)
    return Line(f"ddos.yaml, all methods, {len(traffic.requests):,} access log lines", "≥ 1 M lines per CPU-second",
                f"{spread(rates, ' M/CPU-s')}, {1000 / middle(rates)[0]:.0f} ns of CPU a line",
                f"with line ends {limits['lines_ns']:.0f} ns a line", middle(rates)[0] >= 1, problems)


def found(programs):
    """A row for each method, and one for all together."""
    traffic = everything()
    log = programs.directory / "known.log"
    traffic.write(log)

    def run(every_reason):
        folder = programs.directory / f"found-{every_reason}"
        folder.mkdir()
        (folder / "ddos.yaml").write_text(quality.pipeline(every_reason))
        cost, told, errors = programs.measured(
            [programs.binary, "run", folder / "ddos.yaml", "--state-dir", folder / "state"],
            quality.environment(log, folder))
        if cost["code"] != 0:
            raise BenchError(errors[-1000:])
        return told, *((folder / name).read_text().split() for name in ("blocked.txt", "networks.txt"))

    _, blocked, networks = run(False)
    rows, by_attack = quality.table(traffic, quality.reasons(run(True)[0]), set(blocked), networks)
    attackers = sum(map(len, traffic.attackers.values()))
    clients = len({client for _, client, *_ in traffic.requests})
    percent = "{:.1f} %".format
    lines = []
    for method, named, wrong, precision, recall in rows:
        together = method == "together"
        lines.append(Line(
            f"ddos.yaml, {'all methods together' if together else 'method ' + method}: {attackers:,} attackers "
            f"among {clients:,} clients", "≥ 99 % precision, ≥ 95 % recall" if together else "–",
            f"precision {'–' if precision is None else percent(precision * 100)}, recall {percent(recall * 100)}"
            f" ({named:,} named, {wrong:,} wrong)",
            "; ".join(f"{attack} {percent(part * 100)}" for attack, part in by_attack.items()) if together else "–",
            (precision or 0) >= 0.99 and recall >= 0.95 if together else None))
    return lines
