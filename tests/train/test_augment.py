"""Changes of light leave labels and motion alone; a mirror turns both."""

from __future__ import annotations

from dataclasses import replace

import torch

from train.augment import Augmentation, relight

STILL = Augmentation(gamma=0, contrast=0, brightness=0, shade=0, noise=0, nudge=0)


def frames() -> torch.Tensor:
    return torch.randint(1, 256, (4, 2, 3, 16, 24), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def test_colours_are_kept_for_who_sees_them() -> None:
    kept = relight(frames(), STILL, torch.Generator().manual_seed(0), colour=True)
    assert torch.allclose(kept, frames().float(), atol=1e-2)


def test_no_change_is_grey_and_nothing_else() -> None:
    grey = frames().float().mean(2, keepdim=True)
    assert torch.allclose(relight(frames(), STILL, torch.Generator().manual_seed(0)), grey, atol=1e-2)


def test_the_same_chance_gives_the_same_batch_and_stays_in_range() -> None:
    first, again = (relight(frames(), Augmentation(), torch.Generator().manual_seed(7)) for _ in range(2))
    assert torch.equal(first, again)
    assert first.min() >= 0
    assert first.max() <= 255


def test_all_frames_of_a_sample_change_alike() -> None:
    still = frames()[:, :1].repeat(1, 2, 1, 1, 1)
    how = Augmentation(noise=0.0)
    changed = relight(still, how, torch.Generator().manual_seed(3))
    assert torch.equal(changed[:, 0], changed[:, 1])


def test_noise_is_of_every_samples_own_strength_and_new_in_every_frame() -> None:
    still = torch.full((64, 2, 3, 16, 24), 128, dtype=torch.uint8)
    how = replace(STILL, noise=0.1)
    off = (relight(still, how, torch.Generator().manual_seed(5)) - 128.0) / 255.0
    strength = off.flatten(1).std(1)
    assert 0.0 < strength.min() < 0.01
    assert 0.09 < strength.max() < 0.11
    assert off.mean().abs() < 0.002
    each = (off / strength[:, None, None, None, None]).flatten(2).flatten(0, 1)
    alike = (each @ each.T / each.shape[1]).fill_diagonal_(0.0)
    assert alike.abs().max() < 0.3, "two frames, or two samples, have the same noise"
