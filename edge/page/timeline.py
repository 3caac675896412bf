"""A drive as it is drawn over time: lines, bands, events, pauses. Pure; small enough to embed in a page.

Rules:
- Signals are read one at a time, so memory holds one whole signal at most.
- Only what `CHARTS` lists and flags are drawn. Latitude, longitude and heading are not among them, and so never in a
  page that may be passed on.
- Nothing is interpolated or held: a line is made of samples (see `edge.page.envelope`), a state ends with its samples.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise

import numpy as np

from edge.page.envelope import Window, bin_edges, envelope, merged, pauses, unbroken
from edge.page.film import Film
from edge.scan import Scan
from trigger.baseline import KIND as BASELINE
from trigger.event import Event
from trigger.signals import SIGNALS, ControlSource, EndReason
from trigger.telemetry import Times, Values

CHARTS = (
    ("speed_mps",),
    ("steering_wheel_deg",),
    ("steering_tire_deg",),
    ("steering_normalised",),
    ("gas_fraction", "brake_fraction"),
    ("accel_long_mps2", "accel_lat_mps2"),
    ("yaw_rate_dps",),
    ("steering_torque_nm",),
    ("lead_distance_m",),
    ("lead_closing_mps",),
)
"""Signals that share a chart share a unit."""
SAID_BY = {"gas_pressed": "gas_fraction", "brake_pressed": "brake_fraction"}
"""Flags that a line shows already, where the drive has it."""
SOURCES = ("control_source_steering", "control_source_speed")
MEANINGS: dict[str, type[IntEnum]] = {"source": ControlSource, "reason": EndReason}
MAX_SPANS = 2_000
"""Spans of one band, and gaps; beyond it the shortest pauses between spans are closed."""
MAX_BINS, MIN_BINS, PAGE_BINS = 2_000, 200, 40_000
"""Bins of a line: more than a screen has columns; fewer where many drives share a page."""
PAGE_PICTURE_BYTES = 15_000_000
"""20 MB of a page, where pictures are base64."""


@dataclass(frozen=True)
class Room:
    """What one drive may take of a page: bins of its lines (see `timeline`), bytes of its pictures."""

    bins: int
    picture_bytes: int

    @staticmethod
    def of(drives: int) -> Room:
        """An equal share for each of `drives`, so that a page stays one that a browser opens."""
        return Room(max(MIN_BINS, min(MAX_BINS, PAGE_BINS // drives)), PAGE_PICTURE_BYTES // drives)


@dataclass(frozen=True, repr=False)
class Line:
    """A signal's envelope: (M,) int64 ns, (M,) float64, NaN where the line breaks."""

    signal: str
    t_ns: Times
    values: Values


@dataclass(frozen=True)
class Span:
    """[start, end) ns in which a state held; `label` says which, "" for a flag that was on."""

    start_ns: int
    end_ns: int
    label: str = ""


@dataclass(frozen=True)
class Band:
    title: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, repr=False)
class Timeline:
    """What is drawn of one drive.

    Attributes:
        charts: lines that are drawn together.
        gaps_ns: stretches in which nothing at all was recorded.
        engagement: what "engaged" means in this recording.
        absent: kind of trigger to the signals it would have needed.
    """

    drive: str
    recorder: str
    t0_ns: int
    span_ns: Window
    events: tuple[Event, ...]
    charts: tuple[tuple[Line, ...], ...]
    bands: tuple[Band, ...]
    gaps_ns: tuple[Window, ...]
    film: Film
    engagement: str
    absent: Mapping[str, str]
    lost: tuple[str, ...]
    notes: tuple[str, ...]


def timeline(found: Scan, film: Film, bins: int) -> Timeline:
    """Draw a scanned drive with at most `bins` bins over its whole length and as many again around its events."""
    drive, telemetry = found.drive, found.drive.telemetry
    windows = [event.window_ns for event in found.events if event.kind != BASELINE]
    edges = bin_edges(drive.span_ns, windows, bins)
    recorded = [stretch for reel in film.reels for stretch in reel.recorded_ns]
    lines: dict[str, Line] = {}
    states: dict[str, tuple[Span, ...]] = {}
    drawn = {name for chart in CHARTS for name in chart}
    for name in (name for name in SIGNALS if name in telemetry):
        t_ns, values = telemetry.samples(name)
        recorded += unbroken(t_ns)
        if name in drawn:
            lines[name] = Line(name, *envelope(t_ns, values, edges))
        elif SIGNALS[name].kind != "number" and SAID_BY.get(name) not in telemetry:
            states[name] = fewer(list(_spans(name, t_ns, values)))
    return Timeline(
        drive=drive.id,
        recorder=drive.recorder,
        t0_ns=drive.t0_ns,
        span_ns=drive.span_ns,
        events=found.events,
        charts=tuple(c for chart in CHARTS if (c := tuple(lines[name] for name in chart if name in lines))),
        bands=tuple(_bands(states)),
        gaps_ns=_gaps(recorded),
        film=film,
        engagement=drive.engagement,
        absent=dict(found.absent),
        lost=drive.lost,
        notes=drive.notes,
    )


def fewer(spans: Sequence[Span], most: int = MAX_SPANS) -> tuple[Span, ...]:
    """At most `most` spans: where there are more, those with the least between them are joined into the earlier one."""
    if len(spans) <= most:
        return tuple(spans)
    between = np.array([after.start_ns - before.end_ns for before, after in pairwise(spans)])
    starts = [0, *sorted((np.argsort(-between, kind="stable")[: most - 1] + 1).tolist())]
    ends = [*(start - 1 for start in starts[1:]), len(spans) - 1]
    return tuple(Span(spans[a].start_ns, spans[b].end_ns, spans[a].label) for a, b in zip(starts, ends, strict=True))


def _spans(name: str, t_ns: Times, values: Values) -> Iterator[Span]:
    """Runs of one state. Each lasts until the sample that ends it, or to its own last where the recording pauses."""
    state, pause = np.rint(values).astype(np.int64), pauses(t_ns)
    first = np.flatnonzero(np.append(True, (np.diff(state) != 0) | pause))
    last = np.append(first[1:] - 1, t_ns.size - 1)
    until = np.where(np.append(pause, True)[last], last, np.minimum(last + 1, t_ns.size - 1))
    meaning = MEANINGS.get(SIGNALS[name].kind)
    known = {1: ""} if meaning is None else {int(m): m.name.lower() for m in meaning if m != 0}
    for value, start_ns, end_ns in zip(state[first].tolist(), t_ns[first].tolist(), t_ns[until].tolist(), strict=True):
        if value in known:
            yield Span(start_ns, end_ns, known[value])


def _bands(states: dict[str, tuple[Span, ...]]) -> Iterator[Band]:
    """One band a state; who steered and who worked the pedals are one where they never differ."""
    steering, speed = (states.get(name) for name in SOURCES)
    for name, spans in states.items():
        if name not in SOURCES:
            yield Band(name.replace("_", " "), spans)
    if steering is not None and speed is not None and steering == speed:
        yield Band("driven by", steering)
        return
    if steering is not None:
        yield Band("steered by", steering)
    if speed is not None:
        yield Band("gas and brake by", speed)


def _gaps(recorded: Sequence[Window]) -> tuple[Window, ...]:
    spans = fewer([Span(*stretch) for stretch in merged(recorded)], MAX_SPANS + 1)
    return tuple((before.end_ns, after.start_ns) for before, after in pairwise(spans))
