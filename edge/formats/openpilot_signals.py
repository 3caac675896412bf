"""What the messages of an openpilot route mean, segment by segment: tables in, telemetry out.

Signs and units, as the schema documents them: steering wheel deg, + left; speed m/s; acceleration m/s^2; the yaw rate
is taken from localisation, rad/s about an axis that points down, so + left is its negative (calibrated frame in
`liveLocationKalman`; device frame in `livePose`, whose mount may tilt: 1.5 % at 10 degrees); heading deg clockwise
from north; the vehicle ahead in m from the front bumper (`dRel`), its speed relative to ours (`vRel`, + when it draws
away), so that it comes nearer with the negative. Where `leadOne.status` is false there is none, and no sample.

Some things are known of the whole route only:
- Of two sources of one signal the better one counts wherever the route has it. `Choices` notes where the other stood
  in before the better one was met: such a route must be read again (`mistaken`).
- `carState.gas` is a fraction only where it is a pedal: within 0 .. 1 and between them at least once. A flag of the car
  that is never set is one that this car, or a log so old, may not give. `left_out` names both.

Not taken: `carState.brake`, which is pressure over 250 bar (Volkswagen, Rivian), torque of the ACC's braking too (Ford)
or counts; `carState.yawRate`, without documented sign and on some cars computed from the steering; `steeringTorque`,
in the car's own units. `vEgo` has no sign: reversing is positive on most cars.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from edge.formats.openpilot_control import END_OF_ROUTE, Control, Signals
from edge.formats.openpilot_messages import MARKS, MEASURABLE, Log
from trigger.telemetry import Telemetry, Times, Values

MOVING_MPS = 1.0
"""Slower, the course over ground is noise."""
MARK_NS = 100_000_000
"""A bookmark has no length; it is told as one of this."""
OF_CAR = {
    "speed_mps": "vEgo",
    "accel_long_mps2": "aEgo",
    "steering_wheel_deg": "steeringAngleDeg",
    "steering_pressed": "steeringPressed",
    "blinker_left": "leftBlinker",
    "blinker_right": "rightBlinker",
    "gas_fraction": "gas",
    "gas_pressed": "gasPressed",
    "brake_pressed": "brakePressed",
    "collision_warning": "stockFcw",
    "emergency_braking": "stockAeb",
    "stability_control": "espActive",
}


class Choices:
    """Which of two sources a route has. `better`: names of those that are known to be there."""

    def __init__(self, better: Collection[str] = ()) -> None:
        self.better = set(better)
        self._stood_in: set[str] = set()

    def better_of(self, name: str, better: object, other: object) -> bool:
        """Whether the better source counts, where a segment has something of it, or of the other."""
        if better:
            self.better.add(name)
        elif other and name not in self.better:
            self._stood_in.add(name)
        return name in self.better

    @property
    def mistaken(self) -> bool:
        return bool(self.better & self._stood_in)


class RouteSignals:
    """A route's signals, segment by segment.

    Attributes:
        bookmarks: times of the driver's marks, int ns.
        control: holds why engagements ended.
        left_out: signals that turn out to be none, and `notes` on them; right when all segments were added.
    """

    def __init__(self, choices: Choices) -> None:
        self.bookmarks: list[int] = []
        self.control = Control()
        self._choices = choices
        self._never_set = {"collision_warning", "emergency_braking", "stability_control"}
        self._gas = (np.inf, -np.inf)
        self._is_pedal = False

    @property
    def left_out(self) -> set[str]:
        return self._never_set | (set() if self._is_pedal and not self.notes else {"gas_fraction"})

    @property
    def notes(self) -> list[str]:
        low, high = self._gas
        return [f"carState.gas runs from {low:g} to {high:g}: no fraction of a pedal, left out"] * (low < 0 or high > 1)

    def add(self, log: Log) -> Telemetry:
        """A segment's signals, and what could not be told of the one before."""
        engaged = self._engaged(log)
        control = log.table("carControl")
        active = (control["latActive"] > 0).any() or (control["longActive"] > 0).any()
        by_axis = self._choices.better_of("axes", active, (control["enabled"] > 0).any())
        signals = self._car(log) | self._turning(log) | self._position(log) | self._lead(log) | self._marks(log)
        signals |= self.control.add(log, engaged, by_axis)
        return Telemetry.merge(signals | {"engaged": engaged})

    def rest(self) -> Telemetry:
        """What is left to tell when the route has ended."""
        return Telemetry.merge(self.control.told(END_OF_ROUTE, "axes" in self._choices.better))

    def _engaged(self, log: Log) -> tuple[Times, Values]:
        new, old = log.table("selfdriveState"), log.table("controlsState")
        if self._choices.better_of("selfdriveState", len(new), len(old)):
            return new.t_ns, new["enabled"]
        return old.t_ns, old["enabledDEPRECATED"]

    def _car(self, log: Log) -> Signals:
        car = log.table("carState")
        signals = {name: (car.t_ns, car[field]) for name, field in OF_CAR.items()}
        self._never_set -= {name for name in self._never_set if (signals[name][1] > 0).any()}
        gas = signals["gas_fraction"][1]
        self._gas = float(np.fmin.reduce(gas, initial=self._gas[0])), float(np.fmax.reduce(gas, initial=self._gas[1]))
        self._is_pedal |= bool(((gas > 0.0) & (gas < 1.0)).any())
        return signals

    def _turning(self, log: Log) -> Signals:
        """Yaw rate from localisation."""
        told = np.array(log.told.get("liveLocationKalmanDEPRECATED", []), np.float64).reshape(-1, 3)
        pose = log.table("livePose")
        if self._choices.better_of("liveLocationKalman", (told[:, 2] > 0).any(), len(pose)):
            t_ns = np.array([row[0] for row in log.told.get("liveLocationKalmanDEPRECATED", [])], np.int64)
            down, valid = told[:, 1], told[:, 2]
        else:
            t_ns, down, valid = pose.t_ns, pose["angularVelocityDevice.z"], pose["angularVelocityDevice.valid"]
        sane = (valid > 0) & (np.abs(down) < MEASURABLE)
        return {"yaw_rate_dps": (t_ns, np.where(sane, -np.degrees(down), np.nan))}

    def _position(self, log: Log) -> Signals:
        """Position and course from the better receiver."""
        external, own = log.table("gpsLocationExternal"), log.table("gpsLocation")
        fix = external if self._choices.better_of("gpsLocationExternal", len(external), len(own)) else own
        lat, lon = fix["latitude"], fix["longitude"]
        fixed = ((fix["hasFix"] > 0) | (fix["flags"] % 2 == 1)) & ((lat != 0) | (lon != 0))
        moving = fixed & (fix["speed"] > MOVING_MPS)
        return {
            "lat_deg": (fix.t_ns, np.where(fixed, lat, np.nan)),
            "lon_deg": (fix.t_ns, np.where(fixed, lon, np.nan)),
            "heading_deg": (fix.t_ns, np.where(moving, fix["bearingDeg"], np.nan)),
        }

    def _lead(self, log: Log) -> Signals:
        radar = log.table("radarState")
        there = radar["leadOne.status"] > 0
        return {
            "lead_distance_m": (radar.t_ns, np.where(there, radar["leadOne.dRel"], np.nan)),
            "lead_closing_mps": (radar.t_ns, np.where(there, -radar["leadOne.vRel"], np.nan)),
        }

    def _marks(self, log: Log) -> Signals:
        begin = np.unique(np.concatenate([log.table(kind).t_ns for kind in MARKS.values()]))
        self.bookmarks += begin.tolist()
        t_ns = np.concatenate([begin + MARK_NS, begin])
        return {"bookmark": (t_ns, np.repeat([0.0, 1.0], begin.size))}
