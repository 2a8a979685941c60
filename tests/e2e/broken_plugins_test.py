# SPDX-License-Identifier: Apache-2.0
"""Plugins that go wrong, in the real binary: who is to blame is said, with the node."""
import os
import pathlib
import signal
import subprocess

import pytest
from harness import Streamd, wait_until

MODULES = pathlib.Path(os.environ["STREAMD_BIN"]).resolve().parents[1] / "tests/plugin/modules"

PIPELINE = """
pipeline: trouble
plugins: {plugin}
sources:
  in: {{type: file, path: in.ndjson, decode: json, time: {{field: t, format: unix}}}}
operators:
  risky: {{type: trouble, input: in, how: {how}}}
sinks:
  out: {{type: file, input: risky, path: out.ndjson}}
"""


def run(streamd, tmp_path, how, timeout=60):
    (tmp_path / "in.ndjson").write_text('{"t":1700000000,"x":1}\n{"t":1700000001,"x":2}\n')
    (tmp_path / "job.yaml").write_text(PIPELINE.format(plugin=MODULES / "trouble.so", how=how))
    return subprocess.run([streamd, "run", "job.yaml", "--state-dir", "state"], cwd=tmp_path, text=True,
                          capture_output=True, timeout=timeout, stdin=subprocess.DEVNULL)


def test_a_plugin_that_behaves_lets_everything_through(streamd, tmp_path):
    result = run(streamd, tmp_path, "well")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "out.ndjson").read_text().count("\n") == 2


@pytest.mark.parametrize("how, name", [("segv", "SIGSEGV"), ("abort", "SIGABRT"),
                                       ("divide", "SIGFPE"), ("dive", "SIGSEGV")])
def test_a_crash_names_the_plugin_the_node_and_the_call(streamd, tmp_path, how, name):
    result = run(streamd, tmp_path, how)
    assert result.returncode not in (0, 2)
    assert f'node "risky" crashed in on_batch ({name})' in result.stderr
    assert 'plugin "trouble"' in result.stderr and "bug of the plugin" in result.stderr


def test_an_exception_ends_the_run_with_its_text(streamd, tmp_path):
    result = run(streamd, tmp_path, "throw")
    assert result.returncode == 1
    assert 'node "risky": on_batch(): an exception came out: it broke' in result.stderr


def test_a_plugin_that_blocks_is_named_and_can_be_stopped(streamd, tmp_path):
    (tmp_path / "in.ndjson").write_text('{"t":1700000000,"x":1}\n')
    job = Streamd(streamd, PIPELINE.format(plugin=MODULES / "trouble.so", how="block"), tmp_path)
    job.start()
    wait_until(lambda: "has not returned from on_batch for 1" in job.stderr, 60, "the line of the watch")
    os.kill(job.pid, signal.SIGTERM)
    wait_until(lambda: not job.running, 30, "the end")


def test_a_refused_plugin_is_explained_at_its_place(streamd, tmp_path):
    (tmp_path / "job.yaml").write_text(
        PIPELINE.format(plugin=f"[{MODULES}/refused_abi.so, {MODULES}/refused_taken.so, nowhere.so]", how="x")
        .replace("input: risky", "inputt: risky").replace("file, path: in", "filee, path: in"))
    result = subprocess.run([streamd, "check", "job.yaml"], cwd=tmp_path, text=True, capture_output=True)
    assert result.returncode == 2
    assert "it is built for plugin ABI 2, and this streamd has 1" in result.stderr
    assert 'operator "filter" is there already, built in' in result.stderr
    assert "No such file or directory" in result.stderr
    assert 'did you mean "input"?' in result.stderr
    assert 'unknown type "filee"' in result.stderr and 'unknown type "trouble"' not in result.stderr


def test_plugins_come_from_the_command_line_and_the_environment_too(streamd, tmp_path):
    job = PIPELINE.format(plugin="[]", how="well").replace("plugins: []\n", "")
    (tmp_path / "job.yaml").write_text(job)
    (tmp_path / "in.ndjson").write_text("")
    plugin = str(MODULES / "trouble.so")

    def check(*arguments, **env):
        return subprocess.run([streamd, "check", "job.yaml", *arguments], cwd=tmp_path, text=True,
                              capture_output=True, env={**os.environ, **env})

    without = check()
    assert without.returncode == 2 and "unknown-type" in without.stderr
    assert check("--plugin", plugin).returncode == 0
    assert check(STREAMD_PLUGIN_PATH=plugin).returncode == 0
    assert check("--plugin", plugin, STREAMD_PLUGIN_PATH=plugin).returncode == 0
    for words in (["check", "--plugin", plugin, "job.yaml"], ["--plugin", plugin, "check", "job.yaml"],
                  [f"--plugin={plugin}", "check", "job.yaml"], ["--plugin", plugin, "job.yaml", "--quiet"],
                  ["run", "--plugin", plugin, "job.yaml"]):
        done = subprocess.run([streamd, *words], cwd=tmp_path, text=True, capture_output=True)
        assert done.returncode == 0, (words, done.stderr)
    alone = subprocess.run([streamd, "--plugin", plugin], cwd=tmp_path, text=True, capture_output=True)
    assert alone.returncode == 2 and "subcommand is required" in alone.stderr
    refused = check("--plugin", str(MODULES / "refused_abi.so"))
    assert refused.returncode == 2 and "plugin ABI 2" in refused.stderr


def test_a_plugin_is_in_list_docs_and_schema(streamd, tmp_path):
    def ask(*arguments):
        result = subprocess.run([streamd, *arguments, "--plugin", str(MODULES / "trouble.so")], text=True,
                                capture_output=True)
        assert result.returncode == 0, result.stderr
        return result.stdout

    assert "trouble" in ask("list", "operators") and "(plugin trouble)" in ask("list")
    assert '"plugin":"trouble"' in ask("list", "--json")
    assert "What goes wrong." in ask("docs", "trouble")
    assert '"trouble"' in ask("schema")
    assert "operator trouble: Goes wrong." in subprocess.run(
        [streamd, "plugin", "info", str(MODULES / "trouble.so")], text=True, capture_output=True).stdout
