# SPDX-License-Identifier: Apache-2.0
"""Of plugins compiled with an earlier streamd_plugin.h: nothing that was there has moved, and
plugins show nobody but streamd_plugin()."""
import os
import subprocess
from pathlib import Path

import header
import pytest

ROOT = Path(__file__).resolve().parents[2]
TODAY = ROOT / "plugins/sdk/streamd_plugin.h"
FROZEN = sorted((ROOT / "tests/plugin/abi").glob("streamd_plugin_*.h"))
LIBRARIES = [Path(p) for p in os.environ["STREAMD_PLUGINS"].split(";")]
# Passed by value or in arrays, and without a size of their own: a new member would move others.
NEVER_CHANGE = {"sd_view", "sd_value", "sd_row"}


def test_there_is_a_frozen_header_and_it_is_read_whole():
    assert FROZEN
    for path in [TODAY, *FROZEN]:
        found = header.structs(path)
        assert len(found) >= 13
        assert [m for m, _ in found["sd_batch"]][:3] == ["size", "column_count", "rows"]
        assert [m for m, _ in found["sd_field"]][-2:] == ["least", "most"]
        assert [m for m, _ in found["sd_host"]][-1] == "record_id" or path == TODAY
        assert len(header.constants(path)) >= 53


@pytest.mark.parametrize("frozen", FROZEN, ids=lambda p: p.stem)
def test_members_are_only_appended(frozen):
    now = header.structs(TODAY)
    for struct, members in header.structs(frozen).items():
        assert now[struct][:len(members)] == members, struct
        if struct in NEVER_CHANGE:
            assert now[struct] == members, struct


@pytest.mark.parametrize("frozen", FROZEN, ids=lambda p: p.stem)
def test_constants_keep_their_values(frozen):
    now = header.constants(TODAY)
    assert {k: now.get(k) for k in header.constants(frozen)} == header.constants(frozen)


def test_structs_begin_with_their_size():
    for struct, members in header.structs(TODAY).items():
        names = [m for m, _ in members[:2]]
        if struct == "sd_plugin":
            assert names == ["abi", "size"]  # abi is read before anything else is believed
        elif struct not in NEVER_CHANGE:
            assert names[0] == "size", struct


def test_every_member_has_its_place_in_abi_layout():
    layout = (ROOT / "tests/plugin/abi_layout.c").read_text()
    for struct, members in header.structs(TODAY).items():
        assert f"SIZE({struct}, " in layout
        for member, _ in members:
            assert f"AT({struct}, {member}, " in layout


@pytest.mark.parametrize("library", LIBRARIES, ids=lambda p: p.stem)
def test_a_plugin_shows_one_symbol(library):
    shown = subprocess.run(["nm", "-D", "--defined-only", str(library)], text=True, check=True,
                           capture_output=True).stdout.split("\n")
    symbols = [line.split()[-1] for line in shown if line]
    # Sanitizers put marks of their own beside it.
    assert [s for s in symbols if not s.startswith(("__asan", "__odr_asan", "__ubsan", "__tsan"))] == [
        "streamd_plugin"]
