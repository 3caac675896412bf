"""The exam on the road: a policy drives, a safety driver takes over when a human would have, and the miles are counted.

Rules:
- The stints (place, where on its road) are fixed and come in a fixed order, and what happens there is fixed by the
  place: two policies that are given as many stints sit the same exam, whatever they do in it.
- A stint that dies with its world is lost and named; the others go on.
- Miles are those the policy drove; a takeover counts however short the drive before it was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.errors import DriveError, EdgeError
from edge.isolate import Words, each
from train.errors import WorldError
from train.miles import METRES_PER_MILE, Miles
from train.world.env import DrivingWorld, World
from train.world.place import Role, places
from train.world.record import Ridden

if TYPE_CHECKING:
    from train.worlds.stints import GymStint

STINT_S = 150.0
"""Length of one stint: about a mile."""
FIRST_M, APART_M, LAST_M = 150.0, 2_300.0, 20_000.0
"""Stints of a place begin at these stations: none reaches the next one's."""


WORLD = Words("the world", "could not be driven", "a whole drive", "run it again")


@dataclass(frozen=True)
class Stint:
    """One drive of an exam. `policy` is a folder; the expert drives where it is None."""

    policy: Path | None
    place: str
    rates: str
    start_m: float
    seconds: float = STINT_S

    def __str__(self) -> str:
        return f"{self.place} from {self.start_m:.0f} m"

    def world(self) -> World:
        return DrivingWorld(self.place, self.rates, self.start_m)


@dataclass(frozen=True)
class Exam:
    """What came out. `lost`: stints that died, and why."""

    stints: tuple[Ridden, ...]
    lost: tuple[str, ...]

    @property
    def miles(self) -> Miles:
        return sum((miles_of(ridden) for ridden in self.stints), Miles(0, 0.0))

    @property
    def by_place(self) -> dict[str, Miles]:
        names = dict.fromkeys(ridden.place for ridden in self.stints)
        return {name: sum((miles_of(r) for r in self.stints if r.place == name), Miles(0, 0.0)) for name in names}

    @property
    def by_reason(self) -> dict[str, Miles]:
        """Each reason against all miles, the most frequent first."""
        reasons = Counter(reason for ridden in self.stints for _, reason in ridden.takeovers)
        return {reason: Miles(number, self.miles.miles) for reason, number in reasons.most_common()}

    def to_json(self) -> dict[str, Any]:
        return {
            **self.miles.to_json(),
            "by_place": {name: miles.to_json() for name, miles in self.by_place.items()},
            "by_reason": {name: miles.to_json() for name, miles in self.by_reason.items()},
            "lost": list(self.lost),
        }


def miles_of(ridden: Ridden) -> Miles:
    return Miles(len(ridden.takeovers), ridden.metres / METRES_PER_MILE)


def stints(policy: Path | None, role: Role, rates: str) -> Iterator[Stint]:
    """The stints of an exam, in their order: all places in turn, then all places further down their roads."""
    for round_number in count():
        start = FIRST_M + round_number * APART_M
        if start > LAST_M:
            return
        for place in places(role):
            yield Stint(policy, place.name, rates, start)


def sit(
    planned: Iterable[Stint | GymStint],
    miles: float,
    advance: Callable[[float, Miles], None] = lambda share, so_far: None,
) -> Exam:
    """Drive stints until `miles` were driven or none is left.

    Args:
        advance: told the share of the miles driven and what is known, after each stint.
    """
    ridden: list[Ridden] = []
    lost: list[str] = []
    for result in each(drive_stint, planned, words=WORLD):
        if isinstance(result, EdgeError):
            lost.append(str(result))
        else:
            ridden.append(result)
        so_far = Exam(tuple(ridden), ()).miles
        advance(min(so_far.miles / miles, 1.0), so_far)
        if so_far.miles >= miles:
            break
    return Exam(tuple(ridden), tuple(lost))


def drive_stint(stint: Stint | GymStint) -> Ridden:
    """One stint, in a child process: graphics and networks are native code. Raises DriveError where the world dies."""
    from train.world.record import ride

    ridden = Ridden(stint.place)
    try:
        for _ in ride(stint.world(), _driver(stint.policy) if stint.policy else None, stint.seconds, ridden):
            pass
    except (RuntimeError, AssertionError, WorldError) as error:  # panda3d's own checks raise AssertionError
        raise DriveError(f"the world died in {stint}: {error}", "a whole stint", "run it again") from error
    return ridden


@lru_cache(maxsize=2)
def _driver(policy: Path) -> Any:
    import torch

    from train.checkpoint import load_policy
    from train.driver import PolicyDriver

    torch.set_num_threads(1)
    return PolicyDriver(load_policy(policy))
