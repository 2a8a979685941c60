# SPDX-License-Identifier: Apache-2.0
"""What `streamd plugin new` writes builds against an installed SDK, passes its own tests and runs."""

import json

import pytest

from harness import call
from plugin_host import install_sdk, run

KINDS = ["operator", "source", "sink", "function"]


@pytest.fixture(scope="module")
def sdk(streamd, tmp_path_factory):
    prefix = tmp_path_factory.mktemp("sdk")
    install_sdk(streamd, prefix)
    return prefix


def new(streamd, folder, *args):
    return call(streamd, "plugin", "new", *args, cwd=folder)


def test_the_installation_is_whole(sdk):
    files = {str(p.relative_to(sdk)) for p in sdk.rglob("*") if p.is_file()}
    assert {"include/streamd_plugin.h", "include/streamd/plugin.hpp",
            "include/streamd/fake_host.hpp"} <= files
    assert {p.rsplit("/", 1)[1] for p in files if "/cmake/streamd/" in p} == {
        "streamdConfig.cmake", "streamdConfigVersion.cmake", "streamdTargets.cmake",
        "streamd_add_plugin.cmake", "streamd_plugin.map"}


EXPECTED = {
    "operator": [{"message": "one", "length": 3}, {"message": "twelve", "length": 6}],
    "source": [{"number": 0}, {"number": 1}, {"number": 2}],
    "sink": [{"message": "one"}, {"message": "twelve"}],
    "function": [{"message": "one", "vowels": 2}, {"message": "twelve", "vowels": 2}],
}


@pytest.mark.parametrize("language", ["c++", "c"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_skeleton_builds_passes_its_tests_and_runs(streamd, sdk, tmp_path, kind, language):
    done = new(streamd, tmp_path, "my_plugin", "--kind", kind, "--lang", language)
    assert done.returncode == 0, done.stderr
    assert "cmake -B build" in done.stdout
    folder = tmp_path / "my_plugin"
    for file in folder.iterdir():
        text = file.read_text()
        assert "plugin_name" not in text and "PluginName" not in text and "@" not in text, file
        assert "SPDX" not in text, file
    # One of each kind under AddressSanitizer: the tests of both languages are the same.
    sanitize = "ON" if language == "c" else "OFF"
    run("cmake", "-B", "build", f"-DCMAKE_PREFIX_PATH={sdk}", f"-DSTREAMD_PLUGIN_SANITIZE={sanitize}",
        "-DCMAKE_C_FLAGS=-Werror", "-DCMAKE_CXX_FLAGS=-Werror", cwd=folder)
    run("cmake", "--build", "build", cwd=folder)
    run("ctest", "--test-dir", "build", "--no-tests=error", "--output-on-failure", cwd=folder)

    checked = call(streamd, "check", "my_plugin.yaml", cwd=folder)
    assert checked.returncode == 0, checked.stderr
    ran = call(streamd, "run", "my_plugin.yaml", cwd=folder)
    assert ran.returncode == 0, ran.stderr
    text = (folder / "output.ndjson").read_text() if kind == "sink" else ran.stdout
    assert [json.loads(line) for line in text.splitlines() if line.startswith("{")] == EXPECTED[kind]
    tested = call(streamd, "test", "my_plugin.test.yaml", cwd=folder)
    assert tested.returncode == 0, tested.stdout + tested.stderr


@pytest.mark.parametrize("name", ["", "Upper", "1st", "with-dash", "with space", "../away", "a" * 41])
def test_names_that_are_none_are_refused(streamd, tmp_path, name):
    done = new(streamd, tmp_path, name, "--kind", "operator")
    assert done.returncode == 2
    assert "is no name for a plugin" in done.stderr and "lower case" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_names_of_built_in_components_are_refused(streamd, tmp_path):
    done = new(streamd, tmp_path, "window", "--kind", "operator")
    assert done.returncode == 2 and 'streamd has an operator "window" already' in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["in", "true", "null", "for", "int", "size", "matches", "has", "map", "list"])
def test_names_that_no_function_can_have_are_refused(streamd, tmp_path, name):
    done = new(streamd, tmp_path, name, "--kind", "function")
    assert done.returncode == 2
    assert f'"{name}" is a word or function of expressions already' in done.stderr
    assert "choose another name" in done.stderr
    assert list(tmp_path.iterdir()) == []
    # An operator is never called by an expression.
    if name not in ("map", "list"):
        assert new(streamd, tmp_path, name, "--kind", "operator").returncode == 0


def test_a_folder_that_is_there_is_left_alone(streamd, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("precious")
    done = new(streamd, tmp_path, "mine", "--kind", "sink")
    assert done.returncode == 2 and "mine is there already" in done.stderr
    assert [p.name for p in (tmp_path / "mine").iterdir()] == ["file"]
    assert new(streamd, tmp_path, "mine", "--kind", "sink", "--folder", "other").returncode == 0
    assert (tmp_path / "other" / "mine.cc").exists()


@pytest.mark.parametrize("args", [["x"], ["x", "--kind", "window"], ["x", "--kind", "sink", "--lang", "rust"]])
def test_what_is_asked_wrongly_is_told(streamd, tmp_path, args):
    done = new(streamd, tmp_path, *args)
    assert done.returncode == 2 and done.stderr
    assert list(tmp_path.iterdir()) == []
