"""An experiment as a picture: how far each arm's policies drive, and by what they learned from; what fleets meet."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from train.experiment import fleet_size
from train.experiment.plan import ARMS, SCALING
from train.experiment.table import PUBLISHED, pooled
from train.miles import Miles

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

Facts = dict[str, Any]
COLOURS = {"random": "tab:blue", "curated": "tab:orange", "all": "tab:green"}


def picture(arms: Mapping[str, Sequence[Facts]], met: Facts, base_s: float) -> bytes:
    """PNG. `base_s`: labelled seconds that every arm has."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(14.0, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    by_arm, by_seconds, fleets = figure.subplots(1, 3, width_ratios=[1.15, 1.0, 1.0])
    _arms(by_arm, arms)
    _miles(by_seconds, arms, base_s)
    _cars(fleets, met)
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=110)
    return out.getvalue()


def _arms(axes: Axes, arms: Mapping[str, Sequence[Facts]]) -> None:
    """A row an arm: its whole, and a ring for every training."""
    names = sorted(arms, key=lambda name: _between(pooled(arms[name])))
    for row, name in enumerate(names):
        whole = pooled(arms[name])
        colour = COLOURS[next(main for main in ARMS if name.startswith(main))]
        axes.errorbar([_between(whole)], [row], xerr=_reach(whole), marker="o", capsize=3, color=colour)
        each = [_between(pooled([trial])) for trial in arms[name]]
        axes.plot(
            each, [row] * len(each), linestyle="", marker="o", markersize=4, fillstyle="none", color="black", zorder=3
        )
    few = {name: "" if len(arms[name]) >= PUBLISHED else f" ({len(arms[name])})" for name in names}
    axes.set(xscale="log", yticks=range(len(names)), yticklabels=[name + few[name] for name in names])
    axes.set(
        title="Miles between disengagements (95 %)",
        xlabel="exam at stress rates, in places never seen; rings: trainings",
    )
    _plain_ticks(axes.xaxis)
    axes.grid(alpha=0.3, axis="x", which="both")


def _miles(axes: Axes, arms: Mapping[str, Sequence[Facts]], base_s: float) -> None:
    for main in ARMS:
        points = [
            (base_s + trials[0]["labelled_s"], pooled(trials))
            for name, trials in arms.items()
            if name == main or (name in SCALING and name.startswith(main))
        ]
        line = sorted(points, key=lambda point: point[0])
        middle = [_between(miles) for _, miles in line]
        below, above = zip(*((own[0][0], own[1][0]) for own in (_reach(miles) for _, miles in line)), strict=True)
        seconds = [seconds for seconds, _ in line]
        axes.errorbar(seconds, middle, [below, above], marker="o", capsize=3, label=main, color=COLOURS[main])
    axes.set(xscale="log", yscale="log", title="and by what they learned from", xlabel="labelled seconds")
    _plain_ticks(axes.xaxis)
    _plain_ticks(axes.yaxis)
    axes.grid(alpha=0.3, which="both")
    axes.legend(loc="lower right")


def _between(miles: Miles) -> float:
    return miles.miles / max(miles.count, 0.5)


def _reach(miles: Miles) -> tuple[list[float], list[float]]:
    """How far the interval goes below and above; where nothing bounds it, three times as far as the middle."""
    low, high = miles.interval()
    middle = _between(miles)
    return [middle - low], [(3 * middle if high is None else high) - middle]


def _plain_ticks(axis: Axis) -> None:
    """Numbers as one says them, at 1, 2, 3 and 5, for axes of few decades."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 3.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axis.set_minor_formatter(NullFormatter())
    axis.set_tick_params(labelsize=8)


def _cars(axes: Axes, met: Facts) -> None:
    for kind, seen in sorted(met["met"].items(), key=lambda pair: -pair[1]):
        told = fleet_size.met(seen, met["miles"])
        (line,) = axes.plot(fleet_size.SIZES, told.middle.clip(0.1), label=kind)
        axes.fill_between(fleet_size.SIZES, told.low.clip(0.1), told.high.clip(0.1), color=line.get_color(), alpha=0.2)
    for wanted in (10, 100):
        axes.axhline(wanted, color="gray", linewidth=0.8)
    axes.set(xscale="log", yscale="log", xlabel="cars", ylabel="met in a day, 90 % of days")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=7)
    axes.set_title(f"simulated from {met['miles']:.0f} measured miles")
