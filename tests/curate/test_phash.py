"""Picture hashes: those of the definition, steady under encoding, and none where there is nothing to see."""

import numpy as np
import pytest
from scipy.fft import dctn

from curate import phash
from curate.phash import distance, pairs_within, picture_hashes


def views(count, seed=0):
    """Smooth random miniatures of 18 x 32."""
    rng = np.random.default_rng(seed)
    low = np.zeros((count, 18, 32))
    low[:, :8, :8] = rng.standard_normal((count, 8, 8)) * 600 / (2 + np.add.outer(np.arange(8), np.arange(8)))
    low[:, 0, 0] = 18 * 32 * 5
    return np.clip(np.stack([dctn(view, type=3, norm="ortho") for view in low]), 0, 255).astype(np.uint8)


def test_a_hash_is_that_of_the_definition():
    thumbs = views(20)
    hashes, shown = picture_hashes(thumbs)
    assert shown.all()
    for view, value in zip(thumbs, hashes, strict=True):
        low = dctn(view.astype(float), norm="ortho")[:8, :8].ravel()
        assert value == np.packbits(low > np.median(low[1:])).view(np.uint64)[0]


def test_noise_and_brightness_change_few_bits_and_another_view_many():
    thumbs = views(50)
    hashes, _ = picture_hashes(thumbs)
    noise = np.random.default_rng(1).normal(0, 1.5, thumbs.shape)
    changed, _ = picture_hashes(np.clip(thumbs * 0.8 + 15 + noise, 0, 255).astype(np.uint8))
    others, _ = picture_hashes(views(50, seed=2))
    assert np.median(distance(hashes, changed)) <= 4
    assert distance(hashes, others).min() > 10


def test_black_grey_and_noise_have_no_hash():
    rng = np.random.default_rng(0)
    flat = [np.zeros((18, 32)), np.full((18, 32), 90), np.clip(rng.normal(40, 2.0, (18, 32)), 0, 255)]
    _, shown = picture_hashes(np.stack(flat).astype(np.uint8))
    assert not shown.any()
    assert picture_hashes(views(100))[1].all()


@pytest.mark.parametrize("block", [1, 7, 1 << 20])
def test_pairs_within_are_those_of_brute_force_whatever_the_blocks(monkeypatch, block):
    monkeypatch.setattr(phash, "BLOCK", block)
    rng = np.random.default_rng(0)
    a = rng.integers(0, 2**64, 9, np.uint64)
    b = np.concatenate([a ^ np.uint64(0b111), rng.integers(0, 2**64, 5, np.uint64)])
    found = set(zip(*(side.tolist() for side in pairs_within(a, b, 3)), strict=True))
    assert found == {(i, j) for i in range(9) for j in range(14) if int(a[i] ^ b[j]).bit_count() <= 3}
    assert len(found) >= 9
    assert pairs_within(a, b[:0], 64)[0].size == 0
