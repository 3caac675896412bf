"""Where a second was driven: the cell of a fixed grid of the earth, and how far apart two sets of places are.

- A cell is about 1,000 m by 1,000 m anywhere: rows follow the latitude, and each row is cut into columns by the length
  of its own parallel. (A grid of degrees would be half as wide in Stockholm; geohash doubles from level to level.)
- 1,000 m, because a buffer of 100 m on either side of every border between two splits then costs 13 to 15 % of the
  seconds of simulated drives (cells half as large: 25 to 27 %), and larger cells split a town into few.
- A position that is not known lies in no cell.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trigger.region import EARTH_M

CELL_M = 1000.0
MOST_LAT_DEG = 89.9
"""Nearer to a pole no road is, and a parallel has no length to cut."""

Floats = NDArray[np.float64]


class Cell(NamedTuple):
    """Row, counted from the equator, and column, from the 0th meridian."""

    row: int
    column: int

    def __str__(self) -> str:
        return f"{self.row}:{self.column}"


def cell_of(lat_deg: float, lon_deg: float) -> Cell | None:
    """The cell a position (WGS 84) lies in; None where it is not known or not on the earth."""
    if not (abs(lat_deg) <= 90.0 and abs(lon_deg) <= 180.0):
        return None
    row = math.floor(math.radians(_clamped(lat_deg)) * EARTH_M / CELL_M)
    around = columns_of(row)
    return Cell(row, math.floor(lon_deg / 360.0 * around) % around)


def columns_of(row: int) -> int:
    """How many cells lie around the earth in a row."""
    return max(1, round(2 * math.pi * EARTH_M * math.cos((row + 0.5) * CELL_M / EARTH_M) / CELL_M))


def centre_of(name: str) -> tuple[float, float] | None:
    """Latitude and longitude [deg] of the middle of the cell that is called so; None for no such name."""
    try:
        row, column = map(int, name.split(":"))
    except ValueError:
        return None
    lon_deg = 360.0 * (column + 0.5) / columns_of(row)
    return math.degrees((row + 0.5) * CELL_M / EARTH_M), lon_deg - 360.0 if lon_deg > 180.0 else lon_deg


def cells_near(lat_deg: float, lon_deg: float, buffer_m: float) -> Iterable[Cell]:
    """Every cell within `buffer_m`, of less than half a cell, of a known position, and some just beyond.

    The square around the circle is narrower than a cell, so a row it reaches into holds at most two cells of it, and
    those lie at its corners.
    """
    up = math.degrees(buffer_m / EARTH_M)
    lats = [_clamped(lat_deg - up), _clamped(lat_deg + up)]
    aside = up / min(math.cos(math.radians(lat)) for lat in lats)
    lons = [(lon_deg + d + 180.0) % 360.0 - 180.0 for d in (-aside, aside)]
    return {cell for lat in lats for lon in lons if (cell := cell_of(lat, lon)) is not None}


def _clamped(lat_deg: float) -> float:
    return max(-MOST_LAT_DEG, min(MOST_LAT_DEG, lat_deg))


def on_the_sphere(lat_deg: Floats, lon_deg: Floats) -> Floats:
    """Positions (N,) and (N,) in degrees as unit vectors (N, 3)."""
    lat, lon = np.radians(lat_deg), np.radians(lon_deg)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)


def metres_between(one: Floats, other: Floats) -> float:
    """Along a great circle between two unit vectors (3,); by the chord, which is exact for near points too."""
    return 2 * EARTH_M * math.asin(min(1.0, float(np.linalg.norm(one - other)) / 2))
