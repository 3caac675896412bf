"""A look at a clip: proxy, preview, stills and thumbs from one pass; whole or absent, and the same every time."""

import errno
import shutil

import av
import numpy as np
import pytest
from conftest import drive_telemetry
from makers.picture import number_in, picture

import curate.look
from curate.clipref import ClipRef
from curate.errors import StoreError
from curate.look import look, read_look, still_times
from curate.proxy import preview_size, proxy_size
from curate.thumbs import thumb
from edge.clip import open_clip
from edge.cut import cut
from edge.drive import open_drive
from edge.errors import ClipError, VideoError
from edge.scan import scan
from trigger.event import Event


@pytest.fixture
def ref(native_drive, tmp_path):
    braking = drive_telemetry(24, speed_mps=lambda t: 15.0 - 5 * np.clip(t - 10, 0, 1))
    written = next(cut(scan(open_drive(native_drive("d", braking, 24)), 0.0), tmp_path / "clips"))
    return ClipRef(open_clip(written.folder).id, written.folder, tmp_path / "made")


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_proxy_holds_every_frame_at_its_time(ref):
    look(ref)
    seen = read_look(ref).cameras["front"]
    own = open_drive(ref.folder).cameras["front"]
    assert np.array_equal(seen.t_ns, own.frame_times())
    assert np.array_equal(seen.video.frame_times(), own.frame_times())
    shown = [(t_ns, number_in(frame)) for t_ns, frame in seen.video.frames()]
    assert shown == [(t_ns, number_in(frame)) for t_ns, frame in own.frames()]
    assert int(np.diff(np.searchsorted(seen.t_ns, seen.video.key_times)).max()) <= 10


def test_a_picture_is_kept_at_the_start_middle_end_and_the_worst_onset(ref):
    look(ref)
    seen = read_look(ref).cameras["front"]
    onset = max((e for e in open_clip(ref.folder).cut.events), key=lambda e: e.severity).t_ns
    times = [still.t_ns for still in seen.stills]
    assert times == sorted(times)
    assert {int(seen.t_ns[0]), int(seen.t_ns[-1])} < set(times)
    assert min(abs(t - onset) for t in times) <= 50_000_000
    with av.open(str(seen.stills[0].path)) as container:
        assert next(container.decode(video=0)).width == 64


def test_at_most_five_pictures_are_kept():
    t_ns = np.arange(100, dtype=np.int64)
    events = [Event("harsh_braking", at, at, (0, 100), at / 10, ()) for at in (10, 20, 30)]
    assert sorted(still_times(t_ns, events)) == [0, 20, 30, 50, 99]
    assert still_times(t_ns[:1], events) == {0}


def test_made_again_it_is_the_same_and_made_twice_it_is_left_alone(ref, monkeypatch):
    look(ref)
    first = files(ref.made / "look-1")
    monkeypatch.setattr(curate.look, "_make", None)
    look(ref)
    monkeypatch.undo()
    shutil.rmtree(ref.made)
    look(ref)
    assert files(ref.made / "look-1") == first


def test_killed_half_way_nothing_half_made_is_left(ref, monkeypatch):
    (ref.made / ".swerve-left").mkdir(parents=True)
    monkeypatch.setattr(curate.look, "jpeg", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        look(ref)
    assert not list(ref.made.iterdir())
    with pytest.raises(ClipError):
        read_look(ref)
    monkeypatch.undo()
    look(ref)
    assert read_look(ref).cameras["front"].t_ns.size


def test_a_full_disk_is_no_fault_of_the_clip(ref, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(curate.look, "jpeg", full)
    with pytest.raises(StoreError):
        look(ref)


def test_frames_that_do_not_decode_are_said(ref):
    path = ref.folder / "front.mp4"
    data = bytearray(path.read_bytes())
    middle = data.index(b"mdat") + 400
    data[middle : middle + 3000] = bytes(3000)
    path.write_bytes(bytes(data))
    with pytest.raises(VideoError, match="frames decode"):
        look(ref)
    assert not (ref.made / "look-1").exists()


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_what_a_browser_does_not_play_has_a_preview(codec, tmp_path):
    with av.open(str(tmp_path / "v.mp4"), "w") as container:
        stream = container.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.options = {"x265-params": "log-level=none:pools=none"} if codec == "libx265" else {}
        for number in range(12):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture(number), format="rgb24")))
        container.mux(stream.encode(None))
    camera = curate.look.VideoFile(tmp_path / "v.mp4", 5)
    entry, t_ns, _ = curate.look._look_at(tmp_path, "front", camera, [])
    assert bool(entry["preview"]) == (codec == "libx265")
    if entry["preview"]:
        preview = curate.look.VideoFile(tmp_path / entry["preview"], entry["t0_ns"], entry["pts_origin"])
        assert (preview.codec, preview.size) == ("h264", (64, 48))
        assert np.array_equal(preview.frame_times(), t_ns)


@pytest.mark.parametrize(
    ("size", "proxy", "preview"),
    [
        ((640, 480), (256, 192), (640, 480)),
        ((1928, 1208), (256, 160), (960, 602)),
        ((960, 540), (256, 144), (960, 540)),
        ((160, 120), (160, 128), (160, 120)),
        ((20, 10), (32, 16), (20, 10)),
    ],
)
def test_sizes_keep_the_aspect_and_never_grow_beyond_a_step(size, proxy, preview):
    assert (proxy_size(size), preview_size(size)) == (proxy, preview)


def test_a_thumb_is_the_mean_over_each_cell():
    luma = np.random.default_rng(0).integers(0, 256, (36, 64), np.uint8)
    frame = av.VideoFrame.from_ndarray(np.vstack([luma, np.full((18, 64), 128, np.uint8)]), format="yuv420p")
    cells = luma.reshape(18, 2, 32, 2).mean(axis=(1, 3))
    assert np.abs(thumb(frame) - cells).max() <= 0.5
