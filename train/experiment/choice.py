"""Which clips an arm is given: its pool in the order of what they are worth to it, until the budget is spent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.clip import open_clip
from edge.night.value import value_of
from train.errors import FlywheelError
from train.experiment.plan import Arm, Plan
from train.experiment.pools import clips_in, kinds_of, labelled_s, size_of


@dataclass(frozen=True)
class Chosen:
    """Clips, the seconds of them that a human drove, and their bytes; those of the base are not counted."""

    clips: tuple[Path, ...]
    labelled_s: float
    bytes: int


def choose(root: Path, plan: Plan, arm: Arm) -> Chosen:
    """What the arm adds to the base."""
    if arm.chosen == "all":
        whole = clips_in(root, "all")
        held = {open_clip(path).cut.recording for path in whole}
        every = (*whole, *(path for path in clips_in(root, "events") if open_clip(path).cut.recording not in held))
        return Chosen(every, sum(map(labelled_s, every)), size_of(every))
    if arm.chosen == "random":
        return within(clips_in(root, "random"), arm.share * plan.budget_s)
    events = [path for path in clips_in(root, "events") if not kinds_of(path) & set(arm.left_out)]
    chosen = within(sorted(events, key=_value, reverse=True), arm.share * plan.budget_s)
    if not arm.staged:
        return chosen
    staged = within(clips_in(root, "staged"), arm.staged * plan.budget_s)
    return Chosen((*chosen.clips, *staged.clips), chosen.labelled_s + staged.labelled_s, chosen.bytes + staged.bytes)


def within(clips: Sequence[Path], seconds: float) -> Chosen:
    """The first clips with so many labelled seconds; those without any are worth nothing to training.

    Raises:
        FlywheelError: there are not so many.
    """
    taken: list[Path] = []
    total = 0.0
    for path in clips:
        if total >= seconds:
            break
        if own := labelled_s(path):
            taken.append(path)
            total += own
    if total < seconds:
        raise FlywheelError(
            f"clips with {total:.0f} s of human driving, of {seconds:.0f} s to be chosen",
            "as many for every arm",
            "let more cars drive longer, or lower the budget",
        )
    return Chosen(tuple(taken), total, size_of(taken))


def _value(folder: Path) -> float:
    """What the car's night goes by (`edge.night.value`), for a byte."""
    clip = open_clip(folder)
    return value_of(clip.cut.events) / clip.bytes
