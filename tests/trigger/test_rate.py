import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from trigger.rate import rate, trailing_mean


def test_the_slope_of_a_line_is_found_on_a_jittery_clock():
    rng = np.random.default_rng(0)
    t_ns = np.cumsum(rng.integers(100_000, 28_700_000, 2000))
    slope = rate(t_ns, 3.0 * t_ns / 1e9 + 7.0, over_s=0.1)
    young = t_ns - t_ns[0] < 100_000_000
    assert np.isnan(slope[young]).all()
    np.testing.assert_allclose(slope[~young], 3.0, rtol=1e-6)


def test_batched_receive_times_do_not_explode_the_rate():
    """Two samples 0.1 ms apart that differ by sensor noise: neighbours would give 1,000 units/s."""
    t_ns = np.sort(np.concatenate([np.arange(0, 10**9, 20_000_000), np.arange(0, 10**9, 20_000_000) + 100_000]))
    values = np.tile([0.0, 0.1], t_ns.size // 2)
    assert np.abs(np.diff(values) / np.diff(t_ns) * 1e9).max() > 900
    assert np.nanmax(np.abs(rate(t_ns, values, over_s=0.1))) < 1.0


def test_no_rate_across_a_gap():
    t_ns = np.array([0, 50, 100, 5000, 5050, 5100]) * 1_000_000
    slope = rate(t_ns, np.array([0.0, 0, 0, 100, 100, 100]), over_s=0.1)
    np.testing.assert_array_equal(np.isnan(slope), [True, True, False, True, True, False])
    np.testing.assert_allclose(slope[[2, 5]], 0.0)


@given(st.integers(0, 10**6), st.integers(3, 400))
def test_the_rate_depends_on_the_last_samples_alone(seed, n):
    rng = np.random.default_rng(seed)
    t_ns = np.cumsum(rng.integers(1_000_000, 40_000_000, n))
    values = rng.normal(size=n)
    whole = rate(t_ns, values, 0.1)
    half = n // 2
    start = max(0, int(np.searchsorted(t_ns, t_ns[half] - 300_000_000)))
    np.testing.assert_array_equal(rate(t_ns[start:], values[start:], 0.1)[half - start :], whole[half:])


def test_trailing_mean():
    t_ns = np.array([0, 100, 200, 300]) * 1_000_000
    np.testing.assert_allclose(trailing_mean(t_ns, np.array([0.0, 1, 2, 3]), 0.1), [np.nan, 0.5, 1.5, 2.5])
