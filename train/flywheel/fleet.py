"""What the cars of one night drive: where, from which point of the road, and who holds the wheel.

A pure function of (seed, night, car), so that a night that is run again is the same night. Cars drive the fleet's
places alone. Some are driven by humans of different manners all the way, the others by the released policy with a
safety driver beside it; before there is a policy humans drive them all.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from edge.errors import DriveError, EdgeError
from edge.isolate import each
from train.errors import WorldError
from train.exam import WORLD
from train.flywheel.plan import Plan
from train.world.expert import CAREFUL, HURRIED, RELAXED, Style
from train.world.place import places
from train.world.record import Ridden
from train.world.road import LENGTH_M

STYLES: tuple[tuple[Style, float], ...] = ((CAREFUL, 0.6), (RELAXED, 0.25), (HURRIED, 0.15))
"""Manners of the human drivers, and their shares."""
A_CHILD = 8
"""Trips that are worth another child: it takes seconds to start one."""
LAST_START = 0.4
"""Drives begin in the first part of a road, so that it does not end under them."""


@dataclass(frozen=True)
class Trip:
    """One car's night. `policy`: folder of the one that drives, None where a human does. `staged`: not met but made.
    `day`: whose happenings it meets, see `train.world.road.road_of`."""

    car: str
    folder: Path
    place: str
    rates: str
    start_m: float
    seconds: float
    style: Style
    policy: Path | None
    staged: bool = False
    day: int = 0

    def __str__(self) -> str:
        return f"{self.car} in {self.place}"


def trips(plan: Plan, night: int, folder: Path, policy: Path | None) -> list[Trip]:
    """What the fleet drives on a night (counted from 1); each car's drive goes into a folder of its own."""
    fleet = places("fleet")
    made = []
    for number in range(plan.fleet):
        chance = np.random.Generator(np.random.PCG64([plan.seed, night, number]))
        car = f"car{number:04d}"
        by_human = policy is None or (number + 0.5) / plan.fleet < plan.human
        place = fleet[int(chance.integers(len(fleet)))]
        style = STYLES[int(chance.choice(len(STYLES), p=[share for _, share in STYLES]))][0]
        made.append(
            Trip(
                car=car,
                folder=folder / car / f"{car}-{night:04d}",
                place=place.name,
                rates=plan.rates,
                start_m=round(float(chance.uniform(100.0, LAST_START * LENGTH_M)), 1),
                seconds=plan.minutes * 60.0,
                style=style,
                policy=None if by_human else policy,
                day=1 + int(chance.integers(2**31)),
            )
        )
    return made


def drive_all(
    planned: Sequence[Trip], advance: Callable[[int, int], None] = lambda done, total: None
) -> tuple[list[Ridden], list[str]]:
    """Record every trip that is not recorded yet; what became of them, and the cars that were lost."""
    ridden: list[Ridden] = []
    lost: list[str] = []
    children = max(1, min(os.cpu_count() or 1, len(planned) // A_CHILD))
    for done, result in enumerate(each(drive_one, planned, children=children, words=WORLD), 1):
        if isinstance(result, EdgeError):
            lost.append(str(result))
        else:
            ridden.append(result)
        advance(done, len(planned))
    return ridden, lost


def drive_one(trip: Trip) -> Ridden:
    """In a child process. Raises DriveError where the world dies; no part of its drive is left then."""
    from train.world.env import DrivingWorld
    from train.world.record import record
    from train.world.safety import EARLY

    try:
        world = DrivingWorld(trip.place, trip.rates, trip.start_m, day=trip.day)
        world.style = trip.style
        if trip.policy:
            world.limits = EARLY
        _, ridden = record(trip.folder, trip.folder.name, world, _driver(trip.policy), trip.seconds, trip.staged)
    except (RuntimeError, AssertionError, WorldError) as error:  # panda3d's own checks raise AssertionError
        raise DriveError(f"the world died under {trip}: {error}", "a whole drive", "run it again") from error
    return ridden


@lru_cache(maxsize=2)
def _driver(policy: Path | None) -> Any:
    if policy is None:
        return None
    import torch

    from train.checkpoint import load_policy
    from train.driver import PolicyDriver

    torch.set_num_threads(1)
    return PolicyDriver(load_policy(policy))
