"""A camera in several files, and raw streams that hold no times: windows cross borders, clocks stay the recorder's."""

from fractions import Fraction

import av
import numpy as np
import pytest
from conftest import T0_NS, picture

from edge.errors import VideoError
from edge.video.camera import VideoFile
from edge.video.joined import JoinedVideo
from edge.video.remux import can_copy, copy_stretch

STEP_NS = 50_000_000


def write(path, numbers, codec="libx264", options=None):
    options = options or {"x264-params": "keyint=20:bframes=2:scenecut=0"}
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=20)
        stream.width, stream.height, stream.pix_fmt, stream.options = 64, 48, "yuv420p", options
        stream.time_base = stream.codec_context.time_base = Fraction(1, 20_000)
        for i, number in enumerate(numbers):
            frame = av.VideoFrame.from_ndarray(picture(number), format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = i * 1000, Fraction(1, 20_000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def read_number(frame) -> int:
    """The number `picture` drew, read back from the decoded pixels."""
    grey = frame.to_ndarray(format="gray")
    return sum(1 << bit for bit in range(12) if grey[24, bit * 5 + 2] > 128)


@pytest.fixture
def joined(tmp_path):
    """Three files of 60, 60 and 40 frames; the second one's clock is 1,234 ns late."""
    parts = []
    for k, (first, n, late) in enumerate([(0, 60, 0), (60, 60, 1234), (120, 40, 0)]):
        path = write(tmp_path / f"{k}.mp4", range(first, first + n))
        parts.append(VideoFile(path, T0_NS + first * STEP_NS + late))
    return JoinedVideo(tuple(parts))


def test_frames_follow_on_across_files(joined):
    numbers = [read_number(frame) for _, frame in joined.frames()]
    assert numbers == list(range(160))
    assert (np.diff(joined.frame_times()) > 0).all()
    assert [t for t, _ in joined.frames()] == joined.frame_times().tolist()


@pytest.mark.parametrize("window", [(50, 70), (55, 125), (10, 30), (61, 119), (0, 160)])
def test_a_cut_crosses_file_borders(joined, tmp_path, window):
    start, end = (T0_NS + n * STEP_NS - 10_000 for n in window)
    assert can_copy(joined)
    cut = copy_stretch(joined, start, end, tmp_path / "cut.mp4")
    shown = [(t, read_number(frame), frame.to_ndarray()) for t, frame in cut.frames()]
    wanted = [(t, read_number(frame), frame.to_ndarray()) for t, frame in joined.frames(start, end)]
    assert [n for _, n, _ in shown] == [n for _, n, _ in wanted] == list(range(*window))
    assert all(np.array_equal(a[2], b[2]) for a, b in zip(shown, wanted, strict=True))
    assert max(abs(a[0] - b[0]) for a, b in zip(shown, wanted, strict=True)) <= 25_000  # half a tick of 1/20,000 s


def test_a_lost_file_costs_itself(joined, tmp_path):
    (tmp_path / "1.mp4").write_bytes(b"junk")
    again = JoinedVideo(tuple(VideoFile(f.path, f.t0_ns) for f in joined.files))
    assert again.lost == (f"{tmp_path.name}/1.mp4 cannot be opened",)
    assert [read_number(frame) for _, frame in again.frames()] == [*range(60), *range(120, 160)]
    for name in ("0.mp4", "2.mp4"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(VideoError, match="none of 3 files"):
        JoinedVideo(tuple(VideoFile(f.path, f.t0_ns) for f in joined.files)).frame_times()


def test_files_of_different_pictures_are_not_copied_into_one(tmp_path):
    one = write(tmp_path / "a.mp4", range(20))
    other = write(tmp_path / "b.mp4", range(20, 40), options={"profile": "baseline"})
    assert not can_copy(JoinedVideo((VideoFile(one, T0_NS), VideoFile(other, T0_NS + 20 * STEP_NS))))


@pytest.mark.parametrize("window", [(0, 20), (23, 47), (70, 99)])
def test_a_raw_stream_takes_its_times_from_outside(tmp_path, window):
    path = write(tmp_path / "video.hevc", range(100), "libx265", {"x265-params": "bframes=0:keyint=20:log-level=0"})
    rng = np.random.default_rng(0)
    times = T0_NS + np.cumsum(rng.integers(40_000, 60_000, 100)) * 1000
    video = VideoFile(path, times_ns=times)
    np.testing.assert_array_equal(video.frame_times(), times)
    start, end = int(times[window[0]]), int(times[window[1]])
    assert [read_number(frame) for _, frame in video.frames(start, end)] == list(range(*window))
    cut = copy_stretch(video, start, end, tmp_path / "cut.mp4")
    assert [(t, read_number(frame)) for t, frame in cut.frames()] == [(int(times[n]), n) for n in range(*window)]


def test_a_raw_stream_shorter_than_its_times_is_said(tmp_path):
    path = write(tmp_path / "video.hevc", range(30), "libx265", {"x265-params": "bframes=0:keyint=20:log-level=0"})
    video = VideoFile(path, times_ns=T0_NS + np.arange(40) * STEP_NS)
    assert len(video.frame_times()) == 30
    assert video.lost == ("video.hevc: 10 of 40 frames could not be read",)
