#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Real services, and stand-ins, for tests and for trying things out, without containers.

As a library:   from services import Kafka, Nginx, free_port, wait_until
As a program:   services.py fetch [NAME…] | up NAME… | down [NAME…] | status [NAME…]

The program's services outlive it. They live in build/services/NAME, on their usual
port if that is free; `down` keeps their data, `./dev clean` removes it.
"""

import json
import os
import signal
import sys
from pathlib import Path

from compose_model import compose_reader
from crowdsec_service import CrowdSec, crowdsec_programs
from discord_standin import Discord, discord_js  # noqa: F401 (re-exported)
from editor_tools import graphviz, language_server, mermaid
from fault_proxy import FaultProxy  # noqa: F401
from kafka_service import Kafka, Record, jars  # noqa: F401
from mongodb_service import MongoDB, ferretdb, pymongo
from nginx_service import Nginx
from opensearch_service import OpenSearch, opensearch_classpath
from rsyslog_service import Forward, Rsyslog  # noqa: F401
from service import (  # noqa: F401
    Service,
    ServiceError,
    cache_dir,
    free_port,
    stop_process,
    tail,
    wait_until,
)
from shodan_standin import Shodan, shodan_client  # noqa: F401
from tls_front import TlsFront

HOME = Path(__file__).resolve().parents[2] / "build" / "services"


def _kafka(folder, ports):
    ports = ports or [free_port(9092), free_port()]
    service = Kafka(directory=folder, ports=ports, detached=True).start()
    return service, ports, service.bootstrap


def _nginx(folder, ports):
    ports = ports or [free_port(8080)]
    service = Nginx("json", directory=folder, port=ports[0], detached=True).start()
    return service, ports, f"{service.url}  log: {service.access_log}"


def _opensearch(folder, ports):
    ports = ports or [free_port(9200), free_port(9300)]
    service = OpenSearch(directory=folder, ports=ports, detached=True).start()
    return service, ports, service.url


def _mongodb(folder, ports):
    ports = ports or [free_port(27017)]
    service = MongoDB(directory=folder, port=ports[0], detached=True).start()
    return service, ports, service.uri


def _crowdsec(folder, ports):
    # Not 8080, its usual one: that is nginx's here.
    ports = ports or [free_port(8081)]
    service = CrowdSec(directory=folder, port=ports[0], detached=True).start()
    key = folder / "bouncer-key"
    if not key.exists():
        key.write_text(service.bouncer_key("streamd"))
    return service, ports, f"{service.url}  bouncer key: {key.read_text()}"


def _tls(folder, ports):
    ports = ports or [free_port(8443)]
    behind = _state("opensearch")["address"] if _running("opensearch") else None
    service = TlsFront(behind, user="streamd", password="streamd", directory=folder,
                       port=ports[0], detached=True).start()
    return service, ports, f"{service.url}  user and password: streamd  CA: {service.ca}" + (
        f"  before {behind}" if behind else "")


class _StandinProcess(Service):
    """A stand-in that outlives the test's process: its module, run as a program."""

    def __init__(self, name, options, directory, port):
        self.name, self._options = name, options
        super().__init__(directory, port, detached=True)

    def _argv(self):
        script = Path(__file__).with_name(f"{self.name}_standin.py")
        return [sys.executable, "-B", script, self.port, self.directory, *self._options]


def _shodan(folder, ports):
    ports = ports or [free_port(8091)]
    key = "a-test-key-of-32-characters-long"
    service = _StandinProcess("shodan", ["--key", key], folder, ports[0]).start()
    return service, ports, f"http://127.0.0.1:{ports[0]}  key: {key}"


def _discord(folder, ports):
    ports = ports or [free_port(8092)]
    number, token = "1180000000000000000", "a-test-token"
    service = _StandinProcess("discord", ["--id", number, "--token", token], folder,
                              ports[0]).start()
    url = f"http://127.0.0.1:{ports[0]}/api/v10/webhooks/{number}/{token}"
    return service, ports, f"{url}  messages: {folder / 'messages.txt'}"


SERVICES = {"crowdsec": _crowdsec, "discord": _discord, "kafka": _kafka, "mongodb": _mongodb,
            "nginx": _nginx, "opensearch": _opensearch, "shodan": _shodan, "tls": _tls}

# What is downloaded or built, once, before a service can start.
FETCHED = {"crowdsec": [crowdsec_programs], "kafka": [jars], "mongodb": [ferretdb, pymongo],
           "opensearch": [opensearch_classpath],
           # Nothing to start: what Docker Compose reads its files with.
           "compose": [compose_reader],
           # The official clients that the stand-ins are checked with.
           "discord": [discord_js], "shodan": [shodan_client],
           # What reads streamd's schema and drawings.
           "editor": [language_server, mermaid, graphviz]}


def _state(name):
    try:
        return json.loads((HOME / name / "service.json").read_text())
    except FileNotFoundError:
        return {"pids": [], "ports": None, "address": ""}


def _running(name):
    """The live processes of a service. A pid may have been reused since: the
    command line of ours names the service's folder."""
    ours = []
    for pid in _state(name)["pids"]:
        try:
            if str(HOME / name) in Path(f"/proc/{pid}/cmdline").read_text():
                ours.append(pid)
        except OSError:
            pass
    return ours


def up(name):
    if _running(name):
        print(f"{name}: already up at {_state(name)['address']}")
        return
    folder = HOME / name
    folder.mkdir(parents=True, exist_ok=True)
    service, ports, address = SERVICES[name](folder, _state(name)["ports"])
    state = {"pids": service.pids(), "ports": ports, "address": address}
    (folder / "service.json").write_text(json.dumps(state))
    print(f"{name}: up at {address}")


def down(name):
    pids = _running(name)
    for pid in pids:
        os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not _running(name), 60, f"{name} ends")
    print(f"{name}: {'stopped' if pids else 'was not up'}")


def status(name):
    print(f"{name}: {'up at ' + _state(name)['address'] if _running(name) else 'down'}")


def fetch(name):
    for get in FETCHED.get(name, []):
        print(f"{name}: {get()}", flush=True)


def main(arguments):
    actions = {"up": up, "down": down, "status": status, "fetch": fetch}
    if not arguments or arguments[0] not in actions:
        print(__doc__, file=sys.stderr)
        return 2
    action, names = arguments[0], arguments[1:]
    known = {**SERVICES, **FETCHED} if action == "fetch" else SERVICES
    unknown = [n for n in names if n not in known]
    if unknown or (action == "up" and not names):
        print(f"which service? known: {', '.join(known)}", file=sys.stderr)
        return 2
    failed = False
    for name in names or known:
        try:
            actions[action](name)
        except (ServiceError, AssertionError) as error:
            # The others are wanted all the same.
            print(f"services: {error}", file=sys.stderr)
            failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
