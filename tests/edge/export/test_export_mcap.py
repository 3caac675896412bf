"""Export to MCAP, and back through our own reader."""

import numpy as np
import pytest
from conftest import T0_NS, drive_telemetry, picture

from edge.drive import open_drive
from edge.errors import DriveError
from edge.export.mcap import export_mcap
from edge.manifest import Manifest
from edge.recorders import mcap_ros
from edge.video.encode import Encoding
from edge.write import encoded, write_drive


def make(folder, seconds=6.0, **signals):
    """A native drive with two cameras."""
    folder.mkdir(exist_ok=True)
    head = Manifest(id="a", recorder="native", t0_ns=T0_NS, cameras={}, files={})
    frames = {
        name: encoded(((T0_NS + i * step_ns, picture(i)) for i in range(30)), Encoding())
        for name, step_ns in (("front", 100_000_000), ("rear", 150_000_000))
    }
    write_drive(folder / "a", head, drive_telemetry(seconds, **signals), frames)
    return open_drive(folder / "a")


def shown(frame):
    """The number a picture tells: see conftest.picture."""
    row = frame.to_ndarray(format="rgb24")[24, :, 1]
    return sum(1 << bit for bit in range(12) if row[bit * 5 + 2] > 130)


def test_there_and_back(tmp_path):
    signals = {"engaged": lambda t: t > 2.0, "brake_pressed": lambda t: np.where(t > 3.0, 1.0, np.nan)}
    drive = make(tmp_path, lat_deg=lambda t: t * 0.0 + 52.5, **signals)
    export_mcap(drive, tmp_path / "out.mcap")
    back = mcap_ros.open(tmp_path / "out.mcap")
    assert back.lost == ()
    assert set(back.telemetry) == set(drive.telemetry)
    for name in drive.telemetry:
        for there, here in zip(drive.telemetry.samples(name), back.telemetry.samples(name), strict=True):
            assert np.array_equal(there, here)
    for name, camera in drive.cameras.items():
        assert np.array_equal(back.cameras[name].frame_times(), camera.frame_times())
        assert [shown(f) for _, f in back.cameras[name].frames()] == list(range(30))
    assert back.t0_ns == drive.t0_ns


def test_position_can_stay_at_home(tmp_path):
    drive = make(tmp_path, lat_deg=lambda t: t * 0.0 + 52.5)
    export_mcap(drive, tmp_path / "out.mcap", position=False)
    assert "lat_deg" not in mcap_ros.open(tmp_path / "out.mcap").telemetry


def test_messages_are_in_order_of_time_and_their_schemas_known(tmp_path):
    from mcap.reader import make_reader

    export_mcap(make(tmp_path), tmp_path / "out.mcap")
    with (tmp_path / "out.mcap").open("rb") as file:
        found = [(s.name, c.topic, m.log_time) for s, c, m in make_reader(file).iter_messages(log_time_order=False)]
    assert [t for *_, t in found] == sorted(t for *_, t in found)
    assert {(name, topic) for name, topic, _ in found} == {
        ("swerve.Telemetry", "/swerve/motion"),
        ("swerve.Telemetry", "/swerve/controls"),
        ("swerve.Telemetry", "/swerve/driver"),
        ("foxglove_msgs/msg/CompressedVideo", "/camera/front"),
        ("foxglove_msgs/msg/CompressedVideo", "/camera/rear"),
    }


def test_an_existing_file_is_kept_and_a_failure_leaves_nothing(tmp_path):
    drive = make(tmp_path)
    (tmp_path / "out.mcap").write_bytes(b"mine")
    with pytest.raises(DriveError, match="exists"):
        export_mcap(drive, tmp_path / "out.mcap")
    assert (tmp_path / "out.mcap").read_bytes() == b"mine"
    (tmp_path / "a/front.mp4").write_bytes(b"")
    with pytest.raises(DriveError):
        export_mcap(open_drive(tmp_path / "a"), tmp_path / "other.mcap")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "out.mcap"]
