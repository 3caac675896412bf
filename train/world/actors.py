"""Everybody else on the road, and what lies on it. Each acts on its own, seeing the ego car and nothing of its mind.

Where one appears and what it does is fixed by the place; when, by the ego car's coming near, so that every policy
meets the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from train.world.car import Car
from train.world.place import Colour
from train.world.road import LANE_M, LANE_OFFSET_M, Happening, Road

ROADSIDE_M = -LANE_M - 1.6
"""Offset of what stands or is parked on the right, off the road."""


@dataclass
class Actor:
    """A box on the road: `station_m` and `offset_m` of its middle, speeds along the road and to the left of it."""

    station_m: float
    offset_m: float
    along_mps: float = 0.0
    across_mps: float = 0.0
    braking: bool = False
    gone: bool = False

    length_m: ClassVar[float] = 4.4
    width_m: ClassVar[float] = 1.8
    height_m: ClassVar[float] = 1.5
    colour: ClassVar[Colour] = (60, 80, 150)

    @property
    def back_m(self) -> float:
        return self.station_m - self.length_m / 2

    def act(self, ego: Car, road: Road, dt_s: float) -> None:
        """Decide on speeds."""

    def move(self, dt_s: float) -> None:
        self.station_m += self.along_mps * dt_s
        self.offset_m += self.across_mps * dt_s

    def approach(self, speed_mps: float, most_mps2: float, dt_s: float) -> None:
        """Change the speed along the road towards `speed_mps`."""
        step = most_mps2 * dt_s
        change = min(max(speed_mps - self.along_mps, -step), step)
        self.braking = change < -0.6 * step and step > 0.02 * dt_s
        self.along_mps += change


@dataclass
class Ahead(Actor):
    """A slower car that one catches up with; after 400 m it turns off."""

    leaves_m: float = 0.0
    speed_mps: float = 0.0
    colour: ClassVar[Colour] = (50, 70, 150)

    def act(self, ego: Car, road: Road, dt_s: float) -> None:
        sharpest = max(abs(road.curvature(self.station_m + ahead)) for ahead in (0.0, 10.0, 20.0))
        self.approach(min(self.speed_mps, (2.0 / max(sharpest, 1e-3)) ** 0.5), 2.0, dt_s)
        if self.station_m > self.leaves_m:
            _turn_off(self)


@dataclass
class HardBraker(Ahead):
    """A car ahead that, once followed closely, brakes hard down to walking pace, and drives on and turns off."""

    braked_s: float = -1.0
    colour: ClassVar[Colour] = (150, 150, 158)
    FOLLOWED_S: ClassVar[float] = 2.2
    BRAKES_MPS2: ClassVar[float] = 7.0
    LASTS_S: ClassVar[float] = 4.0

    def act(self, ego: Car, road: Road, dt_s: float) -> None:
        gap = self.back_m - ego.front_m
        if self.braked_s < 0 and gap < self.FOLLOWED_S * ego.speed_mps and ego.speed_mps > 5.0:
            self.braked_s = 0.0
            self.leaves_m = self.station_m + 90.0
        if 0 <= self.braked_s < self.LASTS_S:
            self.braked_s += dt_s
            self.approach(1.0, self.BRAKES_MPS2, dt_s)
            self.braking = True
        else:
            super().act(ego, road, dt_s)


@dataclass
class CutIn(Actor):
    """A car that waits at the roadside and pulls out close ahead, slower; after 150 m it turns off."""

    leaves_m: float = 0.0
    pulls: bool = False
    colour: ClassVar[Colour] = (205, 120, 40)
    WITHIN_S: ClassVar[float] = 2.4

    def act(self, ego: Car, road: Road, dt_s: float) -> None:
        self.pulls = self.pulls or 0.0 < self.back_m - ego.front_m < max(self.WITHIN_S * ego.speed_mps, 8.0)
        if not self.pulls:
            return
        self.approach(6.5, 3.0, dt_s)
        if self.station_m > self.leaves_m:
            _turn_off(self)
        else:
            self.across_mps = min(max(2.0 * (LANE_OFFSET_M - self.offset_m), -2.0), 2.0)


@dataclass
class Pedestrian(Actor):
    """Stands at the roadside and, as the ego car comes near, walks straight across."""

    across_to: float = 1.0
    walks: bool = False
    length_m: ClassVar[float] = 0.6
    width_m: ClassVar[float] = 0.6
    height_m: ClassVar[float] = 1.8
    colour: ClassVar[Colour] = (215, 40, 60)
    WITHIN_S: ClassVar[float] = 3.4
    WALKS_MPS: ClassVar[float] = 1.7

    def act(self, ego: Car, road: Road, dt_s: float) -> None:
        self.walks = self.walks or self.station_m - ego.front_m < self.WITHIN_S * max(ego.speed_mps, 3.0)
        self.across_mps = self.across_to * self.WALKS_MPS if self.walks else 0.0
        self.gone = abs(self.offset_m) > 8.0


@dataclass
class Bystander(Actor):
    """Somebody who stays where he is, so that to stand at the roadside means nothing yet."""

    length_m: ClassVar[float] = 0.6
    width_m: ClassVar[float] = 0.6
    height_m: ClassVar[float] = 1.8
    colour: ClassVar[Colour] = (70, 60, 120)


@dataclass
class Debris(Actor):
    """Something that lies in one half of the lane: one has to drive round it."""

    length_m: ClassVar[float] = 0.9
    width_m: ClassVar[float] = 0.8
    height_m: ClassVar[float] = 0.6
    colour: ClassVar[Colour] = (235, 190, 30)


@dataclass
class Oncoming(Actor):
    """A car in the other lane."""

    colour: ClassVar[Colour] = (120, 40, 44)


def of_happening(happening: Happening, road: Road) -> Actor | None:
    """Who makes it happen; None for what the road itself does."""
    at, draw, limit = happening.station_m, happening.draw, road.place.limit_mps
    if happening.kind == "pedestrian":
        side = -1.0 if draw < 0.7 else 1.0
        return Pedestrian(at, side * -ROADSIDE_M, across_to=-side)
    if happening.kind == "debris":
        return Debris(at, LANE_OFFSET_M + (0.95 if draw < 0.5 else -0.95))
    if happening.kind == "cut_in":
        return CutIn(at, ROADSIDE_M, leaves_m=at + 150.0)
    if happening.kind == "hard_brake":
        return HardBraker(at, LANE_OFFSET_M, 0.7 * limit, leaves_m=at + 500.0, speed_mps=0.7 * limit)
    return None


def _turn_off(actor: Actor) -> None:
    actor.across_mps = -2.5
    actor.gone = actor.offset_m < ROADSIDE_M - 3.0
