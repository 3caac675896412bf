"""A copied stretch shows the source's frames at the source's times, to the pixel and to the nanosecond."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from conftest import T0_NS, picture

from edge.errors import VideoError
from edge.video.camera import VideoFile
from edge.video.frame_clock import frame_t_ns
from edge.video.remux import copy_stretch

B_FRAMES = {"bf": "3", "x264-params": "keyint=20:bframes=3:b-pyramid=normal:scenecut=0"}
OPEN_GOP = {"x264-params": "open-gop=1:keyint=25:bframes=3:b-pyramid=normal:scenecut=0"}
HEVC = {"x265-params": "open-gop=1:keyint=25:bframes=4:log-level=0"}


def make(path: Path, codec: str, options: dict[str, str], frames: int = 120, start_pts: int = 0) -> Path:
    """Numbered pictures at uneven times, on a 90 kHz clock."""
    rng = np.random.default_rng(5)
    pts = start_pts + np.cumsum(rng.integers(3000, 6001, frames)) - 3000
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=20)
        stream.width, stream.height, stream.pix_fmt, stream.options = 64, 48, "yuv420p", options
        stream.time_base = stream.codec_context.time_base = Fraction(1, 90_000)
        for i in range(frames):
            frame = av.VideoFrame.from_ndarray(picture(i), format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = int(pts[i]), Fraction(1, 90_000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def with_edit_list(source: Path, path: Path, skip_packets: int) -> Path:
    """A copy whose first frames lie before time zero: players decode them and do not show them."""
    with av.open(str(source)) as reader, av.open(str(path), "w", options={"avoid_negative_ts": "disabled"}) as writer:
        stream = writer.add_stream_from_template(reader.streams.video[0])
        packets = [p for p in reader.demux(video=0) if p.size]
        shift = sorted(p.pts for p in packets)[skip_packets]
        for packet in packets:
            packet.pts, packet.dts, packet.stream = packet.pts - shift, packet.dts - shift, stream
            writer.mux(packet)
    return path


def shown(video: VideoFile, start_ns=None, end_ns=None):
    return [(t_ns, frame.to_ndarray()) for t_ns, frame in video.frames(start_ns, end_ns)]


def assert_same_frames(source: VideoFile, start_ns: int, end_ns: int, path: Path) -> VideoFile:
    cut = copy_stretch(source, start_ns, end_ns, path)
    wanted, got = shown(source, start_ns, end_ns), shown(cut)
    assert [t for t, _ in got] == [t for t, _ in wanted]
    assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(got, wanted, strict=True))
    times = source.frame_times()
    assert len(wanted) == ((times >= start_ns) & (times < end_ns)).sum() > 0
    np.testing.assert_array_equal(cut.frame_times(), [t for t, _ in wanted])
    return cut


KINDS = {
    "b_frames.mp4": ("libx264", B_FRAMES),
    "open_gop.mp4": ("libx264", OPEN_GOP),
    "open_gop.ts": ("libx264", OPEN_GOP),
    "hevc.mp4": ("libx265", HEVC),
    "hevc.mkv": ("libx265", HEVC),
}


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("window_s", [(0.0, 1.0), (1.31, 3.07), (2.0, 2.2), (4.4, 99.0)])
def test_frames_and_times_are_the_sources(tmp_path, name, window_s):
    source = VideoFile(make(tmp_path / name, *KINDS[name]), T0_NS)
    start_ns = int(source.frame_times()[0])
    window = (start_ns + round(window_s[0] * 1e9), start_ns + round(window_s[1] * 1e9))
    assert_same_frames(source, *window, tmp_path / "cut.mp4")


def test_a_cut_of_a_cut_keeps_the_clock(tmp_path):
    source = VideoFile(make(tmp_path / "a.mp4", *KINDS["b_frames.mp4"]), T0_NS)
    once = assert_same_frames(source, T0_NS + 10**9, T0_NS + 5 * 10**9, tmp_path / "b.mp4")
    twice = assert_same_frames(once, T0_NS + 2 * 10**9, T0_NS + 3 * 10**9, tmp_path / "c.mp4")
    reference = shown(source, T0_NS + 2 * 10**9, T0_NS + 3 * 10**9)
    assert [t for t, _ in shown(twice)] == [t for t, _ in reference]
    assert twice.pts_origin > once.pts_origin > 0


def test_edit_lists(tmp_path):
    plain = make(tmp_path / "plain.mp4", *KINDS["b_frames.mp4"])
    path = with_edit_list(plain, tmp_path / "edited.mp4", skip_packets=7)
    source = VideoFile(path, T0_NS)
    assert len(source.frame_times()) == 113  # the seven before the edit are not shown
    first = int(source.frame_times()[0])
    assert_same_frames(source, first, first + 10**9, tmp_path / "start.mp4")
    assert_same_frames(source, first + 1_300_000_000, first + 3 * 10**9, tmp_path / "middle.mp4")


def test_nothing_but_the_picture_is_copied(tmp_path):
    path = tmp_path / "tagged.mp4"
    with av.open(str(path), "w") as container:
        container.metadata["comment"] = "LAT=37.7749"
        video, sound = container.add_stream("libx264", rate=10), container.add_stream("aac", rate=8000)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        video.metadata["handler_name"] = "LON=-122.4194"
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), format="fltp", layout="mono")
        silence.sample_rate, silence.pts = 8000, 0
        container.mux(sound.encode(silence))
        for i in range(30):
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture(i), format="rgb24")))
        container.mux([*video.encode(None), *sound.encode(None)])
    assert b"37.7749" in path.read_bytes()
    copy_stretch(VideoFile(path), 0, 2 * 10**9, tmp_path / "cut.mp4")
    data = (tmp_path / "cut.mp4").read_bytes()
    assert not [tag for tag in (b"37.7749", b"122.4194", b"x264", b"Lavf", b"mp4a", b"soun") if tag in data]


def test_a_window_without_frames_is_refused(tmp_path):
    source = VideoFile(make(tmp_path / "a.mp4", *KINDS["b_frames.mp4"]), T0_NS)
    with pytest.raises(VideoError, match="no whole frame"):
        copy_stretch(source, T0_NS - 10**9, T0_NS - 1, tmp_path / "cut.mp4")


def test_times_are_exact_for_any_time_base():
    pts = np.array([0, 1, 7, 10**9, 4 * 10**12], np.int64)
    for base in (Fraction(1, 90_000), Fraction(1001, 30_000), Fraction(1, 1_200_000), Fraction(1, 1_000_000_000)):
        wanted = [int(p * base * 10**9 + Fraction(1, 2)) + T0_NS for p in pts.tolist() if p * base < 10**9]
        assert frame_t_ns(pts, base, T0_NS)[: len(wanted)].tolist() == wanted


@pytest.mark.real
def test_real_drives_are_cut_exactly(real, tmp_path):
    for name in ("udacity_ch2_001/ch2_001_head.mp4", "carnd_highway/udacity_carnd_solidWhiteRight.mp4"):
        source = VideoFile(real / name, T0_NS)
        for start_s, end_s in ((0.0, 1.5), (3.21, 6.4)):
            window = (T0_NS + round(start_s * 1e9), T0_NS + round(end_s * 1e9))
            assert_same_frames(source, *window, tmp_path / "cut.mp4")
