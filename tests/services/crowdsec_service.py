# SPDX-License-Identifier: Apache-2.0
"""CrowdSec's real local API on loopback: the decisions that a bouncer reads.

The program is Debian's package, unpacked into the cache and never installed: its
installation scripts would register with the Central API. This one knows nobody.
"""

import json
import os
import re
import subprocess
import urllib.error
import urllib.request
import uuid

from downloads import fetched
from service import Service, ServiceError, need

CONFIG = """\
common: {{daemonize: false, log_media: stdout, log_level: info, working_dir: {dir}}}
config_paths:
  config_dir: {dir}/conf/
  data_dir: {dir}/data/
  simulation_path: {dir}/conf/simulation.yaml
  hub_dir: {dir}/hub/
  index_path: {dir}/hub/.index.json
  notification_dir: {dir}/conf/notifications/
  plugin_dir: {dir}/conf/plugins/
cscli: {{output: human}}
db_config:
  log_level: info
  type: sqlite
  db_path: {dir}/data/crowdsec.db
  use_wal: true
  flush: {{max_items: 5000, max_age: 7d}}
api:
  client: {{insecure_skip_verify: false, credentials_path: {dir}/conf/credentials.yaml}}
  server:
    log_level: info
    listen_uri: 127.0.0.1:{port}
    profiles_path: {dir}/conf/profiles.yaml
    console_path: {dir}/conf/console.yaml
prometheus: {{enabled: false}}
"""

PROFILES = """\
name: default_ip_remediation
filters: [Alert.Remediation == true && Alert.GetScope() == "Ip"]
decisions: [{type: ban, duration: 4h}]
on_success: break
"""


def crowdsec_programs():
    """The folder with crowdsec and cscli of Debian's package, unpacked by the first caller."""
    candidate = subprocess.run([need("apt-cache", "apt"), "policy", "crowdsec"], text=True,
                               capture_output=True, env={**os.environ, "LC_ALL": "C"}).stdout
    version = re.search(r"Candidate: (\d\S*)", candidate)
    name = "crowdsec-" + (version.group(1).split("-")[0] if version else "unknown")
    what = "CrowdSec from Debian (its package crowdsec; apt-get update may be missing)"

    def unpack(folder):
        # As root, apt gives its downloads to another user, who must reach the folder.
        folder.chmod(0o755)
        yield [need("apt-get", "apt"), "-q", "-o", "APT::Sandbox::User=root", "download",
               "crowdsec"], {"cwd": folder}
        for package in folder.glob("*.deb"):
            yield [need("dpkg", "dpkg"), "-x", package, folder]
            package.unlink()

    return fetched(name, what, unpack, "usr/bin/crowdsec") / "usr" / "bin"


class CrowdSec(Service):
    """One local API without an agent. What bouncers see is what add_decision() adds."""

    name = "crowdsec"

    def __init__(self, directory=None, port=None, detached=False):
        self._programs = crowdsec_programs()
        super().__init__(directory, port, detached)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def cscli(self, *arguments):
        """Run cscli with this service's configuration; what it printed."""
        done = subprocess.run(
            [self._programs / "cscli", "-c", self._config, *map(str, arguments)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            raise ServiceError(f"cscli {' '.join(map(str, arguments))}: {done.stderr[-1000:]}")
        return done.stdout

    def bouncer_key(self, name=None, key=None):
        """A new bouncer's key. Each consumer needs one of its own: the service keeps
        for each key how far its bouncer has read."""
        key = key or uuid.uuid4().hex
        self.cscli("bouncers", "add", name or f"bouncer-{uuid.uuid4().hex[:8]}", "-k", key)
        return key

    def delete_bouncer(self, name):
        """Its key answers 403 from now on."""
        self.cscli("bouncers", "delete", name)

    def add_decision(self, value, scope=None, kind="ban", duration="4h", reason=None):
        """A decision for an IP, a CIDR (scope Range is seen from the slash) or, with
        `scope`, for "Country", "AS" or anything else."""
        where = ["--scope", scope, "--value", value] if scope else \
            ["-r" if "/" in value else "-i", value]
        why = ["-R", reason] if reason else []
        self.cscli("decisions", "add", *where, "-d", duration, "-t", kind, *why)

    def import_decisions(self, decisions):
        """Many at once: dicts with value and, if not the usual, scope, type, duration, reason."""
        by_scope = {}
        for decision in decisions:
            usual = {"duration": "4h", "type": "ban", "reason": "test",
                     "scope": "Range" if "/" in decision["value"] else "Ip"}
            entry = {**usual, **decision}
            by_scope.setdefault(entry["scope"], []).append(entry)
        file = self.directory / "import.json"
        for scope, entries in by_scope.items():
            file.write_text(json.dumps(entries))
            # Its own default is stronger than what the file says.
            self.cscli("decisions", "import", "-i", file, "--scope", scope)

    def delete_decision(self, value):
        """Delete the decisions for exactly this value; it comes in the next "deleted"."""
        address = re.fullmatch(r"[0-9a-fA-F:.]+(/\d+)?", value) and re.search(r"[.:]", value)
        option = "-v" if not address else "-r" if "/" in value else "-i"
        self.cscli("decisions", "delete", option, value)

    def delete_all_decisions(self):
        self.cscli("decisions", "delete", "--all")

    def decisions(self):
        """What is active, as cscli tells it: dicts with value, scope, type, origin, …"""
        alerts = json.loads(self.cscli("decisions", "list", "-o", "json", "-l", "0", "-a")) or []
        return [decision for alert in alerts for decision in alert["decisions"]]

    def ask(self, path, key, timeout=30):
        """(status, parsed JSON) of one request as a bouncer makes it."""
        request = urllib.request.Request(self.url + path, headers={
            "X-Api-Key": key, "User-Agent": "streamd-tests/1"})
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    @property
    def _config(self):
        return self.directory / "config.yaml"

    def _argv(self):
        return [self._programs / "crowdsec", "-c", self._config, "-no-cs"]

    def _prepare(self):
        for folder in ("data", "hub", "conf/notifications", "conf/plugins"):
            (self.directory / folder).mkdir(parents=True, exist_ok=True)
        conf = self.directory / "conf"
        self._config.write_text(CONFIG.format(dir=self.directory, port=self.port))
        (conf / "profiles.yaml").write_text(PROFILES)
        (conf / "simulation.yaml").write_text("simulation: false\n")
        (self.directory / "hub" / ".index.json").write_text("{}")
        credentials = conf / "credentials.yaml"
        if not credentials.exists():
            credentials.touch(mode=0o600)
            self.cscli("machines", "add", "tests", "-a", "-f", credentials, "--force")

    def _answers(self):
        try:
            with urllib.request.urlopen(self.url + "/health", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False
