"""A policy as one ONNX file for the car.

    inputs    frames (1, T, 3, H, W) uint8, red green blue; frames_<camera> of each further camera;
              speed_mps (1,) float32 and command (1,) int64 where the policy is told them
    outputs   controls, controls_std (1, K, A) float32, in the units of the controls
    metadata  swerve: JSON with the format, policy, dataset digest, views, window, horizon, controls and units

Rules:
- Nothing is written before onnxruntime, on the file's own bytes, has given what torch gives, to within `TOLERANCE` of
  the labels' spread, on noise, on black and on white pictures.
- What one step costs is measured in a process of its own that has onnxruntime and nothing of torch, on one thread.

The trade-off: a batch of one and float32: exact before fast. It does not quantise, and the car's side has to crop and
resize as `train.frames.Eye` does.

Shapes: T frames of a window, H rows, W columns, K steps of the horizon, A controls.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from edge.durable import write_bytes
from edge.manifest import canonical_json
from train.checkpoint import SavedPolicy
from train.controls import ControlSpec
from train.errors import PolicyError
from train.policies.config import PolicyConfig
from train.policies.policy import Policy
from train.senses import Command

FORMAT = "swerve-onnx/1"
OPSET = 18
TOLERANCE = 1e-4
"""Greatest difference to torch, in standard deviations of the labels."""

Inputs = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Exported:
    """What was written and what a step of it costs.

    Attributes:
        difference: greatest found between onnxruntime and torch, in standard deviations of the labels.
        median_ms, p95_ms: of one step on one thread. memory_mib: of the process that runs it, all told.
    """

    path: Path
    size_bytes: int
    difference: float
    median_ms: float
    p95_ms: float
    memory_mib: float

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"path": str(self.path)}


def export(saved: SavedPolicy, out: Path) -> Exported:
    """Write `out`, checked.

    Raises:
        PolicyError: onnx or onnxruntime is not installed, or what they compute is not what the policy does.
    """
    try:
        content = _with_metadata(_translated(saved.policy), saved)
        difference = _difference(content, saved.policy)
    except ImportError as error:
        raise PolicyError(
            f"{error.name} is not installed", "onnx, onnxscript and onnxruntime", "pip install 'swerve[onnx]'"
        ) from error
    if not difference <= TOLERANCE:
        raise PolicyError(
            f"{saved.name} as ONNX differs from torch by {difference:.2g} of the labels' spread",
            f"at most {TOLERANCE:g}",
            "nothing was written; another version of onnxruntime may do better",
        )
    cost = _cost(content)
    write_bytes(out, content)
    return Exported(out, len(content), difference, **cost)


def _cost(content: bytes) -> dict[str, float]:
    command, home = [sys.executable, "-m", "train.onnx_step"], Path(__file__).parents[1]
    done = subprocess.run(command, input=content, capture_output=True, cwd=home)
    if done.returncode:
        last = (done.stderr.decode(errors="replace").splitlines() or ["no word"])[-1]
        raise PolicyError(f"a step of the ONNX file fails: {last}", "one that runs", "nothing was written; report it")
    return dict(json.loads(done.stdout))


class _OnTheCar(nn.Module):
    """Named inputs to (mean, std) in units."""

    def __init__(self, policy: Policy) -> None:
        super().__init__()
        self.policy = policy

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        config, left = self.policy.config, list(inputs)
        views = [left.pop(0) for _ in config.views]
        speed_mps = left.pop(0) if config.senses.speed else None
        command = left.pop(0) if config.senses.command else None
        forecast = self.policy.to_units(self.policy(views[0], views[1:], speed_mps, command))
        return forecast.mean, forecast.std


def _translated(policy: Policy) -> Any:
    """An onnx.ModelProto."""
    inputs = next(_trials(policy.config))
    with torch.no_grad(), _hushed():
        program = torch.onnx.export(
            _OnTheCar(policy.eval()),
            tuple(torch.from_numpy(value) for value in inputs.values()),
            input_names=list(inputs),
            output_names=["controls", "controls_std"],
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    return program.model_proto


def _with_metadata(model: Any, saved: SavedPolicy) -> bytes:
    import onnx

    onnx.helper.set_model_props(model, {"swerve": canonical_json(_about(saved)).decode()})
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _about(saved: SavedPolicy) -> dict[str, Any]:
    config, spec = saved.config, ControlSpec(saved.config.controls)
    return {
        "format": FORMAT,
        "policy": saved.name,
        "dataset": saved.about.get("dataset"),
        "views": [asdict(view) for view in config.views],
        "window": asdict(config.window),
        "horizon": asdict(config.horizon),
        "controls": {name: spec.unit(name) for name in config.controls},
        "command": {command.name.lower(): int(command) for command in Command} if config.senses.command else {},
    }


def _difference(content: bytes, policy: Policy) -> float:
    from train.onnx_step import open_session

    session, worst = open_session(content), 0.0
    car = _OnTheCar(policy)
    for inputs in _trials(policy.config):
        with torch.inference_mode():
            wanted = car(*(torch.from_numpy(value) for value in inputs.values()))
        for said, true in zip(session.run(None, inputs), wanted, strict=True):
            worst = max(worst, float(np.max(np.abs(said - true.numpy()) / policy.std.numpy())))
    return worst


def _trials(config: PolicyConfig) -> Iterator[Inputs]:
    """Noise, black and white, each with another speed and command."""
    chance = np.random.default_rng(0)
    for place, command in enumerate(Command):
        inputs: Inputs = {}
        for view in config.views:
            shape = (1, config.window.frames, 3, view.height, view.width)
            noise = chance.integers(0, 256, shape, np.uint8)
            picture = noise if place == 0 else np.full(shape, 255 * (place - 1), np.uint8)
            inputs["frames" if view is config.view else f"frames_{view.camera}"] = picture
        if config.senses.speed:
            inputs["speed_mps"] = np.array([np.nan if place == 1 else 10.0 * place], np.float32)
        if config.senses.command:
            inputs["command"] = np.array([command], np.int64)
        yield inputs


@contextmanager
def _hushed() -> Iterator[None]:
    """The exporter talks of its own future; what matters is checked on its result."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
