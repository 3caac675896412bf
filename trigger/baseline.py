"""The baseline: a thin random sample of everything, so that rare things can be weighed against ordinary ones.

The sampling unit is one second of a drive. Each is drawn on its own with the stated probability, by a hash of
(drive id, second): the same drive gives the same draws on every machine, and nobody can steer them.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from trigger.builtin import BASELINE_WINDOW
from trigger.event import Event, Evidence

KIND = "baseline"
SECOND_NS = 1_000_000_000


def whole_seconds(window_ns: tuple[int, int], t0_ns: int) -> tuple[int, int]:
    """A window, int ns, as [first, end) seconds counted from t0_ns, widened outward."""
    return (window_ns[0] - t0_ns) // SECOND_NS, -((t0_ns - window_ns[1]) // SECOND_NS)


def drawn_seconds(drive_id: str, seconds: int, probability: float) -> NDArray[np.int64]:
    """Numbers of the seconds drawn, of `seconds` in the drive; (K,) int64, increasing."""
    if probability >= 1.0:
        return np.arange(seconds)
    limit = int(probability * 2.0**64)
    return np.array([s for s in range(seconds) if _hash(drive_id, s) < limit], np.int64)


def baseline_events(drive_id: str, t0_ns: int, seconds: int, probability: float) -> list[Event]:
    """One event a drawn second; severity is 1 by definition, the evidence is the probability of the draw."""
    events = []
    for second in drawn_seconds(drive_id, seconds, probability).tolist():
        t_ns = t0_ns + second * SECOND_NS
        window = (
            t_ns - round(BASELINE_WINDOW.before_s * 1e9),
            t_ns + SECOND_NS + round(BASELINE_WINDOW.after_s * 1e9),
        )
        evidence = Evidence("probability", probability, probability)
        events.append(Event(KIND, t_ns, t_ns + SECOND_NS, window, 1.0, evidence))
    return events


def inclusion_by_baseline(seconds: int, probability: float) -> NDArray[np.float64]:
    """Probability that at least one baseline clip covers each second of a drive, (seconds,) float64."""
    return inclusion_at(np.arange(seconds), seconds, probability)


def inclusion_at(number: NDArray[np.int64], seconds: int, probability: float) -> NDArray[np.float64]:
    """Probability that at least one baseline clip covers these seconds of a drive of so many: 1 - (1 - p)^m.

    m is the number of seconds of the drive whose window would cover it: up to five before, itself, and five
    after, fewer at the ends of the drive. Draws are independent, so the product is exact.

    Returns:
        (N,) float64, as `number`.
    """
    reach_back, reach_on = int(BASELINE_WINDOW.after_s), int(BASELINE_WINDOW.before_s)
    covering = np.minimum(number + reach_on, seconds - 1) - np.maximum(number - reach_back, 0) + 1
    return np.asarray(1.0 - (1.0 - min(probability, 1.0)) ** np.maximum(covering, 0), np.float64)


def _hash(drive_id: str, second: int) -> int:
    digest = hashlib.blake2b(f"{drive_id}\0{second}".encode(), digest_size=8, person=b"swerve-baseline").digest()
    return int.from_bytes(digest, "big")
