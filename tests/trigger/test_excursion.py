import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigger.excursion import Limits, excursions

LIMITS = Limits(on=1.0, source="test", off=0.8, hold_s=0.1, refractory_s=1.0, max_gap_s=0.5, longest_s=1.5)


def at_100_hz(*parts: tuple[float, float]):
    """(value, seconds) parts in a row."""
    values = np.concatenate([np.full(round(s * 100), v) for v, s in parts])
    return np.arange(values.size) * 10_000_000, values.astype(float)


def test_onset_peak_and_end():
    t_ns, values = at_100_hz((0, 1), (1.2, 0.2), (2, 0.1), (0, 1))
    (found,) = excursions(t_ns, values, LIMITS)
    assert (found.start_ns, found.end_ns, found.peak) == (1_000_000_000, 1_290_000_000, 2.0)


def test_shorter_than_the_hold_time_is_nothing():
    t_ns, values = at_100_hz((0, 1), (5, 0.09), (0, 1))
    assert excursions(t_ns, values, LIMITS) == []


def test_hysteresis_holds_between_the_thresholds_but_does_not_start_there():
    t_ns, values = at_100_hz((0.9, 1), (1.1, 0.05), (0.9, 0.2), (0.7, 1))
    (found,) = excursions(t_ns, values, LIMITS)
    assert (found.start_ns, found.end_ns) == (1_000_000_000, 1_240_000_000)


def test_two_within_the_refractory_time_are_one():
    t_ns, values = at_100_hz((2, 0.2), (0, 0.5), (3, 0.2), (0, 1.5), (2, 0.2))
    found = excursions(t_ns, values, LIMITS)
    assert [round(s.start_ns / 1e9, 2) for s in found] == [0.0, 2.4]
    assert found[0].peak == 3.0


@pytest.mark.parametrize("hole", ["gap", "nan"])
def test_a_gap_or_a_nan_ends_the_hold(hole):
    t_ns, values = at_100_hz((0, 1), (2, 0.16), (0, 1))
    if hole == "gap":
        t_ns = np.where(np.arange(t_ns.size) >= 108, t_ns + 600_000_000, t_ns)
    else:
        values[108] = np.nan
    assert excursions(t_ns, values, LIMITS) == []


def reference(t_ns, values, limits):
    """The definition, sample by sample."""
    found, start, last, peak = [], None, None, 0.0
    for t, v in [*zip(t_ns.tolist(), values.tolist(), strict=True), (None, None)]:
        gap = t is None or (last is not None and t - last > limits.max_gap_s * 1e9)
        alive = v is not None and v >= limits.on * limits.off
        long = start is not None and t is not None and t - start > limits.longest_s * 1e9
        if start is not None and (gap or not alive or long):
            if last - start >= limits.hold_s * 1e9:
                soon = found and start - found[-1][1] < limits.refractory_s * 1e9
                if soon and last - found[-1][0] <= limits.longest_s * 1e9:
                    start, peak = found[-1][0], max(peak, found[-1][2])
                    found.pop()
                found.append((start, last, peak))
            start, peak = (t, v) if long and not gap and alive else (None, 0.0)
        if t is None:
            break
        if start == t:
            pass
        elif start is None and v >= limits.on:
            start, peak = t, v
        elif start is not None:
            peak = max(peak, v)
        last = t
    return found


@given(st.integers(0, 10**6), st.integers(0, 300))
def test_same_as_the_definition(seed, n):
    rng = np.random.default_rng(seed)
    t_ns = np.cumsum(rng.choice([5_000_000, 10_000_000, 30_000_000, 600_000_000], n, p=[0.3, 0.4, 0.28, 0.02]))
    values = np.repeat(rng.uniform(0, 1.6, n // 5 + 1), 5)[:n] + rng.normal(0, 0.05, n)
    values[rng.random(n) < 0.01] = np.nan
    got = [(s.start_ns, s.end_ns, s.peak) for s in excursions(t_ns, values, LIMITS)]
    assert got == reference(t_ns, values, LIMITS)
