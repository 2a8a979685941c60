# SPDX-License-Identifier: Apache-2.0
"""One random pipeline with its data: what is run, what the oracle answers, what a kept case holds."""

import gzip
import json
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Case:
    pipeline: dict                             # the document, as streamd reads it
    trees: dict                                # text of each expression: its tree
    files: dict                                # path: bytes
    packed: list = field(default_factory=list)  # the paths that are gzip files

    def write(self, folder):
        """The pipeline's inputs below the folder."""
        for path in self.files:
            self.grow(folder, path, None)

    def grow(self, folder, path, size):
        """The file's first bytes; all of it when size is None. A gzip file is there whole."""
        target = Path(folder) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        text = self.files[path]
        if path not in self.packed:
            with open(target, "ab") as out:
                out.write(text[out.tell():size])
        elif not target.exists():
            # Two members, as a log that was compressed while it grew.
            half = len(text) // 2
            target.write_bytes(gzip.compress(text[:half]) + gzip.compress(text[half:]))

    def text(self, follow=False):
        """The pipeline file. YAML takes JSON."""
        document = self.pipeline
        if follow:
            sources = {name: {**config, "follow": True, "scan_every": "10ms",
                              "time": {**config["time"], "idle_after": "1h"}}
                       for name, config in document["sources"].items()}
            document = {**document, "sources": sources}
        return json.dumps(document, indent=1, ensure_ascii=False)

    def save(self, path):
        files = {name: text.decode("latin-1") for name, text in self.files.items()}
        Path(path).write_text(json.dumps({"pipeline": self.pipeline, "trees": self.trees, "files": files,
                                          "packed": self.packed}, indent=1) + "\n")

    @classmethod
    def load(cls, path):
        kept = json.loads(Path(path).read_text())
        files = {name: text.encode("latin-1") for name, text in kept["files"].items()}
        return cls(kept["pipeline"], kept["trees"], files, kept["packed"])
