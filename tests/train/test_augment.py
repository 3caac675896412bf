"""Changes of light leave labels and motion alone; a mirror turns both."""

from __future__ import annotations

import torch

from train.augment import Augmentation, relight

STILL = Augmentation(gamma=0, contrast=0, brightness=0, shade=0, noise=0, nudge=0)


def frames() -> torch.Tensor:
    return torch.randint(1, 256, (4, 2, 3, 16, 24), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


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
