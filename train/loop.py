"""The steps of one training: draw a batch, change its light, learn from it, average the weights.

It knows no folder and no command; `train.fit` puts it between a dataset version and a saved policy.

Shapes: B samples, A controls.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from train.augment import mirrored, relight
from train.controls import ControlSpec
from train.curves import Point
from train.order import Index, epoch_order, generator, probabilities
from train.policy import Policy, PolicyConfig, copy_of
from train.samples import SampleSet
from train.settings import Settings

POINTS = 20
"""Looks at the curve in one training."""
EVAL_SUBSET = 256
"""Samples of the eval split that the curve is drawn from, evenly spaced."""


@dataclass(frozen=True)
class Progress:
    """Where training stands. `share` runs from 0 to 1, `left_s` is an estimate in seconds."""

    step: int
    share: float
    seconds: float
    samples_per_s: float
    loss: float

    @property
    def left_s(self) -> float:
        return self.seconds * (1.0 - self.share) / max(self.share, 1e-6)


class NotFinite(Exception):
    """A loss or a gradient that is not a number; the averaged weights are from before it."""


def masked_loss(standardised: Tensor, wanted: Tensor, knee: float) -> Tensor:
    """Smooth L1 over the labels that exist.

    Args:
        standardised, wanted: (B, A); NaN in `wanted` is no label and adds nothing, to the loss or the gradient.

    Returns:
        scalar: the mean over labels; 0 where there is none.
    """
    known = ~torch.isnan(wanted)
    each = F.smooth_l1_loss(standardised, torch.where(known, wanted, 0.0), beta=knee, reduction="none")
    return torch.where(known, each, 0.0).sum() / known.sum().clamp_min(1)


class Training:
    """One training: the policy, its average, and the way through the epochs."""

    def __init__(
        self, digest: str, settings: Settings, config: PolicyConfig, samples: SampleSet, exam: SampleSet | None
    ) -> None:
        self.digest, self.settings, self.samples, self.exam = digest, settings, samples, exam
        self.p = probabilities(samples.row, samples.row_weight, samples.inclusion, settings.mix)
        self.policy = Policy(config)
        self.averaged = copy_of(self.policy).eval()
        self.optimizer = torch.optim.AdamW(_groups(self.policy, settings.decay), lr=settings.rate)
        seed = int(generator(digest, settings.seed, -2).integers(1 << 62))
        self.chance = torch.Generator().manual_seed(seed)
        self.points: list[Point] = []
        self.drawn: list[Index] = []
        self.step, self.seconds = 0, 0.0

    def run(self, progress: Callable[[Progress], None]) -> str:
        """Run to the limit; returns what ended it."""
        losses: list[float] = []
        start = time.monotonic()
        for indices in self._batches():
            losses.append(self._learn(indices, self._share(start)))
            self.step, self.seconds = self.step + 1, time.monotonic() - start
            share = self._share(start)
            progress(Progress(self.step, share, self.seconds, self.samples_per_s, losses[-1]))
            if share >= len(self.points) / POINTS or share >= 1.0:
                self.points.append(self._look(losses))
                losses = []
            if share >= 1.0:
                break
        return "steps" if self.step == self.settings.steps else "minutes"

    def _batches(self) -> Iterator[Index]:
        """Epoch after epoch; the rest of one that fills no batch goes before the next."""
        rest, epoch, size = np.empty(0, np.int64), 0, self.settings.batch
        while True:
            order = epoch_order(self.p, len(self.samples), self.digest, self.settings.seed, epoch)
            rest, epoch = np.concatenate([rest, order]), epoch + 1
            while rest.size >= size:
                self.drawn.append(rest[:size])
                yield rest[:size]
                rest = rest[size:]

    def _learn(self, indices: Index, share: float) -> float:
        """One step; returns its loss."""
        settings, config = self.settings, self.policy.config
        for group in self.optimizer.param_groups:
            group["lr"] = settings.rate * _schedule(self.step, settings.warmup, share)
        batch = self.samples.batch(indices)
        wanted = (batch.controls - self.policy.mean) / self.policy.std
        frames = relight(batch.frames, settings.augmentation, self.chance)
        if settings.augmentation.mirror:
            steering = ControlSpec(config.controls).steering
            zero = 0.0 if steering is None else -config.mean[steering] / config.std[steering]
            frames = mirrored(frames, wanted, steering, zero, self.chance)
        self.policy.train()
        loss = masked_loss(self.policy(frames), wanted, settings.knee)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(self.policy.parameters(), settings.clip)
        if not (math.isfinite(loss.item()) and math.isfinite(norm.item())):
            raise NotFinite(loss.item())
        self.optimizer.step()
        self._average()
        return loss.item()

    def _average(self) -> None:
        # Early on the average follows closely, or it would remember the random start.
        keep = min(self.settings.average, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.averaged.parameters()), list(self.policy.parameters()), 1.0 - keep)

    def _share(self, start: float) -> float:
        steps, minutes = self.settings.steps, self.settings.minutes
        by_steps = self.step / steps if steps else 0.0
        by_time = (time.monotonic() - start) / (60 * minutes) if minutes else 0.0
        return min(1.0, max(by_steps, by_time))

    @property
    def samples_per_s(self) -> float:
        return self.step * self.settings.batch / max(self.seconds, 1e-9)

    def _look(self, losses: list[float]) -> Point:
        point = Point(self.step, round(self.seconds, 3), float(np.mean(losses)))
        return point if self.exam is None else replace(point, **_measure(self.averaged, self.exam, self.settings.knee))


def _measure(policy: Policy, exam: SampleSet, knee: float) -> dict[str, Any]:
    picked = np.unique(np.linspace(0, len(exam) - 1, min(EVAL_SUBSET, len(exam))).astype(np.int64))
    outputs, wanted = [], torch.from_numpy(exam.controls[picked])
    with torch.inference_mode():
        for some in np.array_split(picked, max(1, len(picked) // 64)):
            outputs.append(policy(exam.batch(some).frames))
        output = torch.cat(outputs)
        loss = masked_loss(output, (wanted - policy.mean) / policy.std, knee)
        rmse = torch.nanmean((policy.to_units(output) - wanted) ** 2, dim=0).sqrt()
    named = zip(exam.spec.names, rmse.tolist(), strict=True)
    return {"eval_loss": float(loss), "eval_rmse": {name: value for name, value in named if math.isfinite(value)}}


def _schedule(step: int, warmup: int, share: float) -> float:
    """Warm-up for `warmup` steps or a twentieth of the training, the shorter; then half a cosine down to 0."""
    warm = max((step + 1) / max(warmup, 1), share * 20.0)
    return min(1.0, warm) * 0.5 * (1.0 + math.cos(math.pi * min(share, 1.0)))


def _groups(policy: Policy, decay: float) -> list[dict[str, Any]]:
    weights = [p for p in policy.parameters() if p.ndim > 1]
    others = [p for p in policy.parameters() if p.ndim <= 1]
    return [{"params": weights, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]
