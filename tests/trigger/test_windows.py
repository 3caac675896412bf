"""Trailing windows beside a loop that does as the docstring says."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigger.windows import Window

MS = 1_000_000


def in_window(t_ns, s):
    """Indices of the samples of each window, and whether something is in force all through it."""
    for now in t_ns:
        begin = now - round(s * 1e9)
        force = [i for i, t in enumerate(t_ns) if begin - 500 * MS <= t <= begin][-1:]
        inside = force + [i for i, t in enumerate(t_ns) if begin < t <= now]
        paused = any(t_ns[b] - t_ns[a] > 500 * MS for a, b in pairwise(inside))
        yield inside, bool(force) and not paused


steps = st.lists(st.sampled_from([1, 10, 40, 100, 499, 500, 501, 900]), min_size=1, max_size=60)


@given(steps, st.sampled_from([0.01, 0.1, 0.5, 1.0, 3.0]), st.integers(0, 1000))
def test_windows_hold_what_was_in_force(gaps_ms, s, seed):
    t_ns = np.cumsum(gaps_ms) * MS
    values = np.random.default_rng(seed).normal(size=t_ns.size)
    window = Window(t_ns, s)
    expected = list(in_window(t_ns.tolist(), s))
    np.testing.assert_array_equal(window.covered, [covered for _, covered in expected])
    np.testing.assert_array_equal(window.greatest(values), [values[inside].max() for inside, _ in expected])
    np.testing.assert_array_equal(window.least(values), [values[inside].min() for inside, _ in expected])
    np.testing.assert_allclose(window.mean(values), [values[inside].mean() for inside, _ in expected], atol=1e-12)


def test_what_is_not_known_makes_its_windows_unknown_and_no_others():
    t_ns = np.arange(6) * 100 * MS
    values = np.array([0.0, np.nan, 2.0, 3.0, 4.0, 5.0])
    window = Window(t_ns, 0.1)
    np.testing.assert_array_equal(np.isnan(window.greatest(values)), [False, True, True, False, False, False])
    np.testing.assert_array_equal(np.isnan(window.mean(values)), [False, True, True, False, False, False])


@pytest.mark.parametrize("rows", [0, 1])
def test_next_to_nothing(rows):
    window = Window(np.arange(rows), 1.0)
    assert window.greatest(np.zeros(rows)).tolist() == window.mean(np.zeros(rows)).tolist() == [0.0] * rows
    assert not window.covered.any()
