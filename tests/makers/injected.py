"""Defects put into sound scenes, one function a kind: (scene, random numbers) -> the scene with the defect.

Each draws where and how much; the least amount is what a kind is said to be told from.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from curate.defects.finding import Defect
from curate.defects.scene import Scene
from makers.scenes import with_clock, with_front, with_signal


def _front(s: Scene) -> tuple[np.ndarray, np.ndarray]:
    return s.cameras["front"].t_ns, s.cameras["front"].thumbs


def _some(rng: np.random.Generator, n: int, edge: int = 12) -> int:
    return int(rng.integers(edge, n - edge))


def dropped(s: Scene, rng: np.random.Generator) -> Scene:
    t_ns, pictures = _front(s)
    gone = _some(rng, t_ns.size) + np.arange(rng.integers(1, 6))
    return with_front(s, np.delete(t_ns, gone), np.delete(pictures, gone, axis=0))


def duplicated(s: Scene, rng: np.random.Generator) -> Scene:
    t_ns, pictures = _front(s)
    at, pictures = _some(rng, t_ns.size), pictures.copy()
    pictures[at : at + rng.integers(1, 4)] = pictures[at - 1]
    return with_front(s, t_ns, pictures)


def reordered(s: Scene, rng: np.random.Generator) -> Scene:
    t_ns, pictures = _front(s)
    at, order = _some(rng, t_ns.size), np.arange(t_ns.size)
    order[[at, at + 1]] = order[[at + 1, at]]
    return with_front(s, t_ns, pictures[order])


def frozen(s: Scene, rng: np.random.Generator) -> Scene:
    t_ns, pictures = _front(s)
    pictures = pictures.copy()
    at = int(rng.integers(0, t_ns.size // 2))
    stuck = slice(at, at + int(np.searchsorted(t_ns, t_ns[at] + 3 * 10**9)) - at)
    pictures[stuck] = pictures[at]
    return with_front(s, t_ns, pictures)


def black(s: Scene, rng: np.random.Generator) -> Scene:
    t_ns, pictures = _front(s)
    pictures = pictures.copy()
    at = int(rng.integers(0, t_ns.size // 2))
    dark = slice(at, int(np.searchsorted(t_ns, t_ns[at] + 2 * 10**9)))
    pictures[dark] = rng.integers(16, 18, pictures[dark].shape)
    return with_front(s, t_ns, pictures)


def camera_clock_jump(s: Scene, rng: np.random.Generator) -> Scene:
    t_ns, pictures = _front(s)
    t_ns, at = t_ns.copy(), _some(rng, t_ns.size)
    t_ns[at:] += round(rng.uniform(0.6, 2.0) * 1e9)
    return with_front(s, t_ns, pictures)


def signals_clock_ahead(s: Scene, rng: np.random.Generator) -> Scene:
    t_ns = s.signals.t_ns.copy()
    t_ns[t_ns > s.window_ns[0] + rng.uniform(2e9, 8e9)] += round(rng.uniform(0.6, 2.0) * 1e9)
    return with_clock(s, t_ns)


def signals_clock_back(s: Scene, rng: np.random.Generator) -> Scene:
    t_ns = s.signals.t_ns.copy()
    t_ns[t_ns > s.window_ns[0] + rng.uniform(4e9, 8e9)] -= round(rng.uniform(0.8, 2.0) * 1e9)
    return with_clock(s, t_ns)


def drift(s: Scene, rng: np.random.Generator) -> Scene:
    t_ns = s.signals.t_ns
    middle = sum(s.window_ns) // 2
    return with_clock(s, middle + np.round((t_ns - middle) * (1 + rng.choice([-1, 1]) * 0.03)).astype(np.int64))


def offset(s: Scene, rng: np.random.Generator, by_s: float = 0.05) -> Scene:
    return with_clock(s, s.signals.t_ns + round(rng.choice([-1, 1]) * by_s * 1e9))


def mirrored(s: Scene, rng: np.random.Generator) -> Scene:
    t_ns, pictures = _front(s)
    return with_front(s, t_ns, pictures[:, :, ::-1])


def truncated(s: Scene, rng: np.random.Generator) -> Scene:
    t_ns, pictures = _front(s)
    kept = t_ns < s.window_ns[1] - rng.uniform(2.0, 8.0) * 1e9
    return with_front(s, t_ns[kept], pictures[kept])


def stamped_too_fast(s: Scene, rng: np.random.Generator) -> Scene:
    """All frames, stamped at one and a half times their rate: the file is a third too short."""
    t_ns, pictures = _front(s)
    return with_front(s, t_ns[0] + (t_ns - t_ns[0]) * 2 // 3, pictures)


def half_rate(s: Scene, rng: np.random.Generator) -> Scene:
    """Every other frame of the second half: a camera that changed its rate."""
    t_ns, pictures = _front(s)
    kept = np.concatenate([np.arange(t_ns.size // 2), np.arange(t_ns.size // 2, t_ns.size, 2)])
    return with_front(s, t_ns[kept], pictures[kept])


def in_km_h(s: Scene, rng: np.random.Generator) -> Scene:
    return with_signal(s, "speed_mps", s.signals.columns["speed_mps"] * 3.6)


def in_radians(s: Scene, rng: np.random.Generator) -> Scene:
    return with_signal(s, "steering_wheel_deg", np.radians(s.signals.columns["steering_wheel_deg"]))


def out_of_range(s: Scene, rng: np.random.Generator) -> Scene:
    wild = 1000.0 * (rng.random(len(s.signals)) < 0.01)
    return with_signal(s, "yaw_rate_dps", s.signals.columns["yaw_rate_dps"] + wild)


def nans(s: Scene, rng: np.random.Generator) -> Scene:
    begin = s.window_ns[0] + rng.uniform(1e9, 6e9)
    gone = (s.signals.t_ns > begin) & (s.signals.t_ns < begin + rng.uniform(1e9, 4e9))
    name = str(rng.choice(["steering_wheel_deg", "speed_mps", "yaw_rate_dps"]))
    return with_signal(s, name, np.where(gone, np.nan, s.signals.columns[name]))


def stuck(s: Scene, rng: np.random.Generator) -> Scene:
    values = s.signals.columns["steering_wheel_deg"].copy()
    begin = s.window_ns[0] + rng.uniform(0, 4e9)
    held = (s.signals.t_ns > begin) & (s.signals.t_ns < begin + 6e9) & ~np.isnan(values)
    values[held] = values[held][0]
    return with_signal(s, "steering_wheel_deg", values)


def position(s: Scene, rng: np.random.Generator) -> Scene:
    after = s.signals.t_ns > s.window_ns[0] + rng.uniform(1e9, 9e9)
    jump = rng.choice([-1, 1]) * rng.uniform(60, 3000) / 111_195
    return with_signal(s, "lat_deg", s.signals.columns["lat_deg"] + after * jump)


def swapped(s: Scene, rng: np.random.Generator) -> Scene:
    return replace(s, cameras={"front": s.cameras["rear"], "rear": s.cameras["front"]})


INJECTED = {
    dropped: Defect.DROPPED_FRAMES,
    duplicated: Defect.DUPLICATED_FRAMES,
    reordered: Defect.REORDERED_FRAMES,
    frozen: Defect.FROZEN_PICTURE,
    black: Defect.BLACK_PICTURE,
    camera_clock_jump: Defect.CLOCK_JUMP,
    signals_clock_ahead: Defect.CLOCK_JUMP,
    signals_clock_back: Defect.CLOCK_JUMP,
    drift: Defect.CLOCK_DRIFT,
    offset: Defect.VIDEO_OFFSET,
    mirrored: Defect.MIRRORED_PICTURE,
    truncated: Defect.TRUNCATED,
    stamped_too_fast: Defect.WRONG_RATE,
    half_rate: Defect.WRONG_RATE,
    in_km_h: Defect.BAD_UNIT,
    in_radians: Defect.BAD_UNIT,
    out_of_range: Defect.BAD_RANGE,
    nans: Defect.MISSING_SAMPLES,
    stuck: Defect.STUCK_STEERING,
    position: Defect.POSITION_JUMP,
    swapped: Defect.SWAPPED_CAMERAS,
}
