# SPDX-License-Identifier: Apache-2.0
"""A client of the YAML language server that editors use, over its standard streams."""

import json
import queue
import subprocess
import threading
from pathlib import Path

from downloads import node
from editor_tools import language_server

DEADLINE = 60  # seconds for an answer, on a machine that has much else to do


class LanguageServer:
    """with LanguageServer(schema_file) as server: server.problems(text), .completion(text), …

    A place in a text is where a | stands in it.
    """

    def __init__(self, schema):
        self._schema = Path(schema).resolve().as_uri()
        program, _ = node()
        self._child = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", str(program), str(language_server()), "--stdio"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self._said = queue.Queue()
        self._number = 0
        self._files = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def __enter__(self):
        self._ask("initialize", {
            "processId": None, "rootUri": None, "capabilities": {
                "textDocument": {"completion": {"completionItem": {"snippetSupport": True}},
                                 "hover": {"contentFormat": ["markdown"]}},
                "workspace": {"configuration": True, "didChangeConfiguration": {}}}})
        self._tell("initialized", {})
        self._tell("workspace/didChangeConfiguration", {"settings": self._settings()})
        return self

    def __exit__(self, *_):
        self._child.kill()
        self._child.wait()

    # --- questions ----------------------------------------------------------------

    def problems(self, text):
        """[(line, column, message)], counted from 1, in the order of the text."""
        uri = self._open(text)
        found = self._wait(lambda m: m.get("method") == "textDocument/publishDiagnostics"
                           and m["params"]["uri"] == uri)["params"]["diagnostics"]
        return sorted((p["range"]["start"]["line"] + 1, p["range"]["start"]["character"] + 1,
                       p["message"]) for p in found)

    def completion(self, text):
        """{label: documentation} of what may stand at the place."""
        answer = self._at(text, "textDocument/completion")
        items = answer["items"] if isinstance(answer, dict) else answer
        return {i["label"]: _text(i.get("documentation")) for i in items}

    def hover(self, text):
        answer = self._at(text, "textDocument/hover")
        return _text(answer["contents"]) if answer else ""

    # --- the protocol -------------------------------------------------------------

    def _at(self, text, method):
        offset = text.index("|")
        before = text[:offset]
        place = {"line": before.count("\n"), "character": offset - before.rfind("\n") - 1}
        uri = self._open(before + text[offset + 1:])
        return self._ask(method, {"textDocument": {"uri": uri}, "position": place})

    def _open(self, text):
        self._files += 1
        uri = f"file:///pipelines/{self._files}.yaml"
        self._tell("textDocument/didOpen", {"textDocument": {
            "uri": uri, "languageId": "yaml", "version": 1, "text": text}})
        return uri

    def _settings(self):
        return {"yaml": {"schemas": {self._schema: "/pipelines/*.yaml"}, "validate": True,
                         "hover": True, "completion": True, "schemaStore": {"enable": False}}}

    def _ask(self, method, params):
        self._number += 1
        number = self._number
        self._send({"id": number, "method": method, "params": params})
        answer = self._wait(lambda m: m.get("id") == number and "method" not in m)
        assert "error" not in answer, answer
        return answer["result"]

    def _tell(self, method, params):
        self._send({"method": method, "params": params})

    def _send(self, message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._child.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._child.stdin.flush()

    def _wait(self, wanted):
        while True:
            message = self._said.get(timeout=DEADLINE)
            assert message is not None, "the language server has ended"
            if "method" in message and "id" in message:
                self._send({"id": message["id"], "result": self._answer(message)})
            elif wanted(message):
                return message

    def _answer(self, question):
        if question["method"] != "workspace/configuration":
            return None
        return [self._settings().get(item.get("section")) for item in question["params"]["items"]]

    def _listen(self):
        out = self._child.stdout
        while True:
            size = None
            while line := out.readline().strip():
                name, value = line.split(b":", 1)
                if name.lower() == b"content-length":
                    size = int(value)
            if size is None:
                self._said.put(None)
                return
            self._said.put(json.loads(out.read(size)))


def _text(documentation):
    if isinstance(documentation, list):
        return "\n".join(_text(part) for part in documentation)
    if isinstance(documentation, dict):
        return documentation.get("value", "")
    return documentation or ""
