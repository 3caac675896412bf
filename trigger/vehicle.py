"""What must be known of a vehicle before one of its signals can be turned into another."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class VehicleProfile:
    """Geometry of one vehicle; None where it is not known, and then nothing is derived from it.

    Attributes:
        wheelbase_m: front to rear axle.
        steering_ratio: degrees of steering wheel for one degree of road wheel.
    """

    wheelbase_m: float | None = None
    steering_ratio: float | None = None


UNKNOWN_VEHICLE = VehicleProfile()
