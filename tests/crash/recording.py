"""A recording small enough to be taken in a thousand times: half a minute with one hard brake, 64 x 48 pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edge.manifest import Manifest
from edge.video.encode import Encoding
from edge.write import encoded, write_drive
from trigger.signals import ControlSource
from trigger.telemetry import Telemetry

SECONDS = 30


def write_recording(folder: Path, name: str = "brakes") -> None:
    t_ns = np.arange(0, SECONDS * 1_000_000_000, 50_000_000)
    speed = np.interp(t_ns / 1e9, [0, 20, 22, SECONDS], [15.0, 15.0, 3.0, 3.0])
    human = np.full(t_ns.size, float(ControlSource.HUMAN))
    telemetry = Telemetry(t_ns, {"speed_mps": speed, "control_source_speed": human})
    frames = ((t, np.full((48, 64, 3), t // 10**9 * 8, np.uint8)) for t in range(0, SECONDS * 10**9, 200_000_000))
    head = Manifest(id=name, recorder="native", t0_ns=0, cameras={}, files={}, consent=True)
    write_drive(folder, head, telemetry, {"front": encoded(frames, Encoding(key_every=10))})
