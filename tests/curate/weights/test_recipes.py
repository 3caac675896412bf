"""Four recipes; whichever is chosen, a weight is made of its columns, and the exam has no say in the training's."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers.seconds import CALM, second

from curate.manner import Manner
from curate.weights.factors import CAPPED, FACTORS
from curate.weights.facts import Facts
from curate.weights.recipes import RECIPES, RecipeError, described, weigh

SECONDS = st.lists(
    st.builds(
        lambda n, drive, steering, change, kinds, human, chance, turn: second(
            n,
            drive=drive,
            clip=f"{drive}-{n // 10}",
            steering=steering,
            speed_change=change,
            events=kinds,
            onsets=kinds,
            severity=1.5 * bool(kinds),
            human_share=human / 100,
            inclusion_probability=chance,
            event_probability=chance,
            turn_signal=turn,
        ),
        st.integers(0, 100),
        st.sampled_from("abc"),
        st.floats(-500, 500),
        st.floats(-10, 10),
        st.lists(st.sampled_from(["harsh_braking", "swerve", "baseline"]), unique=True),
        st.integers(0, 100),
        st.floats(0.001, 1.0),
        st.sampled_from([-1.0, 0.0, 1.0, math.nan]),
    ),
    min_size=1,
    max_size=30,
)
FACTS = Facts(
    density={"a-0": 0.2, "b-1": 0.9, "c-0": 0.95}, duplicate={"a-1": 0.0, "b-0": 0.5}, error={"a-0": 3.0, "b-1": 1.0}
)


@pytest.mark.parametrize("recipe", RECIPES)
@given(seconds=SECONDS)
def test_every_weight_is_the_product_of_its_columns(recipe, seconds):
    weights = weigh(seconds, facts=FACTS, recipe=recipe)
    columns = {name: weights.factors[name] for name in FACTORS}
    assert all(np.isfinite(column).all() and (column >= 0).all() for column in columns.values())
    cap = described(recipe).get("cap", np.inf)
    chance = np.array([s.inclusion_probability for s in seconds]) if recipe == "natural" else 1.0
    rare = np.minimum(np.prod([columns[name] for name in CAPPED], axis=0), cap)
    rest = np.prod([columns[name] for name in FACTORS if name not in CAPPED], axis=0)
    np.testing.assert_allclose(weights.product, rare * rest / chance, rtol=1e-12)
    assert (weights.factors["kind"] > 0).all()
    assert (weights.factors["rarity"] > 0).all()


@pytest.mark.parametrize("recipe", RECIPES)
@given(seconds=SECONDS)
def test_the_order_of_seconds_changes_no_weight(recipe, seconds):
    forth, back = (weigh(order, facts=FACTS, recipe=recipe).product for order in (seconds, seconds[::-1]))
    np.testing.assert_allclose(back[::-1], forth, rtol=1e-9)


@pytest.mark.parametrize("recipe", RECIPES)
@given(train=SECONDS, one=SECONDS, other=SECONDS)
def test_the_exams_labels_do_not_reach_the_trainings_weights(recipe, train, one, other):
    products = []
    for exam in (one, other):
        known = [True] * len(train) + [False] * len(exam)
        products.append(weigh([*train, *exam], known, FACTS, recipe).product[: len(train)])
    np.testing.assert_allclose(*products, rtol=1e-12)


def test_natural_counts_each_second_for_those_that_did_not_arrive():
    weights = weigh([second(inclusion_probability=p, human_share=0.0) for p in (1.0, 0.5, 0.02)], recipe="natural")
    assert weights.product.tolist() == pytest.approx([1.0, 2.0, 50.0])


def test_inverse_density_is_the_inverse_of_how_often_controls_are_seen():
    steering = [0.0] * 60 + [10.0] * 30 + [20.0] * 10
    product = weigh([second(steering=s) for s in steering], recipe="inverse-density").product
    assert product[60] / product[0] == pytest.approx(60 / 30, rel=1e-3)
    assert product[90] / product[0] == pytest.approx(60 / 10, rel=1e-3)


def test_effective_number_is_that_of_cui_et_al():
    seconds = [second()] * 5000 + [second(events=["common"])] * 1000 + [second(events=["rare", "common"])] * 10
    product = weigh(seconds, recipe="effective-number").product
    common, rare = ((1 - 0.999**5000) / (1 - 0.999**n) for n in (1010, 10))
    assert product[[0, 5000, -1]].tolist() == pytest.approx([1.0, common, rare])


def test_rare_first_asks_everything_and_each_answer_has_its_column():
    calm = [second(n, drive=d, clip=d, steering=0.1 * (n % 7)) for d in "abc" for n in range(80)]
    hard = Manner(1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 6.0, 0.2)
    rare = second(99, "a", "x", events=["swerve"], severity=2.0, manner=hard, steering=90.0, human_share=0.5)
    facts = Facts({"a": 0.9, "b": 0.9, "c": 0.9, "x": 0.2}, {"x": 0.5}, {"a": 1.0, "b": 1.0, "c": 1.0, "x": 2.25})
    weights = weigh([*calm, rare], facts=facts)
    of_rare = {name: float(column[-1]) for name, column in weights.factors.items()}
    assert of_rare["kind"] == of_rare["rarity"] == 5.0
    assert of_rare["driver"] == 2.0
    assert (of_rare["duplicate"], of_rare["surprise"], of_rare["label"]) == (0.5, 1.5, 0.5)
    assert weights.product[-1] == pytest.approx(5.0 * 0.5 * 0.5)
    assert weights.product[0] == pytest.approx(weights.factors["rarity"][0])


def test_a_better_driver_weighs_more():
    harsh = Manner(1.0, 0.5, 1.0, 0.2, 0.0, 0.0, 3.0, 3.0)
    gentle = Manner(1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.5, 2.2)
    seconds = [
        second(n, drive=d, manner=m)
        for d, m in (("harsh", harsh), ("gentle", gentle), ("calm", CALM))
        for n in range(40)
    ]
    quality = weigh(seconds).factors["quality"]
    assert quality[0] < 1.0 < quality[40]
    assert quality[80] == 1.0  # never braked: nothing is known


def test_a_recipe_tells_its_constants_and_an_unknown_one_is_refused():
    assert described("effective-number") == {"name": "effective-number", "beta": 0.999}
    assert described("natural") == {"name": "natural"}
    with pytest.raises(RecipeError, match="one of natural, inverse-density"):
        weigh([second()], recipe="best")
