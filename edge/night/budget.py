"""What is uploaded of what was cut, and with what probability: the night's choice, as pure functions.

Rules, each there so that the probability of every second is known exactly (derived and proven in docs/night.md):
- Two lanes that lend each other nothing: the baseline has `BASELINE_SHARE` of a night's bytes, events the rest.
- The baseline is drawn second by second when a drive is scanned, at a rate set from its size and from what already
  waits, before a draw is seen. What was drawn will be sent.
- Of the event clips, the best by value per byte are taken for certain. One that was passed over on `PATIENCE` nights is
  drawn, once, with a probability that follows from the other clips and never from its own random number; what loses is
  dropped. That number is a hash of the clip, so a choice that was cut short is made again as it was.
- A clip that was taken or drawn will be sent: the hard limit on bytes only says on which night.

It knows neither files nor clocks. Bytes here are wire bytes: see `wire_bytes`.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

DEFAULT_BASELINE = 0.005
"""Share of seconds drawn at random; each brings 5 s on both sides, so about 5 % of a calm drive is kept."""
BYTES_A_NIGHT = 10_000_000_000
BASELINE_SHARE = 0.05
TAIL_SHARE = 0.04
"""At most this share of the events' bytes is spent by lot. The rest takes the best, so at least 1 - TAIL_SHARE of the
greatest possible value is captured, less what one clip is worth."""
PATIENCE = 3
"""Nights a clip is passed over before its one draw: a richer night may still take it for certain."""
CLIP_SECONDS = 11
"""What one draw of the baseline brings: its second, and 5 s on both sides."""
FLOOR_RATE = 1e-4
"""No consented second's chance to be drawn is lower, however full the baseline's lane; one in about three hours."""

CHUNK_BYTES = 1024 * 1024
"""Handed over in one call, and sent again where that call breaks."""
LOWER_LAYERS = 0.12
"""Allowance for TLS, TCP, IP and the link, over the bytes of a body. Of a segment of 1,428 bytes: 72 for IPv6 and TCP
with time stamps, 38 for Ethernet, half of both again for the acknowledgement of every other one; 22 a TLS record of
16 KiB: 11.7 %. What the link lost and TCP sent again is not in it: nobody above TCP can see it."""
CALL_BYTES = 16_384
"""Allowance for one call's requests and answers, headers included, asked again as often as the uploader asks."""
CALLS_A_CLIP = 16
"""Calls beside the chunks: a receipt before and after, the commit, and what is held of each of up to 12 files."""


@dataclass(frozen=True)
class Lanes:
    """The bytes of one night, by lane."""

    baseline: int
    event: int

    @staticmethod
    def of(bytes_a_night: int) -> Lanes:
        baseline = round(bytes_a_night * BASELINE_SHARE)
        return Lanes(baseline, bytes_a_night - baseline)


def wire_bytes(body: int, calls: int = 1) -> int:
    """Bytes on the wire for `body` bytes handed over in `calls` calls, with the allowance for the layers below."""
    return math.ceil(body * (1.0 + LOWER_LAYERS)) + calls * CALL_BYTES


def clip_wire_bytes(body: int) -> int:
    """What sending a whole clip of `body` bytes costs, unless the link breaks."""
    return wire_bytes(body, CALLS_A_CLIP + -(-body // CHUNK_BYTES))


def baseline_rate(ceiling: float, drive_bytes: int, free: int) -> float:
    """Probability with which each second of a drive is drawn, in (0, ceiling].

    Each draw brings 11 of the drive's seconds, so that `rate * 11 * drive_bytes` is what is expected to be cut. It may
    take half of what the lane still has, so that the next drive of the day finds some, too.

    Args:
        ceiling: the rate where bytes do not matter; 0 switches the baseline off.
        drive_bytes: size of the recording.
        free: the lane's bytes of a night less those of clips that wait to be sent; may be negative.
    """
    affordable = free / 2 / (CLIP_SECONDS * wire_bytes(max(drive_bytes, 1)))
    return min(ceiling, max(affordable, FLOOR_RATE))


@dataclass(frozen=True)
class Candidate:
    """An event clip whose fate is open.

    Attributes:
        clip_id: where its random number comes from.
        bytes: on the wire. value: `edge.night.value.value_of` its events. waited: nights it was passed over.
    """

    clip_id: str
    bytes: int
    value: float
    waited: int = 0

    @property
    def density(self) -> float:
        return self.value / self.bytes


@dataclass(frozen=True)
class Decision:
    """A clip's fate: with which probability it was to be sent, and whether it will be."""

    clip_id: str
    probability: float
    chosen: bool


def permanent_number(clip_id: str) -> float:
    """A clip's random number, in [0, 1): the same on every night and after every restart."""
    digest = hashlib.blake2b(clip_id.encode(), digest_size=8, person=b"swerve-night").digest()
    return (int.from_bytes(digest, "big") >> 11) / 2.0**53


def choose(candidates: Sequence[Candidate], free: int) -> list[Decision]:
    """Decide what can be decided tonight; a clip without a decision waits.

    Args:
        candidates: in the order in which they were cut, which settles ties.
        free: the event lane's bytes of this night, less those of clips that were chosen and wait to be sent.
    """
    due_bytes = sum(c.bytes for c in candidates if c.waited >= PATIENCE)
    certain, passed, taken = [], [], 0
    head = free - min(math.ceil(free * TAIL_SHARE), due_bytes)
    if sum(c.bytes for c in candidates) <= free:
        head = free
    for candidate in sorted(candidates, key=lambda c: -c.density):
        if taken + candidate.bytes <= head:
            taken += candidate.bytes
            certain.append(Decision(candidate.clip_id, 1.0, True))
        else:
            passed.append(candidate)
    return certain + draw([c for c in passed if c.waited >= PATIENCE], free - taken)


def draw(due: Sequence[Candidate], free: int) -> list[Decision]:
    """Give each its one draw; none where there is nothing to win tonight."""
    if free <= 0:
        return []
    chances = tail_probabilities(due, free)
    numbers = (permanent_number(c.clip_id) for c in due)
    return [Decision(c.clip_id, p, u < p) for c, p, u in zip(due, chances, numbers, strict=True)]


def tail_probabilities(due: Sequence[Candidate], free: float) -> list[float]:
    """Probabilities that bring `free` bytes on average, or 1 for all where they fit.

    In proportion to value / sqrt(bytes), the allocation that estimates the total value with the least variance at a
    given expected cost (Cochran, Sampling Techniques, 3rd ed., 1977, section 5.5); what would pass 1 is certain, and
    the others share what is left.
    """
    if sum(c.bytes for c in due) <= free:
        return [1.0] * len(due)
    size = [c.value / math.sqrt(c.bytes) for c in due]
    smallest_first = sorted(range(len(due)), key=size.__getitem__)
    cost = list(accumulate(size[i] * due[i].bytes for i in smallest_first))
    rank = len(due) - 1
    while size[smallest_first[rank]] * free >= cost[rank]:
        free -= due[smallest_first[rank]].bytes
        rank -= 1
    return [min(1.0, size_of * free / cost[rank]) for size_of in size]
