"""No device holds more than its share of a version's weight."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.shares import NOBODY, largest_share, share_factors


def shares(devices, weights, factors):
    held = np.array([w * factors.get(d, 1.0) for d, w in zip(devices, weights, strict=True)])
    return {d: held[[e == d for e in devices]].sum() / held.sum() for d in devices}


def test_one_or_two_devices_are_never_held_back():
    assert share_factors(["a", "b"], np.array([99.0, 1.0])) == {}
    assert share_factors(["a"], np.array([1.0])) == {}


def test_one_that_sends_too_much_gets_its_share_and_no_more():
    devices = ["loud"] * 90 + [f"d{n}" for n in range(10)]
    factors = share_factors(devices, np.ones(100))
    assert list(factors) == ["loud"]
    assert shares(devices, np.ones(100), factors)["loud"] == pytest.approx(2 / 11)


def test_what_came_from_no_device_is_not_held_back():
    devices = [NOBODY] * 90 + ["a", "b", "c"]
    assert share_factors(devices, np.ones(93)) == {}


def test_nothing_to_share_is_left_alone():
    assert share_factors([], np.zeros(0)) == {}
    assert share_factors(["a", "b", "c"], np.zeros(3)) == {}
    assert share_factors(["a", "b", "c"], np.array([1.0, 0.0, 0.0])) == {}


@given(st.lists(st.floats(0.001, 1e6), min_size=3, max_size=60))
def test_no_share_is_above_the_cap_and_nobody_below_it_is_touched(weights):
    devices = [f"d{n}" for n in range(len(weights))]
    factors, cap = share_factors(devices, np.array(weights)), largest_share(len(weights))
    after = shares(devices, weights, factors)
    assert max(after.values()) <= cap * (1 + 1e-6)
    assert all(0 < factor < 1 for factor in factors.values())
    assert all(after[d] == pytest.approx(cap) for d in factors)
