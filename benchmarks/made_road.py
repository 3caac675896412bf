"""A made road: a camera's film and the signals that belong to it, a pure function of the road's number.

The ground comes nearer with the speed and, as the hills behind it, turns with the heading. Every picture has a sensor's
noise, so that a film of 640x480 at `FILMED` takes as many bits as one of a real windshield camera (Udacity's CH2:
1.2 Mbit/s).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from av.video.frame import VideoFrame

from edge.video.encode import Encoding
from trigger.signals import ControlSource
from trigger.telemetry import Telemetry, Values

RATE_HZ, SIGNALS_HZ = 20, 50
FILMED = Encoding(preset="superfast", crf=27, key_every=RATE_HZ)
FOCAL = 0.9
"""Of the camera, in widths of its picture."""
HEIGHT_M, HORIZON = 1.4, 0.4
"""Of the camera above the ground, and share of the picture above the horizon."""
NEAREST_ROW = 24.0
"""Below the horizon: what lies further away is haze."""
TEXELS_A_M, GROUND = 16, 1024
"""Side of the ground's texture, in texels: a power of 2, after which it comes again."""
NOISE, FIELDS = 1.1, 16
"""Standard deviation of a sensor's noise in grey levels, and how many fields of it there are."""
BRAKE_MPS2 = 5.0


def signals(road: int, t0_ns: int, seconds: float, brakes: bool = False) -> Telemetry:
    """Speed, heading, steering and position at 50 Hz, all by a human; `brakes`: harshly, once, in the middle."""
    rng = np.random.default_rng([road, 1])
    t_s = np.arange(0.0, seconds, 1 / SIGNALS_HZ)
    speed = 14 + 10 * rng.random() + _wandering(rng, t_s, 1.5, 4.0)
    if brakes:
        speed = speed - BRAKE_MPS2 * np.clip(t_s - seconds / 2, 0, 1.5)
    heading = _wandering(rng, t_s, 6.0, 2.0)
    yaw_dps = -np.gradient(heading, t_s)  # compass headings grow to the right, yaw to the left
    ran_m = np.cumsum(speed) / SIGNALS_HZ
    human = np.full(t_s.size, float(ControlSource.HUMAN))
    columns = {
        "speed_mps": speed,
        "accel_long_mps2": np.gradient(speed, t_s) + rng.normal(0, 0.05, t_s.size),
        "yaw_rate_dps": yaw_dps,
        "steering_wheel_deg": 15 * np.degrees(np.arctan(2.7 * np.radians(yaw_dps) / speed)),
        "lat_deg": 59.3 + 0.5 * rng.random() + ran_m / 111_000,
        "lon_deg": np.full(t_s.size, 18.0 + rng.random()),
        "heading_deg": heading % 360.0,
        "control_source_steering": human,
        "control_source_speed": human,
    }
    return Telemetry(t0_ns + np.round(t_s * 1e9).astype(np.int64), columns)


def _wandering(rng: np.random.Generator, t_s: Values, reach: float, slow_s: float) -> Values:
    """Four waves of random phases and periods, (N,)."""
    waves = [np.sin(t_s / (slow_s * rng.uniform(0.6, 2.5)) + rng.uniform(0, 2 * np.pi)) for _ in range(4)]
    return np.asarray(reach * (rng.uniform(0.2, 1.0, 4) @ waves) / 2, np.float64)


def film(road: int, driven: Telemetry, size: tuple[int, int]) -> Iterator[tuple[int, VideoFrame]]:
    """(t_ns, picture) at 20 Hz of what a camera sees on the way."""
    width, height = size
    rng = np.random.default_rng([road, 2])
    top = int(height * HORIZON)
    ground, hills = _texture(rng, GROUND, GROUND), _texture(rng, top, GROUND)
    noise = np.clip(rng.normal(3 * NOISE, NOISE, (FIELDS, height, width)), 0, 6 * NOISE).astype(np.uint8)
    away_m, aside = _where(width, height)
    across = np.arange(width)
    ran = np.cumsum(driven.columns["speed_mps"]) / SIGNALS_HZ
    heading = np.unwrap(driven.columns["heading_deg"], period=360.0)
    every = SIGNALS_HZ / RATE_HZ
    for k in range(int(len(driven.t_ns) / every)):
        row = int(k * every)
        turned = round(np.radians(heading[row]) * FOCAL * width)
        rows = ((away_m + ran[row]) * TEXELS_A_M).astype(np.int32) % GROUND
        planes = np.full((height * 3 // 2, width), 128, np.uint8)
        planes[:top] = hills[:, (across + turned) % GROUND]
        ground.take(rows[:, None] * GROUND + ((aside + turned) & GROUND - 1), out=planes[top:height], mode="clip")
        planes[:height] += noise[k % FIELDS]
        yield int(driven.t_ns[0]) + k * 1_000_000_000 // RATE_HZ, VideoFrame.from_ndarray(planes, format="yuv420p")


def _texture(rng: np.random.Generator, rows: int, columns: int) -> Values:
    """Grey levels with grain of every size, (rows, columns) uint8."""
    whole = np.full((rows, columns), 110.0)
    for grain, depth in ((4, 8.0), (16, 15.0), (64, 20.0), (256, 25.0)):
        coarse = rng.normal(0.0, depth, (rows // grain + 2, columns // grain))
        across = np.repeat(coarse, grain, axis=1)[:, :columns]
        whole += np.repeat(across, grain, axis=0)[:rows]
    return np.clip(whole, 16, 235 - 6 * NOISE).astype(np.uint8)


def _where(width: int, height: int) -> tuple[Values, Values]:
    """Of the rows below the horizon, (R,): how far away they are, in m; and texel of each pixel, (R, width) int."""
    top = int(height * HORIZON)
    away_m = HEIGHT_M * FOCAL * width / (np.arange(height - top) + NEAREST_ROW)
    aside_m = (np.arange(width) - width / 2) / (FOCAL * width) * away_m[:, None]
    return away_m, (aside_m * TEXELS_A_M).astype(np.int32)
