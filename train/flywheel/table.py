"""What came of the nights: a row each, a remark on what went wrong, and a picture of the exams."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from train.flywheel.night import Drives, Facts, Judge, Point

if TYPE_CHECKING:
    from rich.table import Table


def columns(drives: Drives, judge: Judge) -> tuple[str, ...]:
    return "night", *drives.columns, "clips", "uploaded MB", "of recorded", "dataset s", *judge.columns, "gate"


def rows(nights: Sequence[Facts], drives: Drives, judge: Judge) -> list[tuple[str, ...]]:
    """Cells of `columns`, a row a night."""
    return [(str(number), *_cells(facts, drives, judge)) for number, facts in enumerate(nights, 1)]


def table(nights: Sequence[Facts], drives: Drives, judge: Judge) -> Table:
    from edge.output import grid

    drawn = grid(*columns(drives, judge), title=f"Flywheel: {judge.axis}")
    for row in rows(nights, drives, judge):
        drawn.add_row(*row)
    return drawn


def remarks(nights: Sequence[Facts]) -> Iterator[str]:
    """What was lost, kept back or refused, and why."""
    for number, facts in enumerate(nights, 1):
        told = [*facts["drive"].get("lost", ()), *facts["upload"]["problems"], *facts["curate"]["refused"]]
        told += [why] if (why := facts["examine"].get("why")) else []
        yield from (f"night {number}: {words}" for words in told)


def picture(nights: Sequence[Facts], judge: Judge) -> bytes:
    """PNG: every night's policy in its exam, with the interval; released ones filled."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot(xlabel="night", ylabel=judge.axis, yscale="log")
    points = {n: point for n, facts in enumerate(nights, 1) if (point := judge.point(facts)) and point[0] > 0}
    for number, point in points.items():
        middle, low, _ = point
        filled = nights[number - 1]["release"]["changed"]
        axes.errorbar(
            [number], [middle], [[middle - low], [_top(point) - middle]], fmt="o", color="tab:blue", capsize=3,
            markerfacecolor="tab:blue" if filled else "white",
        )  # fmt: skip
    if points:  # a single point without an interval has no height that an axis could be fitted to
        axes.set_ylim(
            min(low for _, low, _ in points.values()) / 1.5, max(_top(point) for point in points.values()) * 1.5
        )
    axes.set_xticks(range(1, len(nights) + 1))
    axes.grid(alpha=0.3)
    axes.set_title(judge.title)
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=110)
    return out.getvalue()


def _top(point: Point) -> float:
    """Of what is drawn, where the interval has no end."""
    middle, _, high = point
    return 3 * middle if high is None else high


def _cells(facts: Facts, drives: Drives, judge: Judge) -> tuple[str, ...]:
    uploaded = facts["upload"]
    return (
        *drives.cells(facts),
        str(uploaded["clips"]),
        f"{uploaded['bytes'] / 1e6:.1f}",
        f"{uploaded['bytes'] / max(uploaded['recorded_bytes'], 1):.1%}",
        str(facts["curate"]["seconds"]),
        *judge.cells(facts),
        facts["examine"]["verdict"],
    )
