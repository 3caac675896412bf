"""A mirror turns pictures, steering and the indicator together, and cameras change sides."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from bars import Bar, publish_rows, rows_of

from train.augment import Augmentation
from train.errors import FitError
from train.fit import fit
from train.frames import View
from train.mirror import mirrored, opposites
from train.senses import Command
from train.settings import Settings


def chance() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_cameras_whose_names_differ_by_a_side_change_places() -> None:
    views = [View(48, 32, camera=name) for name in ("", "front_left", "rear", "front_right")]
    assert opposites(views) == (0, 3, 2, 1)


@pytest.mark.parametrize("twin", [[], [View(64, 32, camera="right")], [View(48, 32, camera="rear_right")]])
def test_a_camera_of_one_side_alone_is_refused(twin: list[View]) -> None:
    with pytest.raises(FitError, match="camera left without right"):
        opposites([View(48, 32), View(48, 32, camera="left"), *twin])


def test_all_of_a_sample_turns_or_nothing() -> None:
    front, left, right = (torch.rand(8, 2, 1, 4, 6) for _ in range(3))
    controls = torch.rand(8, 3, 2)
    controls[2, 1, 0] = torch.nan
    command = torch.tensor([Command.NONE, Command.LEFT, Command.RIGHT, Command.LEFT] * 2)
    seen, turned, told = mirrored([front, left, right], controls, command, 0, (0, 2, 1), chance())
    flipped = torch.tensor([not torch.equal(a, b) for a, b in zip(seen[0], front, strict=True)])
    assert 0 < flipped.sum() < 8
    for i, is_flipped in enumerate(flipped.tolist()):
        sign = -1.0 if is_flipped else 1.0
        wanted = (
            [front[i].flip(-1), right[i].flip(-1), left[i].flip(-1)] if is_flipped else [front[i], left[i], right[i]]
        )
        assert all(torch.equal(view[i], want) for view, want in zip(seen, wanted, strict=True))
        assert torch.allclose(turned[i, :, 0], sign * controls[i, :, 0], equal_nan=True)
        other = {Command.NONE: 0, Command.LEFT: 2, Command.RIGHT: 1}[Command(int(command[i]))]
        assert int(told[i]) == (other if is_flipped else int(command[i]))
    assert torch.equal(turned[..., 1], controls[..., 1])


def test_without_steering_pictures_turn_alone() -> None:
    controls = torch.rand(4, 1, 1)
    _, turned, _ = mirrored(
        [torch.rand(4, 1, 1, 4, 6)], controls, torch.zeros(4, dtype=torch.int64), None, (0,), chance()
    )
    assert torch.equal(turned, controls)


def test_a_policy_of_both_sides_learns_from_mirrored_samples(tmp_path: Path) -> None:
    bar = Bar(seconds=3, cameras=("front", "left", "right"))
    bar.write(tmp_path / "clips" / "a")
    version = publish_rows(tmp_path, rows_of("a", bar, ["train"] * 3))
    mirror = Augmentation(mirror=True)
    result = fit(version, Settings(preset="tiny", steps=2, batch=4, cameras=("left", "right"), augmentation=mirror))
    assert result.steps == 2
    with pytest.raises(FitError, match="camera left without right"):
        fit(version, Settings(preset="tiny", steps=2, cameras=("left",), augmentation=mirror), folder=tmp_path / "left")
