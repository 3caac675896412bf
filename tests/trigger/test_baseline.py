import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trigger.baseline import baseline_events, drawn_seconds, inclusion_by_baseline


def test_draws_are_the_same_everywhere():
    assert drawn_seconds("a drive", 2000, 0.005).tolist() == [163, 238, 733, 1443, 1453, 1455, 1651, 1740, 1942]


@given(st.text(max_size=20), st.floats(0.0, 0.2), st.floats(0.0, 0.2))
def test_a_higher_probability_only_adds_seconds(drive_id, p, q):
    low, high = sorted((p, q))
    assert set(drawn_seconds(drive_id, 200, low)) <= set(drawn_seconds(drive_id, 200, high))


def test_share_of_draws():
    shares = [len(drawn_seconds(f"drive {i}", 5000, 0.02)) / 5000 for i in range(20)]
    assert np.mean(shares) == pytest.approx(0.02, rel=0.08)


def test_probability_one_keeps_the_whole_drive():
    events = baseline_events("x", 0, 30, 1.0)
    assert len(events) == 30
    np.testing.assert_array_equal(inclusion_by_baseline(30, 1.0), 1.0)


@settings(max_examples=5, deadline=None)
@given(st.integers(1, 40), st.sampled_from([0.01, 0.1]))
def test_stated_inclusion_is_what_happens(seconds, p):
    """Drawn for 3,000 drives, each second is covered as often as the formula says (4.5 standard errors)."""
    drives = 3000
    covered = np.zeros(seconds)
    for drive in range(drives):
        mask = np.zeros(seconds, bool)
        for event in baseline_events(f"{drive}", 0, seconds, p):
            first, end = event.window_ns[0] // 10**9, event.window_ns[1] // 10**9
            mask[max(0, first) : end] = True
        covered += mask
    stated = inclusion_by_baseline(seconds, p)
    error = np.sqrt(stated * (1 - stated) / drives)
    assert (np.abs(covered / drives - stated) <= 4.5 * error + 1e-12).all()
