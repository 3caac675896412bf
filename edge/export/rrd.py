"""A drive to one Rerun recording (.rrd): signals, cameras and events on the drive's clock.

- `signals/<name>`: scalars, names and units of `trigger.signals`; flags and control sources as 0, 1, ...
- `cameras/<name>`: for each frame a reference into `cameras/<name>/video/<number>`, MP4s of about a minute. Packets are
  copied where that is possible, without user data; anything else is encoded to H.264.
- `events`: a line of text at the onset of each event that `trigger.detect` finds.

Nothing is sent: chunks go straight to the file, without a recording stream (whose file sink hangs for ever on a full
disk) and without a viewer. The command `rerun`, which shows the file, does collect usage data unless told
`rerun analytics disable`. The file appears whole or not at all.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from edge.drive import Drive
from edge.durable import PREFIX, sync_folder
from edge.errors import DriveError
from edge.export.mcap import GROUPS
from edge.video.camera import Camera
from edge.video.joined import JoinedVideo
from edge.video.remux import can_copy
from edge.write import write_camera
from trigger.detect import detect
from trigger.event import Event
from trigger.signals import signals_named
from trigger.telemetry import Times

TIMELINE = "drive_time"
PART_NS = 60_000_000_000
"""Length of one MP4, so that none comes near Arrow's 2 GiB and a viewer need not load them all."""
FIRST_DATE_NS = 946_684_800_000_000_000
"""2000-01-01: a clock that says less counts from power-on, and is shown as a duration."""


def export_rrd(drive: Drive, path: Path, position: bool = True) -> None:
    """Write a drive to the new file `path`.

    Args:
        position: False leaves latitude, longitude and heading out.

    Raises:
        DriveError: `path` exists, the drive is empty or a camera unreadable, or the package rerun-sdk is not installed.
        OSError: the file cannot be written.
    """
    try:
        import rerun
        from rerun.chunk import LazyChunkStream
    except ImportError as error:
        raise DriveError("the package rerun-sdk is not installed", "rerun", "pip install 'swerve[rrd]'") from error
    if path.exists():
        raise DriveError(f"{path} exists", "a new file", "choose another name or remove it")
    names = [name for name in drive.telemetry if position or name not in GROUPS["position"]]
    if not names and not any(camera.frame_times().size for camera in drive.cameras.values()):
        raise DriveError(f"{drive.id} holds no signal and no picture", "one at least", "check the drive")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(PREFIX + path.name)
    failures: list[Exception] = []
    try:
        chunks = _until_failure(_chunks(rerun, drive, names), failures)
        _write(LazyChunkStream.from_iter(chunks), temporary, drive.id, failures)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.rename(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def _write(stream: Any, path: Path, name: str, failures: list[Exception]) -> None:
    """All chunks to `path`; Rerun's own words become an OSError, and what went wrong in the drive comes first."""
    try:
        stream.write_rrd(path, application_id="swerve", recording_id=name)
    except Exception as error:
        raise (failures[0] if failures else OSError(f"{path.parent}: {error}")) from error
    if failures:
        raise failures[0]


def _until_failure(chunks: Iterator[Any], failures: list[Exception]) -> Iterator[Any]:
    """The same chunks; Rerun wraps what an iterator raises, so it is kept aside."""
    try:
        yield from chunks
    except Exception as error:
        failures.append(error)


def _chunks(rerun: ModuleType, drive: Drive, names: list[str]) -> Iterator[Any]:
    """All content, a camera's MP4s one after another so that one is in memory at a time."""
    rr: Any = rerun
    about = {"id": drive.id, "recorder": drive.recorder, "engagement": drive.engagement}
    started = rr.archetypes.RecordingInfo.columns(name=[drive.id], start_time=[drive.span_ns[0]])
    yield _chunk(rr, "__properties", [], started)
    yield rr.chunk.Chunk.from_property("swerve", rr.AnyValues(**about))
    for signal in signals_named(names):
        t_ns, values = drive.telemetry.samples(signal.name)
        if signal.kind != "number":
            steps = rr.SeriesLines.columns(interpolation_mode=["StepAfter"])
            yield _chunk(rr, f"signals/{signal.name}", [], steps)
        yield _timed(rr, drive, f"signals/{signal.name}", t_ns, rr.Scalars.columns(scalars=values))
    events = detect(drive.telemetry, drive.vehicle).events
    if events:
        text = rr.TextLog.columns(text=[_line(e) for e in events], level=["WARN"] * len(events))
        yield _timed(rr, drive, "events", np.array([e.t_ns for e in events], np.int64), text)
    for name, camera in drive.cameras.items():
        for number, window_ns in enumerate(_windows(camera)):
            yield from _video(rr, drive, name, number, window_ns)


def _video(rr: Any, drive: Drive, name: str, number: int, window_ns: tuple[int, int]) -> Iterator[Any]:
    """One MP4, and which of its frames is shown when; time stamps count from the first frame it holds."""
    where = f"cameras/{name}"
    asset = f"{where}/video/{number:04d}"
    with tempfile.TemporaryDirectory(prefix=PREFIX) as folder:
        video = write_camera(drive.cameras[name], window_ns, Path(folder, "video.mp4"))
        t_ns, first_ns = video.frame_times(), int(replace(video, window_ns=None).frame_times()[0])
        content = video.path.read_bytes()
    yield _chunk(rr, asset, [], rr.AssetVideo.columns(blob=[content], media_type=["video/mp4"]))
    shown = rr.VideoFrameReference.columns(timestamp=t_ns - first_ns, video_reference=[asset] * t_ns.size)
    yield _timed(rr, drive, where, t_ns, shown)


def _timed(rr: Any, drive: Drive, where: str, t_ns: Times, columns: Any) -> Any:
    kind, unit = ("timestamp", "datetime64[ns]") if drive.t0_ns >= FIRST_DATE_NS else ("duration", "timedelta64[ns]")
    return _chunk(rr, where, [rr.TimeColumn(TIMELINE, **{kind: t_ns.astype(unit)})], columns)


def _chunk(rr: Any, where: str, times: list[Any], columns: Any) -> Any:
    """A piece of one entity; without times it holds for the whole recording."""
    if not list(columns):  # Rerun warns and leaves out what it cannot hold, such as a video beyond 2 GiB
        raise DriveError(f"{where} cannot be put into a Rerun recording", "parts below 2 GiB", "cut the drive")
    return rr.chunk.Chunk.from_columns(where, times, columns)


def _windows(camera: Camera) -> list[tuple[int, int]]:
    """[start, end) of each MP4 in int ns: a minute or more, beginning at a key frame where packets are copied."""
    times = camera.frame_times()
    if not times.size:
        return []
    first, end = int(times[0]), int(times[-1]) + 1
    starts = np.arange(first, end, PART_NS, dtype=np.int64)
    if can_copy(camera):
        parts = camera.parts if isinstance(camera, JoinedVideo) else (camera,)
        keys = np.concatenate([part.key_times for part in parts])
        starts = keys[np.maximum(np.searchsorted(keys, starts, side="right") - 1, 0)]
    inner = [int(t) for t in np.unique(starts) if first < t < end]
    starts = times[np.unique(np.searchsorted(times, [first, *inner]))]  # no window without a frame
    bounds = [*(int(t) for t in starts), end]
    return list(pairwise(bounds))


def _line(event: Event) -> str:
    """What happened, and the evidence in the unit of its signal."""
    found = event.evidence
    lasted_s = (event.end_ns - event.t_ns) / 1e9
    return f"{event.kind}: {found.signal} {found.value:.3g}, threshold {found.threshold:.3g}, for {lasted_s:.2f} s"
