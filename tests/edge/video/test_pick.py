"""Frames here and there from a decoder that stays open are those that a reader from end to end sees."""

from pathlib import Path

import numpy as np
import pytest
from makers.picture import picture

from edge.errors import VideoError
from edge.video.camera import VideoFile
from edge.video.encode import Encoding, encode
from edge.video.pick import Picker

FRAMES, STEP_NS, T0_NS = 40, 50_000_000, 1_700_000_000_000_000_000


def video(path: Path, encoding: Encoding) -> VideoFile:
    t0_ns = encode(path, ((T0_NS + n * STEP_NS, picture(n)) for n in range(FRAMES)), encoding)
    return VideoFile(path, t0_ns)


@pytest.mark.parametrize("b_frames", [0, 3])
def test_any_frames_in_any_turn_are_the_videos_own(tmp_path, b_frames):
    one = video(tmp_path / "v.mp4", Encoding(key_every=8, b_frames=b_frames))
    whole = {t_ns: frame.to_ndarray() for t_ns, frame in one.frames()}
    times, picker = one.frame_times(), Picker(one)
    chance = np.random.default_rng(0)
    # The first frame again and again, as it needs the container rewound; the last, which only the flush gives.
    for wanted in ([0], [39], [0, 39], [0], *(np.sort(chance.permutation(FRAMES)[:6]) for _ in range(30))):
        found = [frame.to_ndarray() for frame in picker.pick(times[wanted])]
        assert len(found) == len(wanted)
        assert all(np.array_equal(seen, whole[int(times[n])]) for seen, n in zip(found, wanted, strict=True))


def test_what_stands_between_the_wanted_is_not_decoded(tmp_path, monkeypatch):
    one = video(tmp_path / "v.mp4", Encoding(key_every=8, b_frames=0))
    picker, decoded = Picker(one), []
    within = picker._decoded

    def counted():
        for t_ns, frame in within():
            decoded.append((t_ns - T0_NS) // STEP_NS)
            yield t_ns, frame

    monkeypatch.setattr(picker, "_decoded", counted)
    list(picker.pick(one.frame_times()[[1, 3, 34]]))
    assert decoded == [0, 1, 2, 3, 32, 33, 34]


def test_a_pick_given_up_half_way_leaves_nothing_to_the_next(tmp_path):
    one = video(tmp_path / "v.mp4", Encoding(key_every=8, b_frames=3))
    whole = {t_ns: frame.to_ndarray() for t_ns, frame in one.frames()}
    times, picker = one.frame_times(), Picker(one)
    next(picker.pick(times[[1, 2, 30]]))
    (seen,) = picker.pick(times[[5]])
    assert np.array_equal(seen.to_ndarray(), whole[int(times[5])])


def test_a_time_of_no_frame_is_an_error_and_no_other_frame(tmp_path):
    one = video(tmp_path / "v.mp4", Encoding(key_every=8))
    with pytest.raises(VideoError, match="no frame at"):
        list(Picker(one).pick(one.frame_times()[[3]] + 1))


def test_a_video_that_was_damaged_since_it_was_opened_is_an_error(tmp_path):
    one = video(tmp_path / "v.mp4", Encoding(key_every=8))
    times = one.frame_times()
    data = bytearray(one.path.read_bytes())
    middle = data.index(b"mdat") + 8
    data[middle : middle + 4000] = bytes(4000)
    one.path.write_bytes(bytes(data))
    with pytest.raises(VideoError):
        list(Picker(one).pick(times[[3, 20]]))
