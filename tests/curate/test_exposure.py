"""Rates of events: unbiased, and their intervals cover the truth as often as they say."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers.fleet import Fleets, Kind, simulate
from makers.seconds import second
from scipy import stats

from curate.exposure import METRES_A_MILE, rate_interval, rates

FLEETS = {
    "often": Kind((40, 200), 0.5, (1.0, 0.5, 0.2)),
    "now and then": Kind((10, 40), 0.5, (1.0, 1.0, 0.5)),
    "rarely": Kind((5, 20), 0.5, (1.0, 1.0, 1.0, 0.5)),
}


def covered(fleets: Fleets) -> np.ndarray:
    """Whether the interval of each fleet holds its true rate."""
    intervals = [rate_interval(*totals) for totals in zip(fleets.events, fleets.miles, strict=True)]
    low, high = np.array(intervals).T
    return (low <= fleets.truth) & (fleets.truth <= high)


@pytest.fixture(scope="module")
def fleets() -> dict[str, Fleets]:
    return {name: simulate(0, kind) for name, kind in FLEETS.items()}


@pytest.mark.parametrize("name", FLEETS)
def test_of_2000_fleets_as_many_intervals_hold_the_truth_as_they_say(fleets, name):
    assert 0.935 <= covered(fleets[name]).mean() <= 0.965


@pytest.mark.parametrize("name", FLEETS)
def test_rates_are_unbiased(fleets, name):
    made = fleets[name]
    ratio = made.events.sum(1) / made.miles.sum(1) / made.truth
    assert abs(ratio.mean() - 1) < 4 * ratio.std() / math.sqrt(ratio.size)


def test_without_the_probabilities_they_are_not(fleets):
    """Counted as if all that arrived were all that was driven."""
    made = fleets["often"]
    naive = made.known / made.miles.sum(1) / made.truth
    assert naive.mean() < 0.7


def test_no_event_has_an_upper_end_and_it_is_the_exact_one():
    low, high = rate_interval(np.zeros(9), np.full(9, 10.0))
    assert low == 0.0
    assert high * 90.0 == pytest.approx(stats.chi2.ppf(0.975, 2) / 2)


@pytest.mark.parametrize("miles", [[5.0], [5.0, 0.0], [5.0, 5.0]])
def test_one_drive_or_drives_that_do_not_differ_tell_no_interval(miles):
    assert rate_interval(np.array(miles) / 5.0, np.array(miles)) == (0.0, math.inf)


@given(
    st.lists(st.tuples(st.floats(0, 50), st.floats(0.1, 100)), min_size=2, max_size=30).filter(
        lambda clusters: sum(events for events, _ in clusters) > 0.01
    )
)
def test_an_interval_holds_the_estimate_and_knows_no_unit(clusters):
    events, miles = np.array(clusters).T
    low, high = rate_interval(events, miles)
    assert 0.0 <= low <= events.sum() / miles.sum() <= high
    in_km = rate_interval(events, miles * 1.609344)
    np.testing.assert_allclose(np.array(in_km) * 1.609344, (low, high), rtol=1e-9)


MILE = {"speed_mps": METRES_A_MILE}


def drive(name, onsets=0, seconds=10, **told):
    return [second(n, drive=name, onsets=("brake",) if n < onsets else (), **MILE | told) for n in range(seconds)]


def test_each_second_and_each_event_stands_for_those_that_did_not_arrive():
    seconds = [
        *drive("a", onsets=1, inclusion_probability=0.6, event_probability=0.5),
        *drive("b", onsets=2, seconds=20),
    ]
    (rate,) = rates(seconds).values()
    assert rate.known == 3
    assert rate.events == pytest.approx(2 + 2)
    assert rate.miles == pytest.approx(10 / 0.6 + 20)
    assert rate.low < rate.a_mile < rate.high


def test_known_miles_replace_estimated_ones_and_silent_devices_count():
    seconds = [*drive("a", onsets=2, device="car 1"), *drive("b", onsets=1, device="car 2")]
    (rate,) = rates(seconds, {"car 1": 50.0, "car 3": 40.0}).values()
    assert rate.miles == pytest.approx(50 + 10 + 40)
    assert rate.events == 3


def test_many_devices_are_the_clusters():
    """Ten drives each of a car that brakes and of others that do not: ten drives are one driver, not ten."""
    few = [
        s for car in range(10) for n in range(10) for s in drive(f"{car}-{n}", onsets=2 * (car == 0), device=f"{car}")
    ]
    many = [
        s for car in range(25) for n in range(4) for s in drive(f"{car}-{n}", onsets=5 * (car == 0), device=f"{car}")
    ]
    narrow, wide = rates(few)["brake"], rates(many)["brake"]
    assert narrow.events == wide.events == 20
    assert wide.high / wide.low > narrow.high / narrow.low


def test_without_a_speed_there_is_no_rate():
    assert rates([second(onsets=("brake",), speed_mps=math.nan)]) == {}
    assert rates([]) == {}


def test_what_was_staged_counts_neither_miles_nor_events():
    met = [second(n, onsets=("cut_in",) if n == 5 else (), speed_mps=20.0) for n in range(100)]
    made = [replace(s, drive_id="made", onsets=("cut_in",), synthetic=True) for s in met]
    assert rates([*met, *made]) == rates(met)
    assert rates(made) == {}
