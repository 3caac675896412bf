"""The rows of a dataset, before weights: every whole second of every admitted clip in which something was seen.

A second is what was drawn on the car, so it is what is counted here. One that two clips hold counts once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from curate.admit import doubted_claims
from curate.manner import NOT_MEASURED, Manner, manners
from curate.place import cell_of
from curate.shares import device_of
from edge.clip import open_clip
from edge.drive import Drive, open_drive
from edge.errors import EdgeError
from trigger.baseline import KIND as BASELINE
from trigger.baseline import SECOND_NS, inclusion_at
from trigger.builtin import window_of
from trigger.disengagement import KIND as DISENGAGEMENT
from trigger.disengagement import PARTIAL
from trigger.event import Event
from trigger.signals import CONTROL_AGE_S, SOURCE_AGE_S, STEERING_SIGNALS, ControlSource, controls_of
from trigger.telemetry import Recorded, Values

MOMENTARY = frozenset((DISENGAGEMENT, PARTIAL, BASELINE))
"""Kinds whose focus is counted from the onset; that of any other, a campaign's too, runs on to the event's end."""
FRAME_STEP_S = 0.05
"""Spacing at which a second's signals are looked at, in s."""
PLACE_AGE_S = 2.0
"""A position older than this, in s, is not where a second was driven: 60 m at 30 m/s."""


SYNTHETIC = "synthetic"
"""The word in a manifest's `static` for a drive that was staged."""


@dataclass(frozen=True)
class Second:
    """One second of a clip.

    Attributes:
        number, of: which second of the drive's grid, and how many the drive has.
        events: kinds of the events whose focus it lies in, claims in doubt left out. severity: the greatest.
        human_share: share of the second in which a human moved at least one control that is recorded.
        steering, speed_change: mean steering (in its own unit) and change of speed [m/s] over the second,
            NaN where not recorded: what rarity is judged by.
        device: that handed the clip to the service, "" where none did.
        onsets: kinds of the events that begin in it; the baseline's draws are none.
        event_probability: that an event clip covers it. Clips of the baseline do not tell events, so this, and not
            the inclusion probability, is the chance that an event which begins here is known at all.
        speed_mps: mean. turn_signal: 1 left, -1 right, 0 neither or both. lat_deg, lon_deg: where it was in its middle,
            WGS 84. All NaN where not recorded.
        also: the other clips that tell it too; what one of them shows, it shows.
        synthetic: it was staged, as its drive's manifest says (static "synthetic"), and nobody met it on a road.
    """

    clip_id: str
    drive_id: str
    number: int
    of: int
    start_ns: int
    events: tuple[str, ...]
    severity: float
    inclusion_probability: float
    human_share: float
    steering: float
    speed_change: float
    device: str = ""
    onsets: tuple[str, ...] = ()
    event_probability: float = 1.0
    speed_mps: float = np.nan
    turn_signal: float = np.nan
    lat_deg: float = np.nan
    lon_deg: float = np.nan
    manner: Manner = NOT_MEASURED
    also: tuple[str, ...] = ()
    synthetic: bool = False

    @property
    def end_ns(self) -> int:
        return self.start_ns + SECOND_NS

    @property
    def driver(self) -> str:
        """Who drove, as far as is known: whoever drives the device, else whoever drove this drive."""
        return self.device or self.drive_id

    @property
    def place(self) -> str:
        """Name of the cell it was driven in, "" where that is not known."""
        return str(cell_of(self.lat_deg, self.lon_deg) or "")


@dataclass(frozen=True)
class Told:
    """All seconds of the clips, sorted by drive and time; how many were told twice; clips that cannot be read; how many
    claims of the others were refuted, and how many nobody could check."""

    seconds: list[Second]
    twice: int
    unreadable: dict[str, str]
    refuted: int
    unchecked: int


def seconds_of(folders: list[Path]) -> Told:
    """Read the clips.

    A second that two clips tell counts once, with the events of both and the greater of their probabilities: draws are
    nested, so a drive that was cut with two baselines was drawn with the greater. Recordings that share an id are kept
    apart. The length of a drive is the longest that any clip of it tells.
    """
    kept: dict[tuple[str, int], Second] = {}
    told, unreadable = 0, {}
    for folder in sorted(folders):
        try:
            for second in list(_of_clip(folder)):
                told += 1
                key = (second.drive_id, second.number)
                kept[key] = _joined(kept.get(key, second), second)
        except EdgeError as error:
            unreadable[folder.name] = str(error)
    length: dict[str, int] = {}
    for second in kept.values():
        length[second.drive_id] = max(length.get(second.drive_id, 0), second.of)
    seconds = [replace(kept[key], of=length[key[0]]) for key in sorted(kept)]
    doubted = [doubted_claims(folder) for folder in folders if folder.name not in unreadable]
    refuted, unchecked = sum(len(d.refuted) for d in doubted), sum(len(d.unchecked) for d in doubted)
    return Told(seconds, told - len(kept), unreadable, refuted, unchecked)


def _joined(told: Second, again: Second) -> Second:
    """One second that two clips hold, such as one of the baseline and one of an event."""
    return replace(
        told,
        inclusion_probability=max(told.inclusion_probability, again.inclusion_probability),
        events=tuple(sorted({*told.events, *again.events})),
        severity=max(told.severity, again.severity),
        onsets=tuple(sorted({*told.onsets, *again.onsets})),
        event_probability=max(told.event_probability, again.event_probability),
        also=tuple(sorted({*told.also, again.clip_id} - {told.clip_id})),
    )


def _of_clip(folder: Path) -> Iterator[Second]:
    clip, drive = open_clip(folder), open_drive(folder)
    start_ns, end_ns = clip.cut.window_ns
    doubted, device = doubted_claims(folder), device_of(folder)
    doubts = doubted.refuted | doubted.unchecked
    events = [event for event in clip.cut.events if (event.kind, event.t_ns) not in doubts]
    seen = _seconds_with_frames(drive)
    window = range((start_ns - drive.t0_ns) // SECOND_NS, (end_ns - drive.t0_ns) // SECOND_NS)
    numbers = [number for number in window if number in seen]
    baseline = inclusion_at(np.array(numbers, np.int64), clip.cut.parent_seconds, clip.offer.baseline)
    starts = [drive.t0_ns + number * SECOND_NS for number in numbers]
    driven = manners(drive.telemetry, drive.vehicle, starts)
    for number, at_ns, manner, drawn in zip(numbers, starts, driven, baseline.tolist(), strict=True):
        touching = [e for e in events if _in_focus(e, at_ns)]
        begun = {e.kind for e in events if at_ns <= e.t_ns < at_ns + SECOND_NS and e.kind != BASELINE}
        probability = clip.offer.probability(number)
        yield Second(
            clip_id=clip.id,
            device=device,
            drive_id=clip.cut.recording,
            number=number,
            of=clip.cut.parent_seconds,
            start_ns=at_ns,
            events=tuple(sorted({e.kind for e in touching})),
            severity=max((e.severity for e in touching), default=0.0),
            inclusion_probability=probability,
            onsets=tuple(sorted(begun)),
            event_probability=_of_events(probability, drawn),
            manner=manner,
            also=(),
            synthetic=drive.static.get(SYNTHETIC) is True,
            **_signals(drive.telemetry, at_ns),
        )


def _of_events(probability: float, baseline: float) -> float:
    """q of P = 1 - (1 - b)(1 - q), see `edge.night.inclusion`; 1 where the baseline takes everything and hides q."""
    return 1.0 - (1.0 - probability) / (1.0 - baseline) if baseline < 1.0 else 1.0


def _seconds_with_frames(drive: Drive) -> set[int]:
    times = [camera.frame_times() for camera in drive.cameras.values()]
    return set(np.unique((np.concatenate(times) - drive.t0_ns) // SECOND_NS).tolist()) if times else set()


def _in_focus(event: Event, start_ns: int) -> bool:
    """Does the second share a moment with the part of the event that is the event itself?"""
    window = window_of(event.kind)
    end_ns = event.t_ns if event.kind in MOMENTARY else event.end_ns
    low = event.t_ns - round(window.focus_before_s * 1e9)
    high = end_ns + max(round(window.focus_after_s * 1e9), 1)
    return low < start_ns + SECOND_NS and start_ns < high


def _signals(telemetry: Recorded, start_ns: int) -> dict[str, float]:
    grid = start_ns + np.arange(0, SECOND_NS, round(FRAME_STEP_S * 1e9))
    human = np.zeros(grid.size, bool)
    for source, controls in controls_of(telemetry).items():
        recorded = np.any([np.isfinite(telemetry.at(name, grid, CONTROL_AGE_S)) for name in controls], axis=0)
        human |= recorded & (telemetry.at(source, grid, SOURCE_AGE_S) == ControlSource.HUMAN)
    steering = next((name for name in STEERING_SIGNALS if name in telemetry), None)
    angles = telemetry.at(steering, grid, 1.0) if steering else np.full(1, np.nan)
    speed = telemetry.at("speed_mps", grid, 1.0)
    middle = np.array([start_ns + SECOND_NS // 2])
    left, right = (float(telemetry.at(f"blinker_{side}", middle, PLACE_AGE_S)[0]) for side in ("left", "right"))
    return {
        "human_share": float(human.mean()),
        "steering": _mean(angles),
        "speed_change": float(speed[-1] - speed[0]),
        "speed_mps": _mean(speed),
        "turn_signal": left - right,
        "lat_deg": float(telemetry.at("lat_deg", middle, PLACE_AGE_S)[0]),
        "lon_deg": float(telemetry.at("lon_deg", middle, PLACE_AGE_S)[0]),
    }


def _mean(values: Values) -> float:
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")
