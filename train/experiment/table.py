"""What came of the arms: miles between disengagements with intervals, and ratios to the random arm with theirs.

Two ways of making policies are compared over trainings (seeds) and exam places, not over miles. In a ratio every place
counts alike, whatever the miles there: who is taken over more often drives fewer of them. Half a disengagement is added
to each side, so that an arm without one has a ratio.

Its interval reaches to the outer ends of two: the middle 95 % of ratios when seeds, then places, are drawn anew with
replacement, and the exact one for counts that are independent (`train.miles.ratio_interval`). The first knows how
trainings differ, but from few it cannot tell; the second knows how little few takeovers say. Beside it stands the test
that goes with the second: it takes every takeover for independent of every other, also of one training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from train.experiment import fleet_size, ordinary
from train.miles import Miles, chance_alike, ratio_interval

if TYPE_CHECKING:
    from rich.table import Table

RESAMPLES = 4000
PUBLISHED = 6
"""With fewer seeds than this an arm is a preview."""
Facts = dict[str, Any]


class Ratio(NamedTuple):
    """A ratio and its 95 % interval; `high` None: unbounded."""

    ratio: float
    low: float
    high: float | None

    def __str__(self) -> str:
        return f"{self.ratio:.2f} ({self.low:.2f} to {'any' if self.high is None else format(self.high, '.2f')})"


def pooled(trials: Sequence[Facts]) -> Miles:
    return sum((Miles(t["disengagements"], t["miles"]) for t in trials), Miles(0, 0.0))


def ratio(new: Sequence[Facts], old: Sequence[Facts], seed: int = 0) -> Ratio | None:
    """Of miles between disengagements, new to old; None where they drove in no common place."""
    places = sorted(_visited(new) & _visited(old))
    if not places:
        return None
    chance = np.random.Generator(np.random.PCG64(seed))
    sides = [_counts(trials, places) for trials in (new, old)]
    picked_places = chance.integers(len(places), size=(RESAMPLES, len(places)))
    drawn = [_between(side, chance.integers(len(side), size=(RESAMPLES, len(side))), picked_places) for side in sides]
    low, high = np.nanpercentile(drawn[0] / drawn[1], [2.5, 97.5])
    whole = [_between(side, np.arange(len(side))[None], np.arange(len(places))[None])[0] for side in sides]
    counted_low, counted_high = ratio_interval(pooled(new), pooled(old))
    above = None if counted_high is None else max(float(high), counted_high)
    return Ratio(float(whole[0] / whole[1]), min(float(low), counted_low), above)


def _visited(trials: Sequence[Facts]) -> set[str]:
    return {place for trial in trials for place, own in trial["by_place"].items() if own["miles"] > 0}


def _counts(trials: Sequence[Facts], places: Sequence[str]) -> np.ndarray:
    """(seeds, places, 2): disengagements and miles."""
    nothing = {"disengagements": 0, "miles": 0.0}
    told = [[trial["by_place"].get(place, nothing) for place in places] for trial in trials]
    return np.array([[[own["disengagements"], own["miles"]] for own in row] for row in told], np.float64)


def _between(counts: np.ndarray, seeds: np.ndarray, places: np.ndarray) -> np.ndarray:
    """(R,) miles between disengagements for resamples of seeds (R, S) and places (R, P); NaN where none was visited."""
    totals = counts[seeds[:, :, None], places[:, None, :]].sum(axis=1)
    count, miles = totals[..., 0] + 0.5 / places.shape[1], totals[..., 1]
    a_mile = np.divide(count, miles, out=np.zeros_like(miles), where=miles > 0).sum(axis=1)
    return np.asarray(np.divide((miles > 0).sum(axis=1), a_mile, out=np.full(len(miles), np.nan), where=a_mile > 0))


def table(arms: Mapping[str, Sequence[Facts]], against: str = "random") -> Table:
    """An arm a row; ratios are to the arm `against`."""
    from edge.output import grid

    drawn = grid(
        "arm", "seeds", "labelled s", "MB", "MBD (95 %)", f"to {against} (95 %)", "p if independent",
        "ordinary error (below, 95 %)", "worst reasons",
        title="Miles between disengagements (MBD) at equal steps, and the error on ordinary driving; "
        f"fewer than {PUBLISHED} seeds are a preview",
    )  # fmt: skip
    for name, trials in arms.items():
        miles = pooled(trials)
        low, high = miles.interval()
        to = f"({low:.3g} to {'any' if high is None else format(high, '.3g')})"
        drawn.add_row(
            name,
            str(len(trials)) if len(trials) >= PUBLISHED else f"{len(trials)}, preview",
            f"{trials[0]['labelled_s']:.0f}",
            f"{trials[0]['bytes'] / 1e6:.1f}",
            f"{'none' if miles.between is None else format(miles.between, '.3g')} {to}",
            *(("1", "", "1") if name == against else _beside(trials, arms[against])),
            ", ".join(f"{reason} {count}" for reason, count in _reasons(trials)[:3]),
        )
    return drawn


def _beside(trials: Sequence[Facts], other: Sequence[Facts]) -> tuple[str, str, str]:
    """Ratio, p, and ratio of errors on ordinary driving."""
    off, above = ordinary.ratio(trials, other)
    alike = chance_alike(pooled(trials), pooled(other))
    return str(ratio(trials, other) or "not known"), f"{alike:.2g}", f"{off:.3f} ({above:.3f})"


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
