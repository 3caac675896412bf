"""Damage to a video costs the pictures that build on it, says so, and never moves a frame to another's time."""

import av
import numpy as np
import pytest
from makers.native import T0_NS
from makers.picture import number_in, picture
from makers.video import write_hevc

from edge.video.camera import VideoFile
from edge.video.encode import Encoding, encode
from edge.video.images import ImageFiles
from edge.video.remux import copy_stretch
from edge.video.sei import Framing, is_whole
from edge.video.transport import transport_damage

STEP_NS = 100_000_000
GROUP = 10
"""Frames from one key frame to the next."""


@pytest.fixture
def video(tmp_path):
    """60 numbered frames in six groups, without B-frames: the pictures are too noisy to be small."""
    noise = np.random.default_rng(0).integers(0, 60, (60, 48, 64, 3), dtype=np.uint8)
    frames = ((T0_NS + i * STEP_NS, picture(i) // 2 + noise[i]) for i in range(60))
    encode(tmp_path / "v.mp4", frames, Encoding(key_every=GROUP, preset="ultrafast"))
    return tmp_path / "v.mp4"


def places(path):
    """Where each frame's packet lies in the file, and how long it is."""
    with av.open(str(path)) as container:
        return [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]


def strike(path, at, content):
    data = bytearray(path.read_bytes())
    data[at : at + len(content)] = content
    path.write_bytes(data)


@pytest.mark.parametrize("first", [20, 24, 29])
def test_a_lost_block_costs_the_rest_of_its_group(video, tmp_path, first):
    at, size = places(video)[first]
    strike(video, at + size // 3, bytes(size // 3))
    camera = VideoFile(video, T0_NS)
    left = [i for i in range(60) if not first <= i < 30]
    assert camera.frame_times().tolist() == [T0_NS + i * STEP_NS for i in left]
    assert [t_ns for t_ns, _ in camera.frames()] == camera.frame_times().tolist()
    assert camera.lost == (f"v.mp4: {30 - first} of 60 frames are damaged, or build on damaged ones",)
    cut = copy_stretch(camera, T0_NS + 15 * STEP_NS, T0_NS + 35 * STEP_NS, tmp_path / "cut.mp4")
    assert cut.frame_times().tolist() == [T0_NS + i * STEP_NS for i in left if 15 <= i < 35]
    same = zip(cut.frames(), camera.frames(T0_NS + 15 * STEP_NS, T0_NS + 35 * STEP_NS), strict=True)
    assert all(np.array_equal(a.to_ndarray(), b.to_ndarray()) for (_, a), (_, b) in same)


def test_damage_that_only_the_decoder_sees_costs_no_more_than_its_group(video):
    at, size = places(video)[24]
    strike(video, at + 5, b"\xff" * (size - 5))
    camera = VideoFile(video, T0_NS)
    shown = {(t_ns - T0_NS) // STEP_NS for t_ns, _ in camera.frames()}
    assert set(range(60)) - shown <= set(range(24, 30))
    assert camera.lost == ()  # it is not decoded to be indexed


def test_a_raw_stream_ends_where_damage_could_move_its_frames(tmp_path):
    write_hevc(tmp_path / "v.hevc", range(60))
    times = T0_NS + np.arange(60) * STEP_NS
    at, _ = places(tmp_path / "v.hevc")[25]
    strike(tmp_path / "v.hevc", at, bytes(200))
    camera = VideoFile(tmp_path / "v.hevc", times_ns=times)
    shown = [(t_ns, number_in(frame)) for t_ns, frame in camera.frames()]
    assert 20 < len(shown) <= 25
    assert shown == [(T0_NS + i * STEP_NS, i) for i in range(len(shown))]
    assert camera.frame_times().tolist() == [t_ns for t_ns, _ in shown]
    assert camera.lost


@pytest.mark.parametrize(
    ("packet", "codec", "length_bytes", "whole"),
    [
        (b"\0\0\0\3\x65ab", "h264", 4, True),
        (b"\0\0\0\3\x65ab\0\0\0\2\x06x", "h264", 4, True),
        (b"\0\0\0\4\x65ab", "h264", 4, False),  # longer than there is
        (b"\0\0\0\3\x65ab\0", "h264", 4, False),  # a length that breaks off
        (b"\0\0\0\0\0\0\0\3\x65ab", "h264", 4, False),  # a unit of nothing
        (b"\0\0\0\2\x06x", "h264", 4, False),  # no slice
        (b"\0\0\0\3\xe5ab", "h264", 4, False),  # nor this: its first bit must be 0
        (b"\0\0\1\x2c\x65" + b"x" * 299, "h264", 4, True),
        (b"\0\0\1\x2c\x65" + b"x" * 99 + bytes(200), "h264", 4, False),
        (b"\0\0\1\x2c\x06" + bytes(299) + b"\0\0\0\2\x65x", "h264", 4, True),  # a dashcam's own bytes
        (b"\0\0\0\1\x26\1xy", "hevc", 0, True),
        (b"\0\0\0\1\x26\1" + b"x" * 99 + bytes(200) + b"x", "hevc", 0, False),
        (b"xy", "hevc", 0, False),
    ],
)
def test_packets_that_no_encoder_writes(packet, codec, length_bytes, whole):
    assert is_whole(memoryview(packet), Framing(codec, length_bytes)) == whole


def test_a_transport_stream_knows_its_packets(tmp_path):
    path = tmp_path / "v.ts"
    whole = b"".join(b"\x47" + bytes([i]) * 187 for i in range(60))
    for data, said in (
        (whole, ""),
        (whole[:-100], "it breaks off within a transport packet"),
        (whole[:1000] + bytes(4096) + whole[5096:], "22 of 60 transport packets are damaged"),
    ):
        path.write_bytes(data)
        assert transport_damage(path) == said


def test_pictures_without_a_beginning_or_an_end_are_left_out(tmp_path):
    jpeg, png = b"\xff\xd8 a picture \xff\xd9", b"\x89PNG\r\n\x1a\n a picture IEND\xaeB`\x82"
    contents = [jpeg, png, jpeg + bytes(900), jpeg[:-2], bytes(8) + jpeg[8:], b"", png[:-9], b"GIF89a"]
    paths = [tmp_path / f"{i}.jpg" for i in range(10)]
    for path, content in zip(paths, contents, strict=False):
        path.write_bytes(content)
    paths[8].mkdir()
    camera = ImageFiles.of("front", paths, np.arange(10))
    assert camera.frame_times().tolist() == [0, 1, 2]
    assert camera.lost == ("front: 7 of 10 images are missing, empty or damaged",)
