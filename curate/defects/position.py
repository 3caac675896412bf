"""Positions that jump further than the vehicle can have driven: a street canyon, a tunnel's end, a first fix.

The pictures and the controls of such a clip are good, so it is noted; what files clips by place should not believe it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from curate.defects.finding import Defect, Finding, Severity
from curate.defects.scene import Scene
from trigger.plausible import EARTH_M_PER_DEG

JUMP_M = 30.0
"""Beyond what was driven: more than the scatter of a receiver under open sky, which is a few metres."""
FASTER = 1.5
"""Driven at the recorded speed, with this margin."""
FASTEST_MPS = 70.0
"""Where no speed is recorded."""
NOWHERE_DEG = 0.01
"""At 0 N 0 E lies the sea; receivers say so before they know better."""


def position_jump(scene: Scene) -> Iterator[Finding]:
    if "lat_deg" not in scene.signals or "lon_deg" not in scene.signals:
        return
    t_ns, lat = scene.signals.samples("lat_deg")
    lon = scene.signals.at("lon_deg", t_ns, 0.0)
    known = np.isfinite(lon)
    t_ns, lat, lon = t_ns[known], lat[known], lon[known]
    nowhere = int(((np.abs(lat) < NOWHERE_DEG) & (np.abs(lon) < NOWHERE_DEG)).sum())
    if nowhere:
        yield Finding(Defect.POSITION_JUMP, Severity.NOTED, "lat_deg", f"{nowhere} fixes at 0 N 0 E")
    if t_ns.size < 2:
        return
    north = np.diff(lat) * EARTH_M_PER_DEG
    east = ((np.diff(lon) + 180.0) % 360.0 - 180.0) * EARTH_M_PER_DEG * np.cos(np.radians(lat[1:]))
    speed = np.abs(scene.speed(t_ns))
    fastest = np.fmax(np.fmax(speed[1:], speed[:-1]), 0.0)
    driven = np.where(np.isfinite(fastest), fastest, FASTEST_MPS) * FASTER * np.diff(t_ns) / 1e9
    beyond = np.hypot(north, east) - driven
    if beyond.max() > JUMP_M:
        at = int(beyond.argmax())
        evidence = f"{np.hypot(north[at], east[at]):.0f} m within {(t_ns[at + 1] - t_ns[at]) / 1e9:.2f} s"
        yield Finding(Defect.POSITION_JUMP, Severity.NOTED, "lat_deg", evidence)
