"""Fit a policy to a dataset version.

Rules:
- Stops after `steps` or `minutes`, whichever comes first. With `steps` alone the result is a pure function of
  (version, settings) on one kind of machine: order, augmentation, dropout and start all come from the seed.
- The eval split is only looked at for the curve, on a fixed subset: no early stop, no choice of weights by it.
- What is saved is the running average of the weights, which generalises better than the last step and makes the
  choice of a moment to stop less of a lottery.
- A loss that is not finite ends training with an error; the average up to then is saved and named in it.

The trade-off: one process, one thread unless told, no GPU: it is meant to learn from minutes of curated driving in
minutes. Interrupting it (Ctrl-C) saves what there is; it does not resume.

Shapes: B samples, T frames of a window, C colours, H rows, W columns, A controls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from curate.dataset import DatasetVersion
from train.allocator import keep_freed_memory
from train.checkpoint import policy_folder, refuse_existing, save_policy
from train.curves import CURVES_JSON, CURVES_PNG, Point, curves_json, curves_png
from train.errors import FitError, SampleError
from train.loop import NotFinite, Progress, Training
from train.order import effective_size, generator, mix_report
from train.policy import PolicyConfig
from train.samples import SampleSet, collect, open_clips
from train.settings import Settings

NOT_FINITE = "loss not finite"


@dataclass(frozen=True)
class FitResult:
    """What came out; `stopped` is "steps", "minutes" or "interrupted"."""

    folder: Path
    dataset: str
    controls: tuple[str, ...]
    stopped: str
    steps: int
    seconds: float
    samples_per_s: float
    train_samples: int
    eval_samples: int
    effective_samples: float
    mix: Mapping[str, Mapping[str, float]]
    dropped: Mapping[str, int]
    skipped: Mapping[str, str]
    points: tuple[Point, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"folder": str(self.folder)}


def fit(
    version: DatasetVersion,
    settings: Settings,
    progress: Callable[[Progress], None] = lambda _: None,
    folder: Path | None = None,
    opening: Callable[[int, int], None] = lambda done, total: None,
) -> FitResult:
    """Train and save a policy.

    Args:
        progress: told of every step. opening: told how many clips are decoded, of how many, before the first step.
        folder: of the policy; `<store>/policies/<version>-<preset>-<seed>` unless told.

    Raises:
        FitError: settings that cannot work, or a loss that is not finite.
        SampleError: nothing to learn from. PolicyError: the folder exists.
    """
    settings.check()
    folder = folder or policy_folder(version.store, f"{version.name}-{settings.preset}-{settings.seed}")
    refuse_existing(folder)
    config = settings.config()
    clips, skipped = open_clips(version, config.view, opening)
    train = collect(version, "train", clips, config.window, skipped=skipped)
    exam = _exam(lambda: collect(version, "eval", clips, config.window, train.spec))
    with _threads(settings.threads), torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(generator(version.digest, settings.seed, -1).integers(1 << 62)))
        training = Training(version.digest, settings, _for_labels(config, train), train, exam)
        stopped = _run(training, progress)
    result = _result(training, version, folder, stopped)
    _save(training, version, result)
    if stopped == NOT_FINITE:
        raise FitError(
            f"a loss that is not finite at step {training.step + 1}",
            "finite losses",
            f"train with a lower --rate; the weights averaged up to step {training.step} are in {folder}",
        )
    return result


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _run(training: Training, progress: Callable[[Progress], None]) -> str:
    """Run to the end; says what ended it."""
    keep_freed_memory()
    try:
        return training.run(progress)
    except KeyboardInterrupt:
        return "interrupted"
    except NotFinite:
        return NOT_FINITE


def _for_labels(config: PolicyConfig, train: SampleSet) -> PolicyConfig:
    """Put the controls and their mean and spread into the configuration."""
    mean, std = np.nanmean(train.controls, axis=0), np.nanstd(train.controls, axis=0)
    # A control that never moved has no spread; 1 keeps its error in its own unit.
    std = np.where(std > 1e-6, std, 1.0)
    return replace(config, controls=train.spec.names, mean=tuple(mean.tolist()), std=tuple(std.tolist()))


def _exam(make: Callable[[], SampleSet]) -> SampleSet | None:
    """A version without an eval split trains too; its curve then has one line."""
    try:
        return make()
    except SampleError:
        return None


def _result(training: Training, version: DatasetVersion, folder: Path, stopped: str) -> FitResult:
    train = training.samples
    drawn = np.concatenate(training.drawn) if training.drawn else np.arange(len(train))
    events = version.rows.column("events").to_pylist()
    return FitResult(
        folder=folder,
        dataset=version.digest,
        controls=train.spec.names,
        stopped=stopped,
        steps=training.step,
        seconds=round(training.seconds, 3),
        samples_per_s=round(training.samples_per_s, 1),
        train_samples=len(train),
        eval_samples=len(training.exam) if training.exam else 0,
        effective_samples=round(effective_size(training.p), 1),
        mix=mix_report(training.p, drawn, train.row, train.inclusion, events),
        dropped=train.dropped,
        skipped=train.skipped,
        points=tuple(training.points),
    )


def _save(training: Training, version: DatasetVersion, result: FitResult) -> None:
    facts = {key: value for key, value in result.to_json().items() if key not in ("points", "folder", "dataset")}
    about = {
        "dataset": version.digest,
        "version": version.name,
        "settings": asdict(training.settings),
        "result": facts,
    }
    extra = {CURVES_JSON: curves_json(training.points), CURVES_PNG: curves_png(training.points)}
    save_policy(result.folder, training.averaged, about, extra)
