"""A clip's portrait: all that tells whether it repeats another, small enough to hold every clip's at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import fsum

import numpy as np
from numpy.typing import NDArray

from curate.admit import doubted_claims
from curate.clipref import ClipRef
from curate.embed.stage import read_vector
from curate.traits import Traits, main_camera, read_traits
from edge.clip import open_clip
from trigger.baseline import KIND as BASELINE
from trigger.baseline import SECOND_NS
from trigger.event import Event


@dataclass(frozen=True, eq=False)
class Contents:
    """What a clip holds: `events` is kind to the greatest severity; draws of the baseline are no events."""

    clip_id: str
    seconds: int
    events: Mapping[str, float]

    def covers(self, other: Contents) -> bool:
        """Whether every kind of event of the other is held, at least as severe."""
        return all(self.events.get(kind, -1.0) >= severity for kind, severity in other.events.items())

    @property
    def rank(self) -> tuple[float, int, int, str]:
        """Smaller comes first: more severe, more kinds, longer, smaller id. What covers another comes before it."""
        return -fsum(self.events.values()), -len(self.events), -self.seconds, self.clip_id


@dataclass(frozen=True, eq=False)
class Portrait(Contents):
    """What is compared of a clip.

    Attributes:
        drive_id: of the recording it was cut from; start_ns, end_ns: its window on that drive's clock.
        video: sha256 of the main camera's file, "" where it has none.
        vector: (D,) float32, `curate.embed.vector`.
    """

    drive_id: str
    start_ns: int
    end_ns: int
    video: str
    traits: Traits
    vector: NDArray[np.float32]

    def same_seconds(self, other: Portrait) -> bool:
        """Whether both windows hold a second of one drive."""
        return self.drive_id == other.drive_id and self.start_ns < other.end_ns and other.start_ns < self.end_ns


def read_portrait(ref: ClipRef, encoder_id: str) -> Portrait:
    """Raises EdgeError where the clip cannot be read, or was not described or not embedded by this encoder."""
    clip, doubted = open_clip(ref.folder), doubted_claims(ref.folder)
    doubts = doubted.refuted | doubted.unchecked
    start_ns, end_ns = clip.cut.window_ns
    camera = main_camera(clip.manifest.cameras)
    return Portrait(
        clip_id=ref.clip_id,
        seconds=(end_ns - start_ns) // SECOND_NS,
        events=_greatest(event for event in clip.cut.events if (event.kind, event.t_ns) not in doubts),
        drive_id=clip.cut.recording,
        start_ns=start_ns,
        end_ns=end_ns,
        video=clip.manifest.files[camera.file].sha256 if camera else "",
        traits=read_traits(ref),
        vector=read_vector(ref, encoder_id),
    )


def _greatest(events: Iterable[Event]) -> dict[str, float]:
    found: dict[str, float] = {}
    for event in events:
        if event.kind != BASELINE:
            found[event.kind] = max(event.severity, found.get(event.kind, 0.0))
    return found
