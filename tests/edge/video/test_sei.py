"""User data leaves the stream, and nothing else does."""

import struct

import av
import numpy as np
import pytest
from conftest import T0_NS, picture
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import VideoError
from edge.video.camera import VideoFile
from edge.video.remux import copy_stretch
from edge.video.sei import Framing, _escaped, clean_unit, strip_user_data

POSITION = struct.pack("<dd", 37.774929, -122.419416)
H264 = Framing("h264", 4)


def user_data(payload: bytes) -> bytes:
    """An H.264 SEI unit with one unregistered user-data message, escaped as the standard asks."""
    body = bytes(16) + payload
    return b"\x06" + _escaped(b"\x05" + b"\xff" * (len(body) // 255) + bytes([len(body) % 255]) + body + b"\x80")


def avcc(*units: bytes) -> bytes:
    return b"".join(struct.pack(">I", len(u)) + u for u in units)


def test_user_data_goes_and_a_recovery_point_stays():
    recovery = b"\x06\x06\x01\xc4\x80"
    both = b"\x06" + b"\x06\x01\xc4" + b"\x05\x11" + bytes([9]) * 17 + b"\x80"
    slice_ = b"\x65" + bytes(range(1, 200))
    assert strip_user_data(avcc(user_data(POSITION), slice_), H264) == avcc(slice_)
    assert strip_user_data(avcc(recovery, slice_), H264) == avcc(recovery, slice_)
    assert strip_user_data(avcc(both, slice_), H264) == avcc(recovery, slice_)


def test_start_codes_and_hevc():
    prefix_sei = b"\x4e\x01\x05\x11" + bytes([7]) * 17 + b"\x80"
    slice_ = b"\x26\x01" + b"\xaa" * 30
    stream = b"\x00\x00\x00\x01" + prefix_sei + b"\x00\x00\x01" + slice_
    assert strip_user_data(stream, Framing("hevc", 0)) == b"\x00\x00\x00\x01" + slice_


@given(st.binary(min_size=1, max_size=60))
def test_damaged_sei_never_crashes_and_never_keeps_user_data(junk):
    cleaned = clean_unit(b"\x06\x05" + junk, H264)
    assert cleaned == b"" or not cleaned.startswith(b"\x06\x05")


@given(st.binary(max_size=300))
def test_packets_without_user_data_are_untouched(body):
    packet = avcc(b"\x41" + body)
    assert strip_user_data(packet, H264) == packet


@pytest.mark.parametrize("size", range(256))
def test_a_damaged_size_does_not_carry_the_position_along(size):
    unit = user_data(bytes(3) + POSITION + bytes(58))
    damaged = unit[:2] + bytes([size]) + unit[3:]
    cleaned = clean_unit(damaged, H264)
    assert not any(POSITION[i : i + 6] in cleaned for i in range(0, 16, 8))


@pytest.mark.parametrize("kind", range(256))
def test_a_damaged_type_does_not_carry_the_position_along(kind):
    unit = user_data(bytes(3) + POSITION + bytes(58))
    assert POSITION not in clean_unit(unit[:1] + bytes([kind]) + unit[2:], H264)


def test_a_packet_framed_otherwise_is_refused():
    with pytest.raises(VideoError, match="without a start code"):
        strip_user_data(avcc(user_data(POSITION)), Framing("h264", 0))


def tesla_like(path, frames=40):
    """An MP4 whose every frame carries the position in user data, as a dashcam writes it."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.options = {"x264-params": "keyint=10:bframes=2"}
        made = [av.VideoFrame.from_ndarray(picture(i), format="rgb24") for i in range(frames)]
        for packet in [p for f in [*made, None] for p in stream.encode(f)]:
            tagged = av.Packet(b"\x00\x00\x00\x01" + user_data(POSITION) + bytes(packet))
            tagged.pts, tagged.dts, tagged.time_base = packet.pts, packet.dts, packet.time_base
            tagged.stream, tagged.is_keyframe = stream, packet.is_keyframe
            container.mux(tagged)
    return path


@pytest.mark.parametrize("start_s", [0.0, 1.5])
def test_no_byte_of_a_clip_holds_the_position(tmp_path, start_s):
    source = VideoFile(tesla_like(tmp_path / "source.mp4"), T0_NS)
    assert (tmp_path / "source.mp4").read_bytes().count(POSITION) == 40
    window = (T0_NS + round(start_s * 1e9), T0_NS + 3 * 10**9)
    cut = copy_stretch(source, *window, tmp_path / "cut.mp4")
    assert POSITION not in (tmp_path / "cut.mp4").read_bytes()
    for (t, a), (u, b) in zip(source.frames(*window), cut.frames(), strict=True):
        assert t == u
        assert np.array_equal(a.to_ndarray(), b.to_ndarray())
