# SPDX-License-Identifier: Apache-2.0
"""What the process itself costs: start, size, waiting."""

import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import inputs
from programs import PIPELINES, middle
from report import Line, spread

RECORD = b'{"client_ip":"192.0.2.1","status":"200"}\n'
SETTLE_SECONDS, IDLE_SECONDS = 3, 10


def measure(programs, chosen):
    return [first_record(programs, chosen.repeat), size(programs), idle(programs),
            looked_at(programs, chosen)], []


def _start(programs, pipeline, env=None, **more):
    state = tempfile.mkdtemp(dir=programs.directory)
    return subprocess.Popen(
        [programs.binary, "run", str(PIPELINES / f"{pipeline}.yaml"), "--state-dir", state,
         "--workers", "1", "--quiet"], env=env, **more)


def first_record(programs, repeat):
    took, bare, problems = [], [], []
    for _ in range(max(5, repeat)):
        begin = time.monotonic()
        subprocess.run([programs.binary, "version"], stdout=subprocess.DEVNULL, check=True)
        bare.append(1000 * (time.monotonic() - begin))

        begin = time.monotonic()
        with _start(programs, "first_record", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE) as process:
            process.stdin.write(RECORD)
            process.stdin.flush()
            line = process.stdout.readline()
            took.append(1000 * (time.monotonic() - begin))
            _, errors = process.communicate()
        if line != RECORD or process.returncode != 0:
            problems.append(f"{line!r}, exit code {process.returncode} {errors[-300:]!r}")
    return Line("start to first record (stdin → stdout)", "≤ 100 ms", spread(took, " ms", 0),
                f"`streamd version` {spread(bare, ' ms', 0)}", middle(took)[0] <= 100, problems)


def size(programs):
    stripped = programs.directory / "streamd-stripped"
    subprocess.run([shutil.which("strip") or "strip", "-o", stripped, programs.binary], check=True)
    megabytes = stripped.stat().st_size / 1e6
    return Line("the binary, stripped", "≤ 25 MB", f"{megabytes:.1f} MB", met=megabytes <= 25)


def _cpu(pid):
    """CPU seconds of all threads of a process, to the nanosecond."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def idle(programs):
    file = programs.directory / "idle.ndjson"
    file.touch()
    process = _start(programs, "idle", env={"INPUT": str(file)})
    try:
        # Not a wait for an event: the start's own work must not be counted.
        time.sleep(SETTLE_SECONDS)
        begin, before = time.monotonic(), _cpu(process.pid)
        time.sleep(IDLE_SECONDS)
        share = 100 * (_cpu(process.pid) - before) / (time.monotonic() - begin)
    finally:
        process.terminate()
        code = process.wait()
    return Line("waiting (file source, one window, one worker)", "≤ 0.5 % of a core",
                f"{share:.2f} % of a core", met=share <= 0.5,
                problems=[] if code == 0 else [f"exit code {code}"])


def looked_at(programs, chosen):
    """The five goals, alone and while somebody looks for records that never come."""
    whole = inputs.requests(programs.binary, chosen.records)
    text, env = (PIPELINES / "nginx_file.yaml").read_text(), {"INPUT": whole, "CHECKPOINT_EVERY": "1s"}
    looked = []

    def look(state, over):
        while not over.is_set():
            done = subprocess.run(
                [programs.binary, "tap", "requests", "--state-dir", state, "--where", "client_ip == 'nobody'"],
                capture_output=True, text=True)
            looked.append(done.returncode == 0)

    alone, tapped = [], []
    for _ in range(chosen.repeat):
        alone.append(programs.streamd_text(text, env))
        tapped.append(programs.streamd_text(text, env, beside=look))
    problems = [p for run in alone + tapped for p in run.problems]
    if sum(looked) < chosen.repeat:
        problems.append(f"the tap saw {sum(looked)} of {chosen.repeat} runs")
    share = [100 * (t.cpu / a.cpu - 1) for a, t in zip(alone, tapped)]
    return Line("a tap with a condition on every record of the five goals", "–",
                f"{spread(share, ' % more CPU', 0)}", problems=problems)
