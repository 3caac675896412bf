"""What is written is read again: any signals, any clocks, any gaps, in every format that swerve writes.

Native drives, clips and MCAP keep every time and value. LeRobot knows one constant rate: what it keeps is what the
drive says at its grid's times. RRD is read with Rerun's own reader, where it is installed.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from makers.native import T0_NS
from makers.picture import number_in, picture

from edge.cut import CONTEXT_NS, cut
from edge.drive import Drive, open_drive
from edge.export.lerobot import MAX_AGE_S, export_lerobot
from edge.export.mcap import export_mcap
from edge.manifest import Manifest
from edge.recorders import lerobot, mcap_ros
from edge.scan import scan
from edge.video.encode import Encoding
from edge.write import encoded, write_drive
from trigger.disengagement import engagement_changes
from trigger.signals import SIGNALS, ControlSource, controls_of, signal_named
from trigger.telemetry import Telemetry

ROBOT = ("action_gripper", "state_gripper")
WHO_DROVE = ("engaged", "control_source_steering", "control_source_speed")
FPS = 10


def values(name):
    """What a signal can be; a number is one that JSON and Parquet tell alike, of any digits."""
    signal = signal_named(name)
    if signal.kind == "number":
        return st.floats(signal.low, signal.high).map(lambda value: value + 0.0)
    return st.integers(int(signal.low), int(signal.high)).map(float)


@st.composite
def telemetries(draw, names=tuple(SIGNALS), longest_ms=400, least=1):
    """Signals on clocks of their own, which jitter and pause."""
    chosen = {*draw(st.lists(st.sampled_from(names), min_size=1, max_size=4)), *draw(st.sampled_from([WHO_DROVE, ()]))}
    signals = {}
    for name in sorted(chosen & {*names}):
        steps = draw(st.lists(st.integers(1, longest_ms * 1_000_000), min_size=least, max_size=25))
        t_ns = T0_NS + draw(st.integers(0, 3_000_000_000)) + np.cumsum(steps)
        signals[name] = (t_ns, np.array(draw(st.lists(values(name), min_size=len(steps), max_size=len(steps)))))
    return Telemetry.merge(signals)


PAUSES = [1000, 1000, 73500, 1000, 1000, 1000, 35250, 1000, 1000]
"""Key frames that seem to last beyond the end of their video, which made players drop its last frame."""
frame_steps = st.lists(st.integers(1_000, 300_000), min_size=3, max_size=12)
"""Microseconds between frames: a camera of variable rate."""


def written(folder, telemetry, steps_us) -> Drive:
    """A native drive with a numbered picture at each time."""
    times = T0_NS + 1000 * np.cumsum([0, *steps_us])
    frames = ((int(t_ns), picture(number)) for number, t_ns in enumerate(times))
    head = Manifest(id="a", recorder="native", t0_ns=T0_NS, cameras={}, files={}, engagement="by hand", consent=True)
    write_drive(folder / "a", head, telemetry, {"front": encoded(frames, Encoding(key_every=4))})
    drive = open_drive(folder / "a")
    assert drive.cameras["front"].frame_times().tolist() == times.tolist()
    return drive


def whole(recorded) -> Telemetry:
    return Telemetry.join(list(recorded.blocks()))


def assert_same(found, wanted):
    assert set(found) == set(wanted)
    for name in wanted:
        for here, there in zip(found.samples(name), wanted.samples(name), strict=True):
            np.testing.assert_array_equal(here, there)
    assert engagement_changes(found) == engagement_changes(wanted)


def shown(camera):
    return [(t_ns, number_in(frame)) for t_ns, frame in camera.frames()]


few = settings(deadline=None, max_examples=8)


@few
@given(telemetries((*SIGNALS, *ROBOT)), frame_steps)
@example(Telemetry(np.array([T0_NS]), {"engaged": np.zeros(1)}), PAUSES)
def test_a_native_drive(telemetry, steps_us):
    with TemporaryDirectory() as folder:
        drive = written(Path(folder), telemetry, steps_us)
        assert_same(whole(drive.telemetry), telemetry)
        assert (drive.t0_ns, drive.engagement, drive.consent, drive.lost) == (T0_NS, "by hand", True, ())
        assert [number for _, number in shown(drive.cameras["front"])] == list(range(len(steps_us) + 1))


@few
@given(telemetries((*SIGNALS, *ROBOT)), frame_steps, st.floats(0.3, 1.0))
@example(Telemetry(np.array([T0_NS]), {"engaged": np.zeros(1)}), PAUSES, 1.0)
@example(Telemetry(np.array([T0_NS]), {"engaged": np.zeros(1)}), [1000, 1000, 1001, 1000, 1000, 1000, 3001, 1000], 1.0)
def test_a_clip_is_the_drive_within_its_window(telemetry, steps_us, baseline):
    with TemporaryDirectory() as folder:
        drive = written(Path(folder), telemetry, steps_us)
        for made in cut(scan(drive, baseline), Path(folder) / "clips"):
            clip = open_drive(made.folder)
            start_ns, end_ns = clip.cut.window_ns
            context = whole(drive.telemetry).between(start_ns - CONTEXT_NS, end_ns)
            assert_same(whole(clip.telemetry), context)
            assert clip.cut.engagement == engagement_changes(context)
            inside = [(t, n) for t, n in shown(drive.cameras["front"]) if start_ns <= t < end_ns]
            assert shown(clip.cameras["front"]) == inside
            assert (clip.t0_ns, clip.engagement, clip.consent) == (drive.t0_ns, drive.engagement, drive.consent)


@few
@given(telemetries(), frame_steps)
@example(Telemetry(np.array([T0_NS]), {"engaged": np.zeros(1)}), [1000] * 3)  # and nobody is said to have driven
def test_mcap(telemetry, steps_us):
    with TemporaryDirectory() as folder:
        drive = written(Path(folder), telemetry, steps_us)
        export_mcap(drive, Path(folder) / "out.mcap")
        back = mcap_ros.open(Path(folder) / "out.mcap")
        assert_same(whole(back.telemetry), telemetry)
        assert shown(back.cameras["front"]) == shown(drive.cameras["front"])
        assert back.lost == ()


@few
@given(telemetries((*SIGNALS, *ROBOT), longest_ms=2000, least=4), frame_steps)
def test_lerobot_on_its_grid(telemetry, steps_us):
    """Values as float32; of actions those that are 0, and who moved them, only where a human did."""
    with TemporaryDirectory() as folder:
        drive = written(Path(folder), telemetry, steps_us)
        export_lerobot([drive], Path(folder) / "out", FPS)
        back = lerobot.open(Path(folder) / "out/episode_000000")
        times = drive.cameras["front"].frame_times()
        grid = times[0] + np.round(np.arange(back.cameras["front"].frame_times().size) * 1e9 / FPS).astype(np.int64)
        assert grid[-1] <= times[-1] < grid[-1] + 1e9 / FPS
        latest = np.searchsorted(times, grid, side="right") - 1
        assert [number for _, number in shown(back.cameras["front"])] == latest.tolist()
        axes = {name: axis for axis, names in controls_of(telemetry).items() for name in names}
        for name in set(telemetry) - {"lat_deg", "lon_deg", "heading_deg"} - axes.keys():
            if signal_named(name).kind in ("number", "flag"):
                assert_on_grid(back, name, grid, telemetry.at(name, grid, MAX_AGE_S))
        for name in set(telemetry) & axes.keys():
            wanted = telemetry.at(name, grid, MAX_AGE_S)
            human = telemetry.at(axes[name], grid, MAX_AGE_S) == ControlSource.HUMAN
            assert_on_grid(back, name, grid, np.where(human | (wanted.astype(np.float32) != 0), wanted, np.nan))
            source = back.telemetry.at(axes[name], grid - grid[0], 0.0)
            assert (source[human & ~np.isnan(wanted)] == ControlSource.HUMAN).all()


def assert_on_grid(back, name, grid, wanted):
    found = back.telemetry.at(name, grid - grid[0], 0.0)
    np.testing.assert_array_equal(found, wanted.astype(np.float32).astype(np.float64), err_msg=name)


@few
@given(telemetries((*SIGNALS, *ROBOT)), frame_steps)
def test_rrd(telemetry, steps_us):
    rr = pytest.importorskip("rerun")
    import pyarrow as pa

    from edge.export.rrd import TIMELINE, export_rrd

    with TemporaryDirectory() as folder:
        export_rrd(written(Path(folder), telemetry, steps_us), Path(folder) / "out.rrd")
        found = {}
        for chunk in rr.chunk.RrdReader(Path(folder) / "out.rrd").stream().to_chunks():
            batch = chunk.to_record_batch()
            if "Scalars:scalars" in batch.schema.names:
                t_ns = batch[TIMELINE].cast(pa.int64()).to_numpy()
                name = chunk.entity_path.removeprefix("/signals/")
                found.setdefault(name, []).append((t_ns, [row[0] for row in batch["Scalars:scalars"].to_pylist()]))
        parts = {
            name: tuple(np.concatenate(part) for part in zip(*chunks, strict=True)) for name, chunks in found.items()
        }
        assert_same(Telemetry.merge(parts), telemetry)
