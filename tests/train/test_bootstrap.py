"""Intervals hold the truth about as often as they say, on errors that come in blocks."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t

from train.evaluation.blocks import find_blocks
from train.evaluation.bootstrap import MIN_BLOCKS, RESAMPLES, bounds, draws, estimate, student

LENGTH = 20


def block_errors(chance: np.random.Generator, trials: int, blocks: int) -> np.ndarray:  # type: ignore[type-arg]
    """(trials, blocks, LENGTH) errors of variance 1, each sample like its neighbour and blocks on their own."""
    error = chance.normal(size=(trials, blocks, LENGTH))
    for step in range(1, LENGTH):
        error[..., step] = 0.9 * error[..., step - 1] + np.sqrt(1 - 0.9**2) * error[..., step]
    return error


@pytest.mark.parametrize(("blocks", "at_least"), [(6, 0.88), (12, 0.88), (40, 0.91)])
def test_the_interval_holds_the_truth_about_as_often_as_it_says(blocks: int, at_least: float) -> None:
    """Few blocks say little of how skewed their errors are, so a little less than 95 % is what can be had."""
    squared = block_errors(np.random.default_rng(1), 500, blocks) ** 2
    whole = np.full(blocks, float(LENGTH))
    found = [bounds(tops, whole, (0.025, 0.975)) for tops in squared.sum(axis=2)]
    held = np.mean([low <= 1.0 <= high for low, high in found])  # type: ignore[operator]
    assert at_least <= held <= 0.98


def test_the_one_sided_bound_lies_above_the_truth_about_as_often_as_it_says() -> None:
    chance = np.random.default_rng(2)
    tops, bottoms = ((block_errors(chance, 500, 40) ** 2).sum(axis=2) for _ in range(2))
    held = np.mean([(bounds(top, bottom, (0.95,))[0] or 0) >= 1.0 for top, bottom in zip(tops, bottoms, strict=True)])
    assert 0.91 <= held <= 0.98


def test_neighbours_are_not_counted_as_independent() -> None:
    squared = block_errors(np.random.default_rng(3), 1, 30).ravel() ** 2
    honest = estimate(squared, np.ones(squared.size), np.arange(squared.size) // LENGTH)
    naive = estimate(squared, np.ones(squared.size), np.arange(squared.size))
    assert honest.value == pytest.approx(naive.value)
    assert None not in (honest.low, honest.high, naive.low, naive.high)
    assert honest.high - honest.low > 1.5 * (naive.high - naive.low)  # type: ignore[operator]


def test_the_order_of_samples_does_not_matter() -> None:
    chance = np.random.default_rng(4)
    top, bottom, block = chance.random(300), chance.random(300), chance.integers(0, 12, 300)
    mixed = chance.permutation(300)
    one, other = estimate(top, bottom, block), estimate(top[mixed], bottom[mixed], block[mixed])
    assert (one.n, one.blocks) == (other.n, other.blocks)
    assert [one.value, one.low, one.high] == pytest.approx([other.value, other.low, other.high])


def test_what_is_missing_or_weighs_nothing_does_not_count() -> None:
    block = np.repeat(np.arange(8), 5)
    top, bottom = np.random.default_rng(5).random(40) + 0.1, np.ones(40)
    assert estimate(np.where(block == 3, np.nan, top), bottom, block).n == 35
    gone = estimate(np.where(block >= 3, 0.0, top), np.where(block >= 3, 0.0, bottom), block)
    assert (gone.n, gone.blocks) == (15, 3)


@pytest.mark.parametrize("blocks", [0, 1, MIN_BLOCKS - 1])
def test_too_few_blocks_have_a_value_and_no_interval(blocks: int) -> None:
    found = estimate(np.ones(blocks * 3), np.ones(blocks * 3), np.repeat(np.arange(blocks), 3))
    assert found.too_few
    assert (found.low, found.high) == (None, None)
    assert (found.value is None) == (blocks == 0)


def test_errors_of_zero_have_no_interval() -> None:
    found = estimate(np.zeros(30), np.ones(30), np.arange(30))
    assert (found.value, found.low) == (0.0, None)


def test_draws_are_whole_resamples_and_always_the_same() -> None:
    assert draws(17).shape == (RESAMPLES, 17)
    assert set(draws(17).sum(axis=1)) == {17.0}
    first = draws(17).copy()
    draws.cache_clear()
    np.testing.assert_array_equal(first, draws(17))


def test_blocks_are_drives_where_there_are_enough() -> None:
    drives = [f"d{number}" for number in range(10) for _ in range(30)]
    blocks = find_blocks(drives, np.tile(np.arange(30), 10))
    assert (blocks.by_drive, blocks.count, blocks.words) == (True, 10, "10 drives")
    assert len(set(zip(drives, blocks.of.tolist(), strict=True))) == 10


def test_below_ten_drives_blocks_are_ten_seconds_or_more_of_one() -> None:
    """25 s make two blocks, the rest joins the second; 4 s are one block; seconds that are missing are not counted."""
    seconds = np.concatenate([np.repeat(np.arange(25) * 3, 2), np.arange(4)])
    drives = ["a"] * 50 + ["b"] * 4
    blocks = find_blocks(drives, seconds)
    assert (blocks.by_drive, blocks.count) == (False, 3)
    assert "of 2 drives (below 10 drives)" in blocks.words
    assert np.bincount(blocks.of).tolist() == [20, 30, 4]
    mixed = np.random.default_rng(0).permutation(54)
    again = find_blocks([drives[place] for place in mixed], seconds[mixed])
    np.testing.assert_array_equal(again.of, blocks.of[mixed])


@pytest.mark.parametrize("level", [0.025, 0.95, 0.975])
@pytest.mark.parametrize("freedom", [4, 5, 9, 30, 1000])
def test_quantiles_are_those_of_the_tables(level: float, freedom: int) -> None:
    assert student(level, freedom) == pytest.approx(t.ppf(level, freedom), abs=1e-3)
