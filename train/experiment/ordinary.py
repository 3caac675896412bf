"""How well a policy foretells ordinary driving: whoever learns from rare moments must not forget the rest.

The seconds are random ones of humans on a day of their own, which nobody trains on. The error of a sample is the mean
over its labelled controls of ((predicted - label) / s)^2, s the spread of that control's labels among these samples:
the same yardstick for every policy. A control that never changed there has none and is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curate.dataset import DatasetVersion
from train.checkpoint import SavedPolicy
from train.clips import open_clips
from train.controls import ControlSpec
from train.errors import EvaluationError, SampleError
from train.evaluation.answers import predict
from train.samples import SampleSet, collect

RESAMPLES = 4000
MARGIN = 1.02
"""An arm is no worse where the one-sided 95 % upper bound of the ratio of errors lies below this."""
Facts = Mapping[str, Any]


def errors_by_drive(version: DatasetVersion, saved: SavedPolicy) -> dict[str, tuple[float, int]]:
    """Of each drive, the sum of its samples' errors and how many they are. Raises SampleError where there are none,
    EvaluationError where the policy answers with no number."""
    config, found = saved.config, dict[str, tuple[float, int]]()
    clips, skipped = open_clips(version, config.view, others=config.others)
    spec = ControlSpec(config.controls)
    sets: list[SampleSet] = []
    for split in sorted(set(version.rows.column("split").to_pylist())):
        with suppress(SampleError):  # a part may be too small to hold a whole window
            sets.append(collect(version, split, clips, config.window, spec, skipped, config.horizon))
    if not sets:
        raise SampleError(f"{version.name} has no whole window", "at least one", "let the cars drive longer")
    spread = np.nanstd(np.concatenate([samples.controls_now for samples in sets]), axis=0)
    moved = spread > 0
    for samples in sets:
        answers = predict(saved.policy, samples).now[:, moved]
        if not np.isfinite(answers).all():
            raise EvaluationError(f"{saved.name} answers with what is no number", "numbers", "train it again")
        off = ((answers - samples.controls_now[:, moved]) / spread[moved]) ** 2
        error = np.nansum(off, axis=1) / np.maximum(np.isfinite(off).sum(axis=1), 1)
        drives = version.rows.column("drive_id").take(samples.row).to_pylist()
        for drive in sorted(set(drives)):
            own = error[[name == drive for name in drives]]
            total, count = found.get(drive, (0.0, 0))
            found[drive] = total + float(own.sum()), count + own.size
    return found


def ratio(new: Sequence[Facts], old: Sequence[Facts], seed: int = 0) -> tuple[float, float]:
    """(ratio of the root mean squared errors, its one-sided 95 % upper bound) of trials, new to old.

    The bound is by bootstrap over trainings of each arm and over drives, the same drives for both.
    """
    drives = sorted({drive for trial in (*new, *old) for drive in trial["ordinary"]})
    sides = [np.array([[t["ordinary"].get(d, (0.0, 0)) for d in drives] for t in side], float) for side in (new, old)]
    chance = np.random.Generator(np.random.PCG64(seed))
    picked = chance.integers(len(drives), size=(RESAMPLES, len(drives)))
    drawn = [_error(side, chance.integers(len(side), size=(RESAMPLES, len(side))), picked) for side in sides]
    whole = [_error(side, np.arange(len(side))[None], np.arange(len(drives))[None])[0] for side in sides]
    return float(whole[0] / whole[1]), float(np.percentile(drawn[0] / drawn[1], 95))


def _error(told: NDArray[np.float64], seeds: NDArray[np.int64], drives: NDArray[np.int64]) -> NDArray[np.float64]:
    """(R,) errors of resamples of seeds (R, S) and drives (R, D) of (seeds, drives, 2) sums and counts."""
    total = told[seeds[:, :, None], drives[:, None, :]].sum(axis=(1, 2))
    return np.asarray(np.sqrt(total[:, 0] / np.maximum(total[:, 1], 1)), np.float64)
