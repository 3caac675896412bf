"""A policy that knows how wrong it is, one that is too sure, and one that doubts too much."""

from __future__ import annotations

import numpy as np
import pytest

from train.evaluation.calibration import LEVELS, TOLD, Calibration, calibration

N = 20_000


def stated(times: float) -> Calibration:
    """Errors of a known spread, which the policy states `times` too large."""
    chance = np.random.default_rng(1)
    spread = chance.uniform(0.5, 2.0, N)
    label = chance.normal(3.0, spread)
    return calibration(label, np.full(N, 3.0), spread * times, np.ones(N), np.arange(N) // 100)


def test_who_knows_is_calibrated() -> None:
    found = stated(1.0)
    assert found.error == pytest.approx(0.0, abs=0.01)
    for level, share in zip(TOLD, found.covered, strict=True):
        assert None not in (share.low, share.high)
        assert share.low < share.value < share.high  # type: ignore[operator]
        assert share.value == pytest.approx(level, abs=0.01)
    assert found.std == pytest.approx(1.25, rel=0.02)


def test_the_share_inside_is_that_of_the_normal_distribution() -> None:
    """Half the true deviation: of the stated 80 %, 1.28 / 2 deviations are 48 %."""
    sure, unsure = stated(0.5), stated(2.0)
    assert sure.covered[1].value == pytest.approx(0.478, abs=0.01)
    assert unsure.covered[1].value == pytest.approx(0.990, abs=0.005)
    assert all(found < level for found, level in zip(sure.curve, LEVELS, strict=True))
    assert all(found > level for found, level in zip(unsure.curve, LEVELS, strict=True))
    assert min(sure.error or 0, unsure.error or 0) > 0.15


def test_no_label_no_calibration_and_weightless_samples_do_not_count() -> None:
    none = calibration(np.full(5, np.nan), np.zeros(5), np.ones(5), np.ones(5), np.arange(5))
    assert (none.n, none.error, none.curve) == (0, None, ())
    weight = np.array([1.0, 1.0, 0.0, 0.0])
    found = calibration(np.array([0.0, 0.0, 9.0, 9.0]), np.zeros(4), np.ones(4), weight, np.arange(4))
    assert (found.n, found.covered[0].value) == (2, 1.0)
