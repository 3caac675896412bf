"""Blocks as a reader makes them become the same telemetry however they are chopped, in memory or in a file."""

import signal
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.gathered import HOLD_NS, gathered
from edge.stored import StoredTelemetry
from trigger.telemetry import Telemetry

SECOND_NS = 1_000_000_000


def signals(seconds=60, seed=0):
    """Two signals at 10 Hz, one at 1 Hz, on clocks that share some times."""
    random = np.random.default_rng(seed)
    fast = np.arange(seconds * 10) * 100_000_000
    return {
        "speed_mps": (fast, random.normal(size=fast.size)),
        "steering_wheel_deg": (fast + 30_000_000, random.normal(size=fast.size)),
        "engaged": (fast[::10], (random.random(seconds) < 0.5).astype(float)),
    }


def whole(telemetry):
    return Telemetry.join(list(telemetry.blocks()) or [Telemetry.merge({})])


def assert_same(found, wanted):
    found = whole(found)
    assert set(found) == set(wanted)
    np.testing.assert_array_equal(found.t_ns, wanted.t_ns)
    for name in wanted:
        np.testing.assert_array_equal(found.columns[name], wanted.columns[name])


def chopped(own, cuts, seed):
    """Each sample arrives up to HOLD_NS late, and what has arrived at the cuts makes the blocks."""
    random = np.random.default_rng(seed)
    arrived = {name: t_ns + random.integers(0, HOLD_NS, t_ns.size) for name, (t_ns, _) in own.items()}
    for begin, end in zip([-1, *cuts], [*cuts, 1 << 62], strict=True):
        inside = {name: (at > begin) & (at <= end) for name, at in arrived.items()}
        yield Telemetry.merge({name: (t[inside[name]], v[inside[name]]) for name, (t, v) in own.items()})


@pytest.mark.parametrize("kept_cells", [0, 700, 1 << 30])
@given(st.lists(st.integers(0, 65 * SECOND_NS), max_size=12), st.integers(0, 99))
@settings(deadline=None, max_examples=40)
def test_any_chopping_gives_the_same_rows(kept_cells, cuts, seed):
    own = signals()
    lost = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("edge.gathered.KEPT_CELLS", kept_cells)
        found = gathered(chopped(own, sorted(cuts), seed), lost)
    assert isinstance(found, StoredTelemetry) == (kept_cells < 1 << 30)
    assert_same(found, Telemetry.merge(own))
    assert lost == []


def test_nothing_comes():
    assert len(gathered(iter([]), [])) == 0
    assert len(gathered(iter([Telemetry.merge({})] * 3), [])) == 0


def test_of_two_samples_at_one_time_the_later_block_counts():
    first, second = (Telemetry.merge({"speed_mps": (np.array([5]), np.array([v]))}) for v in (1.0, 2.0))
    assert gathered(iter([first, second]), []).samples("speed_mps")[1].tolist() == [2.0]


def test_what_comes_too_late_is_counted():
    own = signals()
    blocks = [*chopped(own, [k * 10 * SECOND_NS for k in range(1, 6)], 1)]
    old = Telemetry.merge({"speed_mps": (np.array([7, 8]), np.array([1.0, 1.0]))})
    lost = []
    assert_same(gathered(iter([*blocks[:3], old, *blocks[3:]]), lost), Telemetry.merge(own))
    assert lost == ["2 rows came more than 5 s out of order"]


@pytest.mark.parametrize("stray_s", [-40, 40])
def test_one_wrong_time_costs_no_other_row(stray_s):
    own = signals()
    blocks = [*chopped(own, [k * 10 * SECOND_NS for k in range(1, 6)], 1)]
    stray = {"yaw_rate_dps": (np.array([45 + stray_s]) * SECOND_NS + 1, np.array([1.0]))}
    blocks[4] = Telemetry.merge(stray | {name: blocks[4].samples(name) for name in blocks[4]})
    lost = []
    found = whole(gathered(iter(blocks), lost))
    for name, samples in own.items():
        for there, here in zip(found.samples(name), samples, strict=True):
            np.testing.assert_array_equal(there, here)
    assert bool(lost) == (stray_s < 0)


def test_a_power_cut_leaves_nothing_behind(tmp_path):
    script = """
import os, signal
import numpy as np
from edge.gathered import gathered
from edge.formats.row_file import RowFile
from trigger.telemetry import Telemetry
import edge.gathered, edge.formats.row_file
edge.gathered.KEPT_CELLS = edge.formats.row_file.KEPT_BYTES = 100
waiting = RowFile(1)
for i in range(100):
    waiting.append(i, i, [1.0])
rows = np.arange(1000)
telemetry = gathered(iter([Telemetry(rows, {"speed_mps": rows * 1.0})]), [])
print(type(telemetry).__name__, len(telemetry), len(waiting), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], env={"TMPDIR": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, "StoredTelemetry 1000 100\n")
    assert list(tmp_path.iterdir()) == []
