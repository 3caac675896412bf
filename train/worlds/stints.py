"""An exam in a foreign environment: one drive a seed, so that two policies meet the same.

Fleet, gate and final exam have seeds of their own. A hundred drives are all there is: with a hundred takeovers the
95 % interval of the miles between them is 0.82 to 1.23 times the estimate, and a policy that has not driven its miles
by then is far from good.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from train.errors import WorldError
from train.exam import STINT_S
from train.world.env import World
from train.world.place import Role
from train.worlds.adapter import GymWorld, make

FIRST_SEED: dict[Role, int] = {"fleet": 0, "gate": 1_000_000, "final": 2_000_000}
DRIVES = 100


@dataclass(frozen=True)
class GymStint:
    """One drive. `policy` is a folder; the environment's expert drives where it is None. `place`: its gymnasium id."""

    policy: Path | None
    place: str
    seed: int
    seconds: float = STINT_S

    def __str__(self) -> str:
        return f"{self.place} with seed {self.seed}"

    def world(self) -> World:
        return GymWorld(self.place, self.seed)


def gym_stints(policy: Path | None, env_id: str, role: Role) -> Iterator[GymStint]:
    """Raises WorldError at once where the environment cannot be made, or nobody is there to drive it."""
    rules, env = make(env_id)
    env.close()
    if policy is None and not rules.has_expert():
        raise WorldError(f"{env_id} has no expert", "somebody who drives", "name a policy with --policy")
    first = FIRST_SEED[role]
    return (GymStint(policy, env_id, first + number) for number in range(DRIVES))
