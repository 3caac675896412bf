"""What gymnasium's interface does not say of an environment: what its numbers mean, and when a human takes over in it.

One `Rules` an environment. Nothing is guessed from names or ranges: without rules an environment is not driven. What
holds everywhere is the adapter's business and no rule: controls that are none, and a car that does not come on.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar

from train.world.car import Controls
from train.world.draw import Pixels
from train.world.safety import STALL_S


@dataclass(frozen=True)
class Moment:
    """An environment after a reset or a step.

    Attributes:
        env: the environment itself, without gymnasium's wrappers.
        observed, terminated, info: as its `reset` and `step` gave them.
    """

    env: Any
    observed: Any
    terminated: bool = False
    info: Mapping[str, Any] = field(default_factory=dict)


class Rules(ABC):
    """Of one environment; it may keep no state.

    Attributes:
        step_s: what one of its steps lasts. A step of ours (0.1 s) must be a whole number of them.
        options: what `gymnasium.make` is told.
        stall_s: so long it may stand; `math.inf` where waiting can be right.
    """

    step_s: ClassVar[float]
    options: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    stall_s: ClassVar[float] = STALL_S

    @abstractmethod
    def action(self, controls: Controls) -> Any:
        """Controls as its `step` wants them. Ours steer + to the left; many others do not."""

    @abstractmethod
    def speed_mps(self, moment: Moment) -> float:
        """Along the road, below 0 the wrong way. Miles are added up from it."""

    @abstractmethod
    def takeover(self, moment: Moment) -> str:
        """Why a human would take over now, in a word or two; "" where he would not."""

    def picture(self, moment: Moment) -> Pixels:
        """(H, W, 3) uint8 RGB, always of one size."""
        return moment.observed  # type: ignore[no-any-return]

    def expert(self, moment: Moment) -> Controls | None:
        """What a good driver does now; None where there is none, and then a takeover ends the drive."""
        return None

    @classmethod
    def has_expert(cls) -> bool:
        return cls.expert is not Rules.expert
