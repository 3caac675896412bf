"""The ratio of errors that gates ask for."""

from __future__ import annotations

import numpy as np
import pytest

from train.compare import BETTER, SAME, TOO_FEW, UNTOLD, WORSE, Ratio, compare, verdict

BLOCKS, LENGTH = 30, 15
BLOCK = np.repeat(np.arange(BLOCKS), LENGTH)


def wrong(seed: int, times: float = 1.0, own: float = 0.5) -> np.ndarray:  # type: ignore[type-arg]
    """(S, 2) errors: a part that hard blocks give everyone, and a part of one's own."""
    hard = np.random.default_rng(99).normal(0, 1, (BLOCKS, 2)).repeat(LENGTH, axis=0)
    return times * (hard + own * np.random.default_rng(seed).normal(0, 1, (BLOCKS, 2)).repeat(LENGTH, axis=0))


def ratio(candidate: np.ndarray, baseline: np.ndarray, **more: object) -> Ratio:  # type: ignore[type-arg]
    return compare(candidate, baseline, np.zeros_like(candidate), BLOCK, **more)[0]  # type: ignore[arg-type]


def test_a_smaller_error_is_found_on_the_blocks_that_are_hard_for_both() -> None:
    found = ratio(wrong(1, 0.6), wrong(2))
    assert None not in (found.value, found.low, found.high, found.at_most, found.p)
    assert found.low < found.value < found.at_most < found.high < 1.0  # type: ignore[operator]
    assert found.value == pytest.approx((found.candidate or 0) / (found.baseline or 1))
    assert verdict(found, found.p) == BETTER
    assert verdict(ratio(wrong(2), wrong(1, 0.6)), found.p) == WORSE


def test_who_is_first_turns_the_ratio_over() -> None:
    one, other = ratio(wrong(1), wrong(2)), ratio(wrong(2), wrong(1))
    assert one.value == pytest.approx(1 / (other.value or 1))
    assert (one.low, one.high) == pytest.approx((1 / (other.high or 1), 1 / (other.low or 1)))
    assert one.p == other.p


def test_pairing_takes_out_what_is_hard_for_both() -> None:
    chance = np.random.default_rng(0)
    mixed = chance.permutation(BLOCKS).repeat(LENGTH) * LENGTH + np.tile(np.arange(LENGTH), BLOCKS)
    paired, apart = ratio(wrong(1), wrong(2)), ratio(wrong(1)[mixed], wrong(2))
    assert (paired.high or 9) / (paired.low or 1) < 0.8 * (apart.high or 0) / (apart.low or 1)


def test_a_gate_passes_what_is_as_good_and_refuses_what_is_clearly_worse() -> None:
    """The bound lies above the truth, so nearly equal passes only where there is enough to tell."""
    noise = 0.002
    as_good, worse = ratio(wrong(1, own=noise), wrong(2, own=noise)), ratio(wrong(1, 1.1, noise), wrong(2, own=noise))
    assert (as_good.at_most or 9) <= 1.02
    assert (worse.at_most or 0) > 1.02


def test_the_same_is_the_same_also_where_blocks_are_few() -> None:
    few = wrong(1)[:30]
    found = compare(few, few, np.zeros_like(few), BLOCK[:30])[0]
    assert (found.value, found.at_most, found.blocks) == (1.0, 1.0, 2)
    assert verdict(found, found.p) == SAME


def test_a_difference_whose_size_is_open_is_not_told() -> None:
    """Six blocks that all lean one way, five of them hardly: p is as small as it can be, the interval holds 1."""
    candidate = np.sqrt(np.array([2.0, 1.001, 1.001, 1.001, 1.001, 1.001]))[:, None].repeat(2, axis=1)
    found = compare(candidate, np.ones((6, 2)), np.zeros((6, 2)), np.arange(6))[0]
    assert (found.p or 1) < 0.05
    assert (found.low or 9) < 1.0 < (found.high or 0)
    assert verdict(found, found.p) == UNTOLD


def test_too_few_blocks_are_no_gate() -> None:
    found = compare(wrong(1)[:30], wrong(2)[:30], np.zeros((30, 2)), BLOCK[:30])[0]
    assert (found.at_most, found.p) == (None, None)
    assert verdict(found, found.p) == TOO_FEW


def test_no_sample_and_no_error_divide_nothing() -> None:
    nothing = ratio(np.full((BLOCK.size, 2), np.nan), wrong(1))
    assert (nothing.n, nothing.value, nothing.candidate) == (0, None, None)
    perfect = ratio(wrong(1), np.zeros((BLOCK.size, 2)))
    assert (perfect.value, perfect.at_most, verdict(perfect, perfect.p)) == (None, None, UNTOLD)


def test_weights_choose_and_missing_answers_leave_the_pair_out() -> None:
    weight = (BLOCK < 10).astype(np.float64)
    candidate, baseline = wrong(1), wrong(2)
    candidate[BLOCK == 3] = np.nan
    kept = (BLOCK < 10) & (BLOCK != 3)
    found = ratio(candidate, baseline, weight=weight)
    same = compare(candidate[kept], baseline[kept], np.zeros((kept.sum(), 2)), BLOCK[kept])[0]
    assert (found.n, found.blocks) == (same.n, same.blocks) == (9 * LENGTH, 9)
    assert (found.value, found.low, found.p) == pytest.approx((same.value, same.low, same.p))


def test_equal_policies_are_told_apart_in_one_of_twenty_comparisons() -> None:
    told = []
    for seed in range(200):
        chance = np.random.default_rng(seed)
        first, second = (chance.normal(size=(BLOCKS, 1)).repeat(LENGTH, axis=0) for _ in range(2))
        told.append((compare(first, second, np.zeros_like(first), BLOCK)[0].p or 0) < 0.05)
    assert np.mean(told) <= 0.1
