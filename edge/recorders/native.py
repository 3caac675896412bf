"""swerve's own format: `drive.json`, `telemetry.parquet`, one MP4 a camera. Clips are the same, with "cut"."""

from __future__ import annotations

from pathlib import Path

from edge.drive import Drive
from edge.errors import DriveError
from edge.manifest import MANIFEST, TELEMETRY, Manifest, read_manifest
from edge.stored import open_telemetry
from edge.video.camera import VideoFile

NAME = "native"
GIVES = "cameras, all signals, engagement, consent, clips"
LACKS = "nothing: what was written is read"


def matches(path: Path) -> list[Path]:
    """Also a folder that lost its manifest: its video must not pass for a bare one, which has no consent to heed."""
    return [path] if (path / MANIFEST).exists() or (path / TELEMETRY).is_file() else []


def open(path: Path) -> Drive:
    """Open a native drive or clip; a short video is salvaged and said, a missing file is refused."""
    manifest = read_manifest(path / MANIFEST)
    for name, entry in manifest.files.items():
        if not (path / name).is_file():
            raise DriveError(
                f"{path / name} is missing", f"{entry.bytes} bytes named in {MANIFEST}", "copy the whole drive folder"
            )
    window = manifest.cut.window_ns if manifest.cut else None
    cameras = {
        name: VideoFile(path / camera.file, camera.t0_ns, camera.pts_origin, window)
        for name, camera in manifest.cameras.items()
    }
    return Drive(
        id=manifest.id,
        recorder=manifest.recorder,
        source=path,
        t0_ns=manifest.t0_ns,
        telemetry=open_telemetry(path / TELEMETRY),
        cameras=cameras,
        vehicle=manifest.vehicle,
        engagement=manifest.engagement,
        consent=manifest.consent,
        static=manifest.static,
        lost=manifest.lost + _lost(manifest, cameras),
        cut=manifest.cut,
        geometry=manifest.geometry,
    )


def _lost(manifest: Manifest, cameras: dict[str, VideoFile]) -> tuple[str, ...]:
    lost = tuple(line for camera in cameras.values() for line in camera.lost)
    short = tuple(
        f"{camera.path.name}: {manifest.cameras[name].frames - found} of {manifest.cameras[name].frames} frames missing"
        for name, camera in cameras.items()
        if not camera.lost and (found := camera.total_frames) < manifest.cameras[name].frames
    )
    unseen = tuple(
        f"{camera.path.name}: none of its frames lies in the clip's window"
        for camera in cameras.values()
        if camera.window_ns and not camera.frame_times().size
    )
    return lost + short + unseen
