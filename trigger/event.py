"""An event: a moment a trigger found worth keeping, with the evidence for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

TRIGGER_VERSION = "3"
"""Raised whenever a built-in trigger, or an expression, can give another answer on the same signals."""


def version_of(revision: str) -> str:
    """The version of what a campaign finds."""
    return f"{TRIGGER_VERSION}+{revision}"


@dataclass(frozen=True)
class Evidence:
    """The number that made the trigger speak: its peak, and the threshold it passed, in `signal`'s unit."""

    signal: str
    value: float
    threshold: float


@dataclass(frozen=True)
class Event:
    """One event.

    Attributes:
        kind: name of the trigger.
        t_ns: onset, int ns on the drive's clock.
        end_ns: last sample at which it still held, int ns.
        window_ns: what to keep, (start, end) int ns, end exclusive.
        severity: how far the fixed threshold was passed; 1.0 = just reached, comparable between triggers.
        reason: of a disengagement, why: a `trigger.signals.EndReason` in lower case or "end_of_drive"; else "".
        version: what found it: `TRIGGER_VERSION`, or `version_of` a campaign's revision.
    """

    kind: str
    t_ns: int
    end_ns: int
    window_ns: tuple[int, int]
    severity: float
    evidence: Evidence
    reason: str = ""
    version: str = TRIGGER_VERSION

    @property
    def of_campaign(self) -> bool:
        """Whether a campaign asked for it, and no built-in trigger."""
        return "+" in self.version

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"window_ns": list(self.window_ns)}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Event:
        start, end = data["window_ns"]
        return Event(
            kind=str(data["kind"]),
            t_ns=int(data["t_ns"]),
            end_ns=int(data["end_ns"]),
            window_ns=(int(start), int(end)),
            severity=float(data["severity"]),
            evidence=Evidence(**data["evidence"]),
            reason=str(data.get("reason", "")),
            version=str(data["version"]),
        )
