"""Whole clips whose video or telemetry lies: each is one good clip with one lie in it, bound by its own hashes."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from clips import Files, Hostile, bound
from makers.native import write_native
from makers.picture import gray

from edge.clip import open_clip
from edge.cut import cut
from edge.drive import open_drive
from edge.manifest import Manifest
from edge.scan import scan

REFUSALS = (
    "bad_container", "bad_codec", "bad_size", "bad_times", "bad_frames", "bad_telemetry", "uncheckable", "crashed",
)  # fmt: skip


@cache
def good() -> tuple[Manifest, Files]:
    """A clip that is admitted."""
    with TemporaryDirectory() as folder:
        drive = open_drive(write_native(Path(folder), "good", seconds=2, shows=gray))
        clip = open_clip(next(cut(scan(drive, 1.0), Path(folder) / "clips")).folder)
        return clip.manifest, {name: (clip.folder / name).read_bytes() for name in clip.manifest.files}


def patched(video: bytes, box: bytes, offset: int, value: bytes) -> bytes:
    """ISO/IEC 14496-12: `value` in place of what lies `offset` bytes after the name of the first such box."""
    at = video.index(box) + len(box) + offset
    return video[:at] + value + video[at + len(value) :]


def huge_picture(video: bytes, luck: random.Random) -> tuple[bytes, dict[str, Any]]:
    side = luck.choice([16_384, 32_768, 65_534])
    return patched(video, b"avc1", 24, struct.pack(">HH", side, side)), {"width": side, "height": side}


def too_many_frames(video: bytes, luck: random.Random) -> tuple[bytes, dict[str, Any]]:
    """A million frames a second, or as many as the table of samples has numbers for."""
    if luck.random() < 0.5:
        return video, {"frames": luck.randint(10**6, 1 << 40)}
    return patched(video, b"stsz", 8, struct.pack(">I", luck.randint(10**6, (1 << 32) - 1))), {"frames": 10**6}


def endless(video: bytes, luck: random.Random) -> tuple[bytes, dict[str, Any]]:
    """Ticks of a second or more in place of a microsecond, or a frame that is shown for a century."""
    if luck.random() < 0.5:
        return patched(video, b"mdhd", 12, struct.pack(">I", luck.randint(1, 50))), {}
    return patched(video, b"stts", 12, struct.pack(">I", luck.randint(1 << 30, (1 << 31) - 1))), {}


def far_away(video: bytes, luck: random.Random) -> tuple[bytes, dict[str, Any]]:
    return video, {"t0_ns": luck.choice([0, 1 << 61, -(1 << 61), luck.randint(0, 10**18)])}


def another_container(video: bytes, luck: random.Random) -> tuple[bytes, dict[str, Any]]:
    text = luck.choice(
        [b"#EXTM3U\nfile:///etc/passwd\n", b"ffconcat version 1.0\nfile /etc/passwd\n", b"RIFF", b"\x1aE\xdf\xa3", b""]
    )
    return text + luck.randbytes(luck.randint(1, 500)), {}


def no_index(video: bytes, luck: random.Random) -> tuple[bytes, dict[str, Any]]:
    """Cut off before its index ends, or an index under another name."""
    if luck.random() < 0.5:
        return video[: luck.randrange(9, video.index(b"stsz"))], {}
    return video.replace(luck.choice([b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd"]), b"xxxx", 1), {}


def another_codec(video: bytes, luck: random.Random) -> tuple[bytes, dict[str, Any]]:
    other = luck.choice([b"mp4v", b"vp09", b"av01", b"jpeg", b"rle "])
    return video.replace(b"avc1", other).replace(b"avcC", b"free"), {"codec": luck.choice(["h264", "vp9", "mjpeg"])}


VIDEOS: tuple[Callable[[bytes, random.Random], tuple[bytes, dict[str, Any]]], ...] = (
    huge_picture, too_many_frames, endless, far_away, another_container, no_index, another_codec,
)  # fmt: skip


def damaged_telemetry(parquet: bytes, luck: random.Random) -> bytes:
    return luck.choice(
        [
            lambda: parquet[: luck.randrange(1, len(parquet) - 1)],
            lambda: parquet[4:],
            lambda: parquet[:-8] + struct.pack("<I", luck.randint(1 << 20, (1 << 32) - 1)) + b"PAR1",
            lambda: parquet[:-200] + bytes(192) + parquet[-8:],
            lambda: b"PAR1" + luck.randbytes(luck.randint(1, 2000)) + b"PAR1",
            lambda: luck.randbytes(luck.randint(1, 2000)),
        ]
    )()


def lying_clip(number: int, luck: random.Random) -> Hostile:
    manifest, files = good()
    manifest = replace(manifest, engagement=f"lie {number}")
    if luck.random() < 0.2:
        telemetry = damaged_telemetry(files["telemetry.parquet"], luck)
        clip_id, sent = bound(manifest, files | {"telemetry.parquet": telemetry})
        return Hostile("telemetry", clip_id, sent, REFUSALS)
    lie = luck.choice(VIDEOS)
    video, told = lie(files["front.mp4"], luck)
    cameras = {"front": replace(manifest.cameras["front"], **told)}
    clip_id, sent = bound(replace(manifest, cameras=cameras), files | {"front.mp4": video})
    return Hostile(lie.__name__.replace("_", " "), clip_id, sent, REFUSALS)
