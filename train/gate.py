"""May a new policy replace the old one? Both sit the same exam, and doubt keeps the old one.

Released is what is not inferior: the one-sided 95 % lower bound of the ratio of miles between disengagements (new to
old) is at least `NOT_INFERIOR`, and no place and no reason is significantly worse after Holm's correction. While that
is open, miles are added up to a cap; undecided there is not released, nor is anything of which a stint was lost. Every
look is a chance to err, so each has its part of the 5 % (Bonferroni).

The bound is exact for counts that come independently of one another (`train.miles.lower_limit`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from train.exam import Exam
from train.miles import Miles, chance_alike, lower_limit

NOT_INFERIOR = 0.67
"""A third worse is what one is willing to overlook, for want of miles."""
ALPHA = 0.05
Verdict = Literal["released", "refused", "undecided"]


@dataclass(frozen=True)
class Decision:
    """`ratio`: of miles between disengagements, new to old, None where one of them had none. `lower`: its bound.
    `worse`: places and reasons in which the new one is significantly worse, with their corrected p-values.
    `asked`: miles that each was asked to drive."""

    verdict: Verdict
    old: Miles
    new: Miles
    ratio: float | None
    lower: float
    worse: Mapping[str, float]
    asked: float = 0.0

    def to_json(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict,
            "old": self.old.to_json(),
            "new": self.new.to_json(),
            "ratio": self.ratio,
            "ratio_lower": self.lower,
            "worse": dict(self.worse),
            "asked_miles": self.asked,
        }


def decide(new: Exam, old: Exam, alpha: float = ALPHA) -> Decision:
    """What is known up to now; `alpha` is the chance to err that this look may take."""
    total_new, total_old = new.miles, old.miles
    lower = lower_limit(total_new, total_old, alpha)
    worse = _worse(new, old, alpha)
    ratio = None
    if total_new.between is not None and total_old.between is not None:
        ratio = total_new.between / total_old.between
    verdict: Verdict = "undecided"
    if worse or lower_limit(total_old, total_new, alpha) > 1.0:
        verdict = "refused"
    elif lower >= NOT_INFERIOR and not (new.lost or old.lost):
        verdict = "released"
    return Decision(verdict, total_old, total_new, ratio, lower, worse)


def gate(sit: Callable[[str, float], Exam], miles: float, cap: float) -> Decision:
    """Let both sit, twice as long each time until it is decided.

    Args:
        sit: gives the exam of "new" or "old" over so many miles.
        miles, cap: of each policy, to begin with and at most.
    """
    looks = 1 + max(0, math.ceil(math.log2(cap / miles)))
    while True:
        decision = decide(sit("new", miles), sit("old", miles), ALPHA / looks)
        if decision.verdict != "undecided" or miles >= cap:
            return replace(decision, asked=miles)
        miles = min(2 * miles, cap)


def _worse(new: Exam, old: Exam, alpha: float) -> dict[str, float]:
    """Places and reasons that are worse at `alpha` after Holm's correction."""
    none = Miles(0, 0.0)
    cases = {f"place {name}": (miles, old.by_place.get(name, none)) for name, miles in new.by_place.items()}
    for reason, miles in new.by_reason.items():
        cases[reason] = (miles, Miles(old.by_reason[reason].count if reason in old.by_reason else 0, old.miles.miles))
    chances = sorted((chance_alike(*pair, "greater"), name) for name, pair in cases.items())
    worse: dict[str, float] = {}
    for place, (chance, name) in enumerate(chances):
        corrected = chance * (len(chances) - place)
        if corrected > alpha:
            break
        worse[name] = corrected
    return worse
