"""How well a driver drives: Tesla's Safety Score, version 1, of the seconds that arrived, and what it does to weights.

    PCF   = 0.682854 * 1.014495^FCW * 1.127294^HB * 1.019630^AT * 1.001444^UF * 1.317958^FD
    score = clip(115.382324 - 22.526504 * PCF, 0, 100)

- FCW: forward collision warnings per 1,000 miles. HB: % of braking over 0.1 g that is over 0.3 g. AT: % of turning over
  0.2 g that is over 0.4 g. UF: % of following under 3 s that is under 1 s. FD: no recorder here tells whether a
  disengagement was forced, so it is 0.
- Each second counts 1 / inclusion probability: uploads are bent toward the harsh, drivers are not.
- A driver with too little braking or turning on record has no score. Where warnings or headway are not recorded they
  count as none, so scores compare among cars that record the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

import numpy as np
from numpy.typing import NDArray

from curate.exposure import chance_of_events, miles_of
from curate.seconds import Second

WARNING = "collision_warning"
ENOUGH_S = 30.0
"""Of braking, and of turning, that must have arrived of a driver: one hard second more or less then moves HB by 3 %."""

Floats = NDArray[np.float64]


def safety_score(
    warnings: float = 0.0, hard_braking: float = 0.0, hard_turning: float = 0.0, close_following: float = 0.0
) -> float:
    """0 to 100.

    Args:
        warnings: per 1,000 miles. hard_braking, hard_turning, close_following: HB, AT and UF, each in %.
    """
    frequency = np.float64(0.682854)  # a float64 becomes infinite where a float would raise
    with np.errstate(over="ignore"):
        for base, value in ((1.014495, warnings), (1.127294, hard_braking), (1.019630, hard_turning)):
            frequency *= np.float64(base) ** value
        frequency *= np.float64(1.001444) ** close_following
    return float(np.clip(115.382324 - 22.526504 * frequency, 0.0, 100.0))


def scores(seconds: Sequence[Second]) -> dict[str, float]:
    """Of every driver of whom enough is known."""
    theirs: dict[str, list[Second]] = {}
    for second in seconds:
        theirs.setdefault(second.driver, []).append(second)
    told = {driver: _score(own) for driver, own in theirs.items()}
    return {driver: score for driver, score in told.items() if score is not None}


def quality_factors(drivers: Sequence[str], score: Mapping[str, float], most: float) -> Floats:
    """A driver's score over that of the median driver, (N,) within [1 / most, most]; 1 where there is none."""
    usual = max(median(score.values()), 1.0) if score else 1.0
    return np.array([np.clip(score[d] / usual, 1 / most, most) if d in score else 1.0 for d in drivers], np.float64)


def _score(seconds: Sequence[Second]) -> float | None:
    manner = [second.manner for second in seconds]
    if sum(_known(m.braking) for m in manner) < ENOUGH_S or sum(_known(m.turning) for m in manner) < ENOUGH_S:
        return None
    weight = [1.0 / second.inclusion_probability for second in seconds]
    miles = sum(_known(miles_of(second)) for second in seconds)
    warned = sum(1.0 / chance_of_events(second) for second in seconds if WARNING in second.onsets)
    return safety_score(
        1000.0 * warned / miles if miles else 0.0,
        _percent([m.hard_braking for m in manner], [m.braking for m in manner], weight),
        _percent([m.hard_turning for m in manner], [m.turning for m in manner], weight),
        _percent([m.close_following for m in manner], [m.following for m in manner], weight),
    )


def _percent(part: Sequence[float], whole: Sequence[float], weight: Sequence[float]) -> float:
    total = float(np.nansum(np.multiply(whole, weight)))
    return 100.0 * float(np.nansum(np.multiply(part, weight))) / total if total else 0.0


def _known(value: float) -> float:
    return value if np.isfinite(value) else 0.0
