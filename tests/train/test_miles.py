"""Miles between disengagements, and the gate: exact intervals, and doubt keeps the old policy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.exam import Exam
from train.gate import NOT_INFERIOR, decide, gate
from train.miles import METRES_PER_MILE, Miles, chance_alike, ratio_interval
from train.world.record import Ridden


def test_the_interval_is_the_exact_one():
    """Garwood's limits of a count of 10: 4.795 and 18.39."""
    low, high = Miles(10, 100.0).interval()
    assert low == pytest.approx(100 / 18.390, rel=1e-3)
    assert high == pytest.approx(100 / 4.795, rel=1e-3)
    assert Miles(0, 27.0).interval() == (pytest.approx(27.0 / 3.689, rel=1e-3), None)


def test_it_covers_what_is_true():
    chance = np.random.default_rng(0)
    inside = 0
    for count in chance.poisson(8.0, 2000):
        low, high = Miles(int(count), 80.0).interval()
        inside += low <= 10.0 and (high is None or high >= 10.0)
    assert inside / 2000 >= 0.95


@given(st.integers(0, 60), st.integers(0, 60), st.floats(1, 100), st.floats(1, 100))
def test_the_ratios_interval_turns_over_with_its_sides(new, old, miles_new, miles_old):
    a, b = Miles(new, miles_new), Miles(old, miles_old)
    low, high = ratio_interval(a, b)
    back_low, back_high = ratio_interval(b, a)
    assert high is None or low <= high
    if high is not None and new and old:
        assert back_low == pytest.approx(1 / high, rel=1e-6)
        assert back_high == pytest.approx(1 / low, rel=1e-6)


def test_alike_is_told_apart_as_seldom_as_it_says():
    """Two policies of one rate, unequal miles: p below 0.05 in at most one of twenty; unlike ones mostly."""
    chance = np.random.default_rng(2)

    def told_apart(rate):
        counts = chance.poisson((20 * rate, 60), (500, 2))
        return sum(chance_alike(Miles(int(new), 10.0), Miles(int(old), 30.0)) < 0.05 for new, old in counts)

    assert told_apart(1.0) <= 35
    assert told_apart(3.0) > 450
    assert chance_alike(Miles(0, 1.0), Miles(0, 5.0)) == 1.0
    assert chance_alike(Miles(9, 1.0), Miles(1, 1.0), "greater") == pytest.approx(11 / 1024)


def exam(miles, **reasons):
    at = [(1.0, reason.replace("_", " ")) for reason, number in reasons.items() for _ in range(number)]
    return Exam((Ridden("vale", 100.0, miles * METRES_PER_MILE, at),), ())


def test_what_is_clearly_better_is_released_and_what_is_worse_is_refused():
    assert decide(exam(20, off_lane=10), exam(20, off_lane=40)).verdict == "released"
    assert decide(exam(20, off_lane=40), exam(20, off_lane=10)).verdict == "refused"


def test_a_better_whole_does_not_hide_a_worse_part():
    decision = decide(exam(20, obstacle=14), exam(20, off_lane=40))
    assert decision.lower > NOT_INFERIOR
    assert decision.verdict == "refused"
    assert "obstacle" in decision.worse


def test_doubt_adds_miles_up_to_the_cap_and_keeps_the_old_one():
    asked = []

    def sit(which, miles):
        asked.append((which, miles))
        return exam(miles, off_lane=round(miles))

    assert gate(sit, 2.0, 7.0).verdict == "undecided"
    assert asked == [(who, miles) for miles in (2.0, 4.0, 7.0) for who in ("new", "old")]
    assert decide(exam(0.0), exam(5.0, off_lane=3)).verdict == "undecided"


def test_each_look_has_its_part_of_the_chance_to_err():
    """Two that are just as far apart as is overlooked are released in about one of twenty, over all looks together."""
    chance = np.random.default_rng(1)

    def released():
        counts = {who: chance.poisson(rate, 3) for who, rate in (("new", 6 / 0.67 / 0.5), ("old", 6 / 0.5))}
        told = {who: np.cumsum([n[0], n[1], 2 * n[2]]) for who, n in counts.items()}
        return gate(lambda who, m: exam(m, x=int(told[who][round(np.log2(m / 6))])), 6.0, 24.0).verdict == "released"

    assert sum(released() for _ in range(400)) <= 36


def test_lost_stints_release_nobody():
    lost = Exam(exam(20, off_lane=10).stints, ("the world died",))
    assert decide(lost, exam(20, off_lane=40)).verdict == "undecided"
