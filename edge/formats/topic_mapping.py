"""`swerve-topics.toml` beside a recording: which field of which topic is which column, in which unit and sign.

    [[signal]]
    topic = "/wheel"
    field = "angle"
    unit = "rad"
    column = "steering_wheel_deg"
    sign = -1

    [[camera]]
    topic = "/front/image"
    name = "front"

What is written there wins over what swerve knows. A column whose meaning names the left needs a sign, though a default
would suit most: a steering label of the wrong sign is found too late. What cannot be meant is refused with its place.

Not covered: offsets, sums of two fields, and values by name.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from edge.errors import DriveError
from edge.formats.message_camera import camera_name
from trigger.signals import SIGNALS, ControlSource

MAPPING = "swerve-topics.toml"
DEGREES = 180.0 / np.pi
UNITS: dict[str, dict[str, float]] = {
    "m/s": {"m/s": 1.0, "km/h": 1 / 3.6, "mph": 0.44704},
    "deg": {"deg": 1.0, "rad": DEGREES},
    "deg/s": {"deg/s": 1.0, "rad/s": DEGREES},
    "m/s^2": {"m/s^2": 1.0},
    "N m": {"N m": 1.0},
    "m": {"m": 1.0},
    "": {"fraction": 1.0, "percent": 0.01},
}
"""A column's unit to the units a mapping may name, and the factor from one to the other."""


@dataclass(frozen=True)
class Rule:
    """How one field becomes a column: `field` is dotted, `convert` gives the column's unit and sign."""

    column: str
    field: str
    convert: Callable[[float], float]
    origin: str = ""
    optional: bool = False


@dataclass(frozen=True)
class TopicMapping:
    signals: Mapping[str, tuple[Rule, ...]] = field(default_factory=dict)
    cameras: Mapping[str, str] = field(default_factory=dict)


def read_mapping(path: Path) -> TopicMapping:
    places = [folder / MAPPING for folder in ((path, path.parent) if path.is_dir() else (path.parent,))]
    file = next((place for place in places if place.is_file()), None)
    if file is None:
        return TopicMapping()
    try:
        data = tomllib.loads(file.read_text())
    except (tomllib.TOMLDecodeError, OSError, UnicodeDecodeError) as error:
        raise DriveError(f"{file} is not TOML: {error}", "[[signal]] and [[camera]] entries", "correct it") from error
    unknown = set(data) - {"signal", "camera"}
    if unknown:
        _refuse(file, "the file", f"it has {', '.join(sorted(unknown))}", "[[signal]] and [[camera]] entries")
    signals: dict[str, tuple[Rule, ...]] = {}
    for where, entry in _entries(file, data, "signal", {"topic", "field", "unit", "column"}, {"sign"}):
        signals[entry["topic"]] = (*signals.get(entry["topic"], ()), _rule(file, where, entry))
    cameras: dict[str, str] = {}
    for where, entry in _entries(file, data, "camera", {"topic", "name"}, set()):
        if camera_name(entry["name"]) != entry["name"] and not re.fullmatch(r"[a-z0-9_-]{1,60}", entry["name"]):
            _refuse(file, where, f"name is {entry['name']!r}", "lower-case letters, digits, _ and -")
        cameras[entry["topic"]] = entry["name"]
    return TopicMapping(signals, cameras)


def _entries(
    file: Path, data: dict[str, Any], kind: str, needed: set[str], allowed: set[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    entries = data.get(kind, [])
    if not isinstance(entries, list):
        _refuse(file, kind, "it is one table", f"[[{kind}]] entries")
    for number, entry in enumerate(entries, start=1):
        where = f"{kind} {number}"
        keys = set(entry) if isinstance(entry, dict) else set()
        if needed - keys or keys - needed - allowed:
            _refuse(file, where, f"it has {', '.join(sorted(keys)) or 'no keys'}", ", ".join(sorted(needed | allowed)))
        for key in needed:
            if not isinstance(entry[key], str):
                _refuse(file, where, f"{key} is {entry[key]!r}", "text")
        yield where, entry


def _rule(file: Path, where: str, entry: dict[str, Any]) -> Rule:
    column, unit, sign = entry["column"], entry["unit"], entry.get("sign")
    signal = SIGNALS.get(column)
    if signal is None:
        _refuse(file, where, f"column is {column!r}", f"one of {', '.join(SIGNALS)}")
    units = UNITS[signal.unit] if signal.kind == "number" else {"bool": 1.0}
    if signal.kind == "reason":
        _refuse(file, where, f"column is {column!r}", "a column that a number or a yes can fill")
    if unit not in units:
        _refuse(file, where, f"unit is {unit!r}", f"one of {', '.join(units)} for {column}")
    if sign not in (None, 1, -1) or isinstance(sign, bool):
        _refuse(file, where, f"sign is {sign!r}", "1 or -1")
    if "left" in signal.meaning and signal.kind == "number" and sign is None:
        _refuse(file, where, "it has no sign", f"sign = 1 where the recorded {column} is positive to the left, else -1")
    convert = times_factor(units[unit] * float(sign or 1))
    if signal.kind == "flag":
        convert = _flag
    if signal.kind == "source":
        convert = _source
    return Rule(column, entry["field"], convert, f"{file.name}, {where}")


def times_factor(factor: float) -> Callable[[float], float]:
    return lambda value: value * factor


def _flag(value: float) -> float:
    return float(value != 0)


def _source(value: float) -> float:
    """Who drives, from "the system does"."""
    return float(ControlSource.SYSTEM if value != 0 else ControlSource.HUMAN)


def _refuse(file: Path, where: str, got: str, wanted: str) -> NoReturn:
    raise DriveError(f"{file}, {where}: {got}", wanted, f"correct {where} of {file.name}")
