"""The whole world at one moment, and the step to the next. It knows nothing of cameras or of who drives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from train.world.actors import ROADSIDE_M, Actor, Ahead, Bystander, Oncoming, of_happening
from train.world.car import WIDTH_M, Car, Controls
from train.world.place import Place
from train.world.road import LANE_OFFSET_M, Road, chance_of, road_of

TICK_S = 0.02
"""The step of the mechanics; drivers decide less often."""
SEEN_M, PASSED_M = 130.0, 40.0
"""Others appear this far ahead, and are forgotten this far behind."""
AHEAD_M = 400.0
"""How far a slower car drives ahead before it turns off."""
CLEAR_M = 90.0
"""Ordinary traffic keeps this far from happenings."""


class Scene:
    """One car on one road. `others` are those near it, in the order in which they appeared."""

    def __init__(
        self, place: Place, rates: Mapping[str, float], start_m: float = 0.0, speed_mps: float = 8.0, day: int = 0
    ) -> None:
        self.road: Road = road_of(place, rates, day)
        self.ego = Car(start_m, speed_mps)
        self.others: list[Actor] = []
        self.ticks = 0
        coming = [_Arrival(h.station_m, partial(of_happening, h, self.road)) for h in self.road.happenings]
        self._coming = sorted([*coming, *_traffic(self.road)], key=lambda arrival: arrival.station_m)
        self._next = sum(arrival.station_m < start_m + 60.0 for arrival in self._coming)
        self._appear()

    @property
    def t_s(self) -> float:
        return self.ticks * TICK_S

    @property
    def ended(self) -> bool:
        """The road ends."""
        return self.ego.station_m > self.road.length_m - SEEN_M - 50.0

    def step(self, controls: Controls, seconds: float, each_tick: Callable[[], None] = lambda: None) -> None:
        """Go on by `seconds`; `each_tick` is called after every `TICK_S` of it."""
        for _ in range(round(seconds / TICK_S)):
            self.ego.move(controls, self.road, TICK_S)
            for other in self.others:
                other.act(self.ego, self.road, TICK_S)
                other.move(TICK_S)
            self.ticks += 1
            each_tick()
        self._appear()
        behind = self.ego.station_m - PASSED_M
        self.others = [other for other in self.others if not other.gone and other.station_m > behind]

    def in_path(self, margin_m: float = 0.25) -> Iterator[tuple[float, Actor]]:
        """Gap in m from the front bumper, and who is there: all ahead whose width meets the ego car's present course
        along the road."""
        for other in self.others:
            gap = other.back_m - self.ego.front_m
            reach = (WIDTH_M + other.width_m) / 2 + margin_m
            if gap > -1.0 and abs(other.offset_m - self.ego.offset_m) < reach:
                yield gap, other

    @property
    def collided(self) -> Actor | None:
        """Whom the ego car touches."""
        for other in self.others:
            if other.gone:
                continue
            ahead = other.back_m - self.ego.front_m
            behind = self.ego.station_m - 0.8 - (other.station_m + other.length_m / 2)
            side = abs(other.offset_m - self.ego.offset_m) - (WIDTH_M + other.width_m) / 2
            if ahead < 0 and behind < 0 and side < 0:
                return other
        return None

    def clear_collision(self) -> None:
        """Take away whom the car touches, so that the drive can go on."""
        if hit := self.collided:
            hit.gone = True

    def _appear(self) -> None:
        while self._next < len(self._coming) and self._coming[self._next].station_m < self.ego.front_m + SEEN_M:
            if actor := self._coming[self._next].make():
                self.others.append(actor)
            self._next += 1


@dataclass(frozen=True)
class _Arrival:
    """Somebody who appears when the ego car comes near his station; each drive on a road makes its own."""

    station_m: float
    make: Callable[[], Actor | None]


def _traffic(road: Road) -> list[_Arrival]:
    """Ordinary traffic keeps clear of happenings; it, too, is where it is for every policy."""
    chance = chance_of(road.place, road.day, 3)
    happens = np.array([h.station_m for h in road.happenings] or [-1e9])
    arrivals = []
    for make, share, stays_m in ((_ahead, 0.5, AHEAD_M + 200.0), (_oncoming, 2.0, 0.0), (_bystander, 1.0, 0.0)):
        at = 100.0
        while (at := at + chance.exponential(1000.0 / (share * road.place.traffic_per_km))) < road.length_m - 300.0:
            clear = not np.any((happens > at - CLEAR_M) & (happens < at + stays_m + CLEAR_M))
            draw = float(chance.random())
            if clear or make is _oncoming:
                arrivals.append(_Arrival(at, partial(make, at, draw, road.place.limit_mps)))
    return arrivals


def _ahead(at_m: float, draw: float, limit_mps: float) -> Actor:
    speed = (0.55 + 0.25 * draw) * limit_mps
    return Ahead(at_m, LANE_OFFSET_M, speed, leaves_m=at_m + AHEAD_M, speed_mps=speed)


def _oncoming(at_m: float, draw: float, limit_mps: float) -> Actor:
    return Oncoming(at_m, -LANE_OFFSET_M, -limit_mps * (0.7 + 0.3 * draw))


def _bystander(at_m: float, draw: float, limit_mps: float) -> Actor:
    return Bystander(at_m, ROADSIDE_M if draw < 0.6 else -ROADSIDE_M)
