"""Timelines as one HTML file: what was recorded, what was found in it, and what was seen, to be looked at.

Rules:
- Everything is inside the file and it asks no network for anything; a content security policy holds it to that.
- Drives are embedded as JSON, one block each. Names in them come from anywhere: they cannot end their block here, and
  the scripts only ever set them as text.
- Times in the page are seconds from the drive's second 0, as `swerve edge scan` prints them.

The page, its style and its scripts lie in `edge/page/`; this module gathers what they show.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

from edge.durable import write_bytes
from edge.page.envelope import Window
from edge.page.film import Film, Reel
from edge.page.timeline import Line, Timeline
from trigger.signals import SIGNALS

PAGE = Path(__file__).parent
SCRIPTS = ("data.js", "rows.js", "draw.js", "panel.js", "look.js")


def write_page(path: Path, timelines: Sequence[Timeline]) -> None:
    """Write the page; `path` is the whole of it or what it was before."""
    write_bytes(path, render(timelines).encode())


def render(timelines: Sequence[Timeline]) -> str:
    """The page as text."""
    style, *scripts = ((PAGE / name).read_text(encoding="utf-8") for name in ("page.css", *SCRIPTS))
    drives = "\n".join(_block(timeline) for timeline in timelines)
    page = Template((PAGE / "page.html").read_text(encoding="utf-8"))
    return page.substitute(style=style, script="\n".join(scripts), drives=drives)


def _block(timeline: Timeline) -> str:
    """A script element that holds data. Without `<` in it, none of the data can end it or begin another."""
    data = json.dumps(timeline_json(timeline), allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    return f'<script type="application/json" class="drive">{data}</script>'


def timeline_json(timeline: Timeline) -> dict[str, Any]:
    """A drive as the page's script reads it; each event is its `to_json` with its times in seconds."""
    t0_ns = timeline.t0_ns
    return {
        "id": timeline.drive,
        "recorder": timeline.recorder,
        "span": _seconds(t0_ns, timeline.span_ns),
        "engagement": timeline.engagement,
        "absent": dict(timeline.absent),
        "lost": timeline.lost,
        "notes": timeline.notes,
        "events": [
            {
                "t_s": _s(t0_ns, event.t_ns),
                "end_s": _s(t0_ns, event.end_ns),
                "window_s": _seconds(t0_ns, event.window_ns),
                **event.to_json(),
            }
            for event in timeline.events
        ],
        "charts": [[_line(t0_ns, line) for line in chart] for chart in timeline.charts],
        "bands": [
            {"title": b.title, "spans": [[*_seconds(t0_ns, (s.start_ns, s.end_ns)), s.label] for s in b.spans]}
            for b in timeline.bands
        ],
        "gaps": [_seconds(t0_ns, gap) for gap in timeline.gaps_ns],
        "cameras": [_reel(t0_ns, reel) for reel in timeline.film.reels],
        "film": _film(timeline.film),
    }


def _line(t0_ns: int, line: Line) -> dict[str, Any]:
    """Times as steps in ms and values with four figures, so that they are short; null where the line breaks."""
    signal = SIGNALS[line.signal]
    ms = np.round((line.t_ns - t0_ns) / 1e6).astype(np.int64)
    values = [None if v != v else float(f"{v:.4g}") for v in line.values.tolist()]
    name = " ".join(signal.name.split("_")[:-1])
    about = {"signal": signal.name, "name": name, "unit": signal.unit, "meaning": signal.meaning}
    return about | {"range": [signal.low, signal.high], "steps_ms": np.diff(ms, prepend=0).tolist(), "values": values}


def _reel(t0_ns: int, reel: Reel) -> dict[str, Any]:
    return {
        "name": reel.camera,
        "recorded": [_seconds(t0_ns, stretch) for stretch in reel.recorded_ns],
        "t_s": [_s(t0_ns, still.t_ns) for still in reel.stills],
        "jpeg": [base64.b64encode(still.jpeg).decode() for still in reel.stills],
    }


def _film(film: Film) -> dict[str, Any]:
    return {"every_s": round(film.every_s, 1), "left_out": film.left_out}


def _seconds(t0_ns: int, stretch: Window) -> list[float]:
    return [_s(t0_ns, t_ns) for t_ns in stretch]


def _s(t0_ns: int, t_ns: int) -> float:
    return round((t_ns - t0_ns) / 1e9, 3)
