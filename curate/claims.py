"""Claims: a car says why it kept a clip, and the same triggers are run again on what arrived.

A claim holds where the trigger that it names finds an event of the same kind whose onset lies in the claimed window,
and about as severe. A clip begins with all the context any trigger needs, so an honest claim is found again to the last
digit; the tolerance is for signals that were stored as other numbers on the way. The draws of the baseline claim
nothing. Where a campaign listened is not asked again: a clip may not tell its place.

A claim names the version of what found it. One of a built-in trigger is run as it is now; one of a campaign as that
very text was published. What another version found, or a text that was never published here, cannot be checked: the
car may be older or newer than this store. Either way what does not hold counts for nothing: the clip is admitted, and
weighed as the ordinary driving it shows, so that an unknown version is no way around the check.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge.clip import Clip
from edge.drive import Drive
from trigger.baseline import KIND as BASELINE
from trigger.builtin import TRIGGERS, Trigger
from trigger.campaign import Campaign
from trigger.detect import detect
from trigger.event import TRIGGER_VERSION, Event
from trigger.listening import BUILT_IN, as_triggers

TOLERANCE = 0.05
"""Share of a severity by which a claim may exceed what is found."""


@dataclass(frozen=True)
class Doubts:
    """The claims that gain no weight: those the telemetry does not show, and those nobody here can check."""

    refuted: tuple[Event, ...] = ()
    unchecked: tuple[Event, ...] = ()


def doubts(clip: Clip, drive: Drive, published: Sequence[Campaign] = ()) -> Doubts:
    """Run again what the clip's claims name.

    Args:
        published: every revision of every campaign that a claim may name.
    """
    claimed = [event for event in clip.cut.events if event.kind != BASELINE]
    named = {(event.kind, event.version) for event in claimed}
    campaigns = {(c.name, c.version): c for c in published if c.name not in BUILT_IN}
    runs: list[Sequence[Trigger]] = [as_triggers([campaigns[name]]) for name in sorted(named & campaigns.keys())]
    built_in = {(kind, TRIGGER_VERSION) for kind in BUILT_IN}
    if named & built_in:
        runs.append(TRIGGERS)
    found = [event for triggers in runs for event in detect(drive.telemetry, drive.vehicle, triggers).events]
    known = built_in | campaigns.keys()
    return Doubts(
        refuted=tuple(e for e in claimed if (e.kind, e.version) in known and not holds(e, found)),
        unchecked=tuple(e for e in claimed if (e.kind, e.version) not in known),
    )


def holds(claim: Event, found: Sequence[Event]) -> bool:
    start, end = claim.window_ns
    return any(
        (event.kind, event.version) == (claim.kind, claim.version)
        and start <= event.t_ns < end
        and claim.severity <= event.severity * (1 + TOLERANCE)
        for event in found
    )
