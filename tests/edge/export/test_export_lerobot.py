"""Export to LeRobotDataset v3.0: constant rate, masks instead of gaps, and back through our own reader."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from conftest import T0_NS, drive_telemetry, picture

from edge.drive import open_drive
from edge.errors import DriveError
from edge.export.lerobot import TASK, export_lerobot
from edge.manifest import Manifest
from edge.recorders import lerobot
from edge.video.encode import Encoding
from edge.write import encoded, write_drive
from trigger.signals import ControlSource

STEP_NS = 100_000_000


def shown(frame):
    """The number a picture tells: see conftest.picture."""
    row = frame.to_ndarray(format="rgb24")[24, :, 1]
    return sum(1 << bit for bit in range(12) if row[bit * 5 + 2] > 130)


def make(folder, name="a", n=40, times=None, size=(64, 48), **signals):
    """A drive with one camera; picture i at `times[i]`, s after the start."""
    times = [i / 10 for i in range(n)] if times is None else times
    frames = ((T0_NS + round(t * 1e9), picture(i, *size)) for i, t in enumerate(times))
    head = Manifest(id=name, recorder="native", t0_ns=T0_NS, cameras={}, files={})
    telemetry = drive_telemetry(max(times) + 0.5, **signals)
    write_drive(folder / name, head, telemetry, {"front": encoded(frames, Encoding())})
    return open_drive(folder / name)


def rows(out, number=0):
    return pq.read_table(out / f"data/chunk-000/file-{number:03d}.parquet").to_pydict()


def test_there_and_back(tmp_path):
    gas = lambda t: np.where(t < 1.0, 0.5, np.nan)  # noqa: E731
    drives = [make(tmp_path, "a", 40, gas_fraction=gas), make(tmp_path, "b", 30)]
    export_lerobot(drives, tmp_path / "out")
    paths = lerobot.matches(tmp_path / "out")
    assert len(paths) == 2
    back = lerobot.open(paths[1])
    assert back.lost == ()
    assert [shown(f) for _, f in back.cameras["front"].frames()] == list(range(30))
    steering = back.telemetry.samples("steering_wheel_deg")[1]
    assert steering == pytest.approx(5.0 * np.sin(np.arange(30) / 30), abs=1e-5)
    assert set(back.telemetry.samples("control_source_steering")[1]) == {ControlSource.HUMAN}
    assert "gas_fraction" not in back.telemetry
    first = lerobot.open(paths[0]).telemetry
    assert first.samples("gas_fraction")[0][-1] <= 2_000_000_000  # recorded for 1 s, held for 1 s
    assert first.samples("speed_mps")[1].tolist() == [15.0] * 40


def test_what_was_not_recorded_is_zero_and_masked(tmp_path):
    """Before a take-over the system drove: its controls are there, but not as a human's."""
    source = lambda t: np.where(t < 2.0, float(ControlSource.SYSTEM), float(ControlSource.HUMAN))  # noqa: E731
    drive = make(tmp_path, control_source_steering=source, brake_fraction=lambda t: np.where(t > 3.0, 0.5, np.nan))
    export_lerobot([drive], tmp_path / "out")
    info = json.loads((tmp_path / "out/meta/info.json").read_text())
    assert info["features"]["action"]["names"] == ["steering_wheel_deg", "brake_fraction"]
    table = rows(tmp_path / "out")
    assert [human[0] for human in table["action.is_human"]] == [False] * 20 + [True] * 20
    assert not any(human[1] for human in table["action.is_human"][:30])
    assert table["action"][10] == pytest.approx([5.0 * np.sin(1.0 / 3.0), 0.0])
    assert np.isfinite(np.array(table["action"])).all()


def test_a_variable_rate_becomes_a_constant_one(tmp_path):
    """At each tenth of a second the last picture at or before it; a gap repeats one."""
    times = [0.0, 0.09, 0.21, 0.30, 0.31, 0.95, 1.0]
    export_lerobot([make(tmp_path, times=times)], tmp_path / "out")
    drive = lerobot.open(tmp_path / "out/episode_000000")
    assert [shown(f) for _, f in drive.cameras["front"].frames()] == [0, 1, 1, 3, 4, 4, 4, 4, 4, 4, 6]
    assert rows(tmp_path / "out")["timestamp"] == pytest.approx([k / 10 for k in range(11)])


def test_the_rate_can_be_chosen(tmp_path):
    export_lerobot([make(tmp_path)], tmp_path / "out", fps=30)
    drive = lerobot.open(tmp_path / "out/episode_000000")
    assert len(drive.telemetry) == len(drive.cameras["front"].frame_times()) == 118
    assert [shown(f) for _, f in drive.cameras["front"].frames()][:7] == [0, 0, 0, 1, 1, 1, 2]


def test_tasks_and_statistics_are_where_lerobot_looks(tmp_path):
    export_lerobot([make(tmp_path)], tmp_path / "out")
    tasks = pq.read_table(tmp_path / "out/meta/tasks.parquet")
    assert tasks.to_pydict() == {"task_index": [0], "__index_level_0__": [TASK]}
    stats = json.loads((tmp_path / "out/meta/stats.json").read_text())
    assert np.shape(stats["observation.images.front"]["mean"]) == (3, 1, 1)
    assert stats["observation.state"]["mean"] == [15.0]
    episode = pq.read_table(tmp_path / "out/meta/episodes/chunk-000/file-000.parquet").to_pylist()[0]
    assert (episode["dataset_from_index"], episode["dataset_to_index"]) == (0, 40)
    assert episode["stats/action/count"] == [40]


def test_position_stays_at_home(tmp_path):
    export_lerobot([make(tmp_path, lat_deg=lambda t: t * 0.0 + 52.0)], tmp_path / "out")
    assert b"lat_deg" not in b"".join(p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file())


def test_drives_that_differ_are_refused_and_nothing_is_left(tmp_path):
    drives = [make(tmp_path, "a"), make(tmp_path, "b", size=(96, 48))]
    with pytest.raises(DriveError, match="96x48"):
        export_lerobot(drives, tmp_path / "out")
    with pytest.raises(DriveError, match="0 drives"):
        export_lerobot([], tmp_path / "out")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]
    export_lerobot(drives[:1], tmp_path / "out")
    with pytest.raises(DriveError, match="exists"):
        export_lerobot(drives[:1], tmp_path / "out")


def test_a_drive_that_cannot_be_read_leaves_nothing(tmp_path):
    drive = make(tmp_path)
    video = tmp_path / "a/front.mp4"
    assert drive.cameras["front"].frame_times().size == 40
    video.write_bytes(video.read_bytes()[:2000])
    with pytest.raises(DriveError):
        export_lerobot([drive], tmp_path / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
