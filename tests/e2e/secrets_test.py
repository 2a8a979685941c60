# SPDX-License-Identifier: Apache-2.0
"""No secret is shown anywhere: planted ones are searched for in all that streamd prints and writes,
with services that are away, that refuse, and that repeat in their errors what they were sent.
"""

import base64
import json
import re
import urllib.parse

import pytest

from harness import Streamd, call, free_port, wait_until
from http_standin import Answer, Standin

# Name of the variable: what is planted. Every one is searched for by itself.
PLANTED = {name: f"planted-{name.lower()}-{n:x}f3" for n, name in enumerate((
    "SHODAN_KEY", "FEED_TOKEN", "FEED_BEARER", "CROWDSEC_KEY", "HOOK_TOKEN", "MONGO_PASSWORD",
    "ES_PASSWORD", "ES_KEY", "HTTP_TOKEN", "HTTP_HMAC", "HTTP_HEADER", "PROXY_PASSWORD"))}
PLANTED["MONGO_PASSWORD"] = "planted/mongo%pw"  # As it is; in a URI it is encoded.

# name: (section, settings); URL, HOST are the far side's.
COMPONENTS = {
    "shodan": ("sources", 'type: shodan, mode: stream, key: "{SHODAN_KEY}", url: "URL", stream_url: "URL"'),
    "search": ("sources", 'type: shodan, mode: search, query: nginx, key: "{SHODAN_KEY}", url: "URL"'),
    "feed": ("sources", 'type: http, url: "URL/feed?token={FEED_TOKEN}", bearer: "{FEED_BEARER}"'),
    "bans": ("lists", 'type: crowdsec, url: "URL", key: "{CROWDSEC_KEY}"'),
    "chat": ("sinks", 'type: discord, webhook: "URL/api/webhooks/11/{HOOK_TOKEN}", message: "{{{{ n }}}}"'),
    "history": ("sinks", 'type: mongodb, uri: "mongodb://me:{MONGO_PASSWORD}@HOST/?serverSelectionTimeoutMS=500",'
                         ' database: d, collection: c'),
    "raw": ("sinks", 'type: elasticsearch, url: "URL", index: r, basic: {{user: me, password: "{ES_PASSWORD}"}}'),
    "keyed": ("sinks", 'type: elasticsearch, url: "URL", index: k, api_key: "{ES_KEY}"'),
    "hook": ("sinks", 'type: http, url: "URL/h/{HTTP_TOKEN}", sign: {{secret: "{HTTP_HMAC}", header: X-Sign}},'
                      ' headers: {{X-Token: "{HTTP_HEADER}"}}'),
    "proxied": ("sinks", 'type: http, url: "http://nowhere.invalid/x", proxy: "http://me:{PROXY_PASSWORD}@HOST"'),
}
SINK = ", input: in, retry: {first: 50ms, longest: 200ms}"
TAIL = {"sources": "", "lists": ", refresh: 1s", "sinks": SINK}


def value(name, literally):
    if not literally:
        return f"${{{name}}}"
    return quoted(name)


def quoted(name):
    """As a URI needs it."""
    return urllib.parse.quote(PLANTED[name], safe="") if name == "MONGO_PASSWORD" else PLANTED[name]


def settings(name, literally, url):
    section, text = COMPONENTS[name]
    text = text.format(**{key: value(key, literally) for key in PLANTED})
    return text.replace("URL", url).replace("HOST", url.split("//")[1]) + TAIL[section]


def pipeline(names, literally, url):
    """One pipeline with these components, and a file on the other side."""
    parts = {"sources": ["in: {type: file, path: in.ndjson, follow: true}"], "lists": [], "operators": [],
             "sinks": ["out: {type: file, input: in, path: out/all.ndjson}"]}
    for name in names:
        section = COMPONENTS[name][0]
        parts[section].append(f"{name}: {{{settings(name, literally, url)}}}")
        if section == "sources":
            parts["sinks"].append(f"of_{name}: {{type: file, input: {name}, path: out/{name}.ndjson}}")
        if section == "lists":
            parts["operators"].append(f"known: {{type: match, input: in, field: n, list: {name}}}")
            parts["sinks"].append("of_known: {type: file, input: known, path: out/known.ndjson}")
    text = "pipeline: planted\ncheckpoint: {every: 100ms}\n"
    for section, lines in parts.items():
        if lines:
            text += f"{section}:\n" + "".join(f"  {line}\n" for line in lines)
    return text


def needles():
    for name, secret in PLANTED.items():
        yield name, secret.encode()
        yield name, quoted(name).encode()
        yield name, base64.b64encode(f"me:{secret}".encode())


def found_in(data):
    return sorted({name for name, needle in needles() if needle in data})


def search(folder, keep=("planted.yaml",)):
    """Every file that a run left, its output among them: {file: secrets in it}."""
    wrong = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name not in keep and (found := found_in(path.read_bytes())):
            wrong[str(path.relative_to(folder))] = found
    return wrong


class Echo(Standin):
    """Repeats in its answer all that it was sent: what error pages of frameworks and proxies do."""

    name = "echo"

    def __init__(self, status, as_json):
        super().__init__()
        self.status, self.as_json = status, as_json

    def _answer(self, request):
        heads = "; ".join(f"{name}: {text}" for name, text in request.headers.items()
                          if name.lower() not in ("content-length", "host"))
        query = urllib.parse.urlencode(request.query)
        said = f"Cannot {request.method} {request.path}?{query} ({heads})"
        if self.as_json:
            return Answer(self.status, {"message": said, "error": said, "code": 0})
        return Answer(self.status, f"<html><title>{said}</title><pre>{said}</pre></html>")


GROUPS = {"sources": ["shodan", "search", "feed"], "lists": ["bans"],
          "sinks": ["chat", "history", "raw", "keyed", "hook", "proxied"]}
FAR = {"down": None, "401": (401, True), "400": (400, True), "404 as a page": (404, False), "500": (500, True),
       "200 as a page": (200, False)}
# Once a run has begun it makes little difference where a value came from.
CASES = [(far, literally) for far in FAR for literally in (False, True) if not literally or far in ("down", "400")]


@pytest.mark.parametrize("far, literally", CASES)
@pytest.mark.parametrize("group", GROUPS)
def test_nothing_that_a_run_prints_or_writes_holds_a_secret(group, far, literally, streamd, tmp_path):
    (tmp_path / "in.ndjson").write_text("".join(json.dumps({"n": str(n)}) + "\n" for n in range(20)))
    echo = Echo(*FAR[far]) if FAR[far] else None
    url = echo.start().url if echo else f"http://127.0.0.1:{free_port()}"
    # Each source by itself: the first that is refused ends the run.
    for names in [[n] for n in GROUPS[group]] if group == "sources" else [GROUPS[group]]:
        run = Streamd(streamd, pipeline(names, literally, url), tmp_path, ["--progress"],
                      {**PLANTED, "MONGO_PASSWORD": quoted("MONGO_PASSWORD")}, "planted")
        asked = len(echo.requests) if echo else 0
        run.start("--fresh")
        letters = run.state_dir / "planted/dead_letters/dead_letters.ndjson"

        def told(name):
            """In the log, or by a dead letter."""
            return re.search(rf' [WE] \w+ "{name}"', run.stderr) or \
                letters.exists() and f'"node":"{name}"' in letters.read_text()

        # What is answered with 200 may also be taken for good.
        taken = ("hook", "proxied", "chat", "feed") if far == "200 as a page" else ()
        for name in names:
            wait_until(lambda: name in taken and len(echo.requests) > asked or told(name) or not run.running, 60,
                       f"{name} is told, or the run has ended")
        if run.running:
            assert run.sigterm() == 0, run.stderr
        assert search(tmp_path) == {}
        for command in ("check", "dlq ls", "dlq show"):
            more = ["--state-dir", run.state_dir] if "dlq" in command else []
            shown = call(streamd, *command.split(), run.file, *more, cwd=tmp_path, env=run.env)
            assert found_in((shown.stdout + shown.stderr).encode()) == [], (command, shown.stdout, shown.stderr)
    if echo:
        echo.close()


def spoiled(name):
    """Pipelines with a mistake near a literal secret: (what is wrong, text)."""
    section = COMPONENTS[name][0]
    good = pipeline([name], True, "http://127.0.0.1:9")
    line = next(text for text in good.splitlines() if text.startswith(f"  {name}: "))
    body = line.split("{", 1)[1][:-1]
    secrets = re.findall(r"(?<![\w-])(\w+): (?=\"[^\"]*planted|\{[^}]*planted)", body)
    assert secrets, body

    def with_line(text):
        return good.replace(line, text)

    yield "an unknown key beside it", with_line(line[:-1] + ", surprise: 1}")
    yield "a wrong value beside it", with_line(line[:-1] + ", timeout: soon, outbox: never, follow: 7}")
    yield "an unknown type", with_line(re.sub(r"type: \w+", "type: surprise", line))
    yield "no type", with_line(re.sub(r"type: \w+, ", "", line))
    yield "a bracket that is never closed", with_line(line[:-1])
    yield "one bracket too many", with_line(line + "}")
    yield "a tab", with_line("\t" + line)
    yield "another section", with_line("").replace(f"\n{section}:\n", f"\nsurprise:\n{line}\n{section}:\n")
    yield "the top level", with_line("") + line.strip() + "\n"
    for key in secrets:
        yield f"{key} misspelled", with_line(line.replace(f"{key}: ", f"{key}x: ", 1))
        yield f"{key} in capitals", with_line(line.replace(f"{key}: ", f"{key.upper()}: ", 1))
        yield f"{key} twice", with_line(re.sub(rf"({key}: (\"[^\"]*\"|{{[^}}]*}}))", r"\1, \1", line))
        yield f"{key} as a list", with_line(re.sub(rf"{key}: (\"[^\"]*\"|{{[^}}]*}})", rf"{key}: [\1, 7]", line))
        if f'{key}: "' in line:
            yield f"{key} without its end", with_line(re.sub(rf"({key}: [^,]*)\"", r"\1", line, count=1))
            yield f"{key} with a stray colon", with_line(re.sub(rf"{key}: \"([^\"]*)\"", rf"{key}: \1: x", line))


@pytest.mark.parametrize("name", COMPONENTS)
def test_the_line_that_an_error_shows_has_stars_instead_of_a_secret(name, streamd, tmp_path):
    shown = 0
    for wrong, text in spoiled(name):
        (tmp_path / "planted.yaml").write_text(text)
        told = call(streamd, "check", "planted.yaml", cwd=tmp_path)
        assert told.returncode == 2, (wrong, text)
        assert found_in((told.stdout + told.stderr).encode()) == [], f"{wrong}:\n{told.stderr}"
        shown += told.stderr.count("***")
        # The line is there all the same, with what is no secret.
        assert " | " in told.stderr, told.stderr
    assert shown > 5


def test_a_secret_behind_an_anchor_or_in_a_block_is_not_shown_either(streamd, tmp_path):
    text = """\
pipeline: planted
x-hook: &hook {webhook: "https://discord.com/api/webhooks/1/planted-hook_token-4f3", surprise: 1}
sources: {in: {type: file, path: a}}
sinks:
  chat: {<<: *hook, type: discord, input: in, message: a}
  kafka: {type: kafka, input: in, brokers: b, topic: t, options: {sasl.password: planted-es_key-7f3}, surprise: 1}
  mongo:
    type: mongodb
    input: in
    uri: mongodb://me:planted-es_key-7f3@h/   # mine
    colection: c
    database: d
"""
    (tmp_path / "planted.yaml").write_text(text)
    told = call(streamd, "check", "planted.yaml", cwd=tmp_path)
    assert told.returncode == 2 and "planted-" not in told.stderr, told.stderr
    assert 'webhook: ***, surprise: 1}' in told.stderr and "sasl.password: ***}, surprise: 1}" in told.stderr


def test_what_is_no_secret_is_shown_as_it_is_written(streamd, tmp_path):
    text = """\
pipeline: shown
sources: {in: {type: file, path: a}}
sinks:
  out: {type: kafka, input: in, brokers: b, topic: t, key: "{{ 1 + }}"}
  chat: {type: discord, input: in, webhook: "${HOOK}", message: "{{ 1 + }}", url: "{{ 1 + }}"}
"""
    (tmp_path / "shown.yaml").write_text(text)
    told = call(streamd, "check", "shown.yaml", cwd=tmp_path, env={"HOOK": "https://discord.com/api/webhooks/1/t"})
    assert told.returncode == 2
    for line in text.splitlines()[3:]:
        assert f"| {line}" in told.stderr, told.stderr
    assert "***" not in told.stderr


def test_the_reference_never_looks_at_the_environment(streamd, tmp_path):
    for command in (["list"], ["list", "--json"], ["schema"], ["docs", "--write", tmp_path / "docs"],
                    *(["docs", kind] for kind in ("shodan", "discord", "mongodb", "elasticsearch", "http"))):
        told = call(streamd, *command, cwd=tmp_path, env=PLANTED)
        assert told.returncode == 0 and found_in((told.stdout + told.stderr).encode()) == []
    assert search(tmp_path) == {}
