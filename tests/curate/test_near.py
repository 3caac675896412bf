"""Neighbours: exact, in the same order for any blocks, and never a clip of the drive itself."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate import near
from curate.near import density, nearest, pairs_above


def vectors(rng, count, dimension=16):
    """Of length 1 and rounded as those of clips are; some of them more than once, so that there are ties."""
    drawn = rng.standard_normal((count, dimension))
    drawn[count // 2 :] = drawn[: count - count // 2]
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    return (np.round(drawn * 2048) / 2048).astype(np.float32)


@pytest.fixture(params=[(2, 3), (5, 1), (1024, 4096)])
def blocks(request, monkeypatch):
    monkeypatch.setattr(near, "ROWS", request.param[0])
    monkeypatch.setattr(near, "COLUMNS", request.param[1])


def test_pairs_are_those_of_brute_force_whatever_the_blocks(blocks):
    rng = np.random.default_rng(0)
    a, b = vectors(rng, 23), vectors(rng, 31)
    likeness = a.astype(np.float64) @ b.astype(np.float64).T
    found = pairs_above(a, b, 0.25)
    assert list(zip(found.row, found.column, strict=True)) == [tuple(at) for at in np.argwhere(likeness >= 0.25)]
    assert found.likeness.tolist() == likeness[likeness >= 0.25].tolist()


def test_nearest_are_those_of_brute_force_and_of_equals_the_first(blocks):
    rng = np.random.default_rng(1)
    a, b = vectors(rng, 9), vectors(rng, 40)
    likeness = a.astype(np.float64) @ b.astype(np.float64).T
    found = nearest(a, b, 5)
    for row in range(len(a)):
        wanted = sorted(range(len(b)), key=lambda column: (-likeness[row, column], column))[:5]
        assert found.column[found.row == row].tolist() == wanted


def test_density_leaves_the_own_drive_out(blocks):
    rng = np.random.default_rng(2)
    clips, drives = vectors(rng, 30), np.arange(30) % 4
    likeness = clips.astype(np.float64) @ clips.astype(np.float64).T
    likeness[drives[:, None] == drives[None, :]] = -np.inf
    np.testing.assert_allclose(density(clips, drives, 3), np.sort(likeness, axis=1)[:, -3:].mean(axis=1))


def test_density_over_fewer_where_there_are_fewer_and_nothing_where_there_is_one_drive():
    clips = np.eye(3, dtype=np.float32)
    assert density(clips, np.array([0, 0, 1]), 5).tolist() == [0.0, 0.0, 0.0]
    assert np.isnan(density(clips, np.zeros(3, int), 5)).all()


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_likeness_is_exact_in_any_order_of_summation(seed, count):
    rng = np.random.default_rng(seed)
    clips = vectors(rng, count, 256)
    order = rng.permutation(256)
    integers = np.round(clips.astype(np.float64) * 2048).astype(np.int64)
    exact = (integers @ integers.T) / 2048**2
    found = pairs_above(clips[:, order], clips[:, order], -2.0)
    assert found.likeness.tolist() == exact.ravel().tolist()
