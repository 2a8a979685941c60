# SPDX-License-Identifier: Apache-2.0
"""The state directory: what it refuses, what it survives. Never a silent fresh start."""

import os
import random
import shutil
import subprocess

import pytest

from books import lines, outputs, rows, whole_rows
from harness import Streamd, call, wait_until
from nginx_job import generate, job

ENDLESS = """\
pipeline: job
sources:
  requests: {type: generate, rate: 100, speed: 1}
sinks:
  out: {type: file, input: requests, path: out/requests.ndjson}
"""

FOLLOW = """\
pipeline: job
checkpoint: {{every: 20ms}}
sources:
  requests:
    type: file
    path: requests.ndjson
    follow: true
    scan_every: 10ms
    decode: json
    time: {{field: time, format: unix, idle_after: 1h}}
operators:
{operators}
sinks:
  raw: {{type: file, input: requests, path: out/raw.ndjson}}
{sinks}
"""

PER_MINUTE = """\
  {name}:
    type: window
    input: requests
    window: {{{window}}}
    by: [client]
    compute: {{requests: count()}}
"""

PER_MINUTE_SINK = "  {name}_out: {{type: file, input: {name}, path: out/{name}.ndjson}}\n"


def follow(*nodes):
    """A pipeline that tails requests.ndjson, with a window for each (name, window)."""
    return FOLLOW.format(
        operators="  {}" if not nodes else
        "".join(PER_MINUTE.format(name=n, window=w) for n, w in nodes),
        sinks="".join(PER_MINUTE_SINK.format(name=n) for n, w in nodes))


def send(run, *requests):
    """Append (client, second) to the log that the run tails."""
    with open(run.directory / "requests.ndjson", "a") as log:
        for client, second in requests:
            log.write(f'{{"client":"{client}","time":{second}}}\n')


def settle(run, count):
    """Let the run read so many records in all, then end it in order."""
    run.wait_until(lambda: len(whole_rows(run.directory / "out/raw.ndjson")) >= count, 30,
                   f"{count} records are written")
    assert run.sigterm() == 0, run.stderr


def refused(run, *texts, args=(), code=1):
    """The start fails with a message that has these texts and says what to do."""
    assert run.run(*args) == code, run.stderr
    for text in ("error: ", "= help: ", *texts):
        assert text in run.stderr, run.stderr


# --- places that cannot be used -------------------------------------------------------

def test_a_second_process_is_refused_and_told_who_holds_the_state(streamd, tmp_path):
    first = Streamd(streamd, ENDLESS, tmp_path)
    first.start()
    out = tmp_path / "out/requests.ndjson"
    first.wait_until(lambda: out.exists() and out.stat().st_size > 0, 30, "the first one writes")
    second = Streamd(streamd, ENDLESS, tmp_path, name="second")
    second.state_dir = first.state_dir
    refused(second, f"locked by process {first.pid}", str(first.state_dir))
    assert first.running
    assert first.sigterm() == 0
    # The lock goes with the process, also after kill -9.
    first.start()
    first.kill9()
    second.start()
    second.wait_until(lambda: "restored epoch" in second.stderr, 30, "the second one runs now")
    assert second.sigterm() == 0


def test_a_state_folder_that_cannot_be_made_is_named(streamd, tmp_path):
    (tmp_path / "file").write_text("in the way")
    run = Streamd(streamd, ENDLESS, tmp_path)
    run.state_dir = tmp_path / "file" / "state"
    refused(run, str(run.state_dir), "--state-dir")
    assert not (tmp_path / "out").exists()


def in_a_small_world(script, *words, timeout=120):
    """Run a shell script that may mount: in a mount namespace of its own, which takes its
    mounts with it when it ends."""
    unshare = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "-r", "--mount"]
    done = subprocess.run([*unshare, "sh", "-c", script, "sh", *map(str, words)],
                          capture_output=True, text=True, timeout=timeout)
    assert "mount failed" not in done.stdout, (
        f"this test needs to mount a tmpfs (root, or user namespaces):\n{done.stderr}")
    return done


def test_a_read_only_state_folder_is_refused(streamd, tmp_path):
    run = Streamd(streamd, ENDLESS, tmp_path)
    folder = tmp_path / "read-only"
    folder.mkdir()
    done = in_a_small_world(
        'mount -t tmpfs -o ro none "$1" || { echo mount failed; exit 9; }; cd "$2"; '
        '"$3" run "$4" --state-dir "$1"', folder, tmp_path, streamd, run.file)
    assert done.returncode == 1, done.stderr
    assert str(folder) in done.stderr and "Read-only file system" in done.stderr
    assert "= help: " in done.stderr


def test_a_full_disk_ends_the_run_with_a_message_and_loses_nothing(streamd, tmp_path):
    log = tmp_path / "requests.ndjson"
    generate(streamd, log, 60_000, clients=60_000)
    straight_folder, full_folder = tmp_path / "straight", tmp_path / "full"
    straight_folder.mkdir()
    full_folder.mkdir()
    straight = Streamd(streamd, job([log], "goals"), straight_folder, args=["--workers", "1"])
    assert straight.run() == 0

    full = Streamd(streamd, job([log], "goals"), full_folder, args=["--workers", "1"])
    full.state_dir.mkdir()
    done = in_a_small_world(
        'mount -t tmpfs -o size=3m none "$1" || { echo mount failed; exit 9; }; cd "$2"; '
        'dd if=/dev/zero of="$1/ballast" bs=1024 count=2700 2>/dev/null; '
        '"$3" run "$4" --workers 1 --state-dir "$1"; echo "first: $?"; rm "$1/ballast"; '
        'mount -o remount,size=300m "$1"; '
        '"$3" run "$4" --workers 1 --state-dir "$1"; echo "second: $?"',
        full.state_dir, full_folder, streamd, full.file)
    assert "first: 1\n" in done.stdout, done.stdout + done.stderr
    assert "the disk is full" in done.stderr and str(full.state_dir) in done.stderr
    assert "= help: free some space" in done.stderr
    assert "second: 0\n" in done.stdout, done.stderr
    assert outputs(full_folder / "out") == outputs(straight_folder / "out")


def test_an_output_on_a_full_disk_waits_until_there_is_room(streamd, tmp_path):
    log = tmp_path / "requests.ndjson"
    generate(streamd, log, 30_000)
    run = Streamd(streamd, job([log], "goals"), tmp_path, args=["--workers", "1"])
    out = tmp_path / "out"
    out.mkdir()
    kept = tmp_path / "kept"
    done = in_a_small_world(
        'mount -t tmpfs -o size=3m none "$1" || { echo mount failed; exit 9; }; cd "$2"; '
        '"$3" run "$4" --workers 1 --state-dir "$5" 2>"$6" & '
        'until grep -q "No space left" "$6"; do kill -0 $! || exit 8; sleep 0.05; done; '
        'mount -o remount,size=300m "$1"; wait $!; echo "ended: $?"; cp -r "$1" "$7"',
        out, tmp_path, streamd, run.file, run.state_dir, tmp_path / "log", kept)
    said = (tmp_path / "log").read_text()
    assert "ended: 0\n" in done.stdout, done.stdout + said
    assert said.count("No space left") < 10 and "healed" in said
    segments = sorted(kept.glob("raw.ndjson.*")) + [kept / "raw.ndjson"]
    assert [line for segment in segments for line in lines(segment)] == lines(log)


# --- damage ------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def half_way(streamd, tmp_path_factory):
    """A run that was killed in the middle, to be copied; and what its output is in the end."""
    folder = tmp_path_factory.mktemp("half-way")
    log = folder / "requests.ndjson"
    generate(streamd, log, 100_000)
    half = folder / "half"
    for name in ("straight", "half"):
        (folder / name).mkdir()
    straight = Streamd(streamd, job([log], "goals"), folder / "straight", args=["--workers", "1"])
    assert straight.run() == 0
    # Several starts, for table files besides the log of writes. Each is killed when it
    # has committed something, and long before the end.
    run = Streamd(streamd, job([log], "goals", checkpoint="10ms"), half, args=["--workers", "1"])
    note = run.state_dir / "job/EPOCH"
    for _ in range(3):
        before = note.read_text() if note.exists() else ""
        run.start()
        wait_until(lambda b=before: note.exists() and note.read_text() != b, 60, "an epoch", 0.0005)
        assert run.running
        run.kill9()
    return half, outputs(straight.directory / "out")


def copied(streamd, half, to):
    shutil.copytree(half, to, ignore=shutil.ignore_patterns("CONTROL"))  # a socket
    run = Streamd(streamd, (half / "pipeline.yaml").read_text(), to, args=["--workers", "1"])
    return run, run.state_dir / "job" / "db"


def state_files(half):
    """Relative to the folder of the database; without RocksDB's own notes for people."""
    db = half / "pipeline.state/job/db"
    return [*sorted(f.name for f in db.iterdir() if f.is_file() and not f.name.startswith("LOG")),
            "../EPOCH", "../LOCK"]


def test_one_flipped_byte_is_noticed_or_harmless(streamd, half_way, tmp_path):
    half, expected = half_way
    names = state_files(half)
    assert any(n.startswith("MANIFEST") for n in names) and any(n.endswith(".log") for n in names)
    dice = random.Random(3)
    refusals = 0
    for number, name in enumerate(names):
        size = (half / "pipeline.state/job/db" / name).stat().st_size
        places = {0, size // 2, size - 1, dice.randrange(max(size, 1))}
        for place in sorted(p for p in places if 0 <= p < size):
            run, db = copied(streamd, half, tmp_path / f"{number}-{place}")
            data = bytearray((db / name).read_bytes())
            data[place] ^= 0x41
            (db / name).write_bytes(data)
            code = run.run()
            if code == 0:
                assert outputs(run.directory / "out") == expected, f"{name} at byte {place}"
            else:
                assert code == 1 and "= help: " in run.stderr, f"{name} at {place}: {run.stderr}"
                assert "damaged" in run.stderr or "state" in run.stderr
                refusals += 1
            shutil.rmtree(run.directory)
    assert refusals > 0


def test_a_flipped_byte_of_a_young_state_is_never_a_fresh_start(streamd, tmp_path):
    """Small enough for each byte: the whole state is one short log of writes, where a wrong
    length looks like a crash in the middle of a write."""
    half = tmp_path / "half"
    half.mkdir()
    run = Streamd(streamd, follow(), half)
    send(run, ("a", 1), ("a", 2))
    run.start()
    settle(run, 2)
    (log,) = (half / "pipeline.state/job/db").glob("*.log")
    bounded = follow().replace("follow: true", "follow: false")
    for place in [*range(8), *range(8, log.stat().st_size, 311)]:
        run, db = copied(streamd, half, tmp_path / f"{place}")
        run.write(bounded)
        data = bytearray((db / log.name).read_bytes())
        data[place] ^= 0x41
        (db / log.name).write_bytes(data)
        refused(run, "damaged", "--fresh")
        assert len(rows(run.directory / "out/raw.ndjson")) == 2
        shutil.rmtree(run.directory)
    run, db = copied(streamd, half, tmp_path / "gone")
    shutil.rmtree(db)
    refused(run, "damaged", "--fresh")


def test_a_missing_state_file_is_noticed_or_harmless(streamd, half_way, tmp_path):
    half, expected = half_way
    for name in state_files(half):
        run, db = copied(streamd, half, tmp_path / name.strip("./"))
        (db / name).unlink()
        if run.run() == 0:
            assert outputs(run.directory / "out") == expected, f"without {name}"
        else:
            assert "= help: " in run.stderr, f"without {name}: {run.stderr}"
        shutil.rmtree(run.directory)


def test_damage_is_left_behind_with_fresh(streamd, half_way, tmp_path):
    half, expected = half_way
    run, db = copied(streamd, half, tmp_path / "run")
    for manifest in db.glob("MANIFEST-*"):
        manifest.write_bytes(b"garbage")
    refused(run, "--fresh")
    shutil.rmtree(tmp_path / "run/out")
    assert run.run("--fresh") == 0, run.stderr
    assert outputs(run.directory / "out") == expected
    assert len(list(run.state_dir.glob("job.archived-*"))) == 1


def test_kill_in_the_middle_of_a_checkpoint(streamd, half_way, tmp_path):
    half, expected = half_way
    run, db = copied(streamd, half, tmp_path / "run")
    for _ in range(10):
        run.start()

        def log_sizes():
            return {f.name: f.stat().st_size for f in db.glob("*.log")}

        before = log_sizes()
        # It grows when an epoch is written: killed at once, before or while that is synced.
        wait_until(lambda: log_sizes() != before or not run.running, 30, "a checkpoint", 0.0002)
        run.kill9()
    assert run.run() == 0, run.stderr
    assert outputs(run.directory / "out") == expected


# --- pipelines that changed ---------------------------------------------------------------

def test_a_changed_window_is_refused_and_the_way_on_works(streamd, tmp_path):
    run = Streamd(streamd, follow(("busy", "tumbling: 1m"), ("other", "tumbling: 1m")), tmp_path)
    send(run, ("a", 1), ("a", 2))
    run.start()
    settle(run, 2)

    run.write(follow(("busy", "tumbling: 2m"), ("other", "tumbling: 1m")))
    refused(run, 'operator "busy" changed', "stored:", "pipeline:", "--reset-state busy")
    # Nothing happened to the state: the old pipeline goes on.
    run.write(follow(("busy", "tumbling: 1m"), ("other", "tumbling: 1m")))
    send(run, ("a", 3))
    run.start()
    settle(run, 3)

    run.write(follow(("busy", "tumbling: 2m"), ("other", "tumbling: 1m")))
    send(run, ("a", 4), ("b", 1000))
    run.start("--reset-state", "busy")
    other = tmp_path / "out/other.ndjson"
    run.wait_until(lambda: len(whole_rows(other)) >= 1, 30, "the windows close")
    settle(run, 5)
    # The one began anew, the other has all records.
    assert [(r["client"], r["requests"]) for r in rows(tmp_path / "out/busy.ndjson")] == [("a", 1)]
    assert [(r["client"], r["requests"]) for r in rows(other)] == [("a", 4)]


def test_a_name_to_reset_that_nothing_has_is_refused(streamd, tmp_path):
    run = Streamd(streamd, follow(("busy", "tumbling: 1m")), tmp_path)
    refused(run, '--reset-state: no operator or sink "bsuy" keeps state', 'did you mean "busy"?',
            args=("--reset-state", "busy", "--reset-state", "bsuy"), code=2)
    refused(run, '"requests" keeps state', "these do: busy, raw, busy_out",
            args=("--reset-state", "requests"), code=2)
    assert not run.state_dir.exists()
    send(run, ("a", 1))
    run.start("--reset-state", "busy", "--reset-state", "raw")
    settle(run, 1)


def test_a_changed_output_path_cuts_no_other_file(streamd, tmp_path):
    run = Streamd(streamd, follow(), tmp_path)
    send(run, ("a", 1), ("a", 2))
    run.start()
    settle(run, 2)

    precious = tmp_path / "precious.txt"
    text = (tmp_path / "out/raw.ndjson").read_text() + "of somebody else\n"
    precious.write_text(text)
    run.write(follow().replace("path: out/raw.ndjson", "path: precious.txt"))
    refused(run, 'sink "raw"', str(tmp_path / "out/raw.ndjson"), str(precious), "--reset-state raw")
    assert precious.read_text() == text

    # The way on: behind what is there, with the records that come now.
    send(run, ("a", 3))
    run.start("--reset-state", "raw")
    run.wait_until(lambda: len(lines(precious)) == 4, 30, "the third record is written")
    assert run.sigterm() == 0, run.stderr
    assert precious.read_text().startswith(text)
    assert len(rows(tmp_path / "out/raw.ndjson")) == 2


def test_fresh_keeps_the_old_state_in_an_archive(streamd, tmp_path):
    run = Streamd(streamd, follow(("busy", "tumbling: 1m")), tmp_path)
    send(run, ("a", 1), ("a", 2))
    run.start()
    settle(run, 2)
    run.start("--fresh")
    # Everything is read again, behind what is there.
    settle(run, 4)
    archives = list(run.state_dir.glob("job.archived-*"))
    assert len(archives) == 1 and (archives[0] / "db").is_dir()
    assert str(archives[0]) in run.stderr


def test_a_removed_operator_does_not_hand_its_state_to_a_namesake(streamd, tmp_path):
    both = follow(("stays", "tumbling: 1m"), ("goes", "tumbling: 2m"))
    run = Streamd(streamd, both, tmp_path)
    send(run, ("a", 1), ("a", 2))
    run.start()
    settle(run, 2)

    run.write(follow(("stays", "tumbling: 1m")))
    send(run, ("a", 3))
    run.start()
    settle(run, 3)

    run.write(both)
    send(run, ("a", 4), ("b", 1000))
    run.start()
    for name in ("stays", "goes"):
        out = tmp_path / f"out/{name}.ndjson"
        run.wait_until(lambda out=out: len(whole_rows(out)) >= 1, 30, f"{name} closes its window")
    settle(run, 5)
    assert [r["requests"] for r in rows(tmp_path / "out/stays.ndjson")] == [4]
    assert [r["requests"] for r in rows(tmp_path / "out/goes.ndjson")] == [1]


def test_the_state_folder_comes_from_the_option_then_the_variable_then_here(streamd, tmp_path):
    pipeline = tmp_path / "p.yaml"
    pipeline.write_text(ENDLESS.replace("speed: 1", "count: 10"))
    variable = {"STREAMD_STATE_DIR": str(tmp_path / "from-variable")}
    assert call(streamd, pipeline, cwd=tmp_path).returncode == 0
    assert (tmp_path / "state/job/db").is_dir()
    assert call(streamd, pipeline, cwd=tmp_path, env=variable).returncode == 0
    assert (tmp_path / "from-variable/job/db").is_dir()
    assert call(streamd, "run", pipeline, "--state-dir", tmp_path / "option", cwd=tmp_path,
                env=variable).returncode == 0
    assert (tmp_path / "option/job/db").is_dir()
