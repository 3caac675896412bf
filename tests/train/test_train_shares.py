"""Shares of the draws: what is asked for is given, and within each side nothing changes."""

from __future__ import annotations

import numpy as np
import pytest

from train.shares import key_frames, with_share

MS = 1_000_000


def test_the_chosen_get_their_share_and_both_sides_keep_their_proportions() -> None:
    p, chosen = np.array([0.1, 0.2, 0.3, 0.4]), np.array([True, True, False, False])
    found = with_share(p, chosen, 0.5)
    assert found.tolist() == pytest.approx([0.5 / 3, 1.0 / 3, 1.5 / 7, 2.0 / 7])


@pytest.mark.parametrize("chosen", [[False, False], [True, True]])
def test_where_one_side_has_nothing_to_draw_all_stays(chosen: list[bool]) -> None:
    p = np.array([0.25, 0.75])
    assert with_share(p, np.array(chosen), 0.5).tolist() == p.tolist()


def test_key_frames_are_where_the_driver_acts() -> None:
    t_ns = np.arange(100, dtype=np.int64) * 100 * MS
    controls = np.zeros((100, 2), np.float32)
    controls[50:, 0] = 30.0
    controls[50:, 1] = np.nan
    found = key_frames(controls, t_ns, np.zeros(100, np.int64))
    assert np.flatnonzero(found).tolist() == [50, 51, 52, 53, 54]


def test_a_change_between_clips_or_across_a_gap_is_none() -> None:
    t_ns = np.concatenate([np.arange(10), np.arange(60, 70), np.arange(10)]).astype(np.int64) * 100 * MS
    controls = np.repeat([0.0, 20.0, -20.0], 10).astype(np.float32)[:, None]
    clip = np.repeat([0, 0, 1], 10)
    assert not key_frames(controls, t_ns, clip).any()


def test_samples_too_few_to_have_a_past_have_no_key_frames() -> None:
    assert not key_frames(np.ones((2, 1), np.float32), np.array([0, 100 * MS]), np.zeros(2, np.int64)).any()
