"""What came of the arms: miles between disengagements with intervals, and ratios to the random arm with theirs.

Two ways of making policies are compared over trainings (seeds) and exam places, not over miles: the interval of a ratio
is the middle 95 % of ratios when seeds, then places, are drawn anew with replacement. Half a disengagement is added to
every count, so that an arm without one has a ratio. Beside it stands the test that takes every disengagement for
independent of every other, also of one training: `train.miles.chance_alike`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from train.experiment import fleet_size, ordinary
from train.miles import Miles, chance_alike

if TYPE_CHECKING:
    from rich.table import Table

RESAMPLES = 4000
PUBLISHED = 6
"""With fewer seeds than this an arm is a preview."""
Facts = dict[str, Any]


def pooled(trials: Sequence[Facts]) -> Miles:
    return sum((Miles(t["disengagements"], t["miles"]) for t in trials), Miles(0, 0.0))


def ratio(new: Sequence[Facts], old: Sequence[Facts], seed: int = 0) -> tuple[float, float, float]:
    """(ratio, low, high) of miles between disengagements, new to old."""
    places = sorted({place for trial in (*new, *old) for place in trial["by_place"]})
    chance = np.random.Generator(np.random.PCG64(seed))
    sides = [_counts(trials, places) for trials in (new, old)]
    picked_places = chance.integers(len(places), size=(RESAMPLES, len(places)))
    drawn = [_between(side, chance.integers(len(side), size=(RESAMPLES, len(side))), picked_places) for side in sides]
    low, high = np.percentile(drawn[0] / drawn[1], [2.5, 97.5])
    whole = [_between(side, np.arange(len(side))[None], np.arange(len(places))[None])[0] for side in sides]
    return float(whole[0] / whole[1]), float(low), float(high)


def _counts(trials: Sequence[Facts], places: Sequence[str]) -> np.ndarray:
    """(seeds, places, 2): disengagements and miles."""
    nothing = {"disengagements": 0, "miles": 0.0}
    told = [[trial["by_place"].get(place, nothing) for place in places] for trial in trials]
    return np.array([[[own["disengagements"], own["miles"]] for own in row] for row in told], np.float64)


def _between(counts: np.ndarray, seeds: np.ndarray, places: np.ndarray) -> np.ndarray:
    """(R,) miles between disengagements for resamples of seeds (R, S) and places (R, P)."""
    totals = counts[seeds[:, :, None], places[:, None, :]].sum(axis=(1, 2))
    return np.asarray(totals[:, 1] / (totals[:, 0] + 0.5))


def table(arms: Mapping[str, Sequence[Facts]]) -> Table:
    from edge.output import grid

    drawn = grid(
        "arm", "seeds", "labelled s", "MB", "MBD", "95 %", "to random", "95 %", "p if independent", "ordinary error",
        "95 % below", "worst reasons",
        title="Miles between disengagements (MBD) at equal steps, and the error on ordinary driving; "
        f"fewer than {PUBLISHED} seeds are a preview",
    )  # fmt: skip
    for name, trials in arms.items():
        miles = pooled(trials)
        low, high = miles.interval()
        times, off = ratio(trials, arms["random"]), ordinary.ratio(trials, arms["random"])
        reasons = ", ".join(f"{reason} {count}" for reason, count in _reasons(trials)[:3])
        drawn.add_row(
            name,
            str(len(trials)) if len(trials) >= PUBLISHED else f"{len(trials)}, preview",
            f"{trials[0]['labelled_s']:.0f}",
            f"{trials[0]['bytes'] / 1e6:.1f}",
            "none" if miles.between is None else f"{miles.between:.3g}",
            f"{low:.3g} to {'any' if high is None else format(high, '.3g')}",
            "1" if name == "random" else f"{times[0]:.2f}",
            "" if name == "random" else f"{times[1]:.2f} to {times[2]:.2f}",
            "" if name == "random" else f"{chance_alike(miles, pooled(arms['random'])):.2g}",
            f"{off[0]:.3f}",
            "" if name == "random" else f"{off[1]:.3f}",
            reasons,
        )
    return drawn


def fleet_table(met: Facts) -> Table:
    """How often each kind of event came, and how many cars it takes to have met it 10 and 100 times in a day."""
    from edge.output import grid

    drawn = grid(
        "event", "met", "per 1,000 miles", "cars for 10 a day", "for 100",
        title=f"What {met['miles']:.0f} miles of the fleet met, and fleets of up to a million cars would "
        f"({fleet_size.MILES_A_DAY:.0f} miles a car and day, 19 days of 20)",
    )  # fmt: skip
    for kind, seen in sorted(met["met"].items(), key=lambda pair: -pair[1]):
        told = fleet_size.met(seen, met["miles"])
        cars = ("more" if number is None else f"{number:,}" for number in told.cars.values())
        drawn.add_row(kind, str(seen), f"{1000 * told.a_mile:.3g}", *cars)
    return drawn


def _reasons(trials: Sequence[Facts]) -> list[tuple[str, int]]:
    total: dict[str, int] = {}
    for trial in trials:
        for reason, own in trial["by_reason"].items():
            total[reason] = total.get(reason, 0) + own["disengagements"]
    return sorted(total.items(), key=lambda pair: -pair[1])
