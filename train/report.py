"""One HTML file about a policy: what it got right, where it failed, and what it learned from.

Everything is inside the file: styles, charts as SVG, pictures as JPEG. It opens from a disk with no network, on a
phone, by day and by night. The page is `report.html.j2`; this module gathers what it shows.

The trade-off: pictures are small and few (see the limits), so that a report stays below a few megabytes; what was
left out is counted on the page. It shows an evaluation, it computes no figure of its own.

Shapes: S samples, A controls.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from edge.durable import write_bytes
from train.chart import Lane, Line, Span, line_chart, scatter, timeline
from train.controls import PEDALS, labels
from train.draw import HUMAN, POLICY, Dial, panel
from train.evaluate import SLICES, Evaluation, Row
from train.figures import Figures
from train.samples import SourceClip
from train.stills import data_address, shrunk, still
from trigger.signals import STEERING_SIGNALS

MAX_DRIVES, MAX_EVENTS, MAX_STRETCHES, MAX_WORST = 12, 24, 12, 6
APART_S = 3.0
"""Two worst moments lie at least this far apart, in seconds."""
BEFORE_AFTER_S = 1.0
COLOURS = 8
"""Event kinds with a colour of their own; further ones share."""


@dataclass(frozen=True)
class Mark:
    """An event on a clip: an event of its manifest, or the first second of a run of rows of one kind."""

    clip: SourceClip
    kind: str
    t_ns: int
    end_ns: int
    severity: float
    split: str


def write_report(path: Path, evaluation: Evaluation, clips: Sequence[SourceClip]) -> None:
    """Write the report.

    Args:
        clips: all clips of the version, for the timelines; see `train.samples.open_clips`.
    """
    write_bytes(path, render(evaluation, clips).encode())


def render(evaluation: Evaluation, clips: Sequence[SourceClip]) -> str:
    """The page as text."""
    marks = sorted((m for clip in clips for m in _marks(evaluation, clip)), key=lambda mark: -mark.severity)
    shown = [mark for mark in marks if mark.kind != "baseline"]
    kinds = {kind: f"e{place % COLOURS}" for place, kind in enumerate(sorted({mark.kind for mark in shown}))}
    page = _environment().get_template("report.html.j2")
    return page.render(
        evaluation=evaluation,
        about=evaluation.saved.about,
        headline=[_headline(evaluation, name) for name in evaluation.samples.spec.names],
        tables=[_table(evaluation, name) for name in evaluation.samples.spec.names],
        slices=SLICES,
        stretches=_stretches(evaluation),
        scatters=[_scatter(evaluation, place) for place in range(len(evaluation.samples.spec.names))],
        kinds=kinds,
        drives=_drives(evaluation, clips, shown, kinds),
        events=[_strip(evaluation, mark, kinds) for mark in shown[:MAX_EVENTS]],
        events_left_out=max(0, len(shown) - MAX_EVENTS),
        worst=list(_worst(evaluation)),
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
    environment.filters["number"] = number
    return environment


def number(value: float | None) -> str:
    """Three figures, a dash for what does not exist."""
    return "–" if value is None or not np.isfinite(value) else f"{value:.3g}"


def _find(evaluation: Evaluation, who: str, control: str, part: str) -> Row | None:
    rows = (r for r in evaluation.rows if (r.who, r.control, r.slice) == (who, control, part))
    return next(rows, None)


def _headline(evaluation: Evaluation, control: str) -> dict[str, Any]:
    """One control's tile: its error, in rad where it is steering in degrees, beside the two baselines."""
    policy, mean, before = evaluation.contenders[:3]
    rows = [_find(evaluation, who.name, control, "all") for who in (policy, mean, before)]
    rare = _find(evaluation, policy.name, control, "rare")
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
        rows = {part: _find(evaluation, contender.name, control, part) for part in SLICES}
        overall = rows["all"]
        if overall is not None:
            lines.append({"who": contender.name, "kind": contender.kind, "all": overall, "rows": rows})
    return {"control": control, "unit": evaluation.samples.spec.unit(control), "lines": lines}


def _stretches(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Predicted against true over time, for each unbroken stretch of the exam, longest first."""
    samples, found = evaluation.samples, []
    gaps = np.diff(samples.t_ns) > 2_000_000_000
    breaks = np.flatnonzero(gaps | (np.diff(samples.clip) != 0) | (np.diff(samples.t_ns) < 0)) + 1
    pieces = sorted(np.split(np.arange(len(samples)), breaks), key=len, reverse=True)
    for piece in pieces[:MAX_STRETCHES]:
        clip = samples.clips[samples.clip[piece[0]]]
        x = (samples.t_ns[piece] - clip.drive.t0_ns) / 1e9
        charts = []
        for place, name in enumerate(samples.spec.names):
            lines = [
                Line(x, samples.controls[piece, place].astype(np.float64), "c-truth", "driver"),
                Line(x, evaluation.predicted[piece, place], "c-policy", "policy"),
            ]
            charts.append(Markup(line_chart(lines, "time of the drive [s]", _named(evaluation, name))))
        found.append({"clip": clip.clip_id, "drive": clip.drive.id, "seconds": float(x[-1] - x[0]), "charts": charts})
    return found


def _scatter(evaluation: Evaluation, place: int) -> Markup:
    samples = evaluation.samples
    name = _named(evaluation, samples.spec.names[place])
    truth = samples.controls[:, place].astype(np.float64)
    return Markup(scatter(truth, evaluation.predicted[:, place], f"driver: {name}", f"policy: {name}"))


def _named(evaluation: Evaluation, control: str) -> str:
    unit = evaluation.samples.spec.unit(control)
    return control.removesuffix("_deg").replace("_", " ") + (f" [{unit}]" if unit else "")


def _marks(evaluation: Evaluation, clip: SourceClip) -> Iterator[Mark]:
    rows = evaluation.version.rows.take(clip.rows).to_pylist()
    split_at = {row["start_ns"]: row["split"] for row in rows}
    if clip.drive.cut is not None:
        for event in clip.drive.cut.events:
            start = max((s for s in split_at if s <= event.t_ns), default=None)
            split = split_at[start] if start is not None else ""
            yield Mark(clip, event.kind, event.t_ns, event.end_ns, event.severity, split)
        return
    before: set[str] = set()
    for row in sorted(rows, key=lambda row: row["start_ns"]):
        kinds = set(row["events"] or ())
        for kind in sorted(kinds - before):
            yield Mark(clip, kind, row["start_ns"], row["end_ns"], row["severity"], row["split"])
        before = kinds


def _drives(
    evaluation: Evaluation, clips: Sequence[SourceClip], marks: Sequence[Mark], kinds: Mapping[str, str]
) -> list[dict[str, Any]]:
    by_drive: dict[str, list[SourceClip]] = {}
    ids = evaluation.version.rows.column("drive_id").to_pylist()
    for clip in clips:
        by_drive.setdefault(ids[int(clip.rows[0])], []).append(clip)
    chosen = sorted(by_drive.items(), key=lambda item: -sum(clip.rows.size for clip in item[1]))[:MAX_DRIVES]
    return [
        {
            "drive": drive,
            "clips": len(own),
            "chart": Markup(_drive_chart(evaluation, own, [m for m in marks if m.clip in own], kinds)),
            "left_out": len(by_drive) - len(chosen),
        }
        for drive, own in chosen
    ]


def _drive_chart(
    evaluation: Evaluation, clips: Sequence[SourceClip], marks: Sequence[Mark], kinds: Mapping[str, str]
) -> str:
    rows = [row for clip in clips for row in evaluation.version.rows.take(clip.rows).to_pylist()]
    zero = min(row["start_ns"] for row in rows)
    end = (max(row["end_ns"] for row in rows) - zero) / 1e9
    splits = [
        Span((row["start_ns"] - zero) / 1e9, (row["end_ns"] - zero) / 1e9, f"b-{row['split']}", row["split"])
        for row in rows
    ]
    events = [
        Span((m.t_ns - zero) / 1e9, (m.end_ns - zero) / 1e9, f"c-{kinds[m.kind]}", f"{m.kind} {m.severity:.2f}")
        for m in marks
    ]
    bands = [("split", splits), ("engaged", [s for clip in clips for s in _engaged(clip, zero)])]
    return timeline(list(_lanes(clips, zero)), bands, events, end)


def _lanes(clips: Sequence[SourceClip], zero: int) -> Iterator[Lane]:
    carried = [name for name in STEERING_SIGNALS if any(name in clip.drive.telemetry for clip in clips)]
    lanes = [("steering", carried[:1], ["c-truth"]), ("speed [m/s]", ["speed_mps"], ["c-speed"])]
    lanes.append(("gas (green), brake (red)", list(PEDALS), ["c-truth", "c-brake"]))
    for label, names, colours in lanes:
        lines = [_signal(clips, name, zero, css) for name, css in zip(names, colours, strict=False)]
        lines = [line for line in lines if line.x.size]
        if lines:
            yield Lane(label, lines)


def _signal(clips: Sequence[SourceClip], name: str, zero: int, css: str) -> Line:
    """A signal over all clips of a drive, inside their windows, broken between them."""
    xs: list[NDArray[np.float64]] = []
    ys: list[NDArray[np.float64]] = []
    for clip in sorted(clips, key=lambda clip: int(clip.frames.t_ns[0])):
        if name in clip.drive.telemetry:
            t_ns, values = clip.drive.telemetry.samples(name)
            inside = (t_ns >= clip.frames.t_ns[0]) & (t_ns <= clip.frames.t_ns[-1])
            xs += [(t_ns[inside] - zero) / 1e9, np.array([(clip.frames.t_ns[-1] - zero) / 1e9])]
            ys += [values[inside], np.array([np.nan])]
    return Line(np.concatenate(xs or [np.empty(0)]), np.concatenate(ys or [np.empty(0)]), css)


def _engaged(clip: SourceClip, zero: int) -> Iterator[Span]:
    if "engaged" not in clip.drive.telemetry:
        return
    t_ns, values = clip.drive.telemetry.samples("engaged")
    first, last = int(clip.frames.t_ns[0]), int(clip.frames.t_ns[-1])
    ends = np.append(t_ns[1:], last)
    for start, end, value in zip(t_ns.tolist(), ends.tolist(), values.tolist(), strict=True):
        start, end = max(start, first), min(end, last)
        if value and end > start:
            yield Span((start - zero) / 1e9, (end - zero) / 1e9, "b-engaged", "engaged")


def _strip(evaluation: Evaluation, mark: Mark, kinds: Mapping[str, str]) -> dict[str, Any]:
    """An event with a picture before, at and after its onset."""
    view = evaluation.saved.config.view
    pictures = []
    for caption, shift in (("1 s before", -BEFORE_AFTER_S), ("at onset", 0.0), ("1 s after", BEFORE_AFTER_S)):
        picture = still(mark.clip.drive, view, mark.t_ns + round(shift * 1e9))
        pictures.append({"caption": caption, "address": data_address(picture) if picture is not None else ""})
    at_s = (mark.t_ns - mark.clip.drive.t0_ns) / 1e9
    return {"mark": mark, "css": kinds[mark.kind], "at_s": at_s, "pictures": pictures}


def _worst(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    """The samples furthest from the driver in the first control (steering, where there is any)."""
    samples, view = evaluation.samples, evaluation.saved.config.view
    error = np.abs(evaluation.predicted[:, 0] - samples.controls[:, 0])
    taken: list[int] = []
    for index in np.argsort(-np.nan_to_num(error, nan=-1.0)).tolist():
        if len(taken) == MAX_WORST or np.isnan(error[index]):
            return
        clip = samples.clips[samples.clip[index]]
        others = [t for t in taken if samples.clip[t] == samples.clip[index]]
        if any(abs(int(samples.t_ns[t] - samples.t_ns[index])) < APART_S * 1e9 for t in others):
            continue
        taken.append(index)
        picture = still(clip.drive, view, int(samples.t_ns[index]), 480)
        if picture is None:
            continue
        yield {
            "address": data_address(_with_dials(evaluation, index, picture)),
            "clip": clip.clip_id,
            "at_s": float(samples.t_ns[index] - clip.drive.t0_ns) / 1e9,
            "error": float(error[index]),
            "unit": evaluation.samples.spec.unit(samples.spec.names[0]),
        }


def _with_dials(evaluation: Evaluation, index: int, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    large = shrunk(picture, 640)
    samples, dials = evaluation.samples, {}
    truth = labels(samples.clips[samples.clip[index]].drive.telemetry, samples.spec, samples.t_ns[[index]])[0]
    for place, name in enumerate(samples.spec.names):
        value = None if np.isnan(truth[place]) else float(truth[place])
        mine = float(evaluation.predicted[index, place])
        dials[name] = [Dial(value, HUMAN, "driver"), Dial(mine, POLICY, "policy")]
    panel(large, dials)
    return large


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
