"""The night's choice, made on the queue: what `edge.night.budget` decides is written down."""

from __future__ import annotations

from edge.night.budget import Candidate, choose, clip_wire_bytes
from edge.night.nights import Night
from edge.night.queued import Lane, State
from edge.night.spool import Spool
from edge.night.terms import Terms


def waiting_bytes(spool: Spool, lane: Lane) -> int:
    """Wire bytes of the lane's clips that will be sent and are not yet."""
    return sum(clip_wire_bytes(c.bytes) for c in spool.clips(State.CHOSEN, State.SENT) if c.lane is lane)


def choose_tonight(spool: Spool, night: Night, terms: Terms) -> None:
    """Decide the fate of event clips; a choice that a crash cut short is made again as it was."""
    waiting = spool.clips(State.CUT)
    if not waiting:
        return
    free = terms.limit(Lane.EVENT) - night.event_spent - waiting_bytes(spool, Lane.EVENT)
    candidates = [
        Candidate(c.clip_id, clip_wire_bytes(c.bytes), c.value, night.number - (c.night or night.number))
        for c in waiting
    ]
    spool.decide(night.number, choose(candidates, free), waiting)
