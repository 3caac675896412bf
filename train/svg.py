"""The pieces that charts as SVG are made of: a frame that places values on the page, ticks, grid and axes.

Colours are classes that the page's style sheet gives values; nothing here has a colour, a script or a font.
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


@dataclass(frozen=True)
class Frame:
    """Where values go on the page."""

    x_range: tuple[float, float]
    y_range: tuple[float, float]
    top: float
    bottom: float
    width: float = WIDTH
    left: float = LEFT

    def x(self, value: float) -> float:
        low, high = self.x_range
        return self.left + (value - low) / (high - low) * (self.width - self.left - RIGHT)

    def y(self, value: float) -> float:
        low, high = self.y_range
        return self.bottom - (value - low) / (high - low) * (self.bottom - self.top)


def range_of(arrays: Sequence[Floats], from_zero: bool = False) -> tuple[float, float]:
    """Lowest and highest known value of all, with some room around them."""
    known = np.concatenate([a[np.isfinite(a)] for a in arrays] or [np.zeros(1)])
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    low = 0.0 if from_zero else low
    pad = (high - low) * 0.04 or abs(high) * 0.1 or 1.0
    return (low if from_zero else low - pad), high + pad


def ticks(low: float, high: float, count: int) -> list[float]:
    raw = (high - low) / count
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * m for m in (1, 2, 2.5, 5, 10) if size * m >= raw * 0.999)
    return [i * step for i in range(math.ceil(low / step), math.floor(high / step) + 1)]


def svg(height: float, body: Sequence[str], title: str, width: float = WIDTH) -> str:
    name = html.escape(title)
    return f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{name}">{"".join(body)}</svg>'


def text(x: float, y: float, words: str, anchor: str = "middle", css: str = "tick") -> str:
    return f'<text class="{css}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{html.escape(words)}</text>'


def grid(frame: Frame, label: str, count: int = 4) -> str:
    parts = []
    for value in ticks(*frame.y_range, count):
        y = frame.y(value)
        css = "zero" if value == 0 else "grid"
        parts.append(f'<line class="{css}" x1="{LEFT}" x2="{frame.width - RIGHT:g}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(text(LEFT - 6, y + 3.5, f"{value:g}", "end"))
    return "".join(parts) + text(LEFT, frame.top - 7, label, "start", "axis")


def x_axis(frame: Frame, label: str) -> str:
    values = ticks(*frame.x_range, 10 if frame.width > 600 else 5)
    told = "".join(text(frame.x(v), frame.bottom + 14, f"{v:g}") for v in values)
    return told + text(frame.width - RIGHT, frame.bottom + 28, label, "end", "axis")
