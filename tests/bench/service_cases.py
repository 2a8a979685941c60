# SPDX-License-Identifier: Apache-2.0
"""What goes to services: the MongoDB and Elasticsearch sinks beside bare bulk loops into the same
server, and the HTTP client beside curl."""

import gzip
import json
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "services"))

import http_cases  # noqa: E402
from programs import BenchError, middle  # noqa: E402
from report import Line, spread  # noqa: E402
from services import MongoDB, OpenSearch  # noqa: E402

BATCH = 2000  # documents of a request of the bare loops
CONNECTIONS = 2  # of the sinks, unless they are told otherwise

PIPELINE = """\
pipeline: bench-service
sources:
  requests: {type: file, path: "%s", follow: false}
sinks:
  out: {type: %s, input: requests, %s}
"""


def measure(programs, chosen):
    documents = max(20_000, chosen.records // 50)
    file = programs.directory / "requests.ndjson"
    subprocess.run([programs.binary, "generate", "nginx", "--count", str(documents), "--output", file],
                   check=True)
    return [mongodb(programs, file, documents, chosen.repeat),
            elasticsearch(programs, file, documents, chosen.repeat),
            *http_cases.lines(programs)], [f"FerretDB {_ferretdb()}", f"OpenSearch {_opensearch()}"]


def _ferretdb():
    from mongodb_service import VERSION
    return VERSION


def _opensearch():
    from opensearch_service import VERSION
    return VERSION


def _in_turn(service, repeat, ours, bare):
    """Documents per second of both; each run fills a place of its own."""
    rates, problems = {"ours": [], "bare": []}, []
    with service:
        for n in range(repeat + 1):  # the first warms the server up
            for name, run in (("bare", bare), ("ours", ours)):
                rate, found = run(service, n)
                problems += found
                if n > 0:
                    rates[name].append(rate)
    return rates, problems


def _line(what, rates, problems):
    share = [100 * a / b for a, b in zip(rates["ours"], rates["bare"])]
    return Line(what, "≥ 80 % of a bare bulk loop",
                f"{spread(share, ' %', 0)}: {spread(rates['ours'], ' documents/s', 0)}",
                f"bare loop with {CONNECTIONS} connections {spread(rates['bare'], ' documents/s', 0)}",
                middle(share)[0] >= 80, problems)


def _sink(programs, file, documents, kind, settings):
    run = programs.streamd_text(PIPELINE % (file, kind, settings), {})
    problems = list(run.problems)
    if run.nodes.get("out", (0,))[0] != documents:
        problems.append(f"the sink saw {run.nodes.get('out')}")
    return documents / run.wall, problems


def mongodb(programs, file, documents, repeat):
    def ours(server, n):
        rate, problems = _sink(programs, file, documents, "mongodb",
                               f'uri: "{server.uri}", database: bench, collection: ours{n}')
        if server.count("bench", f"ours{n}") != documents:
            problems.append("documents are missing")
        return rate, problems

    def bare(server, n):
        server.client().drop_database("bench")
        done = json.loads(programs.helper("bare_mongo", server.uri, file, CONNECTIONS))
        return done["documents"] / done["seconds"], []

    return _line(f"MongoDB sink, {documents:,} documents into FerretDB",
                 *_in_turn(MongoDB(), repeat, ours, bare))


def elasticsearch(programs, file, documents, repeat):
    bodies = _bulk_bodies(file, programs.directory / "bulk")

    def ours(server, n):
        rate, problems = _sink(programs, file, documents, "elasticsearch",
                               f'url: "{server.url}", index: ours{n}')
        return rate, problems + _missing(server, f"ours{n}", documents)

    def bare(server, n):
        begin = time.monotonic()
        loops = [_curl_loop(f"{server.url}/bare{n}/_bulk", bodies[c::CONNECTIONS])
                 for c in range(CONNECTIONS)]
        if any(loop.wait() != 0 for loop in loops):
            raise BenchError("curl could not send the bulk requests")
        took = time.monotonic() - begin
        return documents / took, _missing(server, f"bare{n}", documents)

    return _line(f"Elasticsearch sink, {documents:,} documents into OpenSearch",
                 *_in_turn(OpenSearch(fast=True), repeat, ours, bare))


def _missing(server, index, documents):
    server.request("POST", f"/{index}/_refresh")
    found = server.request("GET", f"/{index}/_count")[1]["count"]
    return [] if found == documents else [f"{index} has {found} of {documents} documents"]


def _bulk_bodies(file, folder):
    """Requests as the sink makes them: create with an id, compressed."""
    folder.mkdir()
    bodies, lines = [], []

    def close():
        body = folder / f"{len(bodies)}.gz"
        body.write_bytes(gzip.compress(b"".join(lines), 1))
        bodies.append(body)
        lines.clear()

    for n, line in enumerate(open(file, "rb")):
        lines.append(b'{"create":{"_id":"%032x"}}\n%s' % (n, line))
        if len(lines) == BATCH:
            close()
    if lines:
        close()
    return bodies


def _curl_loop(url, bodies):
    """One curl that sends them one after the other over one connection."""
    command = ["curl", "-sS", "--fail", "--noproxy", "*"]
    for n, body in enumerate(bodies):
        command += ["--next"] * (n > 0) + [
            "-sS", "--fail", "--noproxy", "*", "-o", "/dev/null", "-H", "Content-Type: application/x-ndjson",
            "-H", "Content-Encoding: gzip", "--data-binary", f"@{body}", url]
    return subprocess.Popen(command)
