"""A policy as ONNX: what torch says, on the car."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from bars import bars_fixture, fitted_fixture  # noqa: F401
from click.testing import CliRunner

from train import export as module
from train.checkpoint import SavedPolicy, load_policy
from train.commands import train
from train.errors import PolicyError
from train.export import export
from train.fit import FitResult
from train.frames import View
from train.horizon import Horizon
from train.policies.policy import Policy
from train.policies.presets import recurrent
from train.policies.recurrent import Recurrent
from train.senses import Senses
from train.window import Window

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


def test_a_policy_of_two_paths_is_exported_with_all_a_car_must_know(fitted: FitResult, tmp_path: Path) -> None:
    out = tmp_path / "policy.onnx"
    run = CliRunner().invoke(train, ["export", "--policy", str(fitted.folder), "--out", str(out), "--json"])
    assert run.exit_code == 0, run.exception
    told = json.loads(run.stdout)
    assert 0 <= told["difference"] <= 1e-4
    assert told["median_ms"] > 0
    assert told["memory_mib"] > 0
    metadata = {each.key: each.value for each in onnx.load(out).metadata_props}
    about = json.loads(metadata["swerve"])
    assert about["dataset"] == fitted.dataset
    assert about["controls"] == {"steering_wheel_deg": "deg"}
    assert about["window"] == {"frames": 2, "stride_s": 0.1}
    assert about["views"][0]["width"] == 96


def every_input() -> Policy:
    """Two cameras, a horizon, speed and command, and a GRU; doubt that is not zero."""
    config = replace(
        recurrent(),
        view=View(32, 24),
        others=(View(24, 24, camera="left"),),
        window=Window(3, 0.1),
        net=Recurrent((8, 16), 8),
        horizon=Horizon(3, 0.5),
        senses=Senses(speed=True, command=True),
        controls=("steering_wheel_deg", "gas_fraction"),
        mean=(3.0, 0.2),
        std=(10.0, 0.1),
    )
    torch.manual_seed(0)
    policy = Policy(config).eval()
    torch.nn.init.normal_(policy.doubt.weight)
    return policy


def test_every_input_has_a_name_of_its_own_and_a_wrong_answer_is_found(tmp_path: Path) -> None:
    policy = every_input()
    result = export(SavedPolicy(tmp_path, policy, {"dataset": "d"}), tmp_path / "all.onnx")
    content = result.path.read_bytes()
    graph = onnx.load_from_string(content).graph
    assert [each.name for each in graph.input] == ["frames", "frames_left", "speed_mps", "command"]
    assert [each.name for each in graph.output] == ["controls", "controls_std"]
    assert result.difference <= 1e-4
    with torch.no_grad():
        policy.answer.bias[0] += 0.01
    assert module._difference(content, policy) == pytest.approx(0.01, rel=1e-2)


def test_a_file_that_says_something_else_than_torch_is_not_written(
    fitted: FitResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_translated", lambda policy: None)
    monkeypatch.setattr(module, "_with_metadata", lambda model, saved: b"model")
    monkeypatch.setattr(module, "_difference", lambda content, policy: 2e-4)
    with pytest.raises(PolicyError, match="differs"):
        export(load_policy(fitted.folder), tmp_path / "wrong.onnx")
    assert not list(tmp_path.iterdir())


def test_the_car_needs_no_torch() -> None:
    code = "import sys, train.onnx_step; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(module.__file__).parents[1]).returncode == 0
