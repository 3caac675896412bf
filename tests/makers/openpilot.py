"""An openpilot route: logs written with the real schema, and their videos."""

import bz2
import math
from functools import reduce

import av
import zstandard
from openpilot_logging.cereal import log as schema

from makers.picture import picture

DONGLE = "a2a0ccea32023010"
OLD, NEW = "2023-07-27--13-01-19", "000000dd--455f14369d"
START_S = 5_000.0


def event(t_s, kind, fields=None, **more):
    """One message; fields of a struct by (dotted) name, or a list of them."""
    message = schema.Event.new_message()
    message.logMonoTime = round(t_s * 1e9)
    if isinstance(fields, list):
        for target, values in zip(message.init(kind, len(fields)), fields, strict=True):
            fill(target, values)
    else:
        fill(message.init(kind), (fields or {}) | more)
    return message.to_bytes()


def fill(target, values):
    for name, value in values.items():
        *path, last = name.split(".")
        setattr(reduce(getattr, path, target), last, value)


def encode_index(kind, start_s, numbers, **more):
    return [
        event(
            start_s + 0.1 + n / 20,
            kind,
            segmentId=n,
            timestampSof=round((start_s + n / 20) * 1e9),
            timestampEof=round((start_s + n / 20 + 0.02) * 1e9),
            **more,
        )
        for n in numbers
    ]


def drive_messages(start_s=START_S, seconds=6.0, engaged=(), old=False, car=None, hz=100):
    """carState, the engagement and carControl; `engaged` holds (from, to) in s after the start."""
    messages = []
    for i in range(round(seconds * hz)):
        t_s = start_s + i / hz
        on = any(a <= i / hz < b for a, b in engaged)
        told = {"vEgo": 15.0, "aEgo": 0.5, "steeringAngleDeg": 10 * math.sin(i / hz)} | (car(i / hz) if car else {})
        messages.append(event(t_s, "carState", told | {"cruiseState.enabled": on}))
        if old:
            messages.append(event(t_s + 0.003, "controlsState", enabledDEPRECATED=on))
            messages.append(event(t_s + 0.004, "carControl", enabled=on))
        else:
            messages.append(event(t_s + 0.003, "selfdriveState", enabled=on))
            messages.append(event(t_s + 0.003, "controlsState"))
            messages.append(event(t_s + 0.004, "carControl", enabled=on, latActive=on, longActive=on))
    return messages


def write(path, messages, pack=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    data = messages if isinstance(messages, bytes) else b"".join(messages)
    path.write_bytes((pack or PACKED[path.suffix])(data))
    return path.parent


def streamed(data):
    """zstd as openpilot writes it: no size in the header."""
    packer = zstandard.ZstdCompressor(level=10).compressobj()
    packed = b"".join(
        [packer.compress(data[: len(data) // 2]), packer.compress(data[len(data) // 2 :]), packer.flush()]
    )
    assert zstandard.frame_content_size(packed) == -1
    return packed


PACKED = {"": bytes, ".bz2": bz2.compress, ".zst": streamed}


def write_video(path, numbers, codec="libx265", **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    quiet = {"x265-params": "bframes=0:keyint=20:log-level=0"} if codec == "libx265" else {"bf": "0", "g": "20"}
    with av.open(str(path), "w", format="hevc" if codec == "libx265" else "mpegts") as container:
        stream = container.add_stream(codec, rate=20)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.options = quiet | options
        for number in numbers:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture(number), format="rgb24")))
        container.mux(stream.encode(None))


def write_route(folder, file="fcamera.hevc", kind="roadEncodeIdx", codec="libx265", segments=2):
    for number in range(segments):
        start_s = START_S + 3 * number
        messages = drive_messages(start_s, 3.0) + encode_index(kind, start_s, range(60))
        write(folder / f"{NEW}--{number}" / "rlog.zst", messages)
        write_video(folder / f"{NEW}--{number}" / file, range(60 * number, 60 * number + 60), codec)
    return folder
