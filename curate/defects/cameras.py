"""Cameras that show what another one should: front for rear, left for right.

Driving forward, what a front camera sees grows, what a rear one sees shrinks; what a left one sees slides to the left,
what a right one sees to the right. Only names that say so are judged, and only where the vehicle drives straight on and
fast enough: it is asked for by its speed and, where there is one, its yaw rate.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from curate.defects.finding import Defect, Finding, Severity
from curate.defects.scene import SPEED_AGE_S, Scene

FORWARD_MPS = 5.0
STRAIGHT_DPS = 2.0
LEAST_STEPS = 40
LEAST_CELLS = 0.5
"""Mean movement, in cells a second. CH2's front camera shows a growth of 4 to 10 in every ten seconds."""
ERRORS = 4.0
"""The mean lies so many standard errors beyond 0 on the wrong side."""
ALIKE = 5
"""Neighbouring steps are alike: n of them count as n / 5."""


def swapped_cameras(scene: Scene) -> Iterator[Finding]:
    for name, sight in scene.cameras.items():
        role = role_of(name)
        if role is None or not sight.flows:
            continue
        flow, (movement, sign) = sight.flow, role
        values = (flow.growth if movement == "grow" else flow.slide) * sign
        values = values[_straight_ahead(scene, flow.t_ns)]
        if values.size < LEAST_STEPS:
            continue
        mean, error = float(values.mean()), float(values.std()) / np.sqrt(values.size / ALIKE)
        if mean < -max(LEAST_CELLS, ERRORS * error):
            how = {("grow", 1): "shrinks", ("grow", -1): "grows", ("slide", 1): "slides to the left"}
            evidence = f"what it sees {how.get(role, 'slides to the right')} while the vehicle drives forward"
            yield Finding(Defect.SWAPPED_CAMERAS, Severity.QUARANTINE, name, evidence)


def role_of(name: str) -> tuple[str, int] | None:
    """How what a camera of this name sees must move in forward driving; None where the name does not say."""
    words = set(name.lower().replace("-", "_").split("_"))
    front, rear = bool(words & {"front", "forward"}), bool(words & {"rear", "back", "backward"})
    left, right = "left" in words, "right" in words
    if front != rear:
        return ("grow", 1 if front else -1) if not left and not right else None
    return ("slide", -1 if left else 1) if left != right and not front else None


def _straight_ahead(scene: Scene, t_ns: np.ndarray) -> np.ndarray:
    straight = np.nan_to_num(scene.speed(t_ns), nan=0.0) > FORWARD_MPS
    if "yaw_rate_dps" in scene.signals:
        straight &= np.abs(scene.signals.at("yaw_rate_dps", t_ns, SPEED_AGE_S)) < STRAIGHT_DPS
    return straight
