"""`drive.json`, format "swerve-drive/1": the manifest of a native drive and, with "cut", of a clip.

Rules:
- Strict: unknown format, duplicate keys, missing keys, wrong types and names that leave the folder are refused.
- Canonical JSON (sorted keys, no spaces, UTF-8) so that the sha256 of a clip's manifest can be its id.
- Every other file of the folder is named with its size and sha256.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn

from edge.drive import Cut
from edge.errors import DriveError
from edge.video.geometry import CameraGeometry, Matrix
from trigger.event import Event
from trigger.vehicle import UNKNOWN_VEHICLE, VehicleProfile

FORMAT = "swerve-drive/1"
IDENTIFIER = re.compile(r"[^/\\.][^/\\]{0,119}")
MANIFEST = "drive.json"
TELEMETRY = "telemetry.parquet"
MAX_BYTES = 16 * 1024 * 1024
"""A manifest larger than this, in bytes, is not read."""


@dataclass(frozen=True)
class CameraEntry:
    """One camera's file. `t0_ns` and `pts_origin` as in `edge.video.camera.VideoFile`; sizes in pixels."""

    file: str
    t0_ns: int
    pts_origin: int
    width: int
    height: int
    codec: str
    frames: int
    key_frame_spacing_s: float
    intrinsics: list[list[float]] | None = None
    pose: list[list[float]] | None = None


@dataclass(frozen=True)
class FileEntry:
    sha256: str
    bytes: int


@dataclass(frozen=True)
class Manifest:
    id: str
    recorder: str
    t0_ns: int
    cameras: Mapping[str, CameraEntry]
    files: Mapping[str, FileEntry]
    vehicle: VehicleProfile = UNKNOWN_VEHICLE
    engagement: str = ""
    consent: bool | None = None
    static: Mapping[str, Any] = field(default_factory=dict)
    lost: tuple[str, ...] = ()
    cut: Cut | None = None

    def to_bytes(self) -> bytes:
        data = {
            "format": FORMAT,
            "id": self.id,
            "recorder": self.recorder,
            "t0_ns": self.t0_ns,
            "cameras": {name: asdict(camera) for name, camera in self.cameras.items()},
            "files": {name: asdict(entry) for name, entry in self.files.items()},
            "vehicle": asdict(self.vehicle),
            "engagement": self.engagement,
            "consent": self.consent,
            "static": dict(self.static),
            "lost": list(self.lost),
        }
        if self.cut is not None:
            data["cut"] = _cut_to_json(self.cut)
        return canonical_json(data)

    @property
    def geometry(self) -> dict[str, CameraGeometry]:
        """Of the cameras of which both intrinsics and pose are known."""
        return {
            name: CameraGeometry(_matrix(camera.intrinsics), _matrix(camera.pose))
            for name, camera in self.cameras.items()
            if camera.intrinsics and camera.pose
        }

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.to_bytes()).hexdigest()


def canonical_json(data: Any) -> bytes:
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def file_entry(path: Path) -> FileEntry:
    with path.open("rb") as file:
        return FileEntry(hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size)


def read_manifest(path: Path) -> Manifest:
    """Raises DriveError, naming the file and the key."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DriveError(f"{path} cannot be read: {error.strerror}", "a manifest", "copy the drive again") from error
    if len(raw) > MAX_BYTES:
        raise DriveError(f"{path} has {len(raw)} bytes", f"at most {MAX_BYTES}", "this is not a drive's manifest")
    try:
        data = strict_json(raw)
    except (ValueError, RecursionError) as error:
        raise DriveError(f"{path} is damaged: {error}", "JSON", "record or copy the drive again") from error
    return _Fields(path, data).manifest()


def strict_json(raw: bytes) -> Any:
    """Parse JSON in which no key stands twice, every number is finite and all text can be written again.

    Raises:
        ValueError, RecursionError: it is not that.
    """
    data = json.loads(raw, object_pairs_hook=_no_duplicates, parse_constant=_no_constant, parse_float=_finite)
    json.dumps(data, ensure_ascii=False).encode()  # refuses lone surrogates
    return data


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return result


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"{text} is too large a number")
    return value


def _cut_to_json(cut: Cut) -> dict[str, Any]:
    return {
        "parent": cut.parent,
        "fingerprint": cut.fingerprint,
        "parent_seconds": cut.parent_seconds,
        "window_ns": list(cut.window_ns),
        "events": [event.to_json() for event in cut.events],
        "pre_roll": dict(cut.pre_roll),
        "engagement": [[t_ns, engaged] for t_ns, engaged in cut.engagement],
    }


class _Fields:
    """Reads typed values out of parsed JSON; every refusal names the file and the key."""

    def __init__(self, path: Path, data: Any, where: str = "") -> None:
        self.path, self.where = path, where
        if not isinstance(data, dict):
            self.refuse(where or "the file", data, "an object")
        self.data: dict[str, Any] = data

    def refuse(self, key: str, got: Any, wanted: str) -> NoReturn:
        shown = json.dumps(got, default=str)
        shown = shown if len(shown) <= 60 else shown[:57] + "..."
        raise DriveError(f"{self.path}: {key} is {shown}", wanted, "mend the manifest or write the drive again")

    def get(self, key: str, *types: type) -> Any:
        name = f"{self.where}.{key}" if self.where else key
        if key not in self.data:
            raise DriveError(f"{self.path} has no {name}", " or ".join(t.__name__ for t in types), "write it again")
        value = self.data[key]
        if type(value) not in types:
            self.refuse(name, value, " or ".join(t.__name__ for t in types))
        if type(value) is int and abs(value) >= 1 << 62:
            self.refuse(name, value, "a number below 2^62")
        return value

    def inner(self, key: str) -> dict[str, _Fields]:
        name = f"{self.where}.{key}" if self.where else key
        entries = self.get(key, dict)
        return {k: _Fields(self.path, v, f"{name}.{k}") for k, v in entries.items()}

    def file_name(self, key: str, value: str) -> str:
        pure = PurePosixPath(value)
        if len(pure.parts) != 1 or value in (".", "..") or "\\" in value or "\0" in value:
            self.refuse(key, value, "a file name without a folder")
        return value

    def identifier(self, key: str) -> str:
        """A name that can be part of a file name: it becomes that of clips and exports."""
        value = str(self.get(key, str))
        if not IDENTIFIER.fullmatch(value) or not value.isprintable():
            self.refuse(key, value, "1 to 120 printable characters without / or \\, not starting with a dot")
        return value

    def matrix(self, key: str, size: int) -> list[list[float]] | None:
        """A square one of finite numbers, where there is one."""
        value = self.get(key, list, type(None))
        if value is None:
            return None
        rows = [row for row in value if isinstance(row, list) and len(row) == size]
        if len(rows) != size or len(value) != size or any(type(x) not in (int, float) for row in rows for x in row):
            self.refuse(f"{self.where}.{key}", value, f"{size} rows of {size} numbers")
        return [[float(x) for x in row] for row in rows]

    def length(self, key: str) -> float | None:
        value = self.get(key, float, int, type(None))
        if value is not None and not 0.0 < value < 1000.0:
            self.refuse(f"{self.where}.{key}", value, "a number above 0, or null")
        return None if value is None else float(value)

    def manifest(self) -> Manifest:
        found = self.data.get("format")
        if found != FORMAT:
            self.refuse("format", found, f'"{FORMAT}"')
        files = {self.file_name("files", k): _file(f) for k, f in self.inner("files").items()}
        cameras = {self.file_name("cameras", k): _camera(f) for k, f in self.inner("cameras").items()}
        for name, camera in cameras.items():
            if camera.file not in files:
                self.refuse(f"cameras.{name}.file", camera.file, "a name listed under files")
        vehicle = _Fields(self.path, self.get("vehicle", dict), "vehicle")
        return Manifest(
            id=self.identifier("id"),
            recorder=self.get("recorder", str),
            t0_ns=self.get("t0_ns", int),
            cameras=cameras,
            files=files,
            vehicle=VehicleProfile(
                vehicle.length("wheelbase_m"),
                vehicle.length("steering_ratio"),
            ),
            engagement=self.get("engagement", str),
            consent=self.get("consent", bool, type(None)),
            static=self.get("static", dict),
            lost=tuple(map(str, self.get("lost", list))),
            cut=_cut(_Fields(self.path, self.data["cut"], "cut")) if "cut" in self.data else None,
        )


def _matrix(rows: list[list[float]]) -> Matrix:
    return tuple(map(tuple, rows))


def _file(fields: _Fields) -> FileEntry:
    return FileEntry(fields.get("sha256", str), fields.get("bytes", int))


def _camera(fields: _Fields) -> CameraEntry:
    return CameraEntry(
        file=fields.file_name(f"{fields.where}.file", fields.get("file", str)),
        t0_ns=fields.get("t0_ns", int),
        pts_origin=fields.get("pts_origin", int),
        width=fields.get("width", int),
        height=fields.get("height", int),
        codec=fields.get("codec", str),
        frames=fields.get("frames", int),
        key_frame_spacing_s=float(fields.get("key_frame_spacing_s", float, int)),
        intrinsics=fields.matrix("intrinsics", 3),
        pose=fields.matrix("pose", 4),
    )


def _cut(fields: _Fields) -> Cut:
    try:
        start, end = map(int, fields.get("window_ns", list))
        events = tuple(Event.from_json(e) for e in fields.get("events", list))
        engagement = tuple((int(t), bool(e)) for t, e in fields.get("engagement", list))
        pre_roll = {str(k): int(v) for k, v in fields.get("pre_roll", dict).items()}
    except (TypeError, ValueError, KeyError) as error:
        raise DriveError(
            f"{fields.path}: cut is malformed ({error!r})", "window, events, engagement", "cut the clip again"
        ) from error
    parent, seconds = fields.get("parent", str), fields.get("parent_seconds", int)
    return Cut(parent, fields.get("fingerprint", str), seconds, (start, end), events, pre_roll, engagement)
