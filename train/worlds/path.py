"""Where a car goes if its controls stay as they are: what is told to worlds that ask for a path instead of controls.

A kinematic bicycle about the rear axle, without slip, lag or drag: the curvature is tan(road wheel angle) / wheelbase,
the acceleration proportional to the pedals, and the car stops at speed 0. So the path is an arc, and how far along it
the car is follows from its speed. It is meant to be asked for anew at every step; only its first tenths are driven.

Axes as in ISO 8855 at the rear axle: x forward, y left, yaw + left. Shapes: N instants.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from train.world.car import BRAKE_MPS2, GAS_MPS2, MOST_TYRE_RAD, STEERING_RATIO, WHEELBASE_M, Controls

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Vehicle:
    """The car that the policy learned on; unless told, that of the built-in world.

    Attributes:
        wheelbase_m: front to rear axle.
        steering_ratio: degrees of steering wheel for one degree of road wheel.
    """

    wheelbase_m: float = WHEELBASE_M
    steering_ratio: float = STEERING_RATIO

    def curvature_per_m(self, controls: Controls) -> float:
        """Of the path, + left. What `Controls` call full lock is a steering wheel angle of the built-in world's car."""
        road_wheel_rad = controls.steering * MOST_TYRE_RAD * STEERING_RATIO / self.steering_ratio
        return math.tan(road_wheel_rad) / self.wheelbase_m


def path(controls: Controls, speed_mps: float, vehicle: Vehicle, after_s: Floats) -> Floats:
    """The car's places in its own axes of now.

    Args:
        after_s: (N,) instants from now, in s, not below 0.

    Returns:
        (N, 3) of x in m, y in m, yaw in rad.
    """
    accel = GAS_MPS2 * controls.gas - BRAKE_MPS2 * controls.brake
    moving_s = np.minimum(after_s, speed_mps / -accel) if accel < 0 else after_s
    driven = speed_mps * moving_s + 0.5 * accel * moving_s**2
    yaw = driven * vehicle.curvature_per_m(controls)
    # The chord of an arc of angle yaw: driven * sin(yaw / 2) / (yaw / 2), and it points to yaw / 2.
    chord = driven * np.sinc(yaw / (2 * np.pi))
    return np.stack([chord * np.cos(yaw / 2), chord * np.sin(yaw / 2), yaw], axis=1)
