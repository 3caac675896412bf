"""Drives over time with their events: what the policy learned from and was examined on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from train.chart import Lane, Line, Span, timeline
from train.clips import SourceClip
from train.controls import PEDALS
from train.evaluate import Evaluation
from train.stills import data_address, still
from trigger.signals import STEERING_SIGNALS

MAX_DRIVES = 12
BEFORE_AFTER_S = 1.0


@dataclass(frozen=True)
class Mark:
    """An event on a clip: an event of its manifest, or the first second of a run of rows of one kind."""

    clip: SourceClip
    kind: str
    t_ns: int
    end_ns: int
    severity: float
    split: str


def find_marks(evaluation: Evaluation, clip: SourceClip) -> Iterator[Mark]:
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


def drives(
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


def strip(evaluation: Evaluation, mark: Mark, kinds: Mapping[str, str]) -> dict[str, Any]:
    """An event with a picture before, at and after its onset."""
    view = evaluation.saved.config.view
    pictures = []
    for caption, shift in (("1 s before", -BEFORE_AFTER_S), ("at onset", 0.0), ("1 s after", BEFORE_AFTER_S)):
        picture = still(mark.clip.drive, view, mark.t_ns + round(shift * 1e9))
        pictures.append({"caption": caption, "address": data_address(picture) if picture is not None else ""})
    at_s = (mark.t_ns - mark.clip.drive.t0_ns) / 1e9
    return {"mark": mark, "css": kinds[mark.kind], "at_s": at_s, "pictures": pictures}
