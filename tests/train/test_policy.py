"""The policy's shapes, its motion path, and what it must not depend on."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from train.errors import PolicyError
from train.frames import View
from train.policies.backbone import Backbone
from train.policies.config import PolicyConfig
from train.policies.policy import Outputs, Policy
from train.policies.presets import PRESETS, without_motion
from train.policies.slide import Slide
from train.policies.trunk import even_out
from train.policies.twopaths import TwoPaths


def config_of(preset: str = "tiny") -> PolicyConfig:
    names = ("steering_wheel_deg", "gas_fraction")
    return replace(PRESETS[preset](), controls=names, mean=(3.0, 0.2), std=(10.0, 0.1))


def frames_for(config: PolicyConfig, batch: int = 2) -> torch.Tensor:
    shape = (batch, config.window.frames, 3, config.view.height, config.view.width)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("motion", [True, False])
def test_frames_in_controls_out(preset: str, motion: bool) -> None:
    config = config_of(preset) if motion else without_motion(config_of(preset))
    outputs = Policy(config).eval()(frames_for(config))
    assert outputs.mean.shape == outputs.log_variance.shape == (2, config.horizon.steps, 2)
    assert config.window.frames == 1 or motion


def test_odd_sizes_work() -> None:
    config = replace(config_of(), view=View(77, 41))
    assert Policy(config)(frames_for(config)).mean.shape == (2, 1, 2)


def test_units_are_given_back() -> None:
    said = Outputs(torch.tensor([[[1.0, -1.0]]]), torch.tensor([[[0.0, 2 * math.log(3.0)]]]))
    mean, std = Policy(config_of()).to_units(said)
    assert mean.flatten().tolist() == pytest.approx([13.0, 0.1])
    assert std.flatten().tolist() == pytest.approx([10.0, 0.3])


def test_memory_layout_does_not_matter() -> None:
    config = config_of()
    policy, frames = Policy(config).eval(), frames_for(config)
    other = frames.permute(0, 1, 3, 4, 2).contiguous().permute(0, 1, 4, 2, 3)
    assert torch.allclose(policy(frames).mean, policy(other).mean, atol=1e-5)


def test_sun_and_shade_look_alike() -> None:
    torch.manual_seed(0)
    scene = torch.rand(1, 1, 64, 96) * 120 + 40
    assert (even_out(scene) - even_out(scene * 0.5 + 60)).abs().mean() < 0.1 * even_out(scene).abs().mean()


def test_slide_finds_how_far_the_picture_moved() -> None:
    torch.manual_seed(0)
    before = torch.nn.functional.normalize(torch.randn(1, 8, 6, 40), dim=1)
    for shift in (-3, 0, 2):
        alike = Slide.apply(before.roll(shift, -1), before, 4)
        assert int(alike.mean((0, 2, 3)).argmax()) == 4 - shift


def test_slide_has_the_gradient_of_what_it_computes() -> None:
    torch.manual_seed(0)
    now, before = (torch.randn(2, 3, 2, 5, dtype=torch.float64, requires_grad=True) for _ in range(2))
    assert torch.autograd.gradcheck(lambda a, b: Slide.apply(a, b, 2), (now, before))


@pytest.mark.parametrize(
    "wrong",
    [
        {"controls": ()},
        {"mean": (1.0,)},
        {"std": (1.0, 0.0)},
        {"net": TwoPaths(channels=(8,))},
        {"net": Backbone("alexnet")},
        {"others": (View(32, 32),)},
        {"others": (View(32, 32, camera="left"), View(48, 32, camera="left"))},
        {"window": replace(PRESETS["tiny"]().window, frames=1)},
    ],
)
def test_configurations_that_cannot_be_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(PolicyError):
        Policy(replace(config_of(), **wrong))  # type: ignore[arg-type]
