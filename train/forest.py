"""Figures with their intervals below each other: a forest plot as SVG text.

A dot is the figure, the bar its interval; a figure without an interval says why. The dashed line is the first row's,
which the others are read against. The axis ends at `AT_MOST` times the largest figure: a bar that reaches it goes on.
Colours are classes, as in `train.chart`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from train.svg import Frame, range_of, svg, text, x_axis

ROW, TOP, NAMES, COUNTS = 20.0, 10.0, 250.0, 130.0
AT_MOST = 2.5
LONGEST = 38
"""Letters of a name that fit."""


@dataclass(frozen=True)
class Twig:
    """One row: `note` stands at its right end."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    note: str


def forest(twigs: Sequence[Twig], x_label: str) -> str:
    bottom = TOP + ROW * len(twigs)
    most = AT_MOST * max((twig.value for twig in twigs if twig.value is not None), default=1.0)
    ends = [min(edge, most) for twig in twigs for edge in (twig.value, twig.high) if edge is not None]
    frame = Frame(range_of([np.array(ends, np.float64)], from_zero=True), (0.0, 1.0), TOP, bottom, left=NAMES + COUNTS)
    body = [x_axis(frame, x_label)]
    if twigs and twigs[0].value is not None:
        x = frame.x(twigs[0].value)
        body.append(f'<line class="agree" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP:g}" y2="{bottom:g}"/>')
    for place, twig in enumerate(twigs):
        body += _row(twig, frame, TOP + ROW * (place + 0.5))
    return svg(bottom + 36.0, body, f"{x_label} by slice")


def _row(twig: Twig, frame: Frame, y: float) -> list[str]:
    name = twig.name if len(twig.name) <= LONGEST else twig.name[: LONGEST - 1] + "\u2026"
    body = [text(4.0, y + 4, name, "start", "axis"), text(NAMES + COUNTS - 12, y + 4, twig.note, "end")]
    if twig.low is not None and twig.high is not None:
        low, high = (frame.x(min(edge, frame.x_range[1])) for edge in (twig.low, twig.high))
        body.append(f'<line class="bar" x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}"/>')
    if twig.value is not None:
        body.append(f'<circle class="dot" cx="{frame.x(twig.value):.1f}" cy="{y}" r="3.5"/>')
    return body
