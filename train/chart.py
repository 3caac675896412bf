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

Floats = NDArray[np.float64]

WIDTH, LEFT, RIGHT, BOTTOM = 960.0, 58.0, 12.0, 24.0
MAX_COLUMNS = 700


@dataclass(frozen=True, repr=False, eq=False)
class Line:
    """`x`, `y` (N,); `css` names its colour, `label` goes into the legend."""

    x: Floats
    y: Floats
    css: str
    label: str = ""


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
    lines: Sequence[Line], x_label: str, y_label: str, height: float = 230.0, from_zero: bool = False
) -> str:
    """Lines over a common x axis."""
    x_range, y_range = _range([line.x for line in lines]), _range([line.y for line in lines], from_zero)
    frame = _Frame(x_range, y_range, 22.0, height - BOTTOM - 14.0)
    body = [_grid(frame, y_label), _x_axis(frame, x_label), *(_path(line, frame) for line in lines)]
    return _svg(height, body, f"{y_label} over {x_label}")


def scatter(x: Floats, y: Floats, x_label: str, y_label: str, side: float = 420.0) -> str:
    """Points (at most 1,500 of them, evenly picked) and the line on which both agree."""
    known = np.flatnonzero(~(np.isnan(x) | np.isnan(y)))
    known = known[:: max(1, known.size // 1500)]
    both = _range([x[known], y[known]])
    frame = _Frame(both, both, 22.0, side - BOTTOM - 14.0, side)
    pairs = zip(x[known], y[known], strict=True)
    dots = "".join(f'<circle cx="{frame.x(a):.1f}" cy="{frame.y(b):.1f}" r="2.2"/>' for a, b in pairs)
    (x1, x2), (y1, y2) = map(frame.x, both), map(frame.y, both)
    agree = f'<line class="agree" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'
    body = [_grid(frame, y_label), _x_axis(frame, x_label), agree, f'<g class="dots">{dots}</g>']
    return _svg(side, body, f"{y_label} against {x_label}", side)


def timeline(
    lanes: Sequence[Lane], bands: Sequence[tuple[str, Sequence[Span]]], marks: Sequence[Span], end: float
) -> str:
    """A drive: rows of bands on top, then a lane for each kind of signal, with events across all of them.

    Args:
        bands: name of the row and its spans, in seconds. marks: events, in seconds. end: length of the axis.
    """
    row, lane_height, gap = 16.0, 78.0, 22.0
    total = len(bands) * row + len(lanes) * (lane_height + gap) + BOTTOM + 22.0
    whole = _Frame((0.0, max(end, 1e-3)), (0.0, 1.0), 4.0, total - BOTTOM - 14.0)
    body = [_mark(mark, whole) for mark in marks]
    for place, (name, spans) in enumerate(bands):
        y = 4.0 + place * row
        body.append(_text(LEFT - 6, y + 9, name, "end"))
        body += [_band(span, whole, y, row - 5.0) for span in spans]
    for place, lane in enumerate(lanes):
        top = 24.0 + len(bands) * row + place * (lane_height + gap)
        frame = _Frame(whole.x_range, _range([line.y for line in lane.lines]), top, top + lane_height)
        body += [_grid(frame, lane.label, ticks=3), *(_path(line, frame) for line in lane.lines)]
    return _svg(total, [*body, _x_axis(whole, "time [s]")], "signals, splits and events of a drive")


@dataclass(frozen=True)
class _Frame:
    """Where values go on the page."""

    x_range: tuple[float, float]
    y_range: tuple[float, float]
    top: float
    bottom: float
    width: float = WIDTH

    def x(self, value: float) -> float:
        low, high = self.x_range
        return LEFT + (value - low) / (high - low) * (self.width - LEFT - RIGHT)

    def y(self, value: float) -> float:
        low, high = self.y_range
        return self.bottom - (value - low) / (high - low) * (self.bottom - self.top)


def _range(arrays: Sequence[Floats], from_zero: bool = False) -> tuple[float, float]:
    known = np.concatenate([a[np.isfinite(a)] for a in arrays] or [np.zeros(1)])
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    low = 0.0 if from_zero else low
    pad = (high - low) * 0.04 or abs(high) * 0.1 or 1.0
    return (low if from_zero else low - pad), high + pad


def _ticks(low: float, high: float, count: int) -> list[float]:
    raw = (high - low) / count
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * m for m in (1, 2, 2.5, 5, 10) if size * m >= raw * 0.999)
    return [i * step for i in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _svg(height: float, body: Sequence[str], title: str, width: float = WIDTH) -> str:
    name = html.escape(title)
    return f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{name}">{"".join(body)}</svg>'


def _text(x: float, y: float, words: str, anchor: str = "middle", css: str = "tick") -> str:
    return f'<text class="{css}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{html.escape(words)}</text>'


def _grid(frame: _Frame, label: str, ticks: int = 4) -> str:
    parts = []
    for value in _ticks(*frame.y_range, ticks):
        y = frame.y(value)
        css = "zero" if value == 0 else "grid"
        parts.append(f'<line class="{css}" x1="{LEFT}" x2="{frame.width - RIGHT:g}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(_text(LEFT - 6, y + 3.5, f"{value:g}", "end"))
    return "".join(parts) + _text(LEFT, frame.top - 7, label, "start", "axis")


def _x_axis(frame: _Frame, label: str) -> str:
    values = _ticks(*frame.x_range, 10 if frame.width > 600 else 5)
    ticks = "".join(_text(frame.x(v), frame.bottom + 14, f"{v:g}") for v in values)
    return ticks + _text(frame.width - RIGHT, frame.bottom + 28, label, "end", "axis")


def _path(line: Line, frame: _Frame) -> str:
    points, pen = [], "M"
    for x, y in zip(*_thin(line.x, line.y), strict=True):
        if math.isnan(y):
            pen = "M"
            continue
        points.append(f"{pen}{frame.x(x):.1f} {frame.y(y):.1f}")
        pen = "L"
    return f'<path class="line {line.css}" d="{"".join(points)}"/>'


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


def _band(span: Span, frame: _Frame, y: float, height: float) -> str:
    x, end = frame.x(span.start), frame.x(span.end)
    box = f'x="{x:.1f}" y="{y:.1f}" width="{max(end - x, 0.8):.1f}" height="{height:g}"'
    return f'<rect class="band {span.css}" {box}><title>{html.escape(span.label)}</title></rect>'


def _mark(span: Span, frame: _Frame) -> str:
    x, end = frame.x(span.start), frame.x(span.end)
    box = f'x="{x:.1f}" y="{frame.top:g}" width="{max(end - x, 2.0):.1f}" height="{frame.bottom - frame.top:.1f}"'
    return f'<rect class="mark {span.css}" {box}><title>{html.escape(span.label)}</title></rect>'
