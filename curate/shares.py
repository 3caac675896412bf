"""No device may hold more than its share of a version's weight, whatever it sends.

The share is max(5 %, 2 / number of devices): a fleet of two or fewer is not held back at all, one of many is not bent
by a single car that lies, loops or is driven oddly. Weights of a device above it are scaled down together, the others
keep theirs. Clips that were handed over by hand came from no device, and are trusted as whoever runs the store is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SMALLEST_CAP = 0.05
RECEIPT = "receipt.json"
NOBODY = ""


def device_of(folder: Path) -> str:
    """The device that handed a clip to the service, as the receipt beside it says; `NOBODY` where there is none."""
    try:
        return str(json.loads((folder / RECEIPT).read_bytes())["device"])
    except (OSError, ValueError, KeyError, TypeError):
        return NOBODY


def largest_share(devices: int) -> float:
    """Of the total weight, that one of so many devices may hold."""
    return max(SMALLEST_CAP, 2.0 / max(devices, 1))


def share_factors(devices: Sequence[str], weights: NDArray[np.float64]) -> Mapping[str, float]:
    """What the weights of the devices that hold too much are multiplied with; every other device is not named.

    With S the weight of those not held back and n held to the share c each, the new total T obeys T = S + n c T, and a
    device held back gets c T. Holding one back raises the shares of the others, so it is done until none is above.
    """
    totals: dict[str, float] = {}
    for device, weight in zip(devices, weights.tolist(), strict=True):
        totals[device] = totals.get(device, 0.0) + weight
    cap = largest_share(len(set(totals) - {NOBODY}))
    held: set[str] = set()
    while True:
        free = sum(total for device, total in totals.items() if device not in held)
        room = 1.0 - len(held) * cap
        if free <= 0.0 or room <= 0.0:
            return {}
        whole = free / room
        above = {d for d, total in totals.items() if d not in held and d != NOBODY and total > cap * whole * (1 + 1e-9)}
        if not above:
            return {device: cap * whole / totals[device] for device in held}
        held |= above
