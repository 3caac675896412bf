"""Seconds without any clip."""

from __future__ import annotations

from typing import Any

from curate.manner import Manner
from curate.seconds import Second
from trigger.baseline import SECOND_NS

CALM = Manner(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.2, 0.2)


def second(number: int = 0, drive: str = "d", clip: str = "c", **told: Any) -> Second:
    """A second of ordinary driving at 15 m/s by a human, of a long drive."""
    ordinary: dict[str, Any] = {
        "of": 100_000,
        "start_ns": number * SECOND_NS,
        "events": (),
        "severity": 0.0,
        "inclusion_probability": 1.0,
        "human_share": 1.0,
        "steering": 0.0,
        "speed_change": 0.0,
        "speed_mps": 15.0,
        "manner": CALM,
    }
    return Second(clip_id=clip, drive_id=drive, number=number, **ordinary | told)
