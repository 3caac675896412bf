"""Predicted against true: over time, with what the policy states of its doubt, and as a cloud of points."""

from __future__ import annotations

from typing import Any

import numpy as np
from markupsafe import Markup

from train.chart import Area, Line, line_chart, scatter
from train.evaluate import Evaluation

MAX_STRETCHES = 12
BREAK_NS = 2_000_000_000
"""A longer gap between two samples ends a stretch."""
DEVIATIONS = 1.96
"""Half of the stated 95 % interval, in standard deviations."""


def stretches(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Predicted against true over time, for each unbroken stretch of the exam, longest first."""
    samples, found = evaluation.samples, []
    gaps = np.diff(samples.t_ns) > BREAK_NS
    breaks = np.flatnonzero(gaps | (np.diff(samples.clip) != 0) | (np.diff(samples.t_ns) < 0)) + 1
    pieces = sorted(np.split(np.arange(len(samples)), breaks), key=len, reverse=True)
    for piece in pieces[:MAX_STRETCHES]:
        clip = samples.clips[samples.clip[piece[0]]]
        x = (samples.t_ns[piece] - clip.drive.t0_ns) / 1e9
        charts = []
        for place, name in enumerate(samples.spec.names):
            middle = evaluation.predicted[piece, place]
            lines = [
                Line(x, samples.controls_now[piece, place].astype(np.float64), "c-truth", "driver"),
                Line(x, middle, "c-policy", "policy"),
            ]
            half = DEVIATIONS * evaluation.answers.std[piece, 0, place]
            stated = Area(x, middle - half, middle + half, "a-policy")
            charts.append(Markup(line_chart(lines, "time of the drive [s]", _named(evaluation, name), areas=[stated])))
        found.append({"clip": clip.clip_id, "drive": clip.drive.id, "seconds": float(x[-1] - x[0]), "charts": charts})
    return found


def scatters(evaluation: Evaluation) -> list[Markup]:
    return [_scatter(evaluation, place) for place in range(len(evaluation.samples.spec.names))]


def _scatter(evaluation: Evaluation, place: int) -> Markup:
    samples = evaluation.samples
    name = _named(evaluation, samples.spec.names[place])
    truth = samples.controls_now[:, place].astype(np.float64)
    return Markup(scatter(truth, evaluation.predicted[:, place], f"driver: {name}", f"policy: {name}"))


def _named(evaluation: Evaluation, control: str) -> str:
    unit = evaluation.samples.spec.unit(control)
    return control.removesuffix("_deg").replace("_", " ") + (f" [{unit}]" if unit else "")
