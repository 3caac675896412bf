"""Claims: a car says why it kept a clip, and the same triggers are run again on what arrived.

A claim holds where the triggers find an event of the same kind whose onset lies in the claimed window, and about as
severe. A clip begins with all the context any trigger needs, so an honest claim is found again to the last digit; the
tolerance is for signals that were stored as other numbers on the way. What is not found counts for nothing: the clip
is admitted, and weighed as the ordinary driving it shows. The draws of the baseline claim nothing; those of a campaign
are found where the campaign lies in the store. Where it listened is not asked again: a clip may not tell its place.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge.clip import Clip
from edge.drive import Drive
from trigger.baseline import KIND as BASELINE
from trigger.builtin import TRIGGERS
from trigger.campaign import Campaign
from trigger.detect import detect
from trigger.event import Event
from trigger.listening import as_triggers

TOLERANCE = 0.05
"""Share of a severity by which a claim may exceed what is found."""


def refuted(clip: Clip, drive: Drive, campaigns: Sequence[Campaign] = ()) -> tuple[Event, ...]:
    """The claimed events that the clip's own telemetry does not show."""
    claimed = [event for event in clip.cut.events if event.kind != BASELINE]
    triggers = (*TRIGGERS, *as_triggers(campaigns))
    found = detect(drive.telemetry, drive.vehicle, triggers).events if claimed else ()
    return tuple(event for event in claimed if not holds(event, found))


def holds(claim: Event, found: Sequence[Event]) -> bool:
    start, end = claim.window_ns
    return any(
        event.kind == claim.kind and start <= event.t_ns < end and claim.severity <= event.severity * (1 + TOLERANCE)
        for event in found
    )
