"""The whole state of a training that is not finished, as one file, so that it goes on to the very same weights.

    <policies>/.training/<name>.safetensors
        tensors   weights, their average, the optimizer's moments, and the states of chance of every process
        header    JSON: format, dataset, settings, configuration, step, seconds, the curve so far, sha256 of the tensors

Rules:
- A state replaces the one before at once, or not at all: a full disk or a killed process leaves the last good one.
  The training itself goes on; how often keeping failed is counted.
- No pickle. A state that is damaged, or is of another dataset, is refused.
- It goes once the policy itself is saved.

The trade-off: with limits in minutes, and with another number of processes, the course after it is not the same to
the last bit; with --steps and as many processes it is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from edge.durable import write_bytes
from edge.manifest import canonical_json
from train.curves import Point
from train.errors import FitError, TrainError
from train.loop import Training
from train.policies.config import PolicyConfig
from train.settings import Settings

FORMAT = "swerve-training/1"
HEADER = "swerve"
FOLDER = ".training"
START_AGAIN = "remove it and start again with: swerve train fit"


@dataclass(frozen=True, repr=False, eq=False)
class State:
    """A state that was read back. `about` is what `Keeper` was given."""

    path: Path
    tensors: Mapping[str, Tensor]
    config: PolicyConfig
    settings: Settings
    about: Mapping[str, Any]
    step: int
    seconds: float
    points: tuple[Point, ...]
    losses: tuple[float, ...]

    def restore(self, training: Training) -> None:
        """Put a new training of the same samples where this one stood.

        Raises:
            FitError: it was a training of another shape.
        """
        crew = training.crew
        try:
            training.policy.load_state_dict(_part(self.tensors, "policy"))
            training.averaged.load_state_dict(_part(self.tensors, "averaged"))
            _restore_moments(training.optimizer, _part(self.tensors, "moments"))
            torch.set_rng_state(self.tensors[f"chance.torch.{crew.rank}"])
            training.chance.set_state(self.tensors[f"chance.augmentation.{crew.rank}"])
        except (KeyError, RuntimeError, TypeError, ValueError) as error:
            raise FitError(
                f"{self.path} does not fit this training ({_first_line(error)})",
                "as many processes as before",
                START_AGAIN,
            ) from error
        training.step, training.seconds = self.step, self.seconds
        training.points, training.losses = list(self.points), list(self.losses)


class Keeper:
    """Keeps the state of a training every so many seconds."""

    def __init__(self, path: Path, every_s: float, about: Mapping[str, Any]) -> None:
        self.path, self.every_s, self.about = path, every_s, about
        self.failures: list[str] = []
        self._last_s = 0.0

    def look(self, training: Training) -> None:
        """Keep the state if it is time to. Every process of a crew must call it at the same step."""
        if training.seconds - self._last_s < self.every_s:
            return
        self._last_s = training.seconds
        tensors = _tensors_of(training)
        if not training.crew.leads:
            return
        try:
            write_bytes(self.path, _packed(training, tensors, self.about))
        except OSError as error:
            self.failures.append(f"step {training.step}: {error.strerror}")

    def forget(self) -> None:
        self.path.unlink(missing_ok=True)


def state_path(folder: Path) -> Path:
    """Where the state of the training lies that will save its policy as `folder`."""
    return folder.parent / FOLDER / f"{folder.name}.safetensors"


def read_state(path: Path) -> State:
    """Raises FitError for a state that is missing, damaged or foreign."""
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {})[HEADER])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        if header["format"] != FORMAT or header["sha256"] != _digest(tensors):
            raise ValueError(f"not the {FORMAT} that was kept")
        return State(
            path=path,
            tensors=tensors,
            config=PolicyConfig.from_json(header["config"]),
            settings=Settings.from_json(header["settings"]),
            about=header["about"],
            step=int(header["step"]),
            seconds=float(header["seconds"]),
            points=tuple(Point(**point) for point in header["points"]),
            losses=tuple(header["losses"]),
        )
    except FileNotFoundError as error:
        raise FitError(
            f"no unfinished training at {path}", "one that was cut off", "start: swerve train fit"
        ) from error
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, AttributeError, TrainError) as error:
        raise FitError(f"{path} is damaged: {_first_line(error)}", "a state as it was kept", START_AGAIN) from error


def _tensors_of(training: Training) -> dict[str, Tensor]:
    chances = {"torch": torch.get_rng_state(), "augmentation": training.chance.get_state()}
    tensors = {
        f"chance.{name}.{rank}": state
        for name, own in chances.items()
        for rank, state in enumerate(training.crew.gathered(own))
    }
    tensors |= {f"policy.{name}": tensor for name, tensor in training.policy.state_dict().items()}
    tensors |= {f"averaged.{name}": tensor for name, tensor in training.averaged.state_dict().items()}
    for number, moments in training.optimizer.state_dict()["state"].items():
        tensors |= {f"moments.{number}.{name}": tensor for name, tensor in moments.items()}
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}


def _packed(training: Training, tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> bytes:
    header = {
        "format": FORMAT,
        "sha256": _digest(tensors),
        "config": training.policy.config.to_json(),
        "settings": asdict(training.settings),
        "about": dict(about),
        "step": training.step,
        "seconds": training.seconds,
        "points": [asdict(point) for point in training.points],
        "losses": training.losses,
    }
    return save(dict(tensors), {HEADER: canonical_json(header).decode()})


def _restore_moments(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        number, _, moment = name.partition(".")
        state.setdefault(int(number), {})[moment] = tensor
    optimizer.load_state_dict(optimizer.state_dict() | {"state": state})


def _part(tensors: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    return {key.removeprefix(f"{name}."): tensor for key, tensor in tensors.items() if key.startswith(f"{name}.")}


def _digest(tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(f"{name} {tensors[name].dtype} {tuple(tensors[name].shape)}\n".encode())
        digest.update(tensors[name].flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [repr(error)])[0]
