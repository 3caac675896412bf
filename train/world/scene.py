"""The whole world at one moment, and the step to the next. It knows nothing of cameras or of who drives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from train.world.actors import ROADSIDE_M, Actor, Ahead, Bystander, Oncoming, of_happening
from train.world.car import WIDTH_M, Car, Controls
from train.world.place import Place
from train.world.road import LANE_OFFSET_M, Happening, Road, road_of

TICK_S = 0.02
"""The step of the mechanics; drivers decide less often."""
SEEN_M, PASSED_M = 130.0, 40.0
"""Others appear this far ahead, and are forgotten this far behind."""
CLEAR_M = 90.0
"""Ordinary traffic keeps this far from happenings."""


class Scene:
    """One car on one road. `others` are those near it, in the order in which they appeared."""

    def __init__(self, place: Place, rates: Mapping[str, float], start_m: float = 0.0, speed_mps: float = 8.0) -> None:
        self.road: Road = road_of(place, rates)
        self.ego = Car(start_m, speed_mps)
        self.others: list[Actor] = []
        self.ticks = 0
        self._coming = sorted(
            [*((h.station_m, h) for h in self.road.happenings), *_traffic(self.road)], key=lambda pair: pair[0]
        )
        self._next = int(np.searchsorted([station for station, _ in self._coming], start_m + 60.0))
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
        while self._next < len(self._coming) and self._coming[self._next][0] < self.ego.front_m + SEEN_M:
            who = self._coming[self._next][1]
            actor = of_happening(who, self.road) if isinstance(who, Happening) else who()
            if actor:
                self.others.append(actor)
            self._next += 1


class _Arrival:
    """Makes an actor when its time has come: each drive on a road gets its own."""

    def __init__(self, road: Road, station_m: float, kind: str, draw: float) -> None:
        self.road, self.station_m, self.kind, self.draw = road, station_m, kind, draw

    def __call__(self) -> Actor:
        limit = self.road.place.limit_mps
        if self.kind == "ahead":
            speed = (0.55 + 0.25 * self.draw) * limit
            return Ahead(self.station_m, LANE_OFFSET_M, speed, leaves_m=self.station_m + 400.0, speed_mps=speed)
        if self.kind == "oncoming":
            return Oncoming(self.station_m, -LANE_OFFSET_M, -limit * (0.7 + 0.3 * self.draw))
        return Bystander(self.station_m, ROADSIDE_M if self.draw < 0.6 else -ROADSIDE_M)


def _traffic(road: Road) -> list[tuple[float, _Arrival]]:
    """Cars ahead keep clear of happenings; they, too, are where they are for every policy."""
    chance = np.random.Generator(np.random.PCG64([road.place.seed, 3]))
    happens = np.array([h.station_m for h in road.happenings] or [-1e9])
    arrivals = []
    for kind, per_km in (
        ("ahead", road.place.traffic_per_km / 2),
        ("oncoming", road.place.traffic_per_km * 2),
        ("bystander", road.place.traffic_per_km),
    ):
        at = 100.0
        while (at := at + chance.exponential(1000.0 / per_km)) < road.length_m - 300.0:
            reach = at + 600.0 if kind == "ahead" else at
            clear = not np.any((happens > at - CLEAR_M) & (happens < reach + CLEAR_M))
            draw = float(chance.random())
            if clear or kind == "oncoming":
                arrivals.append((at, _Arrival(road, at, kind, draw)))
    return arrivals
