"""What triggers say of a piece of telemetry."""

from __future__ import annotations

from dataclasses import dataclass, field

from trigger.event import Event


@dataclass
class Heard:
    """Events.

    Attributes:
        began: each once, within its hold time and 1 s of its onset, as far as it was known then.
        ended: each once, whole.
    """

    began: list[Event] = field(default_factory=list)
    ended: list[Event] = field(default_factory=list)

    def add(self, more: Heard) -> None:
        self.began += more.began
        self.ended += more.ended
