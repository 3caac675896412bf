"""The arms of an experiment and its terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from curate.usual import RECIPE
from train.errors import FlywheelError
from trigger.disengagement import KIND as DISENGAGEMENT
from trigger.disengagement import PARTIAL


@dataclass(frozen=True)
class Arm:
    """One way of choosing and weighing.

    Attributes:
        chosen: "random" seconds of human driving, "events" by what the triggers make of them, or "all" there is.
        mix: share of curation's weights in what is drawn for training, see `train.order`.
        left_out: kinds of events whose clips are not taken.
        recipe: of curation's weights.
        share: of the budget. staged: seconds of staged drives on top, as a share of the budget.
    """

    chosen: str
    mix: float
    left_out: tuple[str, ...] = ()
    recipe: str = RECIPE
    share: float = 1.0
    staged: float = 0.0


ARMS: Mapping[str, Arm] = {
    "random": Arm("random", 0.0),
    "curated": Arm("events", 0.5),
    "all": Arm("all", 0.0),
}
ABLATIONS: Mapping[str, Arm] = {
    "curated, not weighted": Arm("events", 0.0),
    "curated, no disengagements": Arm("events", 0.5, (DISENGAGEMENT, PARTIAL)),
    "curated, class frequency": Arm("events", 0.5, recipe="effective-number"),
}
SCALING: Mapping[str, Arm] = {
    f"{name}, {told} the budget": Arm(arm.chosen, arm.mix, share=share)
    for name, arm in ARMS.items()
    if name != "all"
    for told, share in (("half", 0.5), ("twice", 2.0))
}
SYNTHETIC: Mapping[str, Arm] = {"curated and synthetic": Arm("events", 0.5, staged=0.5)}


@dataclass(frozen=True)
class Plan:
    """The terms.

    Attributes:
        seeds: trainings of each arm. ablations, scaling, synthetic: whether those arms are run, too.
        cars, minutes: of the fleet, half of it driven by humans, the other half by the policy of the first night.
        base_s: seconds of random human driving that every arm has, and the first policy learned from.
        budget_s: labelled seconds that the random and the curated arm may add.
        steps: of every training. exam_miles: of every exam. role: whose places the exam is held in; the same policies
            may sit another's later, the final one once.
    """

    seeds: int = 3
    ablations: bool = False
    scaling: bool = False
    synthetic: bool = False
    cars: int = 16
    minutes: float = 15.0
    base_s: int = 600
    budget_s: int = 300
    preset: str = "driver"
    steps: int = 1500
    exam_miles: float = 8.0
    role: str = "gate"

    @property
    def arms(self) -> dict[str, Arm]:
        further = ((self.ablations, ABLATIONS), (self.scaling, SCALING), (self.synthetic, SYNTHETIC))
        return {**ARMS, **{name: arm for asked, arms in further if asked for name, arm in arms.items()}}

    @property
    def sitting(self) -> str:
        """Where what came of the exams is kept."""
        return "trials" if self.role == "gate" else f"trials-{self.role}"

    def check(self) -> None:
        """Raises FlywheelError where they cannot work."""
        wrong = [
            name for name in ("seeds", "cars", "minutes", "base_s", "budget_s", "steps") if not getattr(self, name) > 0
        ]
        if self.cars < 2 or wrong:
            raise FlywheelError(
                f"an experiment with {', '.join(wrong) or 'one car'}", "two cars, and more than nothing", "change it"
            )
