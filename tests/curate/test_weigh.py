import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.seconds import Second
from curate.weigh import DEFAULT, effective_size, kind_factors, rarity_factors, weigh


def second(number=0, events=(), steering=0.0, speed_change=0.0, human=1.0) -> Second:
    return Second("c", "d", number, 100, 0, tuple(events), 1.0, 1.0, human, steering, speed_change)


def test_a_rarer_kind_weighs_more_and_the_cap_holds():
    seconds = [second() for _ in range(900)] + [second(events=["common"])] * 99 + [second(events=["rare", "common"])]
    factors = kind_factors(seconds, np.ones(len(seconds), bool))
    assert factors[0] == 1.0
    assert factors[950] == pytest.approx(np.sqrt(1000 / 100))
    assert factors[-1] == DEFAULT.cap


def test_the_baseline_is_no_event():
    assert kind_factors([second(events=["baseline"]), second()], np.ones(2, bool)).tolist() == [1.0, 1.0]


def test_sharp_bends_weigh_more_than_straight_road():
    rng = np.random.default_rng(0)
    seconds = [second(steering=s) for s in [*rng.normal(0, 2, 300), 40.0, -45.0]]
    factors = rarity_factors(seconds, np.ones(len(seconds), bool))
    assert factors[-2:].min() > 2 * np.median(factors)
    assert factors.max() <= DEFAULT.cap


@pytest.mark.parametrize("steering", [float("nan"), 3.0])
def test_what_is_not_recorded_or_never_changes_makes_nothing_rare(steering):
    assert rarity_factors([second(steering=steering) for _ in range(10)], np.ones(10, bool)).tolist() == [1.0] * 10


@given(
    st.lists(
        st.tuples(st.floats(-500, 500), st.floats(-10, 10), st.integers(0, 100).map(lambda n: n / 100)),
        min_size=1,
        max_size=80,
    )
)
def test_weights_are_finite_and_follow_the_seconds(values):
    seconds = [second(steering=s, speed_change=c, human=h) for s, c, h in values]
    product = weigh(seconds).product
    assert np.isfinite(product).all()
    assert ((product == 0) == np.array([h == 0 for _, _, h in values])).all()
    np.testing.assert_allclose(weigh(seconds[::-1]).product, product[::-1], rtol=1e-9)


def test_noise_far_below_any_sensor_makes_nothing_rare():
    seconds = [second(steering=s) for s in (0.0, 0.0, 1e-308, 0.0, 2e-308)]
    assert rarity_factors(seconds, np.ones(5, bool)).tolist() == [1.0] * 5


def test_the_exams_labels_do_not_reach_the_trainings_weights():
    train = [second(steering=float(s)) for s in range(20)]
    known = [True] * 20 + [False] * 5
    one = weigh([*train, *[second(steering=1.0)] * 5], known).product
    other = weigh([*train, *[second(steering=500.0, events=["rare"])] * 5], known).product
    np.testing.assert_array_equal(one[:20], other[:20])
    assert other[-1] == DEFAULT.cap  # far from everything known


def test_effective_size():
    assert effective_size(np.ones(50)) == 50
    assert effective_size(np.array([1.0, 0, 0])) == 1
    assert effective_size(np.zeros(3)) == 0
