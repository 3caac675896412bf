"""What makes a second rare, judged by what may be trained on."""

import math

import numpy as np
import pytest
from makers.seconds import second

from curate.rarity import control_factors, kind_factors, neighbourhood_factors, severity_factors

POWER, MILD, MOST = 0.5, 2.0, 5.0


def all_of(seconds):
    return np.ones(len(seconds), bool)


def by_kind(seconds):
    return kind_factors(seconds, all_of(seconds), {}, POWER, MILD, MOST)


def by_controls(seconds, **told):
    return control_factors(seconds, all_of(seconds), 0.25, POWER, MOST, **told)


def test_a_rarer_kind_weighs_more_and_the_cap_holds():
    seconds = [second()] * 900 + [second(events=["common"])] * 99 + [second(events=["rare", "common"])]
    factors = by_kind(seconds)
    assert factors[0] == 1.0
    assert factors[950] == pytest.approx(math.sqrt(1000 / 100))
    assert factors[-1] == MOST


def test_of_two_kinds_as_rare_here_the_one_rarer_on_the_road_weighs_more():
    """One arrived because it was drawn from many; the other is all there was."""
    ordinary = [second(n) for n in range(200)]
    drawn = [second(n, events=["drawn"], onsets=["drawn"], event_probability=0.1) for n in range(20)]
    all_there_was = [second(n, events=["all"], onsets=["all"]) for n in range(20)]
    factors = by_kind([*ordinary, *drawn, *all_there_was])
    assert factors[-1] > factors[200] > 1.0


def test_the_baseline_is_no_event():
    assert by_kind([second(events=["baseline"]), second()]).tolist() == [1.0, 1.0]


def test_sharp_bends_weigh_more_than_straight_road():
    rng = np.random.default_rng(0)
    factors = by_controls([second(steering=s) for s in [*rng.normal(0, 2, 300), 40.0, -45.0]])
    assert factors[-2:].min() > 2 * np.median(factors)
    assert factors.max() <= MOST


@pytest.mark.parametrize("steering", [math.nan, 3.0])
def test_what_is_not_recorded_or_never_changes_makes_nothing_rare(steering):
    assert by_controls([second(steering=steering)] * 10).tolist() == [1.0] * 10


def test_noise_far_below_any_sensor_makes_nothing_rare():
    assert by_controls([second(steering=s) for s in (0.0, 0.0, 1e-308, 0.0, 2e-308)]).tolist() == [1.0] * 5


def test_a_turn_signal_parts_seconds_that_are_otherwise_alike():
    seconds = [second(turn_signal=0.0)] * 90 + [second(turn_signal=1.0)] * 9 + [second(turn_signal=-1.0)]
    none, left, right = by_controls(seconds, signals=True)[[0, 90, 99]]
    assert none == 1.0
    assert left == pytest.approx(math.sqrt(90 / 9))
    assert right == MOST
    assert by_controls(seconds).tolist() == [1.0] * 100


def test_a_graver_event_weighs_more_up_to_a_limit():
    factors = severity_factors([second(severity=s) for s in (0.0, 1.0, 2.25, 100.0)], POWER, MILD)
    assert factors.tolist() == [1.0, 1.0, 1.5, 2.0]


def test_a_clip_far_from_its_neighbours_weighs_more():
    density = {"usual": 0.9, "lonely": 0.775, "alone": -1.0, "crowded": 0.999, "odd": math.nan}
    clips = [*density, "not embedded"]
    factors = neighbourhood_factors(clips, density, np.array([True] + [False] * 5), MILD)
    assert factors.tolist() == pytest.approx([1.0, 1.5, 2.0, 0.5, 1.0, 1.0])


@pytest.mark.parametrize("density", [{}, {"a": 1.0, "b": 1.0}])
def test_nothing_embedded_or_only_copies_makes_nothing_rare(density):
    assert neighbourhood_factors(["a", "b"], density, np.ones(2, bool), MILD).tolist() == [1.0, 1.0]
