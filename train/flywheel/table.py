"""What came of the nights: a row each, and a picture of the exam's miles between disengagements."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from train.flywheel.night import Facts, natural_miles
from train.miles import Miles

if TYPE_CHECKING:
    from rich.table import Table

COLUMNS = (
    "night", "driven h", "fleet MBD", "clips", "uploaded MB", "of recorded", "dataset s", "exam MBD", "95 %", "gate",
)  # fmt: skip


def rows(nights: Sequence[Facts]) -> list[tuple[str, ...]]:
    """Cells of `COLUMNS`, a row a night."""
    return [_row(number, facts) for number, facts in enumerate(nights, 1)]


def table(nights: Sequence[Facts]) -> Table:
    from edge.output import grid

    drawn = grid(*COLUMNS, title="Flywheel: miles between disengagements (MBD)")
    for row in rows(nights):
        drawn.add_row(*row)
    return drawn


def exam_miles(facts: Facts) -> Miles:
    """Of the policy that was trained in the night."""
    told = facts["examine"]["new"]
    return Miles(told["disengagements"], told["miles"])


def picture(nights: Sequence[Facts]) -> bytes:
    """PNG: the exam's miles between disengagements of every night's policy with its interval; released ones filled."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot(xlabel="night", ylabel="miles between disengagements", yscale="log")
    for number, facts in enumerate(nights, 1):
        miles = exam_miles(facts)
        low, high = miles.interval()
        middle = miles.between or low
        top = high if high is not None else 3 * middle
        filled = facts["release"]["changed"]
        axes.errorbar(
            [number], [middle], [[middle - low], [top - middle]], fmt="o", color="tab:blue", capsize=3,
            markerfacecolor="tab:blue" if filled else "white",
        )  # fmt: skip
    axes.set_xticks(range(1, len(nights) + 1))
    axes.grid(alpha=0.3)
    axes.set_title("the gate's exam, stress rates; filled: released")
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=110)
    return out.getvalue()


def _row(number: int, facts: Facts) -> tuple[str, ...]:
    uploaded, exam, fleet = facts["upload"], exam_miles(facts), natural_miles(facts)
    low, high = exam.interval()
    return (
        str(number),
        f"{facts['drive']['hours']:.2f}",
        str(fleet) if fleet.miles else "-",
        str(uploaded["clips"]),
        f"{uploaded['bytes'] / 1e6:.1f}",
        f"{uploaded['bytes'] / max(uploaded['recorded_bytes'], 1):.1%}",
        str(facts["curate"]["seconds"]),
        "none" if exam.between is None else f"{exam.between:.3g}",
        f"{low:.3g} to {'any' if high is None else format(high, '.3g')}",
        facts["examine"]["verdict"],
    )
