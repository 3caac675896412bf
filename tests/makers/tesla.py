"""A Tesla dashcam: protobuf, SEI and MP4 by a writer of our own, and a car that drives as physics has it."""

import io
import struct
from datetime import UTC, datetime, timedelta
from functools import cache

import av
import numpy as np

from edge.formats.tesla_sei import FIELDS, FIXED32, VARINT
from makers.picture import picture

FPS = 10
STEP_NS = 1_000_000_000 // FPS
START = datetime(2026, 3, 1, 10, 0, 0, tzinfo=UTC)
T0_NS = int(START.timestamp()) * 1_000_000_000
NUMBERS = {name: number for number, (name, _) in FIELDS.items()}


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def protobuf(**fields):
    """A message as proto3 writes it: what is 0 is left out."""
    out = b""
    for name, value in fields.items():
        kind = FIELDS[NUMBERS[name]][1]
        if value:
            out += varint(NUMBERS[name] << 3 | kind)
            out += varint(int(value)) if kind == VARINT else struct.pack("<f" if kind == FIXED32 else "<d", value)
    return out


def escape(data):
    out, zeros = bytearray(), 0
    for byte in data:
        if zeros == 2 and byte <= 3:
            out.append(3)
            zeros = 0
        out.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return bytes(out)


def sei(message, marks=3):
    body = b"\x42" * marks + b"\x69" + message
    return b"\x06" + escape(b"\x05" + b"\xff" * (len(body) // 255) + bytes([len(body) % 255]) + body + b"\x80")


def avcc(*units):
    return b"".join(struct.pack(">I", len(unit)) + unit for unit in units)


def insert(source, path, units, limit=None, late=0, **options):
    """Copy a video `late` ticks later, with `units[i]` before the slices of its i-th packet.

    Args:
        source: a path or a file. units: lists of NAL units.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(source) as recorded, av.open(str(path), "w", format="mp4", options=options) as target:
        video = recorded.streams.video[0]
        stream = target.add_stream_from_template(video)
        for i, packet in enumerate(p for p in recorded.demux(video) if p.size):
            if i == limit:
                break
            tagged = av.Packet(avcc(*(units[i] if i < len(units) else ())) + bytes(packet))
            tagged.pts, tagged.dts, tagged.duration = packet.pts + late, packet.dts + late, packet.duration
            tagged.time_base, tagged.stream, tagged.is_keyframe = packet.time_base, stream, packet.is_keyframe
            target.mux(tagged)
    return path


@cache
def carrier(first, frames):
    """A video of numbered pictures without any SEI of Tesla's."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.options = {"preset": "ultrafast", "x264-params": "keyint=10:bframes=0"}
        for number in range(first, first + frames):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture(number), format="rgb24")))
        container.mux(stream.encode(None))
    return file.getvalue()


def world(
    seconds=60.0, wheel=2500.0, pedal=100.0, axes=(("x", 1.0), ("y", -1.0)), turns=0.02, compass=np.array, state=None
):
    """Fields of each frame. `wheel`: steering angle over curvature; `pedal`: scale; `axes`: lateral, longitudinal."""
    t = np.arange(0.0, seconds, 1.0 / FPS)
    curvature = turns(t) if callable(turns) else turns * np.sin(2 * np.pi * t / 20.0)  # + left
    speed = 10.0 + 4.0 * np.sin(2 * np.pi * t / 12.0)
    gained = 4.0 * 2 * np.pi / 12.0 * np.cos(2 * np.pi * t / 12.0)
    heading = 0.7 - np.cumsum(speed * curvature) / FPS  # clockwise from north
    north, east = (np.cumsum(speed * part) / FPS for part in (np.cos(heading), np.sin(heading)))
    lateral = speed**2 * curvature
    (lateral_axis, lateral_sign), (long_axis, long_sign) = axes
    fields = {
        "version": np.ones(t.size),
        "gear": np.ones(t.size),
        "frame_seq_no": 7000 + np.arange(t.size),
        "vehicle_speed_mps": speed,
        "accelerator_pedal_position": np.clip(gained, 0, None) / 4.0 * pedal,
        "steering_wheel_angle": curvature * wheel,
        "brake_applied": gained < -1.5,
        "autopilot_state": np.zeros(t.size) if state is None else state(t),
        "latitude_deg": 37.774929 + north / 111_320,
        "longitude_deg": -122.419416 + east / 111_320 / np.cos(np.radians(37.775)),
        "heading_deg": compass(np.degrees(heading)) % 360.0,
        f"linear_acceleration_mps2_{lateral_axis}": lateral * lateral_sign,
        f"linear_acceleration_mps2_{long_axis}": gained * long_sign,
        "linear_acceleration_mps2_z": 0.1 * np.sin(t * 3),
    }
    return [{name: values[i].item() for name, values in fields.items()} for i in range(t.size)]


def name(start_s, camera="front"):
    return f"{START + timedelta(seconds=start_s):%Y-%m-%d_%H-%M-%S}-{camera}.mp4"


def write(folder, frames, start_s=0, camera="front", first=0, **options):
    """Writes one file: its frames, what each of them says, and when and by which camera it is named."""
    units = [[sei(protobuf(**f))] if f is not None else [] for f in frames]
    return insert(io.BytesIO(carrier(first, len(frames))), folder / name(start_s, camera), units, **options)


def minutes(folder, frames, cameras=("front",), late_s=(0, 0, 0)):
    """Writes a drive of several minutes, 60 s each, by one camera or more."""
    for k in range(0, len(frames), 60 * FPS):
        minute = k // (60 * FPS)
        for camera in cameras:
            said = frames[k : k + 60 * FPS]
            start_s = 60 * minute + late_s[minute]
            write(folder, said if camera == "front" else [None] * len(said), start_s, camera, k)
    return folder
