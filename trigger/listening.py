"""Campaigns as triggers of the engine, and which of their moments count."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from typing import Any

import numpy as np

from trigger.builtin import WINDOWS, Trigger, Window
from trigger.campaign import Campaign
from trigger.campaign_file import CampaignError
from trigger.disengagement import KIND, PARTIAL
from trigger.event import Event
from trigger.measures import Measure, SignalAbsentError
from trigger.telemetry import Recorded
from trigger.vehicle import VehicleProfile

BUILT_IN = frozenset({*WINDOWS, KIND, PARTIAL})
"""Kinds of events that no campaign can be named after."""
POSITION_AGE_S = 2.0
"""Receivers of positions speak once a second."""


def as_triggers(campaigns: Sequence[Campaign]) -> tuple[Trigger, ...]:
    """One trigger a campaign, its kind the campaign's name; what their expressions have in common is computed once.

    Raises:
        CampaignError: two of one name, or one with the name of a built-in kind.
    """
    taken = set(BUILT_IN)
    memo: dict[str, Any] = {}
    made = []
    for campaign in campaigns:
        if campaign.name in taken:
            raise CampaignError(f"the name {campaign.name}, which is taken", "a name of its own", "rename the campaign")
        taken.add(campaign.name)
        made.append(
            Trigger(
                campaign.name,
                partial(_measure, campaign, memo),
                "",
                campaign.limits,
                campaign.expression.text,
                "campaign",
                Window(campaign.before_s, campaign.after_s),
                campaign.version,
            )
        )
    return tuple(made)


def _measure(campaign: Campaign, memo: dict[str, Any], signals: Collection[str], vehicle: VehicleProfile) -> Measure:
    missing = campaign.expression.signals - set(signals)
    if missing:
        raise SignalAbsentError(", ".join(sorted(missing)))
    return lambda telemetry, since_ns: campaign.expression.evaluate(telemetry, memo, since_ns)


def listens(campaign: Campaign, event: Event, telemetry: Recorded) -> bool:
    """Whether an event lies where and when its campaign listens; without a position it is in no region."""
    at = np.array([event.t_ns])
    lat, lon = (float(telemetry.at(name, at, POSITION_AGE_S)[0]) for name in ("lat_deg", "lon_deg"))
    return campaign.in_hours(event.t_ns) and campaign.in_region(lat, lon)
