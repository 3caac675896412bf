"""Charts as SVG text for a page: lines over time, a scatter, and a drive's timeline.

Colours are classes (`c-truth`, `c-policy`, `c-e0` ...) that the page's style sheet gives values for light and dark, so
a chart is readable on both and has no colour of its own. No script, no font and no address outside the page.

It decimates: a line keeps the lowest and highest value of every pixel column or so, never more.

Shapes: N points; NaN in y breaks a line.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from train.svg import BOTTOM, LEFT, Frame, grid, range_of, svg, text, x_axis

Floats = NDArray[np.float64]

MAX_COLUMNS = 700


@dataclass(frozen=True, repr=False, eq=False)
class Line:
    """`x`, `y` (N,); `css` names its colour, `label` goes into the legend."""

    x: Floats
    y: Floats
    css: str
    label: str = ""


@dataclass(frozen=True, repr=False, eq=False)
class Area:
    """What lies between `low` and `high` over `x`, (N,) each; `css` names its colour."""

    x: Floats
    low: Floats
    high: Floats
    css: str


@dataclass(frozen=True)
class Span:
    """A stretch of the x axis, from `start` to `end`."""

    start: float
    end: float
    css: str
    label: str = ""


@dataclass(frozen=True)
class Lane:
    """One strip of a timeline: lines with a scale of their own."""

    label: str
    lines: Sequence[Line]


def line_chart(
    lines: Sequence[Line],
    x_label: str,
    y_label: str,
    height: float = 230.0,
    from_zero: bool = False,
    areas: Sequence[Area] = (),
) -> str:
    """Lines over a common x axis, areas behind them."""
    heights = [*(line.y for line in lines), *(edge for area in areas for edge in (area.low, area.high))]
    x_range, y_range = range_of([line.x for line in lines]), range_of(heights, from_zero)
    frame = Frame(x_range, y_range, 22.0, height - BOTTOM - 14.0)
    drawn = [*(_area(area, frame) for area in areas), *(_path(line, frame) for line in lines)]
    return svg(height, [grid(frame, y_label), x_axis(frame, x_label), *drawn], f"{y_label} over {x_label}")


def scatter(x: Floats, y: Floats, x_label: str, y_label: str, side: float = 420.0) -> str:
    """Points (at most 1,500 of them, evenly picked) and the line on which both agree."""
    known = np.flatnonzero(~(np.isnan(x) | np.isnan(y)))
    known = known[:: max(1, known.size // 1500)]
    both = range_of([x[known], y[known]])
    frame = Frame(both, both, 22.0, side - BOTTOM - 14.0, side)
    pairs = zip(x[known], y[known], strict=True)
    dots = "".join(f'<circle cx="{frame.x(a):.1f}" cy="{frame.y(b):.1f}" r="2.2"/>' for a, b in pairs)
    (x1, x2), (y1, y2) = map(frame.x, both), map(frame.y, both)
    agree = f'<line class="agree" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'
    body = [grid(frame, y_label), x_axis(frame, x_label), agree, f'<g class="dots">{dots}</g>']
    return svg(side, body, f"{y_label} against {x_label}", side)


def timeline(
    lanes: Sequence[Lane], bands: Sequence[tuple[str, Sequence[Span]]], marks: Sequence[Span], end: float
) -> str:
    """A drive: rows of bands on top, then a lane for each kind of signal, with events across all of them.

    Args:
        bands: name of the row and its spans, in seconds. marks: events, in seconds. end: length of the axis.
    """
    row, lane_height, gap = 16.0, 78.0, 22.0
    total = len(bands) * row + len(lanes) * (lane_height + gap) + BOTTOM + 22.0
    whole = Frame((0.0, max(end, 1e-3)), (0.0, 1.0), 4.0, total - BOTTOM - 14.0)
    body = [_mark(mark, whole) for mark in marks]
    for place, (name, spans) in enumerate(bands):
        y = 4.0 + place * row
        body.append(text(LEFT - 6, y + 9, name, "end"))
        body += [_band(span, whole, y, row - 5.0) for span in spans]
    for place, lane in enumerate(lanes):
        top = 24.0 + len(bands) * row + place * (lane_height + gap)
        frame = Frame(whole.x_range, range_of([line.y for line in lane.lines]), top, top + lane_height)
        body += [grid(frame, lane.label, count=3), *(_path(line, frame) for line in lane.lines)]
    return svg(total, [*body, x_axis(whole, "time [s]")], "signals, splits and events of a drive")


def _path(line: Line, frame: Frame) -> str:
    points, pen = [], "M"
    for x, y in zip(*_thin(line.x, line.y), strict=True):
        if math.isnan(y):
            pen = "M"
            continue
        points.append(f"{pen}{frame.x(x):.1f} {frame.y(y):.1f}")
        pen = "L"
    return f'<path class="line {line.css}" d="{"".join(points)}"/>'


def _area(area: Area, frame: Frame) -> str:
    """A closed path around each stretch without a gap."""
    known = ~(np.isnan(area.low) | np.isnan(area.high))
    paths = []
    for run in np.split(np.arange(area.x.size), np.flatnonzero(np.diff(known.astype(int))) + 1):
        if run.size and known[run[0]]:
            columns = np.array_split(run, min(run.size, MAX_COLUMNS))
            top = [f"{frame.x(area.x[c[0]]):.1f} {frame.y(area.high[c].max()):.1f}" for c in columns]
            back = [f"{frame.x(area.x[c[0]]):.1f} {frame.y(area.low[c].min()):.1f}" for c in reversed(columns)]
            paths.append(f"M{'L'.join(top + back)}Z")
    return f'<path class="area {area.css}" d="{"".join(paths)}"/>'


def _thin(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """The lowest and the highest point of each of `MAX_COLUMNS` columns; gaps stay gaps."""
    if x.size <= 2 * MAX_COLUMNS:
        return x, y
    keep: list[int] = []
    for part in np.array_split(np.arange(x.size), MAX_COLUMNS):
        known = part[~np.isnan(y[part])]
        keep += np.setdiff1d(part, known)[:1].tolist()
        keep += sorted({int(known[y[known].argmin()]), int(known[y[known].argmax()])}) if known.size else []
    order = np.unique(keep)
    return x[order], y[order]


def _band(span: Span, frame: Frame, y: float, height: float) -> str:
    x, end = frame.x(span.start), frame.x(span.end)
    box = f'x="{x:.1f}" y="{y:.1f}" width="{max(end - x, 0.8):.1f}" height="{height:g}"'
    return f'<rect class="band {span.css}" {box}><title>{html.escape(span.label)}</title></rect>'


def _mark(span: Span, frame: Frame) -> str:
    x, end = frame.x(span.start), frame.x(span.end)
    box = f'x="{x:.1f}" y="{frame.top:g}" width="{max(end - x, 2.0):.1f}" height="{frame.bottom - frame.top:.1f}"'
    return f'<rect class="mark {span.css}" {box}><title>{html.escape(span.label)}</title></rect>'
