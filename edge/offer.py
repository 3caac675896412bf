"""The offer: what was decided when a clip was chosen, bound to its `clip_id` and sent along as `offer.json`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.errors import ClipError
from edge.manifest import canonical_json, strict_json

OFFER = "offer.json"
FORMAT = "swerve-offer/1"


@dataclass(frozen=True)
class Offer:
    """One clip's terms.

    Attributes:
        clip_id: sha256 of the clip's manifest.
        baseline: probability with which each second of the drive was drawn.
        inclusion: runs (first second of the parent drive, number of seconds, probability that at least one
            uploaded clip covers each of them).
    """

    clip_id: str
    baseline: float
    inclusion: tuple[tuple[int, int, float], ...]

    def to_bytes(self) -> bytes:
        return canonical_json({"format": FORMAT} | asdict(self))

    def probability(self, second: int) -> float:
        """Inclusion probability of a second of the parent drive. Raises ClipError for one outside the clip."""
        for first, count, chance in self.inclusion:
            if first <= second < first + count:
                return chance
        raise ClipError(
            f"the offer of clip {self.clip_id[:12]} says nothing of second {second}",
            "a probability for every second of the clip",
            "cut the clip again",
        )


def run_lengths(first: int, chances: NDArray[np.float64]) -> tuple[tuple[int, int, float], ...]:
    """Probabilities of consecutive seconds, from `first` on, as runs."""
    runs, at = [], first
    for chance, group in groupby(chances.tolist()):
        count = len(list(group))
        runs.append((at, count, chance))
        at += count
    return tuple(runs)


def read_offer(path: Path) -> Offer:
    """Raises ClipError where the offer is missing or malformed."""
    try:
        data = strict_json(path.read_bytes())
        if data["format"] != FORMAT:
            raise ValueError(f"format {data['format']!r}")
        runs = tuple((int(first), int(count), float(chance)) for first, count, chance in data["inclusion"])
        if not all(0.0 < chance <= 1.0 and count > 0 for _, count, chance in runs):
            raise ValueError("a probability outside (0, 1]")
        return Offer(str(data["clip_id"]), float(data["baseline"]), runs)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ClipError(f"{path} is not an offer: {error}", FORMAT, "cut the clip again") from error
