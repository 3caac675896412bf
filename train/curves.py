"""How training went: losses along the way, as JSON for programs and as a PNG for people.

The validation figures are for looking at only: no step is stopped and no weight is chosen by them, so the eval split
stays an exam.
"""

from __future__ import annotations

import io
from dataclasses import asdict, dataclass, field

from edge.manifest import canonical_json

CURVES_JSON, CURVES_PNG = "curves.json", "curves.png"


@dataclass(frozen=True)
class Point:
    """One look at training; losses are smooth L1 in standardised units.

    Attributes:
        loss: mean of the training batches since the point before.
        eval_loss: of the averaged weights on the fixed eval subset, None without one.
        eval_rmse: control name to root mean square error in its unit, on that subset.
    """

    step: int
    seconds: float
    loss: float
    eval_loss: float | None = None
    eval_rmse: dict[str, float] = field(default_factory=dict)


def curves_json(points: list[Point]) -> bytes:
    note = "eval figures are for the curve only: they neither stop training nor choose weights"
    return canonical_json({"note": note, "points": [asdict(point) for point in points]}) + b"\n"


def curves_png(points: list[Point]) -> bytes:
    """A chart of both losses over the steps."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    steps = [point.step for point in points]
    axes.plot(steps, [point.loss for point in points], color="#2563eb", label="train (augmented)")
    looked = [(point.step, point.eval_loss) for point in points if point.eval_loss is not None]
    if looked:
        axes.plot(*zip(*looked, strict=True), color="#ea580c", label="eval (for the curve only)")
    axes.set(xlabel="step", ylabel="smooth L1, standardised", ylim=(0, None))
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()
