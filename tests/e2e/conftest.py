# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the end-to-end tests, and the logs of a failed one.

pytest imports this file before the tests, which makes `import harness` and
`import services` work however pytest was started.
"""

import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "services")]

import harness  # noqa: E402
from services import Kafka  # noqa: E402


@pytest.fixture(scope="session")
def kafka():
    """One broker for all test files of this pytest process. A test that kills or
    pauses it must start or resume it; topic and group names are the test's own."""
    with Kafka() as service:
        yield service


@pytest.fixture(scope="session")
def streamd():
    """The path of the binary under test."""
    path = os.environ.get("STREAMD_BIN")
    if not path:
        pytest.fail("STREAMD_BIN is not set: run ./dev test, or set it to "
                    "build/release/bin/streamd", pytrace=False)
    if not os.access(path, os.X_OK):
        pytest.fail(f"STREAMD_BIN={path} is not an executable file", pytrace=False)
    return Path(path).resolve()


@pytest.fixture(autouse=True)
def nothing_left_running():
    """Each test starts with no streamd of an earlier one."""
    harness.started.clear()
    yield
    for run in harness.started:
        if run.running:
            run.kill9()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Adds the end of every log in reach to the report of a failure."""
    report = (yield).get_result()
    if not report.failed:
        return
    in_reach = list(harness.started)
    in_reach += [v for v in getattr(item, "funcargs", {}).values() if hasattr(v, "tails")]
    for log in dict.fromkeys(in_reach):
        for title, text in log.tails():
            report.sections.append((title, text))
