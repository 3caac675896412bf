"""No device, drive or place holds more than its share of a version's weight."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.seconds import SYNTHETIC
from curate.shares import NOBODY, SYNTHETIC_SHARE, held_to_shares, largest_share, share_factors


def shares(names, weights):
    return {name: weights[[other == name for other in names]].sum() / weights.sum() for name in names}


def held_alone(names, weights):
    return weights * np.array([share_factors(names, weights).get(name, 1.0) for name in names])


def test_one_or_two_devices_are_never_held_back():
    assert share_factors(["a", "b"], np.array([99.0, 1.0])) == {}
    assert share_factors(["a"], np.array([1.0])) == {}


def test_one_that_sends_too_much_gets_its_share_and_no_more():
    devices = ["loud"] * 90 + [f"d{n}" for n in range(10)]
    assert list(share_factors(devices, np.ones(100))) == ["loud"]
    assert shares(devices, held_alone(devices, np.ones(100)))["loud"] == pytest.approx(2 / 11)


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
    after = shares(devices, held_alone(devices, np.array(weights)))
    assert max(after.values()) <= cap * (1 + 1e-6)
    assert all(0 < factor < 1 for factor in factors.values())
    assert all(after[d] == pytest.approx(cap) for d in factors)


def test_a_long_drive_and_a_busy_street_are_held_back_together_and_it_is_said():
    drives = ["long"] * 60 + [f"d{n % 20}" for n in range(140)]
    places = [f"p{n % 30}" for n in range(60)] + ["street"] * 70 + [f"p{n % 30}" for n in range(70)]
    held = held_to_shares({"drive": drives, "place": places}, np.ones(200))
    assert held.bindings["drive"].held == ("long",)
    assert held.bindings["place"].held == ("street",)
    assert held.bindings["place"].share == pytest.approx(2 / 31)
    assert shares(drives, held.factors)["long"] <= largest_share(21) * (1 + 1e-5)
    assert shares(places, held.factors)["street"] <= largest_share(31) * (1 + 1e-5)


def test_what_is_synthetic_has_a_fifth_unless_there_is_nothing_else():
    names = {SYNTHETIC: [SYNTHETIC] * 30 + [NOBODY] * 20}
    held = held_to_shares(names, np.ones(50), {SYNTHETIC: SYNTHETIC_SHARE})
    assert shares(names[SYNTHETIC], held.factors)[SYNTHETIC] == pytest.approx(SYNTHETIC_SHARE)
    assert held.bindings[SYNTHETIC].held == (SYNTHETIC,)
    alone = held_to_shares({SYNTHETIC: [SYNTHETIC] * 3}, np.ones(3), {SYNTHETIC: SYNTHETIC_SHARE})
    assert alone.factors.tolist() == [1.0] * 3


def test_where_nothing_binds_nothing_is_said_or_done():
    held = held_to_shares({"device": [NOBODY] * 4, "drive": ["a", "a", "a", "b"]}, np.ones(4))
    assert held.factors.tolist() == [1.0] * 4
    assert [binding.held for binding in held.bindings.values()] == [(), ()]
    assert held.bindings["device"].of == 0


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.floats(0.01, 100)), min_size=1, max_size=60))
def test_all_keyings_are_held_at_once_and_no_weight_grows(told):
    weights = np.array([weight for _, _, weight in told])
    keyings = {"drive": [f"d{d}" for d, _, _ in told], "place": [f"p{p}" for _, p, _ in told]}
    held = held_to_shares(keyings, weights)
    assert ((held.factors > 0) & (held.factors <= 1)).all()
    for names in keyings.values():
        if len(set(names)) > 5:  # of fewer, one may be all that the other keying leaves
            assert max(shares(names, weights * held.factors).values()) <= largest_share(len(set(names))) * 1.01
