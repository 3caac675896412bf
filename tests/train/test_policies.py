"""What a policy looks at, beyond the shapes in test_policy: pictures before habits, and weights from elsewhere."""

from __future__ import annotations

import inspect
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from bars import bars_fixture, draw_bar, fitted_fixture  # noqa: F401
from safetensors.torch import save
from test_policy import config_of, frames_for

from edge.manifest import canonical_json
from train import checkpoint, former
from train.checkpoint import load_policy
from train.fit import FitResult
from train.policies.backbone import BackboneTrunk
from train.policies.config import PolicyConfig
from train.policies.policy import Policy
from train.policies.presets import PRESETS
from train.senses import Command, Senses


def pictures(*steering_deg: float) -> torch.Tensor:
    """(1, T, C, H, W): a bar for each angle."""
    return torch.from_numpy(np.stack([draw_bar(angle) for angle in steering_deg])).permute(0, 3, 1, 2)[None]


@pytest.mark.parametrize(("before", "now"), [(0.0, 30.0), (-25.0, 20.0), (30.0, -10.0)])
def test_when_the_picture_changes_the_policy_follows_it_and_not_its_habit(
    fitted: FitResult, before: float, now: float
) -> None:
    """The copycat guard. In the log the wheel never jumps, so "as a moment ago" is nearly always right; a policy that
    had learned that would answer `before`."""
    saved = load_policy(fitted.folder)
    with torch.inference_mode():
        answer = float(saved.policy.to_units(saved.policy(pictures(before, now))).mean[0, 0, 0])
    assert abs(answer - now) < abs(answer - before)


def test_no_policy_has_an_input_for_past_controls() -> None:
    assert list(inspect.signature(Policy.forward).parameters) == ["self", "frames", "others", "speed_mps", "command"]


def test_speed_and_command_change_the_answer_only_where_asked_for() -> None:
    frames = frames_for(config_of())
    slow, fast = torch.full((2,), 1.0), torch.full((2,), 30.0)
    left, right = torch.full((2,), int(Command.LEFT)), torch.full((2,), int(Command.RIGHT))
    for senses, differs in ((Senses(), False), (Senses(speed=True, command=True), True)):
        torch.manual_seed(0)
        policy = Policy(replace(config_of(), senses=senses)).eval()
        one, other = policy(frames, (), slow, left).mean, policy(frames, (), fast, right).mean
        assert torch.equal(one, other) is not differs


@pytest.mark.parametrize("preset", [name for name in PRESETS if name != "resnet"])
def test_who_says_that_it_sees_colour_does_and_the_others_do_not(preset: str) -> None:
    """Two pictures whose colours have the same mean: grey alone cannot tell them apart."""
    torch.manual_seed(0)
    policy = Policy(config_of(preset)).eval()
    red = frames_for(policy.config).float()
    told = policy(red).mean, policy(red.flip(2)).mean
    assert torch.allclose(*told, atol=1e-4) is not policy.config.net.SEES_COLOUR


def test_doubt_begins_at_the_spread_of_the_labels_and_is_bounded() -> None:
    policy = Policy(config_of()).eval()
    frames = frames_for(policy.config)
    assert policy.to_units(policy(frames)).std[0, 0].tolist() == pytest.approx([10.0, 0.1])
    torch.nn.init.constant_(policy.doubt.bias, 1e6)
    assert policy(frames).log_variance.max().item() <= 8.0


@pytest.mark.parametrize("preset", PRESETS)
def test_a_configuration_survives_json(preset: str) -> None:
    config = replace(config_of(preset), others=(replace(config_of(preset).view, camera="left"),))
    assert PolicyConfig.from_json(json.loads(canonical_json(config.to_json()))) == config


def test_a_policy_of_the_format_before_answers_as_it_did(tmp_path: Path) -> None:
    policy = Policy(config_of()).eval()
    head = {new: old for old, new in former.HEAD.items()}
    tensors = {}
    for name, tensor in policy.state_dict().items():
        layer, _, part = name.rpartition(".")
        if layer != "doubt":
            old = f"{head[layer]}.{part}" if layer in head else name.removeprefix("trunks.0.")
            tensors[old] = tensor.contiguous()
    names = ("preset", "view", "window", "hidden", "dropout", "controls", "mean", "std")
    config = {name: policy.config.to_json()[name] for name in names}
    config |= {name: value for name, value in policy.config.to_json()["net"].items() if name != "kind"}
    weights = save(tensors)
    written = {"format": "swerve-policy/1", "config": config, "about": {}}
    written |= {"sha256": checkpoint._digest(weights), "config_sha256": checkpoint._digest(checkpoint._text(config))}
    (tmp_path / checkpoint.WEIGHTS).write_bytes(weights)
    (tmp_path / checkpoint.HEAD).write_text(json.dumps(written))
    again, frames = load_policy(tmp_path), frames_for(policy.config)
    assert again.config == policy.config
    assert torch.equal(again.policy(frames).mean, policy(frames).mean)


def backbone_of(policy: Policy) -> BackboneTrunk:
    (trunk,) = policy.trunks
    assert isinstance(trunk, BackboneTrunk)
    return trunk


def test_without_a_network_a_backbone_starts_at_random_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*_: object, **__: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    note = backbone_of(Policy(config_of("mobilenet"))).start_pretrained()
    assert "random weights" in note
    assert "no route to host" in note


def test_weights_on_disk_are_used_without_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from torchvision import models

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    name = models.MobileNet_V3_Small_Weights.DEFAULT.url.rpartition("/")[2]
    (tmp_path / "checkpoints").mkdir()
    torch.save(models.mobilenet_v3_small(weights=None).state_dict(), tmp_path / "checkpoints" / name)
    trunk = backbone_of(Policy(config_of("mobilenet")))
    note = trunk.start_pretrained()
    assert str(tmp_path) in note
    wanted = torch.load(tmp_path / "checkpoints" / name, weights_only=True)["features.0.0.weight"]
    assert torch.equal(trunk.model.get_parameter("features.0.0.weight"), wanted)
