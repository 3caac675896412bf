"""Recipes: four ways to say what a second is worth, chosen by name.

    natural           1 / inclusion probability: what driving is like, had everything been kept
    inverse-density   of (steering, change of speed, turn signal): CoVLA (Arai et al. 2024), the strong simple one
    effective-number  of the seconds of a kind: Cui et al. 2019, class-balanced
    rare-first        what is rare, severe, surprising or unusual, driven well and not seen before; the default

A recipe is a pure function of the seconds, of which of them may be trained on, and of what other steps know of the
clips. Its constants are its keyword arguments; `described` tells them, so that a version can name them.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from curate.driver import quality_factors, scores
from curate.errors import CurateError
from curate.habit import driver_factors, unusual
from curate.rarity import (
    Known,
    by_kind,
    control_factors,
    kind_factors,
    kinds_of,
    neighbourhood_factors,
    severity_factors,
)
from curate.seconds import Second
from curate.surprise import surprise_factors
from curate.usual import RECIPE
from curate.weights.factors import Factors, Weights
from curate.weights.facts import Facts


class RecipeError(CurateError):
    """A recipe that does not exist."""


class Recipe(Protocol):
    def __call__(self, seconds: Sequence[Second], known: Known, facts: Facts) -> Weights: ...


def natural(seconds: Sequence[Second], known: Known, facts: Facts) -> Weights:
    """Weights that sum to what was driven, without bias; the base of every rate that is estimated.

    Synthetic seconds were not driven, and weigh nothing.
    """
    chances = np.array([second.inclusion_probability for second in seconds])
    driven = np.array([not second.synthetic for second in seconds])
    return Weights.of(len(seconds), by_inclusion=driven / chances)


def inverse_density(
    seconds: Sequence[Second], known: Known, facts: Facts, *, bandwidth: float = 0.25, most: float = 100.0
) -> Weights:
    """Kernels in place of CoVLA's bins, whose edges are arbitrary; `most` stands for the emptiest bin."""
    rarity = control_factors(seconds, known, bandwidth, 1.0, most, signals=True)
    return Weights.of(len(seconds), rarity=rarity, label=_label(seconds))


def effective_number(seconds: Sequence[Second], known: Known, facts: Facts, *, beta: float = 0.999) -> Weights:
    """(1 - beta) / (1 - beta^n) of the n known seconds of a kind, over that of seconds in which nothing happened.

    Beta as Cui et al. recommend for small imbalanced sets: about 1 / (1 - beta) seconds of a kind are worth having.
    """
    train = [second for second, is_known in zip(seconds, known, strict=True) if is_known]
    count, ordinary = kinds_of(train), sum(not kinds_of([second]) for second in train)

    def each(n: int) -> float:
        return (1.0 - beta) / (1.0 - beta ** max(n, 1))

    kind = by_kind(seconds, {kind: each(count[kind]) / each(ordinary) for kind in kinds_of(seconds)})
    return Weights.of(len(seconds), kind=kind, label=_label(seconds))


def rare_first(
    seconds: Sequence[Second],
    known: Known,
    facts: Facts,
    *,
    power: float = 0.5,
    bandwidth: float = 0.25,
    mild: float = 2.0,
    cap: float = 5.0,
) -> Weights:
    """Every factor of `FACTORS`.

    Args:
        power: of the ratios to the usual. bandwidth: of the density of the controls.
        mild: quality, surprise, driver, severity, neighbourhood and a kind's rate on the road lie within
            [1 / mild, mild].
        cap: kind and rarity lie below it, and their product with surprise and driver does.
    """
    clips = [second.clip_id for second in seconds]
    train = [second for second, is_known in zip(seconds, known, strict=True) if is_known]
    rarity = (
        control_factors(seconds, known, bandwidth, power, cap)
        * neighbourhood_factors(clips, facts.density, known, mild)
        * severity_factors(seconds, power, mild)
    )
    return Weights.of(
        len(seconds),
        cap,
        kind=kind_factors(seconds, known, facts.driven, power, mild, cap),
        rarity=np.clip(rarity, 1 / cap, cap),
        duplicate=np.array([facts.duplicate.get(clip, 1.0) for clip in clips]),
        quality=quality_factors([second.driver for second in seconds], scores(train), mild),
        surprise=surprise_factors(clips, facts.error, known.tolist(), mild),
        driver=driver_factors(unusual(seconds, known), mild),
        label=_label(seconds),
    )


RECIPES: dict[str, Recipe] = {
    "natural": natural,
    "inverse-density": inverse_density,
    "effective-number": effective_number,
    "rare-first": rare_first,
}


def weigh(
    seconds: Sequence[Second],
    reference: Sequence[bool] | None = None,
    facts: Facts | None = None,
    recipe: str = RECIPE,
) -> Weights:
    """Weigh every second against those that may be trained on.

    Args:
        reference: (N,) whether a second belongs to the training split; what is rare is judged by these alone, so that
            the exam's labels do not reach the training's weights. All where None, or where none is marked.

    Raises:
        RecipeError: no such recipe.
    """
    known = np.ones(len(seconds), bool) if reference is None or not any(reference) else np.array(reference, bool)
    return recipe_named(recipe)(seconds, known, facts or Facts())


def recipe_named(name: str) -> Recipe:
    """Raises RecipeError."""
    if name not in RECIPES:
        raise RecipeError(f"no recipe {name!r}", f"one of {', '.join(RECIPES)}", "choose one of these")
    return RECIPES[name]


def described(name: str) -> dict[str, Any]:
    """A recipe's name and constants, as a version's head tells them. Raises RecipeError."""
    given = inspect.signature(recipe_named(name)).parameters.values()
    return {"name": name} | {p.name: p.default for p in given if p.kind is p.KEYWORD_ONLY}


def _label(seconds: Sequence[Second]) -> Factors:
    return np.array([second.human_share for second in seconds])
