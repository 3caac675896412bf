"""The ego car: a kinematic bicycle in the road's own coordinates, with pedals and a steering rack that take time."""

from __future__ import annotations

import math
from dataclasses import dataclass

from train.world.road import LANE_OFFSET_M, Road

WHEELBASE_M, STEERING_RATIO = 2.7, 15.0
MOST_TYRE_RAD = math.radians(35.0)
TYRE_RATE_RAD_S = math.radians(45.0)
"""How fast the road wheels can be turned."""
GAS_MPS2, BRAKE_MPS2 = 4.0, 9.0
"""What a floored pedal gives."""
PEDAL_LAG_S = 0.12
DRAG_PER_S = 0.008
LENGTH_M, WIDTH_M, FRONT_M = 4.4, 1.8, 3.6
"""Size, and from the rear axle, which is the car's reference point, to the front bumper."""


@dataclass(frozen=True)
class Controls:
    """What a driver asks for: steering as a share of full lock, + left, -1 to 1; pedals 0 to 1."""

    steering: float
    gas: float
    brake: float

    def problem(self) -> str:
        """Why these are no controls, "" if they are."""
        values = {"steering": (self.steering, -1.0), "gas": (self.gas, 0.0), "brake": (self.brake, 0.0)}
        wrong = [name for name, (value, low) in values.items() if not low - 1e-6 <= value <= 1.0 + 1e-6]
        return f"{wrong[0]} {values[wrong[0]][0]}" if wrong else ""


@dataclass(slots=True)
class Car:
    """State of the ego car: `offset_m` of the rear axle from the centre line and `heading_rad` from the road's."""

    station_m: float
    speed_mps: float
    offset_m: float = LANE_OFFSET_M
    heading_rad: float = 0.0
    tyre_rad: float = 0.0
    gas: float = 0.0
    brake: float = 0.0
    accel_mps2: float = 0.0

    @property
    def front_m(self) -> float:
        return self.station_m + FRONT_M

    @property
    def off_lane_m(self) -> float:
        return self.offset_m - LANE_OFFSET_M

    @property
    def yaw_rate_rad_s(self) -> float:
        return self.speed_mps * math.tan(self.tyre_rad) / WHEELBASE_M

    @property
    def steering_wheel_deg(self) -> float:
        return math.degrees(self.tyre_rad) * STEERING_RATIO

    def move(self, controls: Controls, road: Road, dt_s: float) -> None:
        """One step of `dt_s`, short against the lags (0.02 s)."""
        wanted = min(max(controls.steering, -1.0), 1.0) * MOST_TYRE_RAD
        most = TYRE_RATE_RAD_S * dt_s
        self.tyre_rad += min(max(wanted - self.tyre_rad, -most), most)
        follow = min(dt_s / PEDAL_LAG_S, 1.0)
        self.gas += (min(max(controls.gas, 0.0), 1.0) - self.gas) * follow
        self.brake += (min(max(controls.brake, 0.0), 1.0) - self.brake) * follow
        before = self.speed_mps
        push = GAS_MPS2 * self.gas - BRAKE_MPS2 * self.brake - DRAG_PER_S * before
        self.speed_mps = max(0.0, before + push * dt_s)
        self.accel_mps2 = (self.speed_mps - before) / dt_s
        curvature = road.curvature(self.station_m)
        along = self.speed_mps * math.cos(self.heading_rad) / max(1.0 - self.offset_m * curvature, 0.2)
        self.heading_rad += (self.yaw_rate_rad_s - curvature * along) * dt_s
        self.offset_m += self.speed_mps * math.sin(self.heading_rad) * dt_s
        self.station_m += along * dt_s


def steering_for(curvature_per_m: float) -> float:
    """Share of full lock that drives a curvature, without slip."""
    return math.atan(curvature_per_m * WHEELBASE_M) / MOST_TYRE_RAD
