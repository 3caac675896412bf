"""The page as text: gathers what `page.html.j2` shows, from the modules beside this one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup

from edge.durable import write_bytes
from train.chart import Line, line_chart
from train.clips import SourceClip
from train.evaluate import Evaluation, Row
from train.evaluation.bootstrap import MIN_BLOCKS, RESAMPLES
from train.evaluation.slices import ALL, NATURAL, ORDINARY, RARE
from train.figures import Figures
from train.report.drives import drives, find_marks, strip
from train.report.sureness import forests, over_steps, reliability
from train.report.traces import scatters, stretches
from train.report.worst import worst_clips, worst_moments

MAX_EVENTS = 24
COLOURS = 8
"""Event kinds with a colour of their own; further ones share."""
COLUMNS = (RARE, ORDINARY, NATURAL)


def write_report(path: Path, evaluation: Evaluation, clips: Sequence[SourceClip]) -> None:
    """Write the report.

    Args:
        clips: all clips of the version, for the timelines; see `train.samples.open_clips`.
    """
    write_bytes(path, render(evaluation, clips).encode())


def render(evaluation: Evaluation, clips: Sequence[SourceClip]) -> str:
    """The page as text."""
    marks = sorted((m for clip in clips for m in find_marks(evaluation, clip)), key=lambda mark: -mark.severity)
    shown = [mark for mark in marks if mark.kind != "baseline"]
    kinds = {kind: f"e{place % COLOURS}" for place, kind in enumerate(sorted({mark.kind for mark in shown}))}
    page = _environment().get_template("page.html.j2")
    return page.render(
        evaluation=evaluation,
        about=evaluation.saved.about,
        headline=[_headline(evaluation, name) for name in evaluation.samples.spec.names],
        tables=[_table(evaluation, name) for name in evaluation.samples.spec.names],
        columns=COLUMNS,
        resamples=RESAMPLES,
        min_blocks=MIN_BLOCKS,
        forests=forests(evaluation.breakdown),
        steps=over_steps(evaluation.breakdown),
        reliability=reliability(evaluation.breakdown),
        stretches=stretches(evaluation),
        scatters=scatters(evaluation),
        kinds=kinds,
        drives=drives(evaluation, clips, shown, kinds),
        events=[strip(evaluation, mark, kinds) for mark in shown[:MAX_EVENTS]],
        events_left_out=max(0, len(shown) - MAX_EVENTS),
        moments=list(worst_moments(evaluation)),
        worst_clips=list(worst_clips(evaluation)),
        curves=_curves(evaluation),
        mix=evaluation.saved.about.get("result", {}).get("mix", {}),
    )


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"number": number, "share": share}
    return environment


def number(value: float | None) -> str:
    """Three figures, a dash for what does not exist."""
    return "–" if value is None or not np.isfinite(value) else f"{value:.3g}"


def share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def _find(evaluation: Evaluation, who: str, control: str, part: str) -> Row | None:
    rows = (r for r in evaluation.rows if (r.who, r.control, r.slice) == (who, control, part))
    return next(rows, None)


def _headline(evaluation: Evaluation, control: str) -> dict[str, Any]:
    """One control's tile: its error, in rad where it is steering in degrees, beside the two baselines."""
    policy, mean, before = evaluation.contenders[:3]
    rows = [_find(evaluation, who.name, control, ALL) for who in (policy, mean, before)]
    rare = _find(evaluation, policy.name, control, RARE)
    unit = evaluation.samples.spec.unit(control)
    return {
        "control": control,
        "unit": "rad" if unit == "deg" else unit,
        "rmse": [_rmse(row.figures if row else None) for row in rows],
        "r": rows[0].figures.r if rows[0] else None,
        "rare": _rmse(rare.figures if rare else None),
    }


def _rmse(found: Figures | None) -> float | None:
    if found is None:
        return None
    return found.rmse if found.rmse_rad is None else found.rmse_rad


def _table(evaluation: Evaluation, control: str) -> dict[str, Any]:
    lines = []
    for contender in evaluation.contenders:
        rows = {part: _find(evaluation, contender.name, control, part) for part in (ALL, *COLUMNS)}
        overall = rows[ALL]
        if overall is not None:
            lines.append({"who": contender.name, "kind": contender.kind, "all": overall, "rows": rows})
    return {"control": control, "unit": evaluation.samples.spec.unit(control), "lines": lines}


def _curves(evaluation: Evaluation) -> Markup | None:
    """Training and eval loss over the steps, where the policy's folder still has them."""
    points = evaluation.saved.curves()
    if not points:
        return None
    steps = np.array([point["step"] for point in points], np.float64)
    lines = [Line(steps, np.array([point["loss"] for point in points], np.float64), "c-speed", "train")]
    looked = [point["eval_loss"] if point["eval_loss"] is not None else np.nan for point in points]
    lines.append(Line(steps, np.array(looked, np.float64), "c-policy", "eval"))
    return Markup(line_chart(lines, "step", "smooth L1, standardised", from_zero=True))
