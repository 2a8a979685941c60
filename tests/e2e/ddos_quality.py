# SPDX-License-Identifier: Apache-2.0
"""How well pipelines/ddos.yaml finds attackers that are known: precision and recall, by method and together."""

import ipaddress
import os
import re
from pathlib import Path

ROOT = Path(os.environ.get("STREAMD_SOURCE_DIR", Path(__file__).resolve().parents[2]))
METHODS = ("flood", "surge", "unusual", "dominant", "concentrated", "errors", "urls", "machine", "patient", "newcomer")
REASON = re.compile(r"(?:^|; )([a-z]+) \([\d.]+\)")


def pipeline(every_reason=False):
    """The shipped one; `every_reason`: tells each client that any method names."""
    text = (ROOT / "pipelines/ddos.yaml").read_text()
    if not every_reason:
        return text
    once = "newly: {type: dedupe, input: suspects, by: [remote_addr], within: 10m, keep: after_silence}"
    always = "newly: {type: filter, input: suspects, where: score > 0.0}"
    for old, new in (("at_least: 5\n", "at_least: 0.5\n"), (once, always)):
        assert text.count(old) == 1
        text = text.replace(old, new)
    return text


def environment(log, folder):
    """What the pipeline is to read and write, with plain lists."""
    return {"ACCESS_LOG": str(log), "FOLLOW": "false", "BLOCKLIST_FORMAT": "plain",
            "BLOCKLIST": str(folder / "blocked.txt"), "NETWORK_BLOCKLIST": str(folder / "networks.txt")}


def reasons(stdout):
    """{client: methods that named it} of what the sink `told` wrote."""
    found = {}
    for line in stdout.splitlines():
        client, _, rest = line.partition(" has ")
        _, _, why = rest.partition(": ")
        found.setdefault(client, set()).update(REASON.findall(why))
    return found


def rate(named, attackers):
    """(precision, recall); None where nobody was named."""
    right = len(named & attackers)
    return right / len(named) if named else None, right / len(attackers)


def table(traffic, by_reason, blocked, networks):
    """Rows (method, named, wrong, precision, recall) and the recall of each attack by all together."""
    everybody = set().union(*traffic.attackers.values())
    clients = {client for _, client, *_ in traffic.requests}
    inside = {c for c in clients for n in networks if ipaddress.ip_address(c) in ipaddress.ip_network(n)}
    named = {method: {c for c, why in by_reason.items() if method in why} for method in METHODS}
    named["networks"], named["together"] = inside, blocked
    rows = [(method, len(who), len(who - everybody), *rate(who, everybody)) for method, who in named.items()]
    return rows, {attack: rate(blocked, who)[1] for attack, who in traffic.attackers.items()}


def shown(rows, by_attack):
    percent = lambda part: "-" if part is None else f"{part * 100:.1f} %"
    lines = [f"{'method':<14}{'named':>7}{'wrong':>7}{'precision':>11}{'recall':>9}"]
    lines += [f"{m:<14}{n:>7}{w:>7}{percent(p):>11}{percent(r):>9}" for m, n, w, p, r in rows]
    lines += ["", f"{'attack':<21}{'found by all together':>23}"]
    lines += [f"{attack:<21}{percent(part):>23}" for attack, part in by_attack.items()]
    return "\n".join(lines)
