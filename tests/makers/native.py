"""A native drive, and the telemetry of a calm one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from edge.manifest import Manifest
from edge.video.encode import Encoding
from edge.write import encoded, write_drive
from makers.picture import picture
from trigger.signals import ControlSource
from trigger.telemetry import Telemetry
from trigger.vehicle import VehicleProfile

T0_NS = 1_700_000_000_000_000_000


def human(n: int) -> np.ndarray:
    return np.full(n, float(ControlSource.HUMAN))


def drive_telemetry(seconds: float = 60.0, rate_hz: float = 50.0, t0_ns: int = T0_NS, **signals: object) -> Telemetry:
    """A calm drive at 15 m/s; `signals` name to an array or a function of the time in s."""
    t_s = np.arange(0.0, seconds, 1.0 / rate_hz)
    t_ns = t0_ns + np.round(t_s * 1e9).astype(np.int64)
    columns: dict[str, object] = {
        "speed_mps": np.full(t_s.size, 15.0),
        "steering_wheel_deg": 5.0 * np.sin(t_s / 3.0),
        "control_source_steering": human(t_s.size),
        "control_source_speed": human(t_s.size),
    }
    columns |= signals
    made = {k: np.asarray(v(t_s) if callable(v) else v, np.float64) for k, v in columns.items() if v is not None}
    return Telemetry(t_ns, made)


def write_native(
    folder: Path,
    name: str = "drive",
    telemetry: Telemetry | None = None,
    seconds: float = 60.0,
    shows: Callable[[int], int] = int,
    **head: object,
) -> Path:
    """Writes `folder`/`name` with a picture every 0.1 s; `shows` is the frame's number to that of its picture."""
    telemetry = telemetry or drive_telemetry(seconds)
    frames = ((T0_NS + i * 100_000_000, picture(shows(i))) for i in range(int(seconds * 10)))
    known: dict[str, object] = {"consent": True, "vehicle": VehicleProfile(2.7, 15.0)} | head
    manifest = Manifest(id=name, recorder="native", t0_ns=T0_NS, cameras={}, files={}, **known)  # type: ignore[arg-type]
    write_drive(folder / name, manifest, telemetry, {"front": encoded(frames, Encoding(key_every=24))})
    return folder / name
