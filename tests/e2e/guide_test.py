# SPDX-License-Identifier: Apache-2.0
"""Every command block of the guides, run as a reader would run them: one after the other in one shell, in
an empty folder, with streamd on the PATH and the SDK installed."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from harness import call
from plugin_host import install_sdk

SOURCE_DIR = Path(os.environ.get("STREAMD_SOURCE_DIR", Path(__file__).resolve().parents[2]))
GUIDES = sorted((SOURCE_DIR / "docs/guide").glob("*.md"))

LOG_LINE = '192.0.2.7 - - [01/Jan/2024:00:00:01 +0000] "GET / HTTP/1.1" 200 5 "-" "curl"\n'
# What the texts of pipelines in the guides leave to the environment.
VARIABLES = {"DISCORD_WEBHOOK": "https://discord.com/api/webhooks/1/x", "KAFKA_BROKERS": "localhost:9092"}


def blocks(guide, language):
    """The fenced blocks of a language, comments and all."""
    return re.findall(rf"^```{language}\n(.*?)^```$", guide.read_text(), re.S | re.M)


def words_of(block):
    """The commands of a block, lines that go on joined."""
    lines = block.replace("\\\n", " ").splitlines()
    return [shlex.split(line, comments=True) for line in lines if line.strip()]


def needs(block):
    """What a block needs that a test has not: Docker, or the whole of ./dev; else nothing."""
    first = {words[0] for words in words_of(block) if words} if "<<" not in block else set()
    return "docker" if "docker" in first else "dev" if "./dev" in first else ""


@pytest.fixture(scope="module")
def reader(streamd, tmp_path_factory):
    """The environment of somebody who has installed streamd."""
    prefix = tmp_path_factory.mktemp("installed")
    install_sdk(streamd, prefix)
    programs = tmp_path_factory.mktemp("bin")
    (programs / "streamd").symlink_to(streamd)
    return {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "CMAKE_PREFIX_PATH": str(prefix)}


def test_there_are_guides():
    assert len(GUIDES) >= 6


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)
def test_the_commands_of_a_guide_work_as_they_stand(guide, reader, tmp_path):
    script = "".join(block for block in blocks(guide, "sh") if not needs(block))
    if not script:
        assert blocks(guide, "sh") == [] or any(map(needs, blocks(guide, "sh")))
        return
    (tmp_path / "access.log").write_text(LOG_LINE)
    (tmp_path / "pipelines").mkdir()
    for shipped in (SOURCE_DIR / "pipelines").glob("*.yaml"):
        (tmp_path / "pipelines" / shipped.name).write_text(shipped.read_text())
    # A folder for the shipped pipelines is what a clone has; guides that write their own find it empty.
    if "pipelines/" in script and "cat > pipelines/" in script:
        for copy in (tmp_path / "pipelines").iterdir():
            copy.unlink()
    script = script.replace("/var/log/nginx/access.log", str(tmp_path / "access.log"))
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=tmp_path, env=reader, text=True,
                          capture_output=True, timeout=500, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)
def test_commands_that_need_docker_or_a_clone_name_what_there_is(guide, streamd):
    """tests/image and the demos run the real ones; here: verbs, options and files exist."""
    usage = (SOURCE_DIR / "dev").read_text()
    for block in blocks(guide, "sh"):
        for words in words_of(block) if needs(block) else []:
            for word in words:
                if re.fullmatch(r"(?:\./)?(?:deploy|pipelines)/[\w./-]+\.\w+", word) and not word.endswith("/.env"):
                    assert (SOURCE_DIR / word).exists(), word
            if words[0] == "./dev":
                assert f"  {words[1]}" in usage, words
            if "streamd" in words and words[0] == "docker" and words[words.index("streamd") + 1:]:
                arguments = words[words.index("streamd") + 1:]
                if arguments[0].startswith("/pipelines/"):
                    assert (SOURCE_DIR / arguments[0][1:]).exists(), arguments
                    continue
                shown = call(streamd, arguments[0], "--help").stdout
                assert all(word in shown for word in arguments if word.startswith("--")), arguments


@pytest.mark.parametrize("guide", [SOURCE_DIR / "README.md", *GUIDES], ids=lambda guide: guide.stem)
def test_whole_pipelines_of_a_guide_check(guide, streamd, tmp_path):
    for number, text in enumerate(blocks(guide, "yaml")):
        if not text.startswith("pipeline:"):
            continue
        file = tmp_path / f"{number}.yaml"
        file.write_text(text)
        checked = call(streamd, "check", file, env=VARIABLES)
        assert checked.returncode == 0, checked.stderr
