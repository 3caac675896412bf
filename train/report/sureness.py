"""Errors with their intervals, by slice and by step of the horizon, and how well stated doubt is met."""

from __future__ import annotations

from typing import Any

import numpy as np
from markupsafe import Markup

from train.chart import Area, Line, line_chart
from train.evaluation.breakdown import Breakdown, StepError
from train.evaluation.calibration import LEVELS, TOLD
from train.evaluation.slices import ALL, WHOLE
from train.forest import Twig, forest


def forests(parts: Breakdown) -> list[Markup]:
    """For each control, its error in every slice."""
    charts = []
    for control in dict.fromkeys(part.control for part in parts.slices):
        own = [part for part in parts.slices if part.control == control]
        twigs = [
            Twig(
                part.slice if part.family == WHOLE else f"{part.family}: {part.slice}",
                part.rmse.value,
                part.rmse.low,
                part.rmse.high,
                f"too few ({part.rmse.n})" if part.rmse.too_few else f"{part.rmse.n} in {part.rmse.blocks}",
            )
            for part in own
        ]
        charts.append(Markup(forest(twigs, f"{control}: RMSE{_unit(own[0].unit)}")))
    return charts


def over_steps(parts: Breakdown) -> list[Markup]:
    """For each control, its error over the horizon; nothing where there is one step."""
    charts = []
    for own in _by_control(parts):
        if len(own) > 1:
            x = np.array([step.ahead_s for step in own])
            value, low, high = (
                np.array([np.nan if edge is None else edge for edge in edges])
                for edges in zip(*((step.rmse.value, step.rmse.low, step.rmse.high) for step in own), strict=True)
            )
            label = f"{own[0].control}: RMSE{_unit(own[0].unit)}"
            line = Line(x, value, "c-policy")
            charts.append(
                Markup(
                    line_chart([line], "time ahead [s]", label, from_zero=True, areas=[Area(x, low, high, "a-policy")])
                )
            )
    return charts


def reliability(parts: Breakdown) -> list[dict[str, Any]]:
    """For each control at present: stated against found share, and the figures beside the picture."""
    found = []
    for own in _by_control(parts):
        now = own[0].calibration
        if not now.curve:
            continue
        x = np.array((0.0, *LEVELS, 1.0))
        lines = [Line(x, x, "agree"), Line(x, np.array((0.0, *now.curve, 1.0)), "c-policy")]
        chart = line_chart(lines, "stated share inside", f"{own[0].control}: found share inside", 300.0, from_zero=True)
        covered = list(zip(TOLD, now.covered, strict=True))
        found.append({"chart": Markup(chart), "step": own[0], "covered": covered})
    return found


def _by_control(parts: Breakdown) -> list[list[StepError]]:
    """The steps of each control, over all samples."""
    of_all = [step for step in parts.steps if step.slice == ALL]
    return [[s for s in of_all if s.control == name] for name in dict.fromkeys(step.control for step in of_all)]


def _unit(unit: str) -> str:
    return f" [{unit}]" if unit else ""
