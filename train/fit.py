"""Fit a policy to a dataset version: from nothing, from a released policy, or from where a training was cut off.

Rules:
- Stops after `steps` or `minutes`, whichever comes first. With `steps` alone the result is a pure function of
  (version, settings, policy begun from) on one kind of machine: order, augmentation, dropout and start all come from
  the seed; so it is, too, for a training that was killed and resumed.
- The eval split is only looked at for the curve, on a fixed subset: no early stop, no choice of weights by it.
- What is saved is the running average of the weights, which generalises better than the last step and makes the
  choice of a moment to stop less of a lottery.
- A loss that is not finite ends training with an error; the average up to then is saved and named in it.
- Interrupting it (Ctrl-C) ends it early and saves what there is. Killed, it can be resumed (`train.resume`).

Shapes: B samples, T frames of a window, C colours, H rows, W columns, A controls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from curate.dataset import DatasetVersion, open_version
from train.allocator import keep_freed_memory
from train.checkpoint import SavedPolicy, policy_folder, refuse_existing, save_policy
from train.clips import open_clips, remarks
from train.controls import ControlSpec
from train.crew import crew_at_work, crew_size
from train.curves import CURVES_JSON, CURVES_PNG, Point, curves_json, curves_png
from train.errors import FitError, SampleError
from train.frame_cache import FrameCache
from train.job import Job, begin, draws, for_labels
from train.loop import NotFinite, Progress, Training
from train.mirror import opposites
from train.order import effective_size, mix_report
from train.resume import Keeper, read_state, state_path
from train.samples import SampleSet, collect
from train.settings import Settings

NOT_FINITE = "loss not finite"
Advance = Callable[[int, int], None]


@dataclass(frozen=True)
class FitResult:
    """What came out; `stopped` is "steps", "minutes" or "interrupted". `notes`: what else is to be said, in words."""

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
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"folder": str(self.folder)}


def fit(
    version: DatasetVersion,
    settings: Settings,
    progress: Callable[[Progress], None] = lambda _: None,
    folder: Path | None = None,
    opening: Advance = lambda done, total: None,
    origin: SavedPolicy | None = None,
    cache: FrameCache | None = None,
    whole: bool = False,
) -> FitResult:
    """Train and save a policy.

    Args:
        progress: told of every step. opening: told how many clips are decoded, of how many, before the first step.
        folder: of the policy; `<store>/policies/<version>-<preset>-<seed>` unless told.
        origin: a policy to fine-tune; its shape, controls and units are kept, whatever the settings say.
        cache: where decoded frames are kept; the store's unless told.
        whole: an interrupted training saves no policy; the state that was last kept stays, for `resume`.

    Raises:
        KeyboardInterrupt: it was interrupted, and it is all or nothing.
        FitError: settings that cannot work, an unfinished training of that name, or a loss that is not finite.
        SampleError: nothing to learn from. PolicyError: the folder exists.
    """
    settings.check()
    folder = folder or policy_folder(version.store, f"{version.name}-{settings.preset}-{settings.seed}")
    _refuse_unfinished(folder)
    if origin is None:
        return _work(Job(version, settings, folder, settings.config(), whole=whole), progress, opening, cache)
    facts = {"name": origin.name, **{key: str(origin.about.get(key, "")) for key in ("version", "dataset")}}
    job = Job(version, settings, folder, origin.config, facts, origin.policy, whole=whole)
    return _work(job, progress, opening, cache)


def resume(
    store: Path,
    name: str,
    progress: Callable[[Progress], None] = lambda _: None,
    opening: Advance = lambda done, total: None,
    cache: FrameCache | None = None,
    whole: bool = False,
) -> FitResult:
    """Go on with a training that was cut off, with the settings that it had, and save its policy.

    Raises:
        KeyboardInterrupt: as `fit` does.
        FitError: there is no such training, its state is damaged, or the dataset is not what it was.
    """
    folder = policy_folder(store, name)
    state = read_state(state_path(folder))
    version = open_version(store, str(state.about.get("version")))
    if version.digest != state.about.get("dataset"):
        raise FitError(f"{version.name} is not what {name} was trained on", "the same dataset", "start again")
    origin = state.about.get("origin")
    job = Job(version, state.settings, folder, state.config, origin, state=state, whole=whole)
    return _work(job, progress, opening, cache)


def _work(job: Job, progress: Callable[[Progress], None], opening: Advance, cache: FrameCache | None) -> FitResult:
    refuse_existing(job.folder)
    settings, config, version = job.settings, job.config, job.version
    if settings.batch < crew_size():
        raise FitError(f"a batch of {settings.batch} for {crew_size()} processes", "a sample for each", "use --batch")
    if settings.augmentation.mirror:
        opposites(config.views)
    clips, skipped = open_clips(version, config.view, opening, cache, config.others)
    spec = ControlSpec(config.controls) if config.controls else None
    train = collect(version, "train", clips, config.window, spec, skipped, config.horizon)
    exam = _exam(lambda: collect(version, "eval", clips, config.window, train.spec, horizon=config.horizon))
    config = config if config.controls else for_labels(config, train)
    with crew_at_work() as crew, _threads(settings.threads), torch.random.fork_rng(devices=[]):
        policy, notes = begin(job, config, crew)
        training = Training(version.digest, settings, policy, train, exam, draws(job, train), crew)
        if job.state:
            job.state.restore(training)
        about = {"version": version.name, "dataset": version.digest, "origin": job.origin}
        keeper = Keeper(state_path(job.folder), settings.keep_s, about)
        stopped = _run(training, keeper, progress, job.whole)
        result = _result(
            training, job, stopped, (*notes, *remarks(train.clips, settings.augmentation.aside), *_failures(keeper))
        )
        if crew.leads:
            _save(training, job, result)
            keeper.forget()
    if stopped == NOT_FINITE:
        raise FitError(
            f"a loss that is not finite at step {training.step + 1}",
            "finite losses",
            f"train with a lower --rate; the weights averaged up to step {training.step} are in {job.folder}",
        )
    return result


def _refuse_unfinished(folder: Path) -> None:
    path = state_path(folder)
    if path.exists():
        raise FitError(
            f"{path}: a training called {folder.name} was cut off",
            "a new name",
            f"go on with: swerve train fit --resume {folder.name}, or remove that file",
        )


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _run(training: Training, keeper: Keeper, progress: Callable[[Progress], None], whole: bool) -> str:
    """Run to the end; says what ended it. An interruption is raised where half a training is none."""

    def on_step(now: Progress) -> None:
        keeper.look(training)
        progress(now)

    keep_freed_memory()
    try:
        return training.run(on_step)
    except KeyboardInterrupt:
        if whole:
            raise
        return "interrupted"
    except NotFinite:
        return NOT_FINITE


def _exam(make: Callable[[], SampleSet]) -> SampleSet | None:
    """A version without an eval split trains too; its curve then has one line."""
    try:
        return make()
    except SampleError:
        return None


def _failures(keeper: Keeper) -> list[str]:
    count = len(keeper.failures)
    return [f"the state was not kept {count} times, the last at {keeper.failures[-1]}"] if count else []


def _result(training: Training, job: Job, stopped: str, notes: tuple[str, ...]) -> FitResult:
    train = training.samples
    drawn = training.drawn() if training.step else np.arange(len(train))
    events = job.version.rows.column("events").to_pylist()
    return FitResult(
        folder=job.folder,
        dataset=job.version.digest,
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
        notes=notes,
    )


def _save(training: Training, job: Job, result: FitResult) -> None:
    facts = {key: value for key, value in result.to_json().items() if key not in ("points", "folder", "dataset")}
    about = {
        "dataset": job.version.digest,
        "version": job.version.name,
        "settings": asdict(training.settings),
        "origin": job.origin,
        "result": facts,
    }
    extra = {CURVES_JSON: curves_json(training.points), CURVES_PNG: curves_png(training.points)}
    save_policy(job.folder, training.averaged, about, extra)
