"""May a new policy replace the old one where there is no world to drive in? Both are asked what the driver did in the
held-out seconds, and doubt keeps the old one.

Released is what is not inferior: with a one-sided confidence of 95 % its steering error (RMSE) is at most
`NOT_INFERIOR` times the old one's (paired by sample, over drives or stretches of drives, see `train.compare`), and no
control is significantly worse in any slice after Holm's correction. With too few stretches there is no bound, and what
cannot be computed is refused.

It is open loop: it keeps out a policy that has become worse at telling what a driver does, and cannot tell how far a
policy drives (`train.gate`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from train.compare import WORSE
from train.comparison import Comparison, Line
from train.controls import ControlSpec
from train.errors import EvaluationError
from train.evaluation.bootstrap import MIN_BLOCKS
from train.evaluation.slices import ALL, WHOLE

NOT_INFERIOR = 1.05
"""What another seed may do: five trainings on the first 150 s of Udacity's challenge 2 that differed in nothing else
lay up to 1.044 times apart on the rest. A smaller margin would judge the seed."""
Verdict = Literal["released", "refused", "undecided"]


@dataclass(frozen=True)
class OpenDecision:
    """`why`: it could not be computed, "" where it was. `ratio`: of steering RMSE, new to old; `at_most`: its bound.
    `worse`: slices in which a control is significantly worse, with corrected p. `over`: what was drawn, in words."""

    verdict: Verdict
    why: str
    ratio: float | None
    at_most: float | None
    worse: Mapping[str, float]
    samples: int
    over: str

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "worse": dict(self.worse), "not_inferior": NOT_INFERIOR}


def decide(found: Comparison) -> OpenDecision:
    """`found`: the new policy compared with the old one.

    Raises:
        EvaluationError: they do not both steer.
    """
    steering = _steering(found).ratio
    worse = {
        f"{line.control}, {line.family} {line.slice}": line.p
        for line in found.lines
        if line.verdict == WORSE and line.p is not None
    }
    ratio, at_most = (None if squared is None else squared**0.5 for squared in (steering.value, steering.at_most))
    verdict: Verdict = "undecided"
    why = ""
    if at_most is None:
        verdict, why = "refused", f"no bound from {found.blocks}, at least {MIN_BLOCKS} with errors of both are needed"
    elif worse:
        verdict = "refused"
    elif at_most <= NOT_INFERIOR:
        verdict = "released"
    return OpenDecision(verdict, why, ratio, at_most, worse, found.samples, found.blocks)


def _steering(found: Comparison) -> Line:
    whole = {line.control: line for line in found.lines if (line.family, line.slice) == (WHOLE, ALL)}
    place = ControlSpec(tuple(whole)).steering
    if place is None:
        raise EvaluationError(f"policies of {', '.join(whole)}", "two that steer", "train on drives that tell steering")
    return list(whole.values())[place]
