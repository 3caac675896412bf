"""DonkeyCar tub v2: `manifest.json`, catalogs of one JSON record a line, and a folder of JPEGs.

Signals: `user/angle` (-1 left .. 1 right, so negated: + left here) and `user/throttle` (-1 .. 1: its positive part is
the gas; a negative one brakes or reverses, depending on the speed controller, and is not told apart).
Engagement: `user/mode` is `user` (human), `local_angle` (the pilot steers) or `local` (it does both). What is stored
under `user/` while the pilot drives is the human's hand on the stick, not the control that was applied.

Salvaged: NUL bytes in a catalog, lines that do not parse, damaged images, `._*` files. Deleted records are hidden. A
clock that stands still or runs faster than any camera is not the drive's: such a tub is timed by its record numbers
at 20 Hz, DonkeyCar's default drive loop, and says so.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from edge.drive import Drive
from edge.errors import DriveError
from edge.formats.numbers import json_number
from edge.video.images import ImageFiles
from trigger.plausible import findings
from trigger.signals import ControlSource
from trigger.telemetry import Telemetry, Times, Values

NAME = "donkeycar"
GIVES = "front camera, steering and throttle as normalised, who drove"
LACKS = "speed, brake, a clock where the tub has none"
ENGAGEMENT = "user/mode is not user: the pilot steers (local_angle) or drives (local)"
DRIVE_LOOP_HZ = 20
FASTEST_CAMERA_HZ = 125.0
IMAGE = "cam/image_array"
MAX_INDEX, MAX_STAMP_MS = 1 << 31, 9e12
"""Larger ones are damage; their nanoseconds would not fit int64."""


def matches(path: Path) -> list[Path]:
    return [path] if (path / "manifest.json").is_file() and any(path.glob("catalog_*.catalog")) else []


def open(path: Path) -> Drive:
    tub = _read(path)
    if not tub.records:
        raise DriveError(f"{path} holds no readable record", "catalogs of JSON records", "copy the tub again")
    t_ns, notes = _clock(tub)
    telemetry = Telemetry.merge({name: (t_ns, values) for name, values in _signals(tub.records).items()})
    camera = ImageFiles.of("front", [path / "images" / _image(record) for record in tub.records], t_ns)
    return Drive(
        id=f"donkeycar-{hashlib.sha256(t_ns.tobytes() + str(tub.created).encode()).hexdigest()[:12]}",
        recorder=NAME,
        source=path,
        t0_ns=int(t_ns[0]),
        telemetry=telemetry,
        cameras={"front": camera} if camera.paths else {},
        engagement=ENGAGEMENT,
        lost=(*tub.lost, *camera.lost),
        notes=(*notes, *findings(telemetry)),
    )


@dataclass
class _Tub:
    records: list[dict[str, Any]] = field(default_factory=list)
    created: float = 0.0
    lost: list[str] = field(default_factory=list)


def _read(path: Path) -> _Tub:
    tub = _Tub()
    deleted = _manifest(path / "manifest.json", tub)
    bad = 0
    for catalog in sorted(path.glob("catalog_*.catalog"), key=_number):
        for line in _lines(catalog, tub):
            record = _record(line)
            if record is None:
                bad += 1
            elif record["_index"] not in deleted:
                tub.records.append(record)
    if bad:
        tub.lost.append(f"catalogs: {bad} lines could not be read")
    tub.records.sort(key=lambda record: int(record["_index"]))
    return tub


def _lines(catalog: Path, tub: _Tub) -> list[bytes]:
    """Lines that hold anything. NUL bytes around one are a gap that the recorder left; within one they are damage."""
    try:
        lines = [line.strip(b"\0 \r\t") for line in catalog.read_bytes().split(b"\n")]
    except OSError:
        tub.lost.append(f"{catalog.name} cannot be read")
        return []
    return [line for line in lines if line]


def _manifest(path: Path, tub: _Tub) -> set[int]:
    """Deleted records; a damaged manifest hides none, and says so."""
    try:
        lines = [json.loads(line) for line in path.read_text(errors="replace").splitlines() if line.strip()]
        tub.created = float(lines[3].get("created_at", 0.0))
        return {int(i) for i in lines[4]["deleted_indexes"]}
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, OSError, RecursionError):
        tub.lost.append("manifest.json is damaged: deleted records cannot be told from the others")
        return set()


def _record(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict):
        return None
    index, stamp_ms = record.get("_index"), record.get("_timestamp_ms")
    if not isinstance(index, int) or not isinstance(stamp_ms, (int, float)):
        return None
    return record if 0 <= index < MAX_INDEX and 0 <= stamp_ms < MAX_STAMP_MS else None


def _image(record: dict[str, Any]) -> str:
    """The picture's file, never one outside the tub."""
    return PurePosixPath(str(record.get(IMAGE, ""))).name


def _number(path: Path) -> int:
    digits = "".join(c for c in path.stem if c.isdigit())
    return int(digits or 0)


def _clock(tub: _Tub) -> tuple[Times, list[str]]:
    """Strictly increasing times of the records, int64 ns."""
    stamped = np.array([int(r["_timestamp_ms"]) for r in tub.records], np.int64) * 1_000_000
    step_s = np.diff(stamped) / 1e9
    if step_s.size == 0 or (float(np.median(step_s)) * FASTEST_CAMERA_HZ >= 1.0 and bool((step_s > 0).all())):
        return stamped, []
    index = np.array([int(r["_index"]) for r in tub.records], np.int64)
    fast = f"{1 / np.median(step_s):.0f} frames/s" if np.median(step_s) > 0 else "standing still"
    note = f"the tub's clock is not the drive's ({fast}): timed by record number at {DRIVE_LOOP_HZ} Hz"
    return stamped[0] + (index - index[0]) * (1_000_000_000 // DRIVE_LOOP_HZ), [note]


def _signals(records: list[dict[str, Any]]) -> dict[str, Values]:
    mode = np.array([str(record.get("user/mode", "")) for record in records])
    throttle = _column(records, "user/throttle")
    by_pilot = {"steering": ("local_angle", "local"), "speed": ("local",)}
    known = np.isin(mode, ("user", "local_angle", "local"))
    signals = {
        "steering_normalised": -_column(records, "user/angle"),
        "gas_fraction": np.clip(throttle, 0.0, 1.0),
        "engaged": np.where(known, (mode != "user").astype(float), np.nan),
    }
    for axis, modes in by_pilot.items():
        source = np.where(np.isin(mode, modes), float(ControlSource.SYSTEM), float(ControlSource.HUMAN))
        signals[f"control_source_{axis}"] = np.where(known, source, float(ControlSource.UNKNOWN))
    return signals


def _column(records: list[dict[str, Any]], name: str) -> Values:
    return np.array([json_number(record.get(name)) for record in records], np.float64)
