"""Which clips an arm is given: its pool in the order of what they are worth to it, until the budget is spent."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from edge.clip import open_clip
from edge.night.value import value_of
from edge.offer import OFFER
from train.errors import FlywheelError
from train.experiment.plan import Arm, Plan
from train.experiment.pools import clips_in, kinds_of, labelled_s, size_of


@dataclass(frozen=True)
class Taken:
    """A clip, and the chance with which it was taken from its pool."""

    clip: Path
    chance: float = 1.0


@dataclass(frozen=True)
class Chosen:
    """Clips, the seconds of them that a human drove, and their bytes; those of the base are not counted."""

    taken: tuple[Taken, ...]
    labelled_s: float
    bytes: int

    def __add__(self, other: Chosen) -> Chosen:
        return Chosen(self.taken + other.taken, self.labelled_s + other.labelled_s, self.bytes + other.bytes)


def choose(root: Path, plan: Plan, arm: Arm) -> Chosen:
    """What the arm adds to the base."""
    if arm.chosen == "all":
        whole = clips_in(root, "all")
        held = {open_clip(path).cut.recording for path in whole}
        every = (*whole, *(path for path in clips_in(root, "events") if open_clip(path).cut.recording not in held))
        return Chosen(tuple(map(Taken, every)), sum(map(labelled_s, every)), size_of(every))
    if arm.chosen == "random":
        return drawn(root, "random", arm.share * plan.budget_s)
    events = [path for path in clips_in(root, "events") if not kinds_of(path) & set(arm.left_out)]
    best = within(sorted(events, key=_value, reverse=True), arm.share * plan.budget_s)
    return best + drawn(root, "staged", arm.staged * plan.budget_s) if arm.staged else best


def drawn(root: Path, pool: str, seconds: float) -> Chosen:
    """The first clips of a pool of random ones. They come in an order that nobody chose: each had the same chance."""
    clips = [path for path in clips_in(root, pool) if labelled_s(path)]
    found = within(clips, seconds)
    chance = len(found.taken) / len(clips)
    return Chosen(tuple(Taken(taken.clip, chance) for taken in found.taken), found.labelled_s, found.bytes)


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
            "let more cars drive longer, or lower the budget or the base, in a new folder",
        )
    return Chosen(tuple(map(Taken, taken)), total, size_of(taken))


@contextmanager
def offered(taken: Taken) -> Iterator[Path]:
    """A folder of the clip whose offer says how likely its seconds were to come this far."""
    if taken.chance == 1.0:
        yield taken.clip
        return
    clip = open_clip(taken.clip)
    runs = tuple((first, number, chance * taken.chance) for first, number, chance in clip.offer.inclusion)
    with TemporaryDirectory(prefix="offered-", dir=taken.clip.parent.parent) as room:
        folder = Path(room) / taken.clip.name
        folder.mkdir()
        for name in clip.names:
            shutil.copyfile(taken.clip / name, folder / name)
        (folder / OFFER).write_bytes(replace(clip.offer, inclusion=runs).to_bytes())
        yield folder


def _value(folder: Path) -> float:
    """What the car's night goes by (`edge.night.value`), for a byte."""
    clip = open_clip(folder)
    return value_of(clip.cut.events) / clip.bytes
