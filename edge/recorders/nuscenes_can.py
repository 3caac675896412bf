"""nuScenes' CAN bus expansion: `can_bus/scene-0001_<message>.json`, a list of messages a file, about 20 s a scene.

Read: `steeranglefeedback` (100 Hz), `pose` (50 Hz) and `vehicle_monitor` (2 Hz), as the devkit's
python-sdk/nuscenes/can_bus/README.md describes them; `utime` is microseconds.

Signs and units:
- `steeranglefeedback.value`: steering wheel, rad, + LEFT. The README first said right; that was an error, corrected by
  its authors (nutonomy/nuscenes-devkit issue 371, pull request 373). In scenes 0001, 0002 and 0061 the steering
  of `vehicle_monitor`, the same angle in degrees, and the yaw rate share their sign, and while it is positive the left
  rear wheel is the slower one: the car turns left.
- `pose.rotation_rate[2]`: rad/s about the vehicle's upward axis, + left. `pose.vel[0]`: m/s, forward.
- `vehicle_monitor`: speed km/h, used where there is no pose; throttle 0 .. 1000, the pedal's position; the turn
  signals, which follow the blinking lamp; brake_switch 1 is not pressed, 2 pressed, 3 confirmed pressed. The files also
  hold a 4, which is not documented: such samples are left out and counted in a note.

Not read: brake, a pressure in bar and no pedal position; every acceleration, since that of `pose` and `ms_imu` holds
gravity and those of `zoe_veh_info` have offsets that are not documented; positions, which are metres on a map.
Pictures are not part of the expansion: telemetry only. nuScenes was driven by people; the files do not say so.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge.drive import Drive
from edge.errors import DriveError
from edge.formats.numbers import json_number
from trigger.plausible import findings
from trigger.signals import ControlSource
from trigger.telemetry import Telemetry, Times, Values

NAME = "nuscenes_can"
GIVES = "steering wheel, speed, yaw rate, gas, brake switch, turn signals; people drove"
LACKS = "cameras, brake pedal position, acceleration, position"

MESSAGES = ("vehicle_monitor", "steeranglefeedback", "pose")
"""Kinds of message that are read; the first of them that a scene has stands for the scene."""
SCENE_FILE = re.compile(r"(scene-\d{4})_([a-z_]+)\.json", re.ASCII)
FLAT_OBJECT = re.compile(r"\{[^{}]*\}")
BRAKE_SWITCH = {1.0: 0.0, 2.0: 1.0, 3.0: 1.0}
MAX_UTIME = 2**63 // 1000 - 1
"""Microseconds whose nanoseconds fit int64."""

Message = dict[str, Any]
Signals = dict[str, tuple[Times, Values]]


def matches(path: Path) -> list[Path]:
    """One file a scene, whichever of its files is named."""
    if path.is_dir():
        files = [p for p in sorted(path.iterdir()) if SCENE_FILE.fullmatch(p.name)]
    else:
        files = [path] if path.is_file() else []
    scenes = {name[1]: p.parent for p in files if (name := SCENE_FILE.fullmatch(p.name))}
    return [file for scene, folder in scenes.items() if (file := _first_file(folder, scene))]


def open(path: Path) -> Drive:
    """Open the scene that the file belongs to. Raises DriveError."""
    name = SCENE_FILE.fullmatch(path.name)
    if name is None:
        raise DriveError(f"{path} is no file of a nuScenes scene", "scene-0001_pose.json or the like", "name one")
    lost: list[str] = []
    notes = ["telemetry only: the pictures of nuScenes are not read"]
    files = {kind: _messages(path.parent / f"{name[1]}_{kind}.json", lost) for kind in MESSAGES}
    signals = _signals(files, lost, notes)
    t_ns = Telemetry.merge(signals).t_ns
    if not t_ns.size:
        raise DriveError(
            f"{path.parent}/{name[1]} holds no readable signal", "lists of messages", "copy the scene again"
        )
    human = (t_ns, np.full(t_ns.size, float(ControlSource.HUMAN)))
    telemetry = Telemetry.merge(signals | {"control_source_steering": human, "control_source_speed": human})
    return Drive(
        id=f"nuscenes-{name[1]}",
        recorder=NAME,
        source=path,
        t0_ns=int(t_ns[0]),
        telemetry=telemetry,
        cameras={},
        engagement="driven by people throughout",
        lost=tuple(lost),
        notes=(*notes, *findings(telemetry)),
    )


def _first_file(folder: Path, scene: str) -> Path | None:
    files = (folder / f"{scene}_{kind}.json" for kind in MESSAGES)
    return next((file for file in files if file.is_file()), None)


def _messages(path: Path, lost: list[str]) -> list[Message]:
    """The messages of a file; of a damaged one those that are whole."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        lost.append(f"{path.name} {'is absent' if isinstance(error, FileNotFoundError) else 'cannot be read'}")
        return []
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = _salvaged(text)
        lost.append(f"{path.name} is damaged: {len(found)} of its messages are whole")
    if not isinstance(found, list):
        lost.append(f"{path.name} is not a list of messages")
        return []
    timed = [message for message in found if _is_timed(message)]
    if len(timed) < len(found):
        lost.append(f"{path.name}: {len(found) - len(timed)} of {len(found)} messages have no usable utime")
    return timed


def _salvaged(text: str) -> list[Any]:
    """Whole messages of a damaged file. A message holds numbers and lists of numbers only, so braces do not nest."""
    found = []
    for match in FLAT_OBJECT.finditer(text):
        try:
            found.append(json.loads(match[0]))
        except (ValueError, RecursionError):
            continue
    return found


def _is_timed(message: Any) -> bool:
    if not isinstance(message, dict):
        return False
    utime = message.get("utime")
    return isinstance(utime, int) and not isinstance(utime, bool) and 0 < utime <= MAX_UTIME


@dataclass(frozen=True)
class _Source:
    """Where a signal comes from: the kind of message, the field, its item if it is a list, and how it is turned."""

    kind: str
    field: str
    item: int | None
    turned: Callable[[float], float]


def _flag(value: float) -> float:
    return value if value in (0.0, 1.0) else math.nan


def _brake(value: float) -> float:
    return BRAKE_SWITCH.get(value, math.nan)


SOURCES = {
    "steering_wheel_deg": _Source("steeranglefeedback", "value", None, math.degrees),
    "speed_mps": _Source("pose", "vel", 0, float),
    "yaw_rate_dps": _Source("pose", "rotation_rate", 2, math.degrees),
    "gas_fraction": _Source("vehicle_monitor", "throttle", None, lambda throttle: throttle / 1000.0),
    "brake_pressed": _Source("vehicle_monitor", "brake_switch", None, _brake),
    "blinker_left": _Source("vehicle_monitor", "left_signal", None, _flag),
    "blinker_right": _Source("vehicle_monitor", "right_signal", None, _flag),
}
SLOW_SPEED = _Source("vehicle_monitor", "vehicle_speed", None, lambda kmh: kmh / 3.6)


def _signals(files: dict[str, list[Message]], lost: list[str], notes: list[str]) -> Signals:
    sources = SOURCES if files["pose"] else SOURCES | {"speed_mps": SLOW_SPEED}
    signals: Signals = {}
    for name, source in sources.items():
        messages = files[source.kind]
        raw = np.array([_raw(message, source) for message in messages], np.float64)
        values = np.array([math.nan if math.isnan(value) else source.turned(value) for value in raw.tolist()])
        bad, unknown = int(np.isnan(raw).sum()), int((np.isnan(values) & ~np.isnan(raw)).sum())
        if bad:
            lost.append(f"{source.kind}.{source.field}: {bad} of {raw.size} values are not numbers")
        if unknown:
            notes.append(f"{source.kind}.{source.field}: {unknown} of {raw.size} values are not documented: left out")
        signals[name] = (np.array([message["utime"] * 1000 for message in messages], np.int64), values)
    return signals


def _raw(message: Message, source: _Source) -> float:
    """The recorded number, NaN where it is none."""
    value = message.get(source.field)
    if source.item is not None:
        value = value[source.item] if isinstance(value, list) and len(value) == 3 else None
    return json_number(value)
