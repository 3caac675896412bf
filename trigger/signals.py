"""The names a signal can have: one table for triggers, storage, labels and reports.

Rules:
- The unit is the last part of the name. Axes are ISO 8855: x forward, y left, z up, so left is positive.
- A bool is a bool: a recorder that knows only "brake pressed" gives `brake_pressed`, never a fraction.
- `steering_wheel_deg`, `steering_tire_deg` and `steering_normalised` are three signals; none is turned
  into another without a vehicle profile.
- Names and units follow COVESA VSS where it has them (https://covesa.global/project/vehicle-signal-specification/).
- A robot's own columns are no vehicle's signals; they are two families of names beside the table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

Kind = Literal["number", "flag", "source", "reason"]


class ControlSource(IntEnum):
    """Who moved a control. Only `HUMAN` is ever a label."""

    UNKNOWN = 0
    HUMAN = 1
    SYSTEM = 2
    SHARED = 3


class EndReason(IntEnum):
    """Why a system stopped being engaged: what the driver did, or what the system says of itself."""

    UNKNOWN = 0
    BRAKE = 1
    STEERING = 2
    GAS = 3
    BUTTON = 4
    FAULT = 5
    PLANNED = 6


@dataclass(frozen=True)
class Signal:
    """A signal's meaning.

    Attributes:
        kind: `number` (float64), `flag` (0 or 1), `source` (a `ControlSource`) or `reason` (an `EndReason`).
        unit: unit of the stored value, "" where it has none.
        low, high: what a road vehicle can physically produce, in `unit`; values outside mean a wrong unit.
    """

    name: str
    kind: Kind
    unit: str
    low: float
    high: float
    meaning: str


def _number(name: str, unit: str, low: float, high: float, meaning: str) -> Signal:
    return Signal(name, "number", unit, low, high, meaning)


def _flag(name: str, meaning: str) -> Signal:
    return Signal(name, "flag", "", 0.0, 1.0, meaning)


SIGNALS: dict[str, Signal] = {
    s.name: s
    for s in (
        _number("speed_mps", "m/s", -20.0, 120.0, "speed over ground, + forward"),
        _number("accel_long_mps2", "m/s^2", -30.0, 30.0, "longitudinal acceleration of the vehicle, gravity removed"),
        _number("accel_lat_mps2", "m/s^2", -30.0, 30.0, "lateral acceleration of the vehicle, + left, gravity removed"),
        _number("yaw_rate_dps", "deg/s", -360.0, 360.0, "yaw rate, + turning left"),
        _number("steering_wheel_deg", "deg", -1080.0, 1080.0, "steering wheel angle, + left"),
        _number("steering_tire_deg", "deg", -60.0, 60.0, "road wheel angle, + left"),
        _number("steering_normalised", "", -1.0, 1.0, "steering command, + left, full lock = 1"),
        _number("steering_torque_nm", "N m", -50.0, 50.0, "driver's torque on the steering wheel, + left"),
        _number("gas_fraction", "", 0.0, 1.0, "accelerator pedal, 1 = floored"),
        _number("brake_fraction", "", 0.0, 1.0, "brake pedal, 1 = floored"),
        _number("lead_distance_m", "m", 0.0, 500.0, "distance to the vehicle ahead"),
        _number("lead_closing_mps", "m/s", -120.0, 120.0, "speed at which the vehicle ahead comes nearer, + nearer"),
        _number("lat_deg", "deg", -90.0, 90.0, "latitude, WGS 84"),
        _number("lon_deg", "deg", -180.0, 180.0, "longitude, WGS 84"),
        _number("heading_deg", "deg", -360.0, 360.0, "course over ground, clockwise from north"),
        _flag("gas_pressed", "the driver presses the accelerator"),
        _flag("brake_pressed", "the driver presses the brake"),
        _flag("steering_pressed", "the driver turns the wheel against or beside the system"),
        _flag("blinker_left", "left direction indicator is on"),
        _flag("blinker_right", "right direction indicator is on"),
        _flag("engaged", "a driver-assistance system is in control of steering, speed or both"),
        _flag("collision_warning", "the vehicle warns of a forward collision"),
        _flag("emergency_braking", "the vehicle brakes by itself to avoid a collision"),
        _flag("stability_control", "electronic stability control intervenes"),
        _flag("bookmark", "the driver marks this moment"),
        Signal("end_reason", "reason", "", 0, 6, "why the system stopped being engaged: see EndReason"),
        Signal("control_source_steering", "source", "", 0, 3, "who steers: see ControlSource"),
        Signal("control_source_speed", "source", "", 0, 3, "who works gas and brake: see ControlSource"),
        Signal("control_source_robot", "source", "", 0, 3, "who moves the robot: see ControlSource"),
    )
}

ROBOT_COLUMN = re.compile(r"(?:action|state)_[a-z0-9_]{1,64}")
"""`action_<k>` and `state_<k>`: what a robot was told and what it measured, k made of the dataset's own name for it."""


def signal_named(name: str) -> Signal | None:
    """The meaning of a name: of the table, or of a robot's column; None for any other.

    A robot's column is told as a fraction of the range it has in its dataset, so that one threshold fits all; where
    that range is of quantiles, values beyond it are usual.
    """
    if name not in SIGNALS and ROBOT_COLUMN.fullmatch(name):
        return _number(name, "", -1.0, 2.0, "the robot's own column, as a fraction of its range in the dataset")
    return SIGNALS.get(name)


def signals_named(names: Iterable[str]) -> list[Signal]:
    """The meanings of names: those of the table first and in its order. Names that mean nothing are left out."""
    wanted = set(names)
    others = sorted(name for name in wanted if name not in SIGNALS)
    return [s for name in (*SIGNALS, *others) if name in wanted and (s := signal_named(name)) is not None]


POSITION = ("lat_deg", "lon_deg", "heading_deg")
"""Signals that tell where somebody was; what must not tell it leaves all of them out."""

STEERING_SIGNALS = ("steering_wheel_deg", "steering_tire_deg", "steering_normalised")
"""Steering columns in the order in which a label is looked for; a drive normally has one."""

CONTROLLED_BY: dict[str, tuple[str, ...]] = {
    "control_source_steering": STEERING_SIGNALS,
    "control_source_speed": ("gas_fraction", "brake_fraction"),
}
"""Which source says who moved which controls of a vehicle."""


def controls_of(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Which source says who moved which controls, of a recording that has these names; a robot's are its actions."""
    return CONTROLLED_BY | {"control_source_robot": tuple(name for name in names if name.startswith("action_"))}


SOURCE_AGE_S = 2.0
"""A control source is sampled; one older than this, in s, says nothing of who drives now."""
CONTROL_AGE_S = 0.2
"""Samples of a control further apart than this, in s, say nothing of what lies between."""
