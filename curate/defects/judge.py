"""All kinds of defect, asked of one clip."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from curate.defects.cameras import swapped_cameras
from curate.defects.clocks import apart_in_time
from curate.defects.finding import Finding
from curate.defects.frame_times import dropped_frames, impossible_rate, truncated
from curate.defects.jumps import clock_jump
from curate.defects.order import reordered_frames
from curate.defects.position import position_jump
from curate.defects.scene import Scene
from curate.defects.signals import bad_range, bad_unit, missing_samples
from curate.defects.standing import black_picture, duplicated_frames, frozen_picture
from curate.defects.steering import stuck_steering

KINDS: tuple[Callable[[Scene], Iterable[Finding]], ...] = (
    dropped_frames,
    duplicated_frames,
    reordered_frames,
    frozen_picture,
    black_picture,
    clock_jump,
    apart_in_time,
    truncated,
    impossible_rate,
    bad_range,
    bad_unit,
    missing_samples,
    stuck_steering,
    position_jump,
    swapped_cameras,
)


def judge(scene: Scene) -> tuple[Finding, ...]:
    """Everything that is wrong with the clip, or cannot be told, in the order of `KINDS`."""
    return tuple(finding for kind in KINDS for finding in kind(scene))
