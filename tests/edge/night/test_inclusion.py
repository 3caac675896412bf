"""The stated probability of every second is the true one: proven on thousands of simulated weeks.

A week is a fixed set of drives with fixed event clips, and its nights. What varies between two weeks is luck alone: the
names of drives and clips carry the week's number, and every draw is a hash of a name. The two lanes' bytes are so few
that clips are carried over, drawn by lot, and sent nights after they were drawn.
"""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from edge.night.budget import Candidate, Lanes, baseline_rate, choose
from edge.night.inclusion import probabilities
from edge.night.queued import Lane, Queued, State
from trigger.baseline import drawn_seconds, inclusion_by_baseline

SECONDS, NIGHTS, WEEKS = 120, 14, 2000
BYTES_A_SECOND = 1_000_000
LANES = Lanes(baseline=60_000_000, event=70_000_000)
DAYS = 5
"""On which there are drives, two a day; the nights after them let the queue run empty."""


def events_of(day: int, drive: int) -> list[tuple[int, int, float]]:
    """Event clips of a drive, (first second, end, value): a few, apart, the same in every week."""
    rng = np.random.default_rng((day, drive))
    firsts = rng.choice(range(0, SECONDS, 30), 3, replace=False)
    return [(int(f), int(f + rng.integers(11, 28)), float(rng.pareto(1.5) + 0.2)) for f in firsts]


@dataclass
class Week:
    """One realisation: for each drive, what was stated and what was covered; and nights a decided clip had waited."""

    stated: list[np.ndarray]
    baseline: list[np.ndarray]
    covered: list[np.ndarray]
    waited: set[int]
    spent: list[int]


def simulate(week: int) -> Week:
    drives: list[tuple[float, np.ndarray, list[Queued]]] = []
    open_: dict[str, tuple[int, int, Queued]] = {}
    queue: dict[Lane, list[int]] = {Lane.BASELINE: [], Lane.EVENT: []}
    waited: set[int] = set()
    spent = []
    for night in range(NIGHTS):
        for number in range(2 if night < DAYS else 0):
            name = f"week {week} day {night} drive {number}"
            rate = baseline_rate(0.03, SECONDS * BYTES_A_SECOND, LANES.baseline - sum(queue[Lane.BASELINE]))
            drawn = np.zeros(SECONDS, bool)
            for second in drawn_seconds(name, SECONDS, rate):
                drawn[max(0, second - 5) : second + 6] = True
            queue[Lane.BASELINE].append(int(drawn.sum()) * BYTES_A_SECOND)
            drives.append((rate, drawn, []))
            for first, end, value in events_of(night, number):
                size = (end - first) * BYTES_A_SECOND
                clip = Queued(0, f"{name} at {first}", "", name, first, end, Lane.EVENT, size, value, State.CUT)
                open_[clip.clip_id] = (len(drives) - 1, night, clip)
        free = LANES.event - sum(queue[Lane.EVENT])
        candidates = [Candidate(n, c.bytes, c.value, night - since) for n, (_, since, c) in open_.items()]
        for fate in choose(candidates, free):
            drive, since, clip = open_.pop(fate.clip_id)
            waited.add(night - since)
            state = State.CHOSEN if fate.chosen else State.DROPPED
            drives[drive][2].append(replace(clip, state=state, probability=fate.probability))
            if fate.chosen:
                queue[Lane.EVENT].append(clip.bytes)
        spent.append(send(queue[Lane.BASELINE], LANES.baseline) + send(queue[Lane.EVENT], LANES.event))
    assert not open_, "give it more nights: every clip's fate must be decided"
    covered = []
    for _, drawn, clips in drives:
        seen = drawn.copy()
        for clip in clips:
            seen[clip.first : clip.end] |= clip.state is State.CHOSEN
        covered.append(seen)
    stated = [probabilities(SECONDS, rate, clips) for rate, _, clips in drives]
    baseline = [inclusion_by_baseline(SECONDS, rate) for rate, _, _ in drives]
    return Week(stated, baseline, covered, waited, spent)


def send(queue: list[int], limit: int) -> int:
    """Send from the front, the last clip in part, as an upload that goes on inside a file does."""
    left = limit
    while queue and left:
        part = min(queue[0], left)
        queue[0] -= part
        left -= part
        if not queue[0]:
            queue.pop(0)
    return limit - left


@pytest.fixture(scope="module")
def weeks() -> list[Week]:
    return [simulate(week) for week in range(WEEKS)]


def departures(weeks: list[Week], stated: str) -> np.ndarray:
    """For each second (covered - stated), summed over the weeks, in standard deviations."""
    chance = np.array([np.concatenate(getattr(week, stated)) for week in weeks])
    covered = np.array([np.concatenate(week.covered) for week in weeks])
    return np.asarray((covered - chance).sum(0) / np.sqrt(np.maximum((chance * (1 - chance)).sum(0), 1e-9)))


def test_every_second_is_covered_as_often_as_its_offer_says(weeks):
    z = departures(weeks, "stated")
    assert np.abs(z).max() < 4.5, f"second {int(np.abs(z).argmax())} departs by {z[np.abs(z).argmax()]:.1f} sigma"
    assert 0.5 < np.mean(z**2) < 1.5


def test_the_proof_would_see_a_wrong_probability(weeks):
    """What the event lane adds is left out: the seconds it covers are far off."""
    assert np.abs(departures(weeks, "baseline")).max() > 20


def test_the_weeks_hold_what_makes_it_hard(weeks):
    """Clips decided on the first night, carried over, drawn by lot; chances from a few percent to 1; full nights."""
    chance = np.concatenate([np.concatenate(week.stated) for week in weeks])
    assert set().union(*(week.waited for week in weeks)) >= {0, 3}
    assert chance.min() > 0
    assert np.histogram(chance, [0.0, 0.15, 0.3, 0.45, 0.9999, 1.1])[0].min() > 1000
    assert max(spent for week in weeks for spent in week.spent) <= LANES.baseline + LANES.event


def test_totals_estimated_from_what_arrived_are_unbiased(weeks):
    """Horvitz and Thompson: the sum of y / P over what arrived estimates the sum of y over all that was driven."""
    shape = np.concatenate(weeks[0].stated).size
    for y in (np.ones(shape), np.arange(shape, dtype=float)):
        estimates = np.array([(y * np.concatenate(w.covered) / np.concatenate(w.stated)).sum() for w in weeks])
        error = estimates.mean() - y.sum()
        assert abs(error) < 4 * estimates.std() / np.sqrt(WEEKS)
        assert estimates.std() > 0
