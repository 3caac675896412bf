"""A video on its own: one camera, no signals, a clock where the file has one, and files that are not what they seem."""

import shutil

import av
import numpy as np
import pytest
from makers.video import FRAMES, write_video

import edge.recorders
from edge.convert import to_native
from edge.drive import find_drives, open_drive
from edge.errors import DriveError
from edge.inspect import inspect
from edge.recorders import video
from edge.scan import scan

CREATED_NS = 1_577_934_245_000_000_000  # makers.video.CREATED


@pytest.fixture
def last(monkeypatch):
    """The recorders, this one asked last."""
    others = tuple(recorder for recorder in edge.recorders.RECORDERS if recorder.NAME != "video")
    monkeypatch.setattr(edge.recorders, "RECORDERS", (*others, video))


def test_a_file_is_a_drive_with_one_camera_and_no_signal(tmp_path, last):
    drive = open_drive(write_video(tmp_path / "trip.mp4", audio=True))
    assert (drive.recorder, list(drive.cameras), len(drive.telemetry)) == ("video", ["front"], 0)
    assert (drive.t0_ns, drive.seconds, drive.engagement, drive.consent) == (CREATED_NS, 3, "", None)
    assert drive.cameras["front"].frame_times().tolist() == [CREATED_NS + i * 100_000_000 for i in range(FRAMES)]
    assert drive.lost == ()
    assert "triggers that need signals cannot run" in drive.notes[0]
    assert "creation_time" in drive.notes[1]
    inspect(drive)
    assert {event.kind for event in scan(drive, 1.0).events} == {"baseline"}
    assert scan(drive, 0.0).events == ()


def test_it_becomes_a_native_drive(tmp_path, last):
    drive = open_drive(write_video(tmp_path / "trip.mp4"))
    copy = open_drive(to_native(drive, tmp_path / "out"))
    assert (copy.id, copy.recorder, len(copy.telemetry)) == (drive.id, "video", 0)
    assert copy.cameras["front"].frame_times().tolist() == drive.cameras["front"].frame_times().tolist()


@pytest.mark.parametrize(
    ("name", "codec"), [("a.MP4", "libx264"), ("a.mov", "libx264"), ("a.mkv", "libx264"), ("a.avi", "mjpeg")]
)
def test_containers_give_their_frames(tmp_path, name, codec):
    drive = video.open(write_video(tmp_path / name, codec))
    assert len(drive.cameras["front"].frame_times()) == sum(1 for _ in drive.cameras["front"].frames()) == FRAMES


def test_an_avi_that_lost_the_order_of_its_frames_is_refused(tmp_path):
    """It holds no times of display: picture 1 would be shown at the time of picture 3."""
    with pytest.raises(DriveError, match="out of order"):
        video.open(write_video(tmp_path / "b.avi"))


@pytest.mark.parametrize("created", ["", "1904-01-01T00:00:00Z", "1970-01-01T00:00:00Z"])
def test_a_file_that_does_not_know_when_it_was_made_begins_at_zero(tmp_path, created):
    drive = video.open(write_video(tmp_path / "trip.mp4", created=created))
    assert (drive.t0_ns, drive.span_ns[0]) == (0, 0)
    assert "does not say when" in drive.notes[1]


@pytest.mark.parametrize("name", ["late.ts", "late.mkv", "late.mp4"])
def test_a_clock_of_its_own_does_not_delay_the_first_frame(tmp_path, name):
    """MPEG-TS starts its clock anywhere; the drive would begin with hours of nothing."""
    path = write_video(tmp_path / name, first_pts=50_000 if name.endswith("ts") else 7, created="")
    drive = video.open(path)
    assert (drive.t0_ns, drive.span_ns[0], drive.seconds) == (0, 0, 3)


@pytest.mark.parametrize(
    ("text", "t_ns"),
    [
        ("2020-01-02 03:04:05", CREATED_NS),
        ("2020-01-02T05:04:05+02:00", CREATED_NS),
        *((text, 0) for text in ("", "yesterday", "2020-13-01T00:00:00Z", "\0", "9999-01-01T00:00:00Z")),
    ],
)
def test_dates_of_all_kinds(text, t_ns):
    assert video._parsed(text) == t_ns


def test_equal_bytes_have_one_name_wherever_they_lie(tmp_path):
    first = write_video(tmp_path / "a.mp4")
    second = shutil.copy(first, tmp_path / "b.mov")
    other = write_video(tmp_path / "c.mp4", frames=FRAMES - 1)
    assert video.open(first).id == video.open(second).id != video.open(other).id


def test_only_videos_are_claimed(tmp_path):
    write_video(tmp_path / "b.mp4")
    write_video(tmp_path / "a.ts")
    (tmp_path / "index.ts").write_text("export const GRAVITY = 9.81\n" * 40)
    for name in ("._b.mp4", ".hidden.mp4", "video.hevc", "notes.txt", "front.mp4.part"):
        (tmp_path / name).write_bytes(b"junk")
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "gone.mp4").symlink_to(tmp_path / "nowhere")
    assert [p.name for p in video.matches(tmp_path)] == ["a.ts", "b.mp4"]
    assert video.matches(tmp_path / "b.mp4") == [tmp_path / "b.mp4"]
    for name in ("index.ts", "._b.mp4", "video.hevc", "folder.mp4", "absent.mp4"):
        assert video.matches(tmp_path / name) == []


def test_a_folder_gives_a_drive_a_file_and_one_broken_file_spoils_only_itself(tmp_path, last):
    write_video(tmp_path / "a.mp4")
    write_video(tmp_path / "b.mp4", frames=20)
    (tmp_path / "c.mp4").write_bytes(b"not a video")
    first, second, broken = find_drives(tmp_path)
    assert first[0].open(first[1]).id != second[0].open(second[1]).id
    with pytest.raises(DriveError, match=r"c\.mp4 \(11 bytes\) cannot be opened"):
        broken[0].open(broken[1])
    with pytest.raises(DriveError, match="holds 3 drives"):
        open_drive(tmp_path)


def test_the_video_of_another_recording_is_refused_alone(native_drive, last):
    """Its consent and its signals lie in the folder; read alone it would look as if it had none to heed."""
    folder = native_drive(seconds=3, consent=False)
    assert open_drive(folder).recorder == "native"
    with pytest.raises(DriveError, match="belongs to the native recording"):
        open_drive(folder / "front.mp4")


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 5000, b"\x00\x00\x00\x18ftypmp42" + b"\xff" * 900, b"RIFF" + b"A" * 400]
)
@pytest.mark.parametrize("name", ["x.mp4", "x.mov", "x.mkv", "x.avi"])
def test_what_is_no_video_is_refused(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DriveError):
        video.open(tmp_path / name)


def test_sound_alone_is_refused(tmp_path):
    with av.open(str(tmp_path / "x.mp4"), "w") as container:
        sound = container.add_stream("aac", rate=8000)
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        silence.rate = 8000
        container.mux(sound.encode(silence))
        container.mux(sound.encode(None))
    with pytest.raises(DriveError, match="no video stream"):
        video.open(tmp_path / "x.mp4")


@pytest.mark.parametrize("name", ["trip.mp4", "trip.mkv", "trip.ts", "trip.avi"])
def test_a_file_cut_off_gives_its_beginning_or_is_refused(tmp_path, name):
    path = write_video(tmp_path / name, "mjpeg" if name.endswith("avi") else "libx264")
    whole = path.read_bytes()
    for part in range(1, 20):
        path.write_bytes(whole[: len(whole) * part // 20])
        try:
            drive = video.open(path)
        except DriveError:
            continue
        shown = drive.cameras["front"].frame_times()
        assert 0 < len(shown) <= FRAMES
        assert drive.lost or name.endswith("ts") or not 1 < len(shown) < FRAMES - 10
        assert (np.diff(shown) > 0).all()


def test_a_file_shorter_than_it_says_has_lost_its_end(tmp_path):
    path = write_video(tmp_path / "trip.mkv", frames=200)
    assert video.open(path).lost == ()
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 4 // 5])
    (line,) = video.open(path).lost
    assert "trip.mkv: lasts 20.0 s, its picture ends after 1" in line


@pytest.mark.real
def test_a_clip_whose_first_stream_is_sound(real, last):
    (path,) = (real / "carnd_highway").glob("*.mp4")
    drive = open_drive(path)
    assert drive.t0_ns == 1_472_418_968_000_000_000  # 2016-08-28 21:16:08 UTC, as its tags say
    assert (drive.cameras["front"].size, len(drive.cameras["front"].frame_times())) == ((960, 540), 221)
    assert (drive.seconds, drive.lost) == (9, ())
    assert open_drive(path.parent).id == drive.id


def test_frames_that_vanished_from_a_steady_stream_are_lost(tmp_path):
    whole, gap = tmp_path / "whole.mkv", tmp_path / "gap.mkv"
    write_video(whole, frames=100)
    with av.open(str(whole)) as source, av.open(str(gap), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(p for p in source.demux(video=0) if p.size):
            if number not in (30, 31, 32, 33):
                packet.stream = stream
                target.mux(packet)
    assert video.open(whole).lost == ()
    (line,) = video.open(gap).lost
    assert "4 frames are missing" in line
