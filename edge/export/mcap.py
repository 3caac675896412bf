"""A drive to one MCAP file that Foxglove opens: signals as JSON, a topic a group, and a topic a camera.

- `/swerve/motion`, `/swerve/controls`, `/swerve/driver`, `/swerve/position`: schema `swerve.Telemetry`, one message a
  time at which a signal of the group has a sample; names and units are those of `trigger.signals`.
- `/camera/<name>`: foxglove_msgs/msg/CompressedVideo in CDR. Video is encoded again: Foxglove shows no B-frames.

`edge.recorders.mcap_ros` reads it back. The file appears whole or not at all.
"""

from __future__ import annotations

import heapq
import json
import os
import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from edge.drive import Drive
from edge.durable import PREFIX, sync_folder
from edge.errors import DriveError
from edge.video.camera import Camera
from trigger.signals import SIGNALS, Signal, signals_named

TELEMETRY = "swerve.Telemetry"
VIDEO = "foxglove_msgs/msg/CompressedVideo"
VIDEO_DEFINITION = (
    "builtin_interfaces/Time timestamp\nstring frame_id\nuint8[] data\nstring format\n"
    f"{'=' * 80}\nMSG: builtin_interfaces/Time\nint32 sec\nuint32 nanosec\n"
)
GROUPS = {
    "motion": ("speed_mps", "accel_long_mps2", "accel_lat_mps2", "yaw_rate_dps", "lead_distance_m", "lead_closing_mps"),
    "driver": ("engaged", "end_reason", "bookmark", "control_source_steering", "control_source_speed"),
    "position": ("lat_deg", "lon_deg", "heading_deg"),
}
"""Topics of telemetry; every other signal is one of the controls."""
CRF = "20"
KEY_EVERY = 20
MICROSECOND = Fraction(1, 1_000_000)

Timed = tuple[int, int, bytes]
"""Time in ns, number of the channel, content."""


def export_mcap(drive: Drive, path: Path, position: bool = True) -> None:
    """Write a drive to the new file `path`.

    Args:
        position: False leaves latitude, longitude and heading out.

    Raises:
        DriveError: `path` exists, the drive is empty, or the package mcap is not installed.
    """
    try:
        from mcap.writer import Writer
    except ImportError as error:
        raise DriveError("the package mcap is not installed", "mcap", "pip install 'swerve[mcap]'") from error
    if path.exists():
        raise DriveError(f"{path} exists", "a new file", "choose another name or remove it")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(PREFIX + path.name)
    try:
        with temporary.open("wb") as file:
            writer: Any = Writer(file)
            writer.start(profile="", library="swerve")
            writer.add_metadata("swerve", {"id": drive.id, "recorder": drive.recorder, "engagement": drive.engagement})
            if not _write(writer, drive, position):
                raise DriveError(f"{drive.id} holds no signal and no picture", "one at least", "check the drive")
            writer.finish()
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def _write(writer: Any, drive: Drive, position: bool) -> int:
    """All messages in order of time; returns how many."""
    streams = _telemetry(writer, drive, position) + _video(writer, drive)
    number = -1
    for number, (t_ns, channel, content) in enumerate(heapq.merge(*streams, key=lambda m: m[0])):  # noqa: B007
        writer.add_message(channel, t_ns, content, t_ns)
    return number + 1


def _telemetry(writer: Any, drive: Drive, position: bool) -> list[Iterator[Timed]]:
    own = {s.name: s for s in signals_named(drive.telemetry) if s.name not in SIGNALS}
    properties: dict[str, Any] = {s.name: _property(s) for s in (SIGNALS | own).values()}
    time = {"type": "object", "properties": {"sec": {"type": "integer"}, "nsec": {"type": "integer"}}}
    schema = {"type": "object", "title": TELEMETRY, "properties": {"timestamp": time, **properties}}
    number = writer.register_schema(TELEMETRY, "jsonschema", json.dumps(schema).encode())
    grouped = {name for names in GROUPS.values() for name in names}
    groups = GROUPS | {"controls": tuple(name for name in SIGNALS if name not in grouped), "robot": tuple(own)}
    streams = []
    for group, names in groups.items():
        present = [name for name in names if name in drive.telemetry]
        if present and (position or group != "position"):
            channel = writer.register_channel(f"/swerve/{group}", "json", number)
            streams.append(_samples(drive, present, channel))
    return streams


def _property(signal: Signal) -> dict[str, str]:
    kind = {"number": "number", "flag": "boolean", "source": "integer", "reason": "integer"}[signal.kind]
    return {"type": kind, "description": f"{signal.meaning} [{signal.unit}]" if signal.unit else signal.meaning}


def _samples(drive: Drive, names: list[str], channel: int) -> Iterator[Timed]:
    kinds = {"number": float, "flag": bool, "source": int, "reason": int}
    signals = signals_named(names)
    for block in drive.telemetry.blocks():
        present = [(s.name, kinds[s.kind], block.columns[s.name]) for s in signals if s.name in block]
        for row, t_ns in enumerate(block.t_ns.tolist()):
            known = {name: kind(column[row]) for name, kind, column in present if not np.isnan(column[row])}
            if known:
                seconds, nanoseconds = divmod(t_ns, 1_000_000_000)
                message = {"timestamp": {"sec": seconds, "nsec": nanoseconds}, **known}
                yield t_ns, channel, json.dumps(message, allow_nan=False).encode()


def _video(writer: Any, drive: Drive) -> list[Iterator[Timed]]:
    if not drive.cameras:
        return []
    schema = writer.register_schema(VIDEO, "ros2msg", VIDEO_DEFINITION.encode())
    channels = {name: writer.register_channel(f"/camera/{name}", "cdr", schema) for name in drive.cameras}
    return [_frames(camera, name, channels[name]) for name, camera in drive.cameras.items()]


def _frames(camera: Camera, name: str, channel: int) -> Iterator[Timed]:
    encoder, converter = _encoder(camera), VideoReformatter()
    times: list[int] = []
    for t_ns, frame in camera.frames():
        times.append(t_ns)
        shown = converter.reformat(frame, encoder.width, encoder.height, "yuv420p", threads=1)
        shown.pts, shown.time_base = len(times) - 1, MICROSECOND
        yield from _packets(encoder, shown, times, name, channel)
    if times:
        yield from _packets(encoder, None, times, name, channel)


def _encoder(camera: Camera) -> VideoCodecContext:
    """Annex B without B-frames, parameter sets before each key frame: what CompressedVideo asks for."""
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height = (side // 2 * 2 for side in camera.size)
    encoder.pix_fmt, encoder.time_base = "yuv420p", MICROSECOND
    encoder.gop_size, encoder.thread_count = KEY_EVERY, 1
    encoder.options = {"bf": "0", "preset": "veryfast", "tune": "zerolatency", "crf": CRF}
    encoder.options |= {"x264-params": "scenecut=0:mbtree=0:repeat-headers=1"}
    return encoder


def _packets(
    encoder: VideoCodecContext, frame: VideoFrame | None, times: list[int], name: str, channel: int
) -> Iterator[Timed]:
    for packet in encoder.encode(frame):
        if packet.pts is not None:
            yield times[packet.pts], channel, _compressed_video(times[packet.pts], name, bytes(packet))


def _compressed_video(t_ns: int, frame_id: str, data: bytes) -> bytes:
    """foxglove_msgs/msg/CompressedVideo in little-endian CDR."""
    message = bytearray(b"\0\1\0\0" + struct.pack("<iI", *divmod(t_ns, 1_000_000_000)))
    for part in (frame_id.encode() + b"\0", data, b"h264\0"):
        message += bytes(-len(message) % 4) + struct.pack("<I", len(part)) + part
    return bytes(message)
