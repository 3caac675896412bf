"""Clips: the right seconds, the right frames, the right probability, and the same bytes every time."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
from conftest import T0_NS, drive_telemetry, picture
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.clip import find_clips, open_clip
from edge.cut import cut, plan
from edge.drive import Drive, open_drive
from edge.errors import ClipError, DriveError
from edge.scan import Scan, inclusion, scan
from edge.video.images import ImageFiles
from trigger.detect import detect
from trigger.event import Event, Evidence
from trigger.telemetry import Telemetry


def braking(*at_s: float):
    def speed(t):
        return 15.0 - sum(5 * (np.clip(t - a, 0, 1) - np.clip((t - a - 5) / 5, 0, 1)) for a in at_s)

    return speed


def engaged(*spans):
    return lambda t: np.any([(t >= a) & (t < b) for a, b in spans], axis=0)


def clips_of(folder, out, baseline=0.0, **options):
    return list(cut(scan(open_drive(folder), baseline), out, **options))


def test_a_clip_holds_whole_seconds_around_the_event(native_drive, tmp_path):
    folder = native_drive(telemetry=drive_telemetry(speed_mps=braking(30)))
    (written,) = clips_of(folder, tmp_path / "out")
    clip = open_clip(written.folder)
    event = clip.cut.events[0]
    start, end = clip.cut.window_ns
    assert (start - T0_NS) % 10**9 == (end - T0_NS) % 10**9 == 0
    assert start <= event.window_ns[0] < start + 10**9
    assert end - 10**9 < event.window_ns[1] <= end
    assert clip.cut.parent == "drive"
    assert clip.id.startswith(written.folder.name[-8:])
    clip.verify()


def test_the_clip_is_a_drive_with_the_sources_frames(native_drive, tmp_path):
    source = open_drive(native_drive(telemetry=drive_telemetry(speed_mps=braking(31))))
    (written,) = list(cut(scan(source, 0.0), tmp_path / "out"))
    clip = open_drive(written.folder)
    window = clip.cut.window_ns
    for (t, a), (u, b) in zip(source.cameras["front"].frames(*window), clip.cameras["front"].frames(), strict=True):
        assert t == u
        assert np.array_equal(a.to_ndarray(), b.to_ndarray())
    assert clip.cut.pre_roll["front"] == clip.cameras["front"].pre_roll > 0
    assert clip.telemetry.t_ns[0] == max(T0_NS, window[0] - 30 * 10**9)
    assert clip.telemetry.t_ns[-1] < window[1]


def test_triggers_run_on_the_clip_say_what_they_said_on_the_drive(native_drive, tmp_path):
    telemetry = drive_telemetry(speed_mps=braking(30), engaged=engaged((5, 32)))
    drive = open_drive(native_drive(telemetry=telemetry))
    (written,) = list(cut(scan(drive, 0.0), tmp_path / "out"))
    clip = open_drive(written.folder)
    assert detect(clip.telemetry, clip.vehicle).events == detect(telemetry, drive.vehicle).events
    assert [e for _, e in clip.cut.engagement] == [False, True, False]


def test_a_disengagement_keeps_ten_seconds_after(native_drive, tmp_path):
    (written,) = clips_of(native_drive(telemetry=drive_telemetry(engaged=engaged((5, 30)))), tmp_path / "out")
    assert (written.stretch.first, written.stretch.end) == (25, 40)


def test_overlapping_events_share_a_clip_and_distant_ones_do_not(native_drive, tmp_path):
    near = clips_of(native_drive("near", drive_telemetry(speed_mps=braking(20, 28))), tmp_path / "a")
    far = clips_of(native_drive("far", drive_telemetry(speed_mps=braking(10, 40))), tmp_path / "b")
    assert [len([e for e in w.stretch.events if e.kind == "harsh_braking"]) for w in near] == [2]
    assert [len([e for e in w.stretch.events if e.kind == "harsh_braking"]) for w in far] == [1, 1]


def test_cutting_twice_changes_nothing(native_drive, tmp_path):
    folder = native_drive(telemetry=drive_telemetry(speed_mps=braking(30)))
    first, again = clips_of(folder, tmp_path / "out"), clips_of(folder, tmp_path / "out")
    elsewhere = clips_of(folder, tmp_path / "other")
    assert [w.folder.name for w in first] == [w.folder.name for w in again] == [w.folder.name for w in elsewhere]
    assert ([w.new for w in first], [w.new for w in again]) == ([True], [False])
    assert len(list((tmp_path / "out").iterdir())) == 1


def test_baseline_one_keeps_the_whole_drive(native_drive, tmp_path):
    (written,) = clips_of(native_drive(seconds=20), tmp_path / "out", baseline=1.0)
    clip = open_clip(written.folder)
    assert clip.offer.inclusion == ((0, 20, 1.0),)
    assert open_drive(written.folder).cameras["front"].frame_times().size == 200


def test_the_offer_states_every_seconds_probability(native_drive):
    drive = open_drive(native_drive(telemetry=drive_telemetry(speed_mps=braking(30))))
    found = scan(drive, 0.01)
    chances = inclusion(found)
    (first, end) = (25, 36)
    np.testing.assert_array_equal(chances[first:end], 1.0)
    np.testing.assert_allclose(chances[10:24], 1 - 0.99**11)
    assert chances[0] == pytest.approx(1 - 0.99**6)


def test_the_position_can_be_left_out(native_drive, tmp_path):
    where = {
        "lat_deg": lambda t: 0 * t + 37.774929,
        "lon_deg": lambda t: 0 * t - 122.419416,
        "heading_deg": lambda t: t,
    }
    folder = native_drive(telemetry=drive_telemetry(speed_mps=braking(30), **where))
    (kept,), (removed,) = clips_of(folder, tmp_path / "a"), clips_of(folder, tmp_path / "b", position=False)
    assert "lat_deg" in open_drive(kept.folder).telemetry
    assert not {"lat_deg", "lon_deg", "heading_deg"} & set(open_drive(removed.folder).telemetry)
    written = b"".join(path.read_bytes() for path in removed.folder.iterdir())
    assert np.float64(37.774929).tobytes() not in written


def test_a_drive_without_video_gives_no_clip(native_drive, tmp_path):
    drive = open_drive(native_drive(telemetry=drive_telemetry(speed_mps=braking(30))))
    blind = Drive("blind", "test", drive.source, drive.t0_ns, drive.telemetry, {})
    assert list(cut(scan(blind, 1.0), tmp_path / "out")) == []


def test_images_are_encoded_once_and_keep_their_times(tmp_path):
    paths, times = [], T0_NS + np.cumsum(np.random.default_rng(3).integers(40_000_000, 60_000_000, 200))
    for i in range(200):
        paths.append(tmp_path / f"{i}.png")
        cv2.imwrite(str(paths[-1]), picture(i))
    drive = Drive(
        "shots", "test", tmp_path, T0_NS, drive_telemetry(12), {"front": ImageFiles(paths, times)}, consent=True
    )
    (written,) = list(cut(scan(drive, 1.0), tmp_path / "out"))
    shown = [
        (t, frame.to_ndarray(format="rgb24").astype(int))
        for t, frame in open_drive(written.folder).cameras["front"].frames()
    ]
    assert len(shown) == 200
    np.testing.assert_allclose([t for t, _ in shown], times, atol=500)
    wanted = [frame.to_ndarray(format="rgb24").astype(int) for _, frame in drive.cameras["front"].frames()]
    assert max(np.abs(got - want).mean() for (_, got), want in zip(shown, wanted, strict=True)) < 4.0


def test_one_wrong_time_stamp_is_no_drive_of_a_thousand_years(native_drive):
    drive = open_drive(native_drive(seconds=5))
    far = Telemetry(np.array([T0_NS, T0_NS + 10**18]), {"speed_mps": np.array([1.0, 2.0])})
    with pytest.raises(DriveError, match="11574 days"):
        scan(Drive("far", "test", drive.source, T0_NS, far, {}))


def test_damage_to_a_clip_is_noticed(native_drive, tmp_path):
    (written,) = clips_of(native_drive(seconds=12), tmp_path / "out", baseline=1.0)
    assert find_clips(tmp_path / "out") == [written.folder]
    video = written.folder / "front.mp4"
    data = bytearray(video.read_bytes())
    data[-10] ^= 1
    video.write_bytes(data)
    with pytest.raises(ClipError, match=r"front\.mp4 has"):
        open_clip(written.folder).verify()


def event(t_s: float, before_s: float, after_s: float) -> Event:
    t_ns = T0_NS + round(t_s * 1e9)
    window = (t_ns - round(before_s * 1e9), t_ns + round(after_s * 1e9))
    return Event("harsh_braking", t_ns, t_ns, window, 1.5, Evidence("x", 1.0, 1.0))


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 119), st.floats(0, 20), st.floats(0.1, 20)), max_size=12))
def test_plans_cover_every_window_once(tmp_path_factory, specs):
    t_ns = T0_NS + np.arange(0, 120 * 10**9, 10**8)
    telemetry = Telemetry(t_ns, {"speed_mps": np.full(t_ns.size, 9.0)})
    drive = Drive("d", "test", tmp_path_factory.getbasetemp(), T0_NS, telemetry, {})
    events = tuple(event(*spec) for spec in specs)
    stretches = plan(Scan(drive, events, {}, 0.0))
    assert sum(len(s.events) for s in stretches) == len(events)
    for stretch in stretches:
        for e in stretch.events:
            assert stretch.first * 10**9 <= max(e.window_ns[0] - T0_NS, 0)
            assert stretch.end * 10**9 >= min(e.window_ns[1] - T0_NS, drive.seconds * 10**9)
    for a, b in pairwise(stretches):
        assert a.end < b.first


def test_a_clip_is_not_cut_again(native_drive, tmp_path):
    (written,) = clips_of(native_drive(seconds=12), tmp_path / "out", baseline=1.0)
    with pytest.raises(DriveError, match="is a clip of drive"):
        scan(open_drive(written.folder))


def test_cutting_again_replaces_a_damaged_clip(native_drive, tmp_path):
    folder = native_drive(telemetry=drive_telemetry(speed_mps=braking(30)))
    (written,) = clips_of(folder, tmp_path / "out")
    (written.folder / "front.mp4").write_bytes(b"junk")
    (again,) = clips_of(folder, tmp_path / "out")
    assert again.new
    open_clip(written.folder).verify()
