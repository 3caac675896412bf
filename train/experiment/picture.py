"""Two pictures of an experiment: how far policies drive by what they learned from, and what larger fleets meet."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from train.experiment import fleet_size
from train.experiment.plan import ARMS, SCALING
from train.experiment.table import pooled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Facts = dict[str, Any]


def picture(arms: Mapping[str, Sequence[Facts]], met: Facts, base_s: float) -> bytes:
    """PNG. `base_s`: labelled seconds that every arm has."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.4, 4.0), layout="constrained")
    FigureCanvasAgg(figure)
    _miles(figure.add_subplot(1, 2, 1), arms, base_s)
    _cars(figure.add_subplot(1, 2, 2), met)
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=110)
    return out.getvalue()


def _miles(axes: Axes, arms: Mapping[str, Sequence[Facts]], base_s: float) -> None:
    for main in ARMS:
        line = sorted(
            (base_s + trials[0]["labelled_s"], pooled(trials))
            for name, trials in arms.items()
            if name == main or (name in SCALING and name.startswith(main))
        )
        middle = [miles.miles / max(miles.count, 0.5) for _, miles in line]
        ends = [miles.interval() for _, miles in line]
        below = [m - low for m, (low, _) in zip(middle, ends, strict=True)]
        above = [(3 * m if high is None else high) - m for m, (_, high) in zip(middle, ends, strict=True)]
        axes.errorbar([seconds for seconds, _ in line], middle, [below, above], marker="o", capsize=3, label=main)
    axes.set(xscale="log", yscale="log", xlabel="seconds to learn from", ylabel="miles between disengagements")
    axes.grid(alpha=0.3, which="both")
    axes.legend()
    axes.set_title("exam at stress rates, places never seen")


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
