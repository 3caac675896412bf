"""A finding: one kind of defect in one clip, what is to be done about it, and the evidence in words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Defect(StrEnum):
    """Kinds that machines can count by: one may be added, none is ever renamed."""

    DROPPED_FRAMES = "dropped_frames"
    DUPLICATED_FRAMES = "duplicated_frames"
    REORDERED_FRAMES = "reordered_frames"
    FROZEN_PICTURE = "frozen_picture"
    BLACK_PICTURE = "black_picture"
    CLOCK_JUMP = "clock_jump"
    CLOCK_DRIFT = "clock_drift"
    VIDEO_OFFSET = "video_offset"
    MIRRORED_PICTURE = "mirrored_picture"
    TRUNCATED = "truncated"
    WRONG_RATE = "wrong_rate"
    BAD_RANGE = "bad_range"
    BAD_UNIT = "bad_unit"
    MISSING_SAMPLES = "missing_samples"
    STUCK_STEERING = "stuck_steering"
    POSITION_JUMP = "position_jump"
    SWAPPED_CAMERAS = "swapped_cameras"


class Severity(StrEnum):
    """`QUARANTINE`: it would teach something wrong. `NOTED`: the rest is good. `UNDETERMINED`: it cannot be told."""

    QUARANTINE = "quarantine"
    NOTED = "noted"
    UNDETERMINED = "undetermined"


@dataclass(frozen=True)
class Finding:
    """`where` is a camera or a signal."""

    code: Defect
    severity: Severity
    where: str
    evidence: str
