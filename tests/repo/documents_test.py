# SPDX-License-Identifier: Apache-2.0
"""Documents that stay true: paths exist, the reference is current, shipped pipelines check."""
import os
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
STREAMD = os.environ["STREAMD_BIN"]


def streamd(*arguments, **options):
    return subprocess.run([STREAMD, *arguments], cwd=ROOT, text=True, capture_output=True, timeout=120,
                          **options)


def test_paths_in_documents_exist():
    wrong = []
    for document in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"]:
        for path in re.findall(r"`((?:src|tests|docs|pipelines|tools|cmake|plugins)/[\w./-]*)`",
                               (ROOT / document).read_text()):
            if not (ROOT / path).exists():
                wrong.append(f"{document}: {path}")
    assert wrong == []


def test_the_reference_is_what_the_binary_writes():
    result = streamd("docs", "--write", "docs/reference", "--check")
    assert result.returncode == 0, result.stderr


def test_the_reference_has_no_page_of_a_component_that_is_gone(tmp_path):
    assert streamd("docs", "--write", str(tmp_path)).returncode == 0
    written = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()}
    kept = {str(p.relative_to(ROOT / "docs/reference"))
            for p in (ROOT / "docs/reference").rglob("*") if p.is_file()}
    assert written and kept == written


def test_every_shipped_pipeline_checks_without_a_socket_or_a_state_folder(tmp_path):
    pipelines = sorted(p for p in (ROOT / "pipelines").rglob("*.yaml") if not p.name.endswith(".test.yaml"))
    assert len(pipelines) >= 3
    lines = [line for line in (ROOT / "pipelines/example.env").read_text().splitlines() if line[:1] != "#"]
    placeholders = dict(line.split("=", 1) for line in lines)
    for pipeline in pipelines:
        result = subprocess.run([STREAMD, "check", str(pipeline)], cwd=tmp_path, text=True,
                                capture_output=True, timeout=60, env={**os.environ, **placeholders})
        assert result.returncode == 0, f"{pipeline}\n{result.stderr}"
        assert "exactly once" in result.stdout or "at least once" in result.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_readme_names_the_two_commands():
    text = (ROOT / "README.md").read_text()
    assert "./dev demo" in text and "./dev test" in text
