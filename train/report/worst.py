"""Where a policy was furthest from the driver, as pictures with both of their controls drawn in.

Moments are told by the first control (steering, where there is any), clips by the root mean square of its error.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from train.controls import labels
from train.draw import HUMAN, POLICY, Dial, panel
from train.evaluate import Evaluation
from train.stills import data_address, shrunk, still

MAX_MOMENTS, MAX_CLIPS = 6, 6
APART_S = 3.0
"""Two worst moments lie at least this far apart, in seconds."""
WIDTH = 480


def worst_moments(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    """The samples furthest from the driver."""
    samples, error, taken = evaluation.samples, _errors(evaluation), list[int]()
    for index in np.argsort(-np.nan_to_num(error, nan=-1.0)).tolist():
        if len(taken) == MAX_MOMENTS or np.isnan(error[index]):
            return
        others = [t for t in taken if samples.clip[t] == samples.clip[index]]
        if any(abs(int(samples.t_ns[t] - samples.t_ns[index])) < APART_S * 1e9 for t in others):
            continue
        taken.append(index)
        yield from _picture(evaluation, index, float(error[index]))


def worst_clips(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    """The clips with the largest error, each at its worst moment; none where there is but one clip."""
    error, of = _errors(evaluation), evaluation.samples.clip
    found = []
    for clip in np.unique(of):
        own = np.flatnonzero((of == clip) & ~np.isnan(error))
        if own.size:
            found.append((float(np.sqrt(np.mean(error[own] ** 2))), int(own[error[own].argmax()])))
    if len(found) > 1:
        for rmse, index in sorted(found, reverse=True)[:MAX_CLIPS]:
            yield from _picture(evaluation, index, rmse)


def _errors(evaluation: Evaluation) -> NDArray[np.float64]:
    """(S,) distance from the driver in the first control."""
    return np.abs(evaluation.predicted[:, 0] - evaluation.samples.controls_now[:, 0])


def _picture(evaluation: Evaluation, index: int, error: float) -> Iterator[dict[str, Any]]:
    """One picture with its caption; nothing where the frame cannot be read."""
    samples = evaluation.samples
    clip = samples.clips[samples.clip[index]]
    picture = still(clip.drive, evaluation.saved.config.view, int(samples.t_ns[index]), WIDTH)
    if picture is not None:
        yield {
            "address": data_address(_with_dials(evaluation, index, picture)),
            "clip": clip.clip_id,
            "at_s": float(samples.t_ns[index] - clip.drive.t0_ns) / 1e9,
            "error": error,
            "unit": samples.spec.unit(samples.spec.names[0]),
        }


def _with_dials(evaluation: Evaluation, index: int, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    large = shrunk(picture, 640)
    samples, dials = evaluation.samples, {}
    truth = labels(samples.clips[samples.clip[index]].drive.telemetry, samples.spec, samples.t_ns[[index]])[0]
    for place, name in enumerate(samples.spec.names):
        value = None if np.isnan(truth[place]) else float(truth[place])
        mine = float(evaluation.predicted[index, place])
        dials[name] = [Dial(value, HUMAN, "driver"), Dial(mine, POLICY, "policy")]
    panel(large, dials)
    return large
