"""What a flywheel was asked to do; kept in its folder, so that it goes on as it began."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from curate.split import parse_split
from curate.usual import SPLIT
from edge.durable import write_bytes
from edge.manifest import canonical_json
from train.errors import FlywheelError

PLAN = "flywheel.json"
FORMAT = "swerve-flywheel/1"


@dataclass(frozen=True, kw_only=True)
class AnyPlan:
    """The terms that every flywheel has.

    Attributes:
        bytes_a_night: that may be uploaded, by each car. baseline: highest rate of the random draws.
        preset: of the policy. motion: whether it may compare frames, see `train.policies`.
        steps: of the first training; steps_a_night: of each further one.
    """

    bytes_a_night: int = 100_000_000
    baseline: float = 0.3
    preset: str = "tiny"
    motion: bool = False
    steps: int = 1200
    steps_a_night: int = 600
    seed: int = 0

    def check(self) -> None:
        """Raises FlywheelError where they cannot work."""
        if wrong := self._wrong():
            raise FlywheelError(f"a flywheel with {', '.join(wrong)}", "terms that can be met", "change them")

    def _wrong(self) -> list[str]:
        return self._not_above_0("bytes_a_night", "steps", "steps_a_night")

    def _not_above_0(self, *names: str) -> list[str]:
        return [f"{name} {getattr(self, name)}" for name in names if not getattr(self, name) > 0]


@dataclass(frozen=True, kw_only=True)
class Plan(AnyPlan):
    """The terms in the built-in world.

    Attributes:
        fleet: cars a night. minutes: that each drives. human: share of the cars that a human drives all the way.
        rates: of what happens, see `train.world.place`.
        exam_miles, exam_cap: of each policy at the gate, to begin with and at most.
    """

    preset: str = "driver"
    fleet: int = 8
    minutes: float = 15.0
    human: float = 0.5
    rates: str = "natural"
    exam_miles: float = 6.0
    exam_cap: float = 24.0

    def _wrong(self) -> list[str]:
        wrong = super()._wrong() + self._not_above_0("fleet", "minutes", "exam_miles")
        if not 0.0 <= self.human <= 1.0:
            wrong.append(f"a human share of {self.human}")
        if self.exam_cap < self.exam_miles:
            wrong.append(f"a cap of {self.exam_cap} miles below the {self.exam_miles} to begin with")
        return wrong


@dataclass(frozen=True, kw_only=True)
class FolderPlan(AnyPlan):
    """The terms over a folder of real drives.

    Attributes:
        drives: the folder, absolute. consent: its owner lets swerve use recordings that do not say so.
        split: which seconds are the exam, see `curate.split`.
    """

    drives: str
    consent: bool = False
    split: str = SPLIT

    def check(self) -> None:
        """Raises also SplitError."""
        super().check()
        parse_split(self.split)


def keep(folder: Path, plan: AnyPlan) -> None:
    """Write the plan down, or find that it is the one already there.

    Raises:
        FlywheelError: the folder holds another plan, or a damaged one.
    """
    plan.check()
    known = read(folder)
    if known is None:
        write_bytes(folder / PLAN, canonical_json({"format": FORMAT, **asdict(plan)}) + b"\n")
    elif known != asdict(plan):
        other = sorted(name for name, value in asdict(plan).items() if known.get(name) != value)
        raise FlywheelError(
            f"{folder} was begun with another {', '.join(other)}",
            "the terms it was begun with",
            "give the same ones, or another folder",
        )


def read(folder: Path) -> dict[str, Any] | None:
    path = folder / PLAN
    try:
        told = json.loads(path.read_bytes())
        if told.pop("format") != FORMAT:
            raise ValueError(f"not {FORMAT}")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise FlywheelError(f"{path} cannot be read: {error}", FORMAT, "use another folder") from error
    return dict(told)
