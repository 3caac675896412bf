"""The Safety Score, and whom it is known of."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers.seconds import second

from curate.driver import ENOUGH_S, quality_factors, safety_score, scores
from curate.exposure import METRES_A_MILE
from curate.manner import Manner


def test_nothing_to_complain_of_is_a_hundred():
    assert safety_score() == pytest.approx(100.0, abs=0.005)


@given(st.tuples(*[st.floats(0, 100)] * 4))
def test_the_score_lies_between_0_and_100_and_falls_with_everything_bad(bad):
    score = safety_score(*bad)
    assert 0.0 <= score <= 100.0
    assert all(safety_score(*(b + 1.0 * (i == k) for k, b in enumerate(bad))) <= score for i in range(4))


def test_a_score_by_hand():
    """PCF = 0.682854 * 1.014495^10 * 1.127294^2 * 1.019630^5 * 1.001444^20."""
    assert safety_score(10, 2, 5, 20) == pytest.approx(115.382324 - 22.526504 * 1.137009, abs=0.01)


def driven(seconds, drive="d", **told):
    manner = {"braking": 1.0, "hard_braking": 0.0, "turning": 1.0, "hard_turning": 0.0} | told.pop("manner", {})
    return [second(n, drive=drive, manner=Manner(**manner), **told) for n in range(seconds)]


def test_harsh_seconds_count_as_much_as_they_were_driven_and_not_as_they_were_uploaded():
    """Half of what arrived is harsh; of what was driven it is one in eleven."""
    ordinary = driven(30, inclusion_probability=0.1)
    harsh = driven(30, manner={"hard_braking": 1.0})
    assert scores([*ordinary, *harsh])["d"] == pytest.approx(safety_score(hard_braking=100 / 11))


def test_warnings_are_counted_per_thousand_miles():
    seconds = driven(50, speed_mps=METRES_A_MILE, onsets=())
    warned = driven(50, speed_mps=METRES_A_MILE, onsets=("collision_warning",), event_probability=0.5)
    assert scores([*seconds, *warned[:1]])["d"] == pytest.approx(safety_score(warnings=1000 * 2 / 51))


@pytest.mark.parametrize(
    "seconds",
    [
        driven(int(ENOUGH_S) - 1),
        driven(100, manner={"turning": math.nan, "hard_turning": math.nan}),
        driven(100, manner={"braking": 0.1}),
    ],
)
def test_of_too_little_driving_nothing_is_said(seconds):
    assert scores(seconds) == {}


def test_a_device_is_one_driver_over_its_drives():
    assert scores([*driven(20, "a", device="car"), *driven(20, "b", device="car")]).keys() == {"car"}


def test_quality_is_relative_to_the_median_driver_and_unknown_is_neutral():
    factors = quality_factors(["a", "b", "c", "nobody"], {"a": 80.0, "b": 90.0, "c": 10.0}, 2.0)
    assert factors.tolist() == pytest.approx([1.0, 90 / 80, 0.5, 1.0])
    assert quality_factors(["a"], {}, 2.0).tolist() == [1.0]
    assert quality_factors(["a", "b"], {"a": 0.0, "b": 0.0}, 2.0).tolist() == [0.5, 0.5]
