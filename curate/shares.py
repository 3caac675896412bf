"""No device, drive or place may hold more than its share of a version's weight, whatever it sends.

The share is max(5 %, 2 / number of them): of two or fewer none is held back at all, and many are not bent by a single
car that lies, loops or is driven oddly, by one long drive, or by one street. Weights of one above its share are scaled
down together, the others keep theirs. Clips that were handed over by hand came from no device, and are trusted as
whoever runs the store is; seconds whose position is not known lie in no place.

What is synthetic holds at most `SYNTHETIC_SHARE` together, unless there is nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SMALLEST_CAP = 0.05
SYNTHETIC_SHARE = 0.2
"""A choice: enough to matter, and recorded driving still has four votes of five."""
RECEIPT = "receipt.json"
NOBODY = ""
MOST_ROUNDS = 100
"""Holding back a place moves the shares of devices, and the other way round; it settles in a few rounds."""
SLACK = 1e-6
"""A share this much above its cap, as a fraction of it, is no longer worth another round."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Binding:
    """Where a cap binds: how many there are, the largest share one may hold, and the names of those held to it."""

    of: int
    share: float
    held: tuple[str, ...]


@dataclass(frozen=True)
class Held:
    """What the weights are multiplied with, (N,) float64 in (0, 1], and for each keying what binds."""

    factors: Floats
    bindings: Mapping[str, Binding]


def device_of(folder: Path) -> str:
    """The device that handed a clip to the service, as the receipt beside it says; `NOBODY` where there is none."""
    try:
        return str(json.loads((folder / RECEIPT).read_bytes())["device"])
    except (OSError, ValueError, KeyError, TypeError):
        return NOBODY


def largest_share(names: int) -> float:
    """Of the total weight, that one of so many devices, drives or places may hold."""
    return max(SMALLEST_CAP, 2.0 / max(names, 1))


def held_to_shares(
    keyings: Mapping[str, Sequence[str]], weights: Floats, shares: Mapping[str, float] | None = None
) -> Held:
    """Hold every keying to its shares at once.

    Args:
        keyings: such as `device`, each with the name (N,) that every weight goes by; `NOBODY` is never held back.
        weights: (N,) of the seconds that are trained on, 0 for all others.
        shares: of keyings whose names may hold another share than `largest_share`.
    """
    shares = shares or {}
    factors = np.ones(weights.size)
    held: dict[str, set[str]] = {keying: set() for keying in keyings}
    for _ in range(MOST_ROUNDS):
        before = factors.copy()
        for keying, names in keyings.items():
            scaled = share_factors(names, weights * factors, shares.get(keying))
            factors *= np.array([scaled.get(name, 1.0) for name in names])
            held[keying] |= scaled.keys()
        if (factors >= before * (1 - SLACK)).all():
            break
    return Held(factors, {k: _binding(names, held[k], shares.get(k)) for k, names in keyings.items()})


def _binding(names: Sequence[str], held: set[str], share: float | None) -> Binding:
    of = len(set(names) - {NOBODY})
    return Binding(of, largest_share(of) if share is None else share, tuple(sorted(held)))


def _totals(names: Sequence[str], weights: Floats) -> dict[str, float]:
    totals: dict[str, float] = {}
    for name, weight in zip(names, weights.tolist(), strict=True):
        totals[name] = totals.get(name, 0.0) + weight
    return totals


def share_factors(names: Sequence[str], weights: Floats, share: float | None = None) -> Mapping[str, float]:
    """What the weights of those that hold too much are multiplied with; no other is named.

    With S the weight of those not held back and n held to the share c each, the new total T obeys T = S + n c T, and
    one held back gets c T. Holding one back raises the shares of the others, so it is done until none is above.
    """
    totals = _totals(names, weights)
    cap = largest_share(len(set(totals) - {NOBODY})) if share is None else share
    held: set[str] = set()
    while True:
        free = sum(total for name, total in totals.items() if name not in held)
        room = 1.0 - len(held) * cap
        if free <= 0.0 or room <= 0.0:
            return {}
        whole = free / room
        above = {n for n, total in totals.items() if n not in held and n != NOBODY and total > cap * whole * (1 + 1e-9)}
        if not above:
            return {name: cap * whole / totals[name] for name in held}
        held |= above
