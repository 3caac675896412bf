"""The order of an epoch: systematic, reproducible, and with the mix that was asked for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from train.errors import SampleError
from train.order import batch_at, effective_size, epoch_order, mix_report, probabilities, spread, systematic

Arrays = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]


@st.composite
def datasets(draw: st.DrawFn) -> Arrays:
    """Rows of samples, weights and inclusion probabilities."""
    rows = draw(st.integers(1, 12))
    row = draw(st.lists(st.integers(0, rows - 1), min_size=1, max_size=80))
    weight = draw(st.lists(st.floats(0.01, 100), min_size=rows, max_size=rows))
    inclusion = draw(st.lists(st.floats(1e-4, 1.0), min_size=rows, max_size=rows))
    return np.array(sorted(row), np.int64), np.array(weight), np.array(inclusion)


@given(datasets(), st.floats(0, 1), st.integers(1, 300), st.floats(0, 1, exclude_max=True))
def test_each_sample_comes_floor_or_ceil_of_its_share(data: Arrays, mix: float, draws: int, start: float) -> None:
    p = probabilities(*data, mix)
    counts = np.bincount(systematic(p, draws, start), minlength=p.size)
    assert counts.sum() == draws
    assert (counts >= np.floor(draws * p - 1e-6)).all()
    assert (counts <= np.ceil(draws * p + 1e-6)).all()


@given(datasets(), st.floats(0, 1))
def test_probabilities_mix_seconds_and_not_samples(data: Arrays, mix: float) -> None:
    row, weight, inclusion = data
    p = probabilities(row, weight, inclusion, mix)
    present = np.unique(row)
    wanted = (
        mix * weight[present] / weight[present].sum()
        + (1 - mix) * (1 / inclusion[present]) / (1 / inclusion[present]).sum()
    )
    assert np.allclose(np.bincount(row, p)[present], wanted)
    for second in present:
        assert np.ptp(p[row == second]) < 1e-12


@given(datasets(), st.integers(0, 5), st.integers(0, 5))
def test_order_is_a_function_of_digest_seed_and_epoch(data: Arrays, seed: int, epoch: int) -> None:
    p = probabilities(*data, 0.5)
    again = [epoch_order(p, 60, "digest", seed, epoch) for _ in range(2)]
    assert again[0].tolist() == again[1].tolist()


def test_other_seeds_epochs_and_datasets_are_other_orders() -> None:
    p = np.full(50, 1 / 50)
    keys = [("d", 0, 0), ("d", 0, 1), ("d", 1, 0), ("e", 0, 0)]
    assert len({tuple(epoch_order(p, 50, *key).tolist()) for key in keys}) == 4


@given(st.integers(20, 60), st.integers(1, 90), st.integers(0, 10))
def test_any_batch_can_be_replayed_without_those_before_it(samples: int, size: int, step: int) -> None:
    """As training takes them: epoch after epoch, the rest of one before the next."""
    p = np.full(samples, 1.0 / samples)
    epochs = [epoch_order(p, samples, "d" * 64, 7, epoch) for epoch in range((step + 1) * size // samples + 1)]
    taken = np.concatenate(epochs)[step * size : (step + 1) * size]
    np.testing.assert_array_equal(batch_at(p, samples, "d" * 64, 7, step, size), taken)


def test_an_even_epoch_draws_every_sample_once() -> None:
    assert sorted(epoch_order(np.full(1000, 1e-3), 1000, "d", 0, 0).tolist()) == list(range(1000))


def test_the_realised_mix_is_the_requested_one() -> None:
    """Hard braking is 2 % of the seconds and asked to be half of what is drawn."""
    row = np.repeat(np.arange(100), 20)
    events = [["hard_brake"]] * 2 + [["baseline"]] * 98
    weight = np.array([49.0] * 2 + [1.0] * 98)
    inclusion = np.array([1.0] * 2 + [0.05] * 98)
    p = probabilities(row, weight, inclusion, 1.0)
    report = mix_report(p, epoch_order(p, row.size, "d", 0, 0), row, inclusion, events)
    assert report["hard_brake"]["requested"] == pytest.approx(0.5)
    assert report["hard_brake"]["realised"] == pytest.approx(0.5, abs=1e-3)
    assert report["hard_brake"]["data"] == pytest.approx(0.02)
    assert report["hard_brake"]["natural"] == pytest.approx(2 / (2 + 98 * 20))


def test_seconds_without_an_event_are_told_apart() -> None:
    row, ones = np.arange(4), np.ones(4)
    p = probabilities(row, ones, ones, 0.5)
    report = mix_report(p, row, row, ones, [["a", "b"], ["a"], [], []])
    assert {kind: round(share["data"], 2) for kind, share in report.items()} == {"a": 0.5, "b": 0.25, "no event": 0.5}


def test_effective_size_is_that_of_equal_samples() -> None:
    assert effective_size(np.full(10, 0.1)) == pytest.approx(10)
    assert effective_size(np.array([1.0, 0.0, 0.0])) == pytest.approx(1)


def test_heavy_samples_beyond_two_to_the_24_do_not_starve_the_light() -> None:
    """float32 sums stop growing at 2^24; the last sample here would never be drawn."""
    p = np.array([2.0**24] + [1.0] * 63)
    p /= p.sum()
    counts = np.bincount(systematic(p, 1 << 24, 0.5), minlength=64)
    assert counts[1:].max() <= 2
    assert counts[1:].sum() == pytest.approx(63, abs=1)


@pytest.mark.parametrize(
    ("weight", "inclusion", "mix"),
    [
        ([0.0, 0.0], [1.0, 1.0], 1.0),
        ([1.0, 1.0], [0.0, 1.0], 0.5),
        ([1.0, 1.0], [1.0, 1.5], 0.5),
        ([1.0, -1.0], [1.0, 1.0], 0.5),
        ([1.0, 1.0], [1.0, 1.0], 1.1),
    ],
)
def test_weights_that_make_no_sense_are_refused(weight: list[float], inclusion: list[float], mix: float) -> None:
    with pytest.raises(SampleError):
        probabilities(np.array([0, 1]), np.array(weight), np.array(inclusion), mix)


def test_spread_shares_a_second_among_its_samples() -> None:
    assert spread(np.array([0, 0, 1]), np.array([1.0, 1.0])).tolist() == [0.25, 0.25, 0.5]
