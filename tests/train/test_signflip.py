"""The paired test: it cries wolf as often as it says, finds what is there, and many slices make no find."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.evaluation.bootstrap import MIN_BLOCKS
from train.evaluation.signflip import FLIPS, holm, sign_flip


def test_two_equal_policies_differ_in_one_of_twenty_exams() -> None:
    chance = np.random.default_rng(1)
    scale = chance.lognormal(size=(400, 20))
    p = np.array([sign_flip(each) for each in chance.standard_t(3, (400, 20)) * scale])
    assert 0.02 <= (p < 0.05).mean() <= 0.08
    assert 0.42 <= (p < 0.5).mean() <= 0.58


def test_a_steady_difference_is_found() -> None:
    chance = np.random.default_rng(2)
    assert (sign_flip(chance.normal(1.0, 0.5, 20)) or 1) == 1 / (FLIPS + 1)


def test_neither_order_nor_scale_nor_who_is_first_matters() -> None:
    differences = np.random.default_rng(3).normal(0.3, 1.0, 12)
    p = sign_flip(differences)
    assert sign_flip(differences * 1e-9) == sign_flip(-differences) == p
    assert sign_flip(differences[::-1]) == pytest.approx(p, abs=0.03)


def test_with_few_blocks_p_cannot_be_small() -> None:
    assert sign_flip(np.ones(MIN_BLOCKS - 1)) is None
    assert (sign_flip(np.ones(MIN_BLOCKS)) or 0) == pytest.approx(2 / 2**MIN_BLOCKS, abs=0.01)
    assert sign_flip(np.zeros(9)) == 1.0


def test_holm_by_hand() -> None:
    assert holm([0.01, None, 0.04, 0.03]) == [pytest.approx(0.03), None, pytest.approx(0.06), pytest.approx(0.06)]
    assert holm([]) == []


@given(st.lists(st.one_of(st.none(), st.floats(0.0, 1.0)), max_size=30))
def test_holm_only_raises_and_keeps_the_order(p: list[float | None]) -> None:
    corrected = holm(p)
    pairs = [(a, b) for a, b in zip(p, corrected, strict=True) if a is not None and b is not None]
    assert len(pairs) == sum(each is not None for each in p)
    assert all(a <= b <= 1.0 for a, b in pairs)
    assert [b for _, b in sorted(pairs)] == sorted(b for _, b in pairs)
