"""What a clip costs the campaigns that asked for it: a pure function of its events.

Rules:
- A campaign pays for the seconds that its events' windows cover and no built-in trigger's do: what would have been kept
  without it costs it nothing. Seconds count at the clip's bytes a second, rounded up.
- Where two campaigns ask for the same second, both pay: a campaign under a second name gains nothing.

Clips of the baseline are cut apart and paid from its own lane, so its draws relieve nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from trigger.baseline import whole_seconds
from trigger.event import Event


def charges_of(events: Iterable[Event], t0_ns: int, span: tuple[int, int], size: int) -> Mapping[str, int]:
    """Bytes by name of campaign; those that pay nothing are left out.

    Args:
        events: all of a clip. t0_ns: second 0 of its drive. span: its seconds [first, end) of that drive.
        size: of the clip, in bytes.
    """
    first, end = span
    asked: dict[str, set[int]] = {}
    kept_anyway: set[int] = set()
    for event in events:
        begin, stop = whole_seconds(event.window_ns, t0_ns)
        seconds = range(max(first, begin), min(end, stop))
        (asked.setdefault(event.kind, set()) if event.of_campaign else kept_anyway).update(seconds)
    own = {name: len(seconds - kept_anyway) for name, seconds in sorted(asked.items())}
    return {name: -(-size * count // (end - first)) for name, count in own.items() if count}
