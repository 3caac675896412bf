"""A weight is what its columns say, and how unevenly weights are spread is told."""

import numpy as np
import pytest

from curate.weights.factors import FACTORS, Weights, effective_size, largest_weight


def test_what_makes_a_second_rare_is_capped_together_and_the_rest_is_not():
    five = {name: np.array([2.0]) for name in ("kind", "rarity", "surprise", "driver")}
    weights = Weights.of(1, 5.0, duplicate=np.array([0.5]), quality=np.array([1.5]), label=np.array([0.8]), **five)
    assert weights.product.tolist() == pytest.approx([5.0 * 0.5 * 1.5 * 0.8])


def test_every_factor_is_there_and_is_1_where_nobody_named_it():
    weights = Weights.of(3)
    assert set(weights.factors) == set(FACTORS)
    assert weights.product.tolist() == [1.0] * 3


def test_effective_size():
    assert effective_size(np.ones(50)) == 50
    assert effective_size(np.array([1.0, 0, 0])) == 1
    assert effective_size(np.zeros(3)) == 0


def test_largest_weight():
    assert largest_weight(np.array([1.0, 3.0])) == 0.75
    assert largest_weight(np.zeros(3)) == 0
