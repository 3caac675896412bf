"""An exam taken apart: each control's error by slice and by step of the horizon, with intervals, and its calibration.

Slices speak of the present (step 0); steps and calibration of all samples and, re-weighted by inclusion probability,
of all that was driven. Errors are root mean squares in the control's unit.

Shapes: S samples, K steps of the horizon, A controls.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from train.evaluation.answers import Answers
from train.evaluation.blocks import Blocks
from train.evaluation.bootstrap import Estimate, estimate
from train.evaluation.calibration import Calibration, calibration
from train.evaluation.slices import ALL, NATURAL, WHOLE, Slice
from train.samples import SampleSet

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SliceError:
    control: str
    unit: str
    family: str
    slice: str
    rmse: Estimate


@dataclass(frozen=True)
class StepError:
    """`ahead_s`: seconds after the sample's last frame."""

    control: str
    unit: str
    slice: str
    step: int
    ahead_s: float
    rmse: Estimate
    calibration: Calibration


@dataclass(frozen=True)
class Breakdown:
    blocks: str
    """What the intervals are drawn over, in words."""
    slices: tuple[SliceError, ...]
    steps: tuple[StepError, ...]


def breakdown(samples: SampleSet, answers: Answers, slices: Sequence[Slice], blocks: Blocks) -> Breakdown:
    """Take an exam apart. `slices` as in `train.evaluation.slices`."""
    label = samples.controls.astype(np.float64)
    squared = (answers.mean - label) ** 2
    by_slice = tuple(
        SliceError(name, samples.spec.unit(name), part.family, part.name, rmse(squared[:, 0, place], part, blocks))
        for place, name in enumerate(samples.spec.names)
        for part in slices
    )
    whole = [part for part in slices if part.family == WHOLE and part.name in (ALL, NATURAL)]
    by_step = tuple(
        StepError(
            control=name,
            unit=samples.spec.unit(name),
            slice=part.name,
            step=step,
            ahead_s=step * samples.horizon.stride_s,
            rmse=rmse(squared[:, step, place], part, blocks),
            calibration=calibration(
                label[:, step, place],
                answers.mean[:, step, place],
                answers.std[:, step, place],
                part.weight,
                blocks.of,
            ),
        )
        for place, name in enumerate(samples.spec.names)
        for part in whole
        for step in range(samples.horizon.steps)
    )
    return Breakdown(blocks.words, by_slice, by_step)


def rmse(squared: Floats, part: Slice, blocks: Blocks) -> Estimate:
    """Root of the mean of (S,) squared errors over a slice, NaN where there is none."""
    return estimate(squared * part.weight, part.weight, blocks.of).mapped(math.sqrt)
