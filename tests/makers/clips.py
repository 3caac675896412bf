"""Clips made in no time: whole and of one's own, with a picture nobody decodes."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from edge.drive import Cut
from edge.manifest import FileEntry, Manifest
from edge.offer import Offer

SECOND_NS = 1_000_000_000


def clip_files(number: int, video_bytes: int = 2000) -> tuple[str, dict[str, bytes]]:
    """Its id, and its files by name. Clip `number` is second `number % 60` of drive `number // 60`."""
    drive, second = divmod(number, 60)
    video = f"video {number} ".encode().ljust(video_bytes, b".")
    files = {"front.mp4": video, "telemetry.parquet": f"PAR1 {number} PAR1".encode()}
    entries = {name: FileEntry(sha256(data).hexdigest(), len(data)) for name, data in files.items()}
    window = (second * SECOND_NS, (second + 1) * SECOND_NS)
    cut = Cut(f"drive-{drive}", f"{drive:064}", 60, window, (), {}, ())
    manifest = Manifest(f"drive-{drive}@{second}", "native", 0, {}, entries, consent=True, cut=cut)
    offer = Offer(manifest.digest, 1.0, ((second, 1, 1.0),))
    return manifest.digest, {**files, "drive.json": manifest.to_bytes(), "offer.json": offer.to_bytes()}


def write_clip(folder: Path, number: int, video_bytes: int = 2000) -> str:
    """Write clip `number` as `folder`, which is new, in one rename; returns its id."""
    clip_id, files = clip_files(number, video_bytes)
    temporary = folder.parent / f".swerve-{folder.name}"
    temporary.mkdir(parents=True)
    for name, data in files.items():
        (temporary / name).write_bytes(data)
    temporary.rename(folder)
    return clip_id
