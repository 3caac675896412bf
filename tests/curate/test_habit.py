"""What is hard for one driver is an ordinary day for another."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers.seconds import second

from curate.habit import ENOUGH_SECONDS, driver_factors, unusual, weighted_median
from curate.manner import Manner


def felt(driver, accelerations, **told):
    manners = [Manner(longitudinal_mps2=a, lateral_mps2=0.1) for a in accelerations]
    return [second(n, drive=driver, manner=m, **told) for n, m in enumerate(manners)]


def all_of(seconds):
    return np.ones(len(seconds), bool)


def test_the_same_braking_is_unusual_for_the_gentle_one_alone():
    rng = np.random.default_rng(0)
    seconds = [*felt("gentle", [*rng.normal(1, 0.2, 200), 3.0]), *felt("sporty", [*rng.normal(2.5, 0.8, 200), 3.0])]
    z = unusual(seconds, all_of(seconds))
    assert z[200] > 6
    assert z[401] < 2
    factors = driver_factors(z, 2.0)
    assert factors[200] > 1.4
    assert factors[401] == 1.0


def test_a_habit_is_of_what_was_driven_and_not_of_what_was_uploaded():
    """All hard seconds arrived, and one in twenty of the others."""
    seconds = [*felt("d", np.linspace(0.5, 1.5, 100), inclusion_probability=0.05), *felt("d", np.full(150, 4.0))]
    assert unusual(seconds, all_of(seconds))[-1] > 5


def test_of_little_driving_and_of_what_is_not_recorded_nothing_is_unusual():
    few = felt("d", [*np.ones(ENOUGH_SECONDS - 2), 9.0])
    blind = felt("d", [math.nan] * 100)
    assert unusual(few, all_of(few)).max() == 0.0
    assert unusual(blind, all_of(blind)).tolist() == pytest.approx([0.0] * 100)
    assert unusual([], np.zeros(0, bool)).tolist() == []


def test_habits_are_learned_from_known_seconds():
    known = felt("d", np.linspace(0.5, 1.5, 100))
    z = [unusual([*known, *felt("d", exam)], np.arange(100 + len(exam)) < 100)[:100] for exam in ([9.0] * 300, [0.0])]
    np.testing.assert_array_equal(*z)


@given(st.lists(st.tuples(st.floats(-1e3, 1e3), st.integers(1, 9)), min_size=1, max_size=30))
def test_a_weighted_median_is_that_of_repeated_values(told):
    values, counts = np.array([v for v, _ in told]), np.array([c for _, c in told])
    repeated = np.sort(values.repeat(counts))
    assert weighted_median(values, counts.astype(float)) == repeated[(repeated.size - 1) // 2]
