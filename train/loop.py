"""The steps of one training: draw a batch, change its light, learn from it, average the weights.

It knows no folder and no command; `train.fit` puts it between a dataset version and a saved policy, and
`train.resume` keeps its state.

Shapes: B samples, K steps of the horizon, A controls.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from train.augment import changed
from train.batches import batches
from train.crew import Crew
from train.curves import Point
from train.loss import answer_loss, doubt_loss
from train.order import Floats, Index, epoch_order, generator
from train.policies.policy import Outputs, Policy, copy_of
from train.processor import Processor, find_processor
from train.samples import Batch, SampleSet
from train.settings import Settings

POINTS = 20
"""Looks at the curve in one training."""
EVAL_SUBSET = 256
"""Samples of the eval split that the curve is drawn from, evenly spaced."""


@dataclass(frozen=True)
class Progress:
    """Where training stands. `share` runs from 0 to 1, `left_s` is an estimate in seconds.

    `point` is the look at the curve that this step ended with, if it did.
    """

    step: int
    share: float
    seconds: float
    samples_per_s: float
    loss: float
    rate: float
    point: Point | None = None

    @property
    def left_s(self) -> float:
        return self.seconds * (1.0 - self.share) / max(self.share, 1e-6)


class NotFinite(Exception):
    """A loss or a gradient that is not a number; the averaged weights are from before it."""


class Training:
    """One training: the policy, its average, and the way through the epochs.

    Attributes:
        p: (S,) how likely each sample is to be drawn. losses: of the steps since the last point of the curve.
    """

    def __init__(
        self,
        digest: str,
        settings: Settings,
        policy: Policy,
        samples: SampleSet,
        exam: SampleSet | None,
        p: Floats,
        crew: Crew = Crew(),  # noqa: B008 - frozen
    ) -> None:
        self.digest, self.settings, self.samples, self.exam, self.p = digest, settings, samples, exam, p
        self.crew, self.processor = crew, find_processor(settings.precision)
        self.policy = policy.to(self.processor.device)
        self.averaged = copy_of(self.policy).to(self.processor.device).eval()
        self.optimizer = torch.optim.AdamW(_groups(self.policy, settings.decay), lr=settings.rate)
        seed = int(generator(digest, settings.seed, -2 - crew.rank).integers(1 << 62))
        self.chance = torch.Generator().manual_seed(seed)
        self.points: list[Point] = []
        self.losses: list[float] = []
        self.step, self.seconds = 0, 0.0

    def run(self, on_step: Callable[[Progress], None]) -> str:
        """Run to the limit; returns what ended it."""
        learner = self.crew.together(self.policy)
        learner = torch.compile(learner) if self.settings.compile else learner  # type: ignore[assignment]
        start = time.monotonic() - self.seconds
        for indices in self._batches(self.step):
            if self._share() >= 1.0:
                break
            rate = self.settings.rate * _schedule(self.step, self.settings.warmup, self._share())
            self.losses.append(self._learn(learner, self.crew.part(indices), rate))
            self.step, self.seconds = self.step + 1, self.crew.agree(time.monotonic() - start)
            on_step(self._progress(rate))
        return "steps" if self.step == self.settings.steps else "minutes"

    def drawn(self) -> Index:
        """(step * batch,): every sample that was drawn so far."""
        return np.concatenate([np.empty(0, np.int64), *islice(self._batches(0), self.step)])

    def _batches(self, first: int) -> Iterator[Index]:
        def order(epoch: int) -> Index:
            return epoch_order(self.p, len(self.samples), self.digest, self.settings.seed, epoch)

        return batches(order, len(self.samples), self.settings.batch, first)

    def _learn(self, learner: nn.Module, indices: Index, rate: float) -> float:
        """One step; returns its loss, over the whole crew."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        batch, device = self.samples.batch(indices), self.processor.device
        seen = changed(batch, self.settings.augmentation, self.policy.config, self.chance)
        views = [view.to(device) for view in seen.views]
        wanted = (seen.controls.to(device) - self.policy.mean) / self.policy.std
        self.policy.train()
        with self.processor.products():
            outputs: Outputs = learner(views[0], views[1:], seen.speed_mps.to(device), seen.command.to(device))
        # Each process's mean over its own labels counts by how many of all labels those are.
        labels = (~torch.isnan(wanted)).sum()
        part = self.crew.size * labels / self.crew.total(labels).clamp_min(1)
        loss = part * answer_loss(outputs.mean, wanted, self.settings.knee)
        self.optimizer.zero_grad(set_to_none=True)
        doubt = part * doubt_loss(outputs.mean, outputs.log_variance, wanted)
        (loss + doubt).backward()  # type: ignore[no-untyped-call]
        mean_loss = self.crew.total(loss.detach()).item() / self.crew.size
        self._clip(mean_loss)
        self.optimizer.step()
        self._average()
        return mean_loss

    def _clip(self, loss: float) -> None:
        """Bound the gradients, those of the doubt apart, so that it never slows the answer down.

        Raises:
            NotFinite: the loss or a gradient is not a number.
        """
        doubt = list(self.policy.doubt.parameters())
        apart = {id(parameter) for parameter in doubt}
        answer = [parameter for parameter in self.policy.parameters() if id(parameter) not in apart]
        norms = [torch.nn.utils.clip_grad_norm_(some, self.settings.clip).item() for some in (answer, doubt)]
        if not all(map(math.isfinite, (loss, *norms))):
            raise NotFinite(loss)

    def _average(self) -> None:
        # Early on the average follows closely, or it would remember the random start.
        keep = min(self.settings.average, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.averaged.parameters()), list(self.policy.parameters()), 1.0 - keep)
            for own, new in zip(self.averaged.buffers(), self.policy.buffers(), strict=True):
                own.copy_(new)

    def _share(self) -> float:
        steps, minutes = self.settings.steps, self.settings.minutes
        by_steps = self.step / steps if steps else 0.0
        by_time = self.seconds / (60 * minutes) if minutes else 0.0
        return min(1.0, max(by_steps, by_time))

    @property
    def samples_per_s(self) -> float:
        return self.step * self.settings.batch / max(self.seconds, 1e-9)

    def _progress(self, rate: float) -> Progress:
        share = self._share()
        progress = Progress(self.step, share, self.seconds, self.samples_per_s, self.losses[-1], rate)
        if share < len(self.points) / POINTS and share < 1.0:
            return progress
        self.points.append(self._look())
        self.losses = []
        return replace(progress, point=self.points[-1])

    def _look(self) -> Point:
        point = Point(self.step, round(self.seconds, 3), float(np.mean(self.losses)))
        if self.exam is None or not self.crew.leads:
            return point
        return replace(point, **_measure(self.averaged, self.exam, self.settings.knee, self.processor))


def _measure(policy: Policy, exam: SampleSet, knee: float, processor: Processor) -> dict[str, Any]:
    picked = np.unique(np.linspace(0, len(exam) - 1, min(EVAL_SUBSET, len(exam))).astype(np.int64))
    means, wanted = [], torch.from_numpy(exam.controls[picked]).to(processor.device)
    with torch.inference_mode():
        for some in np.array_split(picked, max(1, len(picked) // 64)):
            batch = exam.batch(some)
            views = [view.to(processor.device) for view in batch.views]
            means.append(policy(views[0], views[1:], *_told(batch, processor)).mean)
        mean = torch.cat(means)
        loss = answer_loss(mean, (wanted - policy.mean) / policy.std, knee)
        now = (mean * policy.std + policy.mean - wanted)[:, 0]
        rmse = torch.nanmean(now**2, dim=0).sqrt()
    named = zip(exam.spec.names, rmse.tolist(), strict=True)
    return {"eval_loss": float(loss), "eval_rmse": {name: value for name, value in named if math.isfinite(value)}}


def _told(batch: Batch, processor: Processor) -> tuple[Tensor, Tensor]:
    return batch.speed_mps.to(processor.device), batch.command.to(processor.device)


def _schedule(step: int, warmup: int, share: float) -> float:
    """Warm-up for `warmup` steps or a twentieth of the training, the shorter; then half a cosine down to 0."""
    warm = max((step + 1) / max(warmup, 1), share * 20.0)
    return min(1.0, warm) * 0.5 * (1.0 + math.cos(math.pi * min(share, 1.0)))


def _groups(policy: Policy, decay: float) -> list[dict[str, Any]]:
    weights = [p for p in policy.parameters() if p.ndim > 1]
    others = [p for p in policy.parameters() if p.ndim <= 1]
    return [{"params": weights, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]
