import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import lfilter, savgol_coeffs

from trigger.smooth import STEP_NS, filtered, mean_taps, slope_taps


def even(n: int) -> np.ndarray:
    return 1_700_000_000_000_000_000 + np.arange(n) * STEP_NS


@pytest.mark.parametrize("taps", [mean_taps(0.4), slope_taps(0.5), slope_taps(0.3)])
def test_the_filters_are_what_scipy_computes(taps):
    values = np.random.default_rng(1).normal(size=500)
    t_ns, got = filtered(even(500), values, 0.25, taps)
    half = taps.size // 2
    expected = lfilter(taps, 1.0, values)[taps.size - 1 : -1]  # the last sample awaits its neighbour
    np.testing.assert_allclose(got, expected, atol=1e-12)
    np.testing.assert_array_equal(t_ns, even(500)[half : half + got.size])


def test_the_slope_is_savitzky_and_golays_of_the_first_degree():
    taps = slope_taps(0.5)
    np.testing.assert_allclose(taps, savgol_coeffs(taps.size, 1, deriv=1, delta=STEP_NS / 1e9), atol=1e-12)


def test_a_step_lies_where_it_was_and_a_ramp_keeps_its_slope():
    t_ns = even(400)
    times, step = filtered(t_ns, (np.arange(400) >= 200).astype(float), 0.25, mean_taps(0.4))
    assert abs(int(times[np.searchsorted(step, 0.5)] - t_ns[200])) <= STEP_NS
    _, slope = filtered(t_ns, 3.0 * (t_ns - t_ns[0]) / 1e9, 0.25, mean_taps(0.4), slope_taps(0.3))
    np.testing.assert_allclose(slope, 3.0, atol=1e-6)


@given(st.integers(0, 10**6), st.integers(2, 300), st.integers(0, 300))
def test_an_output_rests_on_its_own_samples_alone(seed, n, cut):
    rng = np.random.default_rng(seed)
    t_ns = np.cumsum(rng.integers(1, 60_000_000, n)) + 10**15
    values = rng.normal(size=n)
    whole_ns, whole = filtered(t_ns, values, 0.05, mean_taps(0.1))
    later_ns, later = filtered(t_ns[cut:], values[cut:], 0.05, mean_taps(0.1))
    same = np.isin(whole_ns, later_ns)
    np.testing.assert_array_equal(whole[same], later)
    assert (np.diff(whole_ns) > 0).all()
    if later_ns.size:
        assert later_ns.size == (whole_ns >= later_ns[0]).sum()


def test_nothing_is_drawn_across_a_pause():
    t_ns = even(300)
    t_ns[150:] += 300_000_000
    times, _ = filtered(t_ns, np.ones(300), 0.25, mean_taps(0.1))
    assert not ((times > t_ns[149]) & (times < t_ns[150])).any()
