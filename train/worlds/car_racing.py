"""gymnasium's CarRacing-v3: a lap on a random track, seen from above. `pip install "gymnasium[box2d]"`.

A human takes over where the middle of the car leaves the road. Lengths are those of its physics engine, taken for
metres: its car is 5 long, and a lap about a kilometre. The expert knows the track; it follows a point on the middle of
the road (pure pursuit, Coulter 1992) at a speed that the bends ahead allow.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from train.world.car import Controls
from train.worlds.rules import Moment, Rules

HALF_ROAD_M = 40 / 6.0
"""TRACK_WIDTH of its source."""
LOCK_RAD = 0.4
"""Limit of its front wheels' joints; its action is the angle itself, in radians."""
WHEELBASE_M = 3.24
FASTEST_MPS, LATERAL_MPS2 = 18.0, 9.0
"""What the expert drives; the tyres hold more."""
AHEAD_M, AHEAD_S = 5.0, 0.35
SIGHT_M = 40.0


class _Seen(NamedTuple):
    """The car on its track: points of the middle of the road from the nearest on, (N, 2) m; direction of the road
    (N,) rad, 0 is +y; offset_m of the car to the side."""

    points: NDArray[np.float64]
    headings: NDArray[np.float64]
    offset_m: float


class CarRacing(Rules):
    step_s = 1 / 50

    def action(self, controls: Controls) -> Any:
        return np.array([-LOCK_RAD * controls.steering, controls.gas, controls.brake], np.float32)

    def speed_mps(self, moment: Moment) -> float:
        velocity, heading = moment.env.car.hull.linearVelocity, _seen(moment.env).headings[0]
        return float(-math.sin(heading) * velocity[0] + math.cos(heading) * velocity[1])

    def takeover(self, moment: Moment) -> str:
        return "off road" if abs(_seen(moment.env).offset_m) > HALF_ROAD_M else ""

    def expert(self, moment: Moment) -> Controls:
        seen, hull = _seen(moment.env), moment.env.car.hull
        speed = math.hypot(*hull.linearVelocity)
        reach = AHEAD_M + AHEAD_S * speed
        gaps = np.hypot(*(seen.points - np.array(hull.position)).T)
        target = seen.points[int(np.argmax(gaps > reach))]
        # In the car's axes: forward is its +y, left its -x.
        right, forward = hull.GetLocalVector((target - np.array(hull.position)).tolist())
        bend = 2 * -right / max(right**2 + forward**2, 1.0)
        steering = math.atan(bend * WHEELBASE_M) / LOCK_RAD
        pedal = float(np.clip(0.05 * (_allowed(seen) - speed), -0.4, 0.3))
        return Controls(float(np.clip(steering, -1.0, 1.0)), max(pedal, 0.0), max(-pedal, 0.0))


def _seen(env: Any) -> _Seen:
    track = np.array(env.track)
    headings, points = track[:, 1], track[:, 2:4]
    away = np.array(env.car.hull.position) - points
    nearest = int(np.argmin(np.hypot(*away.T)))
    across = np.array([math.cos(headings[nearest]), math.sin(headings[nearest])])
    return _Seen(np.roll(points, -nearest, 0), np.roll(headings, -nearest), float(away[nearest] @ across))


def _allowed(seen: _Seen) -> float:
    """Speed in m/s that the sharpest bend in sight allows."""
    lengths = np.hypot(*np.diff(seen.points, axis=0).T)
    near = np.cumsum(lengths) < SIGHT_M
    turns = np.abs((np.diff(seen.headings) + np.pi) % (2 * np.pi) - np.pi)
    sharpest = float(np.max(turns[near] / np.maximum(lengths[near], 1.0), initial=0.0))
    return min(FASTEST_MPS, math.sqrt(LATERAL_MPS2 / max(sharpest, 1e-6)))
