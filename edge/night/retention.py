"""Which clips go when the disk must be freed: a pure function.

The order is: those a receiver has acknowledged; then the ordinary ones, oldest first and blind to what they show; then
event clips whose fate is open, the least value per byte first; last those that were chosen. So no unacknowledged event
clip goes while an acknowledged or an ordinary one is left.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge.night.queued import Lane, Queued, State


def to_drop(clips: Sequence[Queued], wanted_bytes: int) -> list[Queued]:
    """The clips to drop, in order, so that `wanted_bytes` come free, or all where that is not enough."""
    dropped: list[Queued] = []
    freed = 0
    for clip in sorted(clips, key=_rank):
        if freed >= wanted_bytes:
            break
        dropped.append(clip)
        freed += clip.bytes
    return dropped


def _rank(clip: Queued) -> tuple[int, float, int]:
    if clip.state is State.ACKNOWLEDGED:
        return 0, 0.0, clip.sequence
    if clip.lane is Lane.BASELINE:
        return 1, 0.0, clip.sequence
    return 2 if clip.state is State.CUT else 3, clip.value / max(clip.bytes, 1), clip.sequence
