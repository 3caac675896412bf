"""Scan a drive: triggers, campaigns and the baseline, and what is known of every second's chance to be kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.drive import Drive
from edge.errors import DriveError
from edge.night.budget import DEFAULT_BASELINE
from edge.video.camera import LONGEST_NS
from trigger.baseline import KIND as BASELINE
from trigger.baseline import SECOND_NS, baseline_events, inclusion_by_baseline
from trigger.baseline import whole_seconds as on_grid
from trigger.builtin import TRIGGERS
from trigger.campaign import Campaign
from trigger.detect import detect
from trigger.engine import in_order
from trigger.event import Event
from trigger.listening import as_triggers, listens


@dataclass(frozen=True)
class Lot:
    """An event of a campaign that keeps only a share of its events, and whether this one was drawn."""

    event: Event
    probability: float
    drawn: bool


@dataclass(frozen=True)
class Scan:
    """What one drive holds.

    Attributes:
        events: to be kept, in order of time, the baseline's draws and what lots chose among them.
        absent: kind of trigger to the signals it would have needed.
        baseline: probability with which each second was drawn.
        lots: what campaigns drew for, chosen or not.
    """

    drive: Drive
    events: tuple[Event, ...]
    absent: Mapping[str, str]
    baseline: float
    lots: tuple[Lot, ...] = ()


def scan(drive: Drive, baseline: float = DEFAULT_BASELINE, campaigns: Sequence[Campaign] = ()) -> Scan:
    """Find a drive's events and draw its baseline.

    Raises:
        DriveError: a clip (its seconds were drawn already: drawing again would count them twice), or a drive whose
            clock makes it longer than a week, which one wrong time stamp does.
        CampaignError: campaigns whose names collide.
    """
    if drive.cut is not None:
        raise DriveError(f"{drive.source} is a clip of {drive.cut.parent}", "a whole drive", "name the drive itself")
    start_ns, end_ns = drive.span_ns
    longest_ns = max(end_ns, drive.t0_ns) - min(start_ns, drive.t0_ns)
    if longest_ns > LONGEST_NS:
        days = longest_ns / 8.64e13
        raise DriveError(f"{drive.source} spans {days:.0f} days", "one drive", "mend or drop the wrong times")
    found = detect(drive.telemetry, drive.vehicle, (*TRIGGERS, *as_triggers(campaigns)))
    certain, lots = _drawn(drive, found.events, {campaign.name: campaign for campaign in campaigns})
    chosen = (lot.event for lot in lots if lot.drawn)
    drawn = baseline_events(drive.id, drive.t0_ns, drive.seconds, baseline)
    return Scan(drive, in_order([*certain, *chosen, *drawn]), found.absent, baseline, tuple(lots))


def _drawn(drive: Drive, events: Sequence[Event], campaigns: Mapping[str, Campaign]) -> tuple[list[Event], list[Lot]]:
    """Events that are kept for certain, and those that campaigns draw lots for."""
    certain, lots = [], []
    for event in events:
        campaign = campaigns.get(event.kind)
        if campaign and not listens(campaign, event, drive.telemetry):
            continue
        if campaign and campaign.probability < 1.0:
            drawn = campaign.keeps(drive.id, drive.t0_ns, event.t_ns)
            lots.append(Lot(event, campaign.probability, drawn))
        else:
            certain.append(event)
    return certain, lots


def whole_seconds(drive: Drive, window_ns: tuple[int, int]) -> tuple[int, int]:
    """A window as [first, end) seconds of the drive's grid, widened outward and clamped to the drive."""
    first, end = on_grid(window_ns, drive.t0_ns)
    return max(0, first), min(drive.seconds, end)


def inclusion(found: Scan) -> NDArray[np.float64]:
    """Probability that at least one clip covers each second of the drive, (seconds,) float64.

    Triggers follow from the signals, so what they cover is certain. Else a second is missed where the baseline's draw
    and every lot whose window covers it miss it; these are independent, one lot a second of onset.
    """
    missed = 1.0 - inclusion_by_baseline(found.drive.seconds, found.baseline)
    by_draw: dict[tuple[str, int], list[Lot]] = {}
    for lot in found.lots:
        by_draw.setdefault((lot.event.kind, (lot.event.t_ns - found.drive.t0_ns) // SECOND_NS), []).append(lot)
    for lots in by_draw.values():
        covered = np.zeros(found.drive.seconds, bool)
        for lot in lots:
            covered[slice(*whole_seconds(found.drive, lot.event.window_ns))] = True
        missed[covered] *= 1.0 - lots[0].probability
    by_chance = {BASELINE, *(lot.event.kind for lot in found.lots)}
    for event in found.events:
        if event.kind not in by_chance:
            missed[slice(*whole_seconds(found.drive, event.window_ns))] = 0.0
    return np.asarray(1.0 - missed, np.float64)
