"""Regions of the earth: a box between two parallels and two meridians, or a circle around a point; WGS 84 degrees.

A position that is not known lies in no region. Neither knows of borders, roads or heights.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

EARTH_M = 6_371_008.8
"""Mean radius of the earth (IUGG): a distance on the sphere is at most 0.6 % off."""


class Region(Protocol):
    def contains(self, lat_deg: float, lon_deg: float) -> bool: ...


@dataclass(frozen=True)
class Box:
    """From `west_deg` eastwards to `east_deg`, so one with west_deg > east_deg crosses the 180th meridian."""

    south_deg: float
    west_deg: float
    north_deg: float
    east_deg: float

    def contains(self, lat_deg: float, lon_deg: float) -> bool:
        if self.west_deg <= self.east_deg:
            between = self.west_deg <= lon_deg <= self.east_deg
        else:
            between = lon_deg >= self.west_deg or lon_deg <= self.east_deg
        return between and self.south_deg <= lat_deg <= self.north_deg


@dataclass(frozen=True)
class Circle:
    """All within `radius_m` of a point."""

    lat_deg: float
    lon_deg: float
    radius_m: float

    def contains(self, lat_deg: float, lon_deg: float) -> bool:
        return self._distance_m(lat_deg, lon_deg) <= self.radius_m

    def _distance_m(self, lat_deg: float, lon_deg: float) -> float:
        """Along a great circle, by the haversine formula."""
        here, there = math.radians(self.lat_deg), math.radians(lat_deg)
        half_lat, half_lon = (there - here) / 2, math.radians(lon_deg - self.lon_deg) / 2
        chord = math.sin(half_lat) ** 2 + math.cos(here) * math.cos(there) * math.sin(half_lon) ** 2
        return 2 * EARTH_M * math.asin(math.sqrt(min(1.0, chord)))
