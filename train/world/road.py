"""A place's road: its centre line as curvature, heading and position at every metre, and what happens where.

Straights and bends follow one another, joined by curvature that changes over 20 m; the road may cross itself on the
map, as only the stretch around the car is ever drawn or driven.

Shapes: N metres of road.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from train.world.place import KINDS, Place

Floats = NDArray[np.float64]
LANE_M = 3.5
"""Width of each of the two lanes; traffic keeps to the right."""
LANE_OFFSET_M = -LANE_M / 2
"""Where the middle of the own lane lies, from the centre line."""
EASE_M = 20
"""Length over which curvature changes."""
APART_M = 140.0
"""Least distance between two happenings, so that each is met alone."""
FIRST_M = 200.0
BEND = "sharp_bend"
"""What the road itself does, on all days."""
SHARP_RADIUS_M = (15.0, 20.0)
LENGTH_M = 24_000


@dataclass(frozen=True)
class Happening:
    """One of `place.KINDS` at a station; `draw` in [0, 1) settles its details, such as the side it comes from."""

    kind: str
    station_m: float
    draw: float


@dataclass(frozen=True, repr=False, eq=False)
class Road:
    """Attributes: (N,) at station 0, 1, 2 ... m: curvature_per_m, + left; heading_rad and x_m, y_m of the centre line.
    happenings in order of their station; day: whose they are."""

    place: Place
    day: int
    curvature_per_m: Floats
    heading_rad: Floats
    x_m: Floats
    y_m: Floats
    happenings: tuple[Happening, ...]

    @property
    def length_m(self) -> float:
        return float(self.curvature_per_m.size - 1)

    def curvature(self, station_m: float) -> float:
        return float(self.curvature_per_m[min(max(int(station_m), 0), self.curvature_per_m.size - 1)])

    def pose(self, station_m: float, offset_m: float = 0.0) -> tuple[float, float, float]:
        """(x, y) in m and the road's heading in rad at a station, `offset_m` to the left of the centre line."""
        at = min(max(station_m, 0.0), self.length_m - 1e-6)
        k = int(at)
        share = at - k
        heading = float(self.heading_rad[k] + share * (self.heading_rad[k + 1] - self.heading_rad[k]))
        x = float(self.x_m[k] + share * (self.x_m[k + 1] - self.x_m[k]))
        y = float(self.y_m[k] + share * (self.y_m[k + 1] - self.y_m[k]))
        return x - offset_m * math.sin(heading), y + offset_m * math.cos(heading), heading


def road_of(place: Place, rates: Mapping[str, float], day: int = 0) -> Road:
    """The road of a place, with happenings at these rates [per m, by kind]; the same for the same arguments.

    Args:
        day: another one, above 0, has the same bends and other people: nobody crosses where somebody did yesterday.
    """
    return _road_of(place, tuple(rates[kind] for kind in KINDS), day)


@lru_cache(maxsize=32)
def _road_of(place: Place, rates: tuple[float, ...], day: int) -> Road:
    chance = np.random.Generator(np.random.PCG64([place.seed, 1]))
    happenings = _happenings(place, dict(zip(KINDS, rates, strict=True)), day)
    curvature = _bends(place, chance)
    for happening in happenings:
        if happening.kind == BEND:
            _put_sharp_bend(curvature, happening)
        else:
            _calm_down(curvature, happening.station_m)
    kernel = np.ones(EASE_M) / EASE_M
    curvature = np.convolve(curvature, kernel, mode="same")
    heading = np.concatenate([[0.0], np.cumsum(curvature[:-1])])
    x, y = (np.concatenate([[0.0], np.cumsum(f(heading[:-1] + curvature[:-1] / 2))]) for f in (np.cos, np.sin))
    return Road(place, day, curvature, heading, x, y, happenings)


def _bends(place: Place, chance: np.random.Generator) -> Floats:
    parts: list[Floats] = []
    metres, side = 0, 1.0
    while metres < LENGTH_M:
        straight = int(chance.uniform(*place.straight_m))
        radius, angle = chance.uniform(*place.radius_m), math.radians(chance.uniform(15.0, 70.0))
        side = -side if chance.random() < 0.7 else side
        parts += [np.zeros(straight), np.full(max(int(radius * angle), 1), side / radius)]
        metres += parts[-1].size + straight
    return np.concatenate(parts)[: LENGTH_M + 1]


def chance_of(place: Place, day: int, *what: int) -> np.random.Generator:
    """For what is another every day."""
    return np.random.Generator(np.random.PCG64([place.seed, *what, *((day,) if day else ())]))


def _happenings(place: Place, rates: Mapping[str, float], day: int) -> tuple[Happening, ...]:
    """Each kind from a stream of its own, so that the rate of one does not move another."""
    drawn: list[Happening] = []
    for number, kind in enumerate(KINDS):
        chance = chance_of(place, 0 if kind == BEND else day, 2, number)
        at = FIRST_M
        while rates[kind] > 0:
            at += chance.exponential(1 / rates[kind])
            if at > LENGTH_M - FIRST_M:
                break
            drawn.append(Happening(kind, round(at, 1), float(chance.random())))
    drawn.sort(key=lambda happening: (happening.station_m, happening.kind))
    kept: list[Happening] = []
    for happening in drawn:
        if not kept or happening.station_m - kept[-1].station_m >= APART_M:
            kept.append(happening)
    return tuple(kept)


def _put_sharp_bend(curvature: Floats, happening: Happening) -> None:
    low, high = SHARP_RADIUS_M
    radius = low + (high - low) * happening.draw
    side = 1.0 if happening.draw * 10 % 1 < 0.5 else -1.0
    start = int(happening.station_m)
    length = int(radius * math.radians(70.0))
    curvature[start - 60 : start] = 0.0
    curvature[start : start + length] = side / radius
    curvature[start + length : start + length + 40] = 0.0


def _calm_down(curvature: Floats, station_m: float) -> None:
    """What happens on the road is to be seen in time: no bend is tighter than 150 m around it."""
    part = slice(max(int(station_m) - 70, 0), int(station_m) + 20)
    curvature[part] = np.clip(curvature[part], -1 / 150, 1 / 150)
