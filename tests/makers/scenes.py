"""Drives as a camera's thumbs and a car's signals see them, made of a seed, and the defects that can be put into them.

The world is a panorama that turns with the vehicle and grows as it drives: two layers of it, each faded in while it is
small and out while it is large. The signals follow from the same speed and yaw rate.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from curate.defects.scene import Scene, Sight
from curate.thumbs import COLUMNS, ROWS
from trigger.telemetry import Telemetry

T0_NS = 1_700_000_000_000_000_000
CONTEXT_S = 30.0
FIELD_DEG = 70.0
STEP_DEG = 0.25
GROWS_OVER_M = 30.0
WHEELBASE_M, RATIO = 2.7, 15.0
RATES_HZ = (10.0, 15.0, 20.0, 25.0, 30.0)


@dataclass(frozen=True)
class World:
    """One drive: speed [m/s] and yaw rate [deg/s] on a grid of 10 ms from `CONTEXT_S` before the window on."""

    rng: np.random.Generator
    t_s: np.ndarray
    speed: np.ndarray
    yaw_dps: np.ndarray
    window_s: float

    @property
    def window_ns(self) -> tuple[int, int]:
        return T0_NS, T0_NS + round(self.window_s * 1e9)


def smooth(rng: np.random.Generator, n: int, width: int) -> np.ndarray:
    """(n,) noise of unit spread without anything faster than about `width` samples."""
    taps = np.hanning(2 * width + 1)
    noise = np.convolve(rng.standard_normal(n + 4 * width), taps / np.sqrt((taps**2).sum()), "same")
    return noise[2 * width : 2 * width + n]


def world(seed: int, turns: float | None = None, stands: bool | None = None, window_s: float = 11.0) -> World:
    """A drive of a tenth of which stand still, and of which some hardly turn."""
    rng = np.random.default_rng(seed)
    t_s = np.arange(-CONTEXT_S, window_s, 0.01)
    standing = rng.random() < 0.1 if stands is None else stands
    usual = rng.uniform(5 if turns is None else 5 + 2.5 * turns, 30)
    speed = np.clip(usual + 2.0 * smooth(rng, t_s.size, 400), 3.0, 40.0) * (not standing)
    turning = min(float(rng.choice([0.3, 2.0, 4.0, 8.0])) if turns is None else turns, 0.4 * float(speed.min()))
    return World(rng, t_s, speed, turning * smooth(rng, t_s.size, 120) * (not standing), window_s)


def signals(w: World, rate_hz: float = 50.0) -> Telemetry:
    """Speed, yaw rate, steering, acceleration with noise; a position five times a second."""
    rng = w.rng
    at = np.arange(w.t_s[0], w.t_s[-1], 1 / rate_hz)
    t_ns = T0_NS + np.round((at + rng.uniform(0, 0.05 / rate_hz, at.size)) * 1e9).astype(np.int64)

    def told(values: np.ndarray, noise: float, late_s: float = 0.0) -> np.ndarray:
        return np.interp(at - late_s, w.t_s, values) + noise * rng.standard_normal(at.size)

    wheel = np.degrees(np.radians(w.yaw_dps) * WHEELBASE_M / np.maximum(w.speed, 1.0)) * RATIO
    heading = np.cumsum(np.radians(w.yaw_dps)) * 0.01
    north, east = np.cumsum(w.speed * np.cos(heading)) * 0.01, np.cumsum(-w.speed * np.sin(heading)) * 0.01
    own = {
        "speed_mps": (t_ns, told(w.speed, 0.03)),
        "yaw_rate_dps": (t_ns, told(w.yaw_dps, 0.1)),
        "steering_wheel_deg": (t_ns, told(wheel, 0.1, -0.05)),
        "accel_long_mps2": (t_ns, told(np.gradient(w.speed, 0.01), 0.1)),
    }
    fix = slice(0, None, round(rate_hz / 5))
    for name, start, metres in (("lat_deg", 37.0, north), ("lon_deg", -122.0, east)):
        scale = 111_195.0 * (np.cos(np.radians(37.0)) if name == "lon_deg" else 1.0)
        drift = np.interp(at, w.t_s, metres + 2.0 * smooth(rng, w.t_s.size, 1000))
        own[name] = (t_ns[fix], (start + drift / scale)[fix])
    return Telemetry.merge(own)


def thumbs(w: World, t_ns: np.ndarray, grows: float = 1.0, noise: float = 0.4) -> np.ndarray:
    """(N, 18, 32) uint8 of a camera that looks ahead; `grows` -1 for one that looks back."""
    rng = w.rng
    at_s = (t_ns - T0_NS) / 1e9
    turned = np.interp(at_s, w.t_s, np.cumsum(w.yaw_dps) * 0.01)
    zoom = grows * np.interp(at_s, w.t_s, np.cumsum(w.speed) * 0.01) / GROWS_OVER_M
    columns = (np.arange(COLUMNS) - (COLUMNS - 1) / 2) * FIELD_DEG / COLUMNS
    around = round(360 / STEP_DEG)
    shown = np.zeros((ROWS, t_ns.size, COLUMNS))
    for layer in (0.0, 0.5):
        panorama = np.stack([smooth(rng, around, int(rng.integers(8, 30))) for _ in range(ROWS)])
        phase = (zoom + layer) % 1.0
        place = (turned[:, None] - columns / np.exp2(2 * phase - 1)[:, None]) / STEP_DEG
        low = np.floor(place).astype(np.int64)
        share = place - low
        value = panorama[:, low % around] * (1 - share) + panorama[:, (low + 1) % around] * share
        shown += value * np.sin(np.pi * phase)[:, None]
    light = 100 + 8 * smooth(rng, t_ns.size, 40)[None, :, None] + 30 * shown
    light += noise * rng.standard_normal(shown.shape)
    return np.clip(np.round(light), 16, 235).astype(np.uint8).transpose(1, 0, 2)


def frame_times(w: World, rate_hz: float) -> np.ndarray:
    at = np.arange(0.0, w.window_s, 1 / rate_hz)
    jitter = w.rng.uniform(0, 0.03) / rate_hz
    return T0_NS + np.round((at + jitter * w.rng.random(at.size)) * 1e9).astype(np.int64)


def scene(seed: int, turns: float | None = None, stands: bool | None = None, rear: bool = False) -> Scene:
    """A sound clip. One that stands is at night in every other case: black."""
    w = world(seed, turns, stands)
    rate_hz = float(w.rng.choice(RATES_HZ))
    cameras = {}
    for name, grows in (("front", 1.0), ("rear", -1.0))[: 1 + rear]:
        t_ns = frame_times(w, rate_hz)
        cameras[name] = Sight(t_ns, thumbs(w, t_ns, grows))
    if w.speed.max() == 0 and w.rng.random() < 0.5:
        cameras = {n: Sight(s.t_ns, np.full_like(s.thumbs, 17)) for n, s in cameras.items()}
    return Scene(w.window_ns, cameras, signals(w))


def with_front(s: Scene, t_ns: np.ndarray, pictures: np.ndarray) -> Scene:
    return replace(s, cameras={**s.cameras, "front": Sight(t_ns, pictures)})


def with_signal(s: Scene, name: str, values: np.ndarray) -> Scene:
    """The signal's column replaced, (rows,)."""
    columns = dict(s.signals.columns) | {name: values}
    return replace(s, signals=Telemetry(s.signals.t_ns, {n: v for n, v in columns.items() if not np.isnan(v).all()}))


def with_clock(s: Scene, t_ns: np.ndarray) -> Scene:
    """The signals at other times (rows,), which need not increase."""
    merged = {name: (t_ns[~np.isnan(v)], v[~np.isnan(v)]) for name, v in s.signals.columns.items()}
    return replace(s, signals=Telemetry.merge(merged))
