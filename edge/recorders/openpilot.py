"""openpilot: routes of segments of a minute (`edge.formats.openpilot_segments` says how they are named and found).

Read: rlog, else qlog (a tenth of the rate); where an rlog breaks off, the rest comes from the qlog. Times are those of
the boot clock. A segment with a `.lock` is still being written and is left out.

A route is read segment by segment, so that its length costs no memory. What the files hold is said in
`edge.formats.openpilot_log` and `edge.formats.openpilot_cameras`; what the messages mean in
`edge.formats.openpilot_signals`, who drove in `edge.formats.openpilot_control`, why an engagement ended in
`edge.formats.openpilot_reasons`.

Not read: `dcamera.hevc`, the driver's camera, and all that is said of the driver's face.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from edge.drive import Drive
from edge.errors import DriveError
from edge.formats.openpilot_cameras import Source, sources, timed_video
from edge.formats.openpilot_log import read_log
from edge.formats.openpilot_messages import Log
from edge.formats.openpilot_segments import QLOGS, RLOGS, Segment, first_segments, route_of
from edge.formats.openpilot_signals import Choices, RouteSignals
from edge.gathered import gathered
from edge.stored import without
from edge.video.camera import Camera, VideoFile
from edge.video.joined import JoinedVideo
from trigger.plausible import findings
from trigger.telemetry import Recorded, Telemetry
from trigger.vehicle import UNKNOWN_VEHICLE, VehicleProfile

NAME = "openpilot"
GIVES = (
    "front and wide camera, speed, acceleration, steering, yaw rate, gas, brake pressed, blinkers, vehicle ahead, "
    "warnings and interventions of the car, bookmarks, position, engagement with reasons, who drove"
)
LACKS = "the driver's camera (never read), how far the brake is pressed, torque on the wheel"
ENGAGEMENT = (
    "openpilot is enabled (selfdriveState.enabled, before 0.9.8 controlsState.enabled): it steers, works gas and "
    "brake, or both; a driver who overrides it does not end it"
)


def matches(path: Path) -> list[Path]:
    return first_segments(path)


def open(path: Path) -> Drive:
    """Open a route by its first segment, or a later segment alone."""
    segments = route_of(path)
    choices = Choices()
    route = _read_route(segments, choices)
    if choices.mistaken:
        route = _read_route(segments, Choices(choices.better))
    lost = [line for part in route.parts for line in part.lost] + route.lost
    about = list(_about(route.parts))
    if not route.telemetry.span_ns:
        raise DriveError(
            f"{path} holds no readable signal ({'; '.join([*lost, *about]) or 'its logs are empty'})",
            "an rlog or qlog of openpilot whose recording has ended",
            "copy the segment again, or drop it",
        )
    telemetry = without(route.telemetry, route.signals.left_out)
    cameras = _cameras(route.parts, lost)
    return Drive(
        id=_id(segments),
        recorder=NAME,
        source=path,
        t0_ns=route.telemetry.span_ns[0],
        telemetry=telemetry,
        cameras=cameras,
        vehicle=route.vehicle,
        engagement=ENGAGEMENT if "engaged" in telemetry else "",
        static=route.static | _marks(route.signals),
        lost=tuple(lost),
        notes=(*about, *route.signals.notes, *findings(telemetry)),
    )


def _id(segments: Sequence[Segment]) -> str:
    first = segments[0]
    return f"openpilot-{first.route}" + (f"--{first.number}" if len(segments) == 1 else "")


@dataclass(frozen=True)
class _Part:
    """What is kept of a segment that was read.

    Attributes:
        spoke, timed, ended: whether its log held anything, times of frames, and an end mark.
        videos: camera to its file. unseen: camera to what was lost of it.
    """

    segment: Segment
    lost: tuple[str, ...]
    spoke: bool
    timed: bool
    ended: bool
    videos: Mapping[str, VideoFile]
    unseen: Mapping[str, list[str]]


@dataclass
class _Route:
    """What is kept of a route that is read, `lost` of the route as a whole."""

    signals: RouteSignals
    telemetry: Recorded = field(default_factory=lambda: Telemetry.merge({}))
    parts: list[_Part] = field(default_factory=list)
    vehicle: VehicleProfile = UNKNOWN_VEHICLE
    static: dict[str, Any] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)


def _read_route(segments: Sequence[Segment], choices: Choices) -> _Route:
    route = _Route(RouteSignals(choices))
    route.telemetry = gathered(_blocks(route, segments), route.lost)
    return route


def _blocks(route: _Route, segments: Sequence[Segment]) -> Iterator[Telemetry]:
    """The signals segment by segment; all else is put into `route`."""
    cameras = sources([segment for segment in segments if not segment.locked])
    for segment in segments:
        log = Log({}, {}) if segment.locked else _log(segment)
        _learn(route, log)
        route.parts.append(_part(segment, log, cameras))
        yield route.signals.add(log)
    yield route.signals.rest()


def _log(segment: Segment) -> Log:
    """The best log, and where that is damaged the next best too: their messages bear the same times."""
    logs: list[Log] = []
    lost: list[str] = []
    for name in (n for n in (*RLOGS, *QLOGS) if n in segment.files):
        log = read_log(segment.files[name])
        logs.append(log)
        if lost and log.times.size:
            lost.append(f"the rest was read from {name}")
        lost += log.lost
        if not log.lost:
            break
    else:
        lost += [] if lost else ["it has no rlog or qlog"]
    return Log.of(logs, [f"segment {segment.number}: {line}" for line in lost])


def _learn(route: _Route, log: Log) -> None:
    """Car and version, which are told again and again; the first that can be is taken."""
    for _, wheelbase, ratio, car in log.told.get("carParams", []):
        if route.vehicle == UNKNOWN_VEHICLE and 1.0 < wheelbase < 10.0 and 5.0 < ratio < 40.0:
            route.vehicle = VehicleProfile(round(wheelbase, 4), round(ratio, 4))
        route.static |= {} if not car or "car" in route.static else {"car": car}
    for _, version in log.told.get("initData", []):
        route.static |= {} if not version or "openpilot" in route.static else {"openpilot": version}


def _marks(signals: RouteSignals) -> dict[str, Any]:
    """Why each engagement ended, as [t_ns, [names of events]], and the driver's bookmarks."""
    reasons = [[t_ns, names] for t_ns, names in signals.control.reasons]
    return {"reasons": reasons, "bookmarks": sorted(set(signals.bookmarks))}


def _part(segment: Segment, log: Log, cameras: Mapping[str, Source]) -> _Part:
    videos: dict[str, VideoFile] = {}
    unseen: dict[str, list[str]] = {}
    for name, source in cameras.items():
        unseen[name] = []
        if source[0] in segment.files and not segment.locked:
            video = timed_video(segment, source, log, unseen[name])
            videos |= {name: video} if video else {}
    ended = any(mark.startswith("endOf") for _, mark in log.told.get("sentinel", []))
    timed = any(len(log.table(kind)) for _, kinds in cameras.values() for kind in kinds)
    return _Part(segment, log.lost, bool(log.tables or log.told), timed, ended, videos, unseen)


def _about(parts: Sequence[_Part]) -> Iterator[str]:
    """What the reader of a route should know of its segments."""
    for part in parts:
        if part.segment.locked:
            yield f"segment {part.segment.number} is still being written: left out"
    cut_short = [part.segment.number for part in parts if part.spoke and not part.lost and not part.ended]
    if cut_short:
        yield f"no end mark: the recording of segments {_list(cut_short)} may have been cut short"
    missing = [a.segment.number + 1 for a, b in pairwise(parts) if b.segment.number > a.segment.number + 1]
    if missing:
        yield f"segments are missing from {_list(missing)} on"
    if any(part.timed for part in parts) and not any(part.videos for part in parts):
        yield "no camera, though the log times its frames: telemetry only"
    coarse = [p.segment.number for p in parts if p.spoke and not set(RLOGS) & p.segment.files.keys()]
    if coarse:
        yield f"qlog only, a tenth of the rate: segments {_list(coarse)}"


def _list(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))


def _cameras(parts: Sequence[_Part], lost: list[str]) -> dict[str, Camera]:
    parts = [part for part in parts if not part.segment.locked]
    cameras: dict[str, Camera] = {}
    for name, (file, _) in sources([part.segment for part in parts]).items():
        lost += [line for part in parts for line in part.unseen[name]]
        videos = [part.videos[name] for part in parts if name in part.videos]
        absent = sum(file not in part.segment.files for part in parts)
        if videos and absent:
            lost.append(f"{file} is absent in {absent} of {len(parts)} segments")
        if videos:
            cameras[name] = videos[0] if len(parts) == 1 else JoinedVideo(tuple(videos))
            lost += cameras[name].lost
    return cameras
