"""A drive through the world as a recorder in the car would have written it: native format, video and telemetry.

Only what a car knows is written: its own motion, pedals, wheel, position, who drove, and why that ended. What the
world knows of others, and what the expert would have done, is not.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from curate.seconds import SYNTHETIC
from edge.drive import Drive, open_drive
from edge.durable import PREFIX
from edge.manifest import Manifest
from edge.video.camera import VideoFile
from edge.video.encode import Encoding, encode
from edge.write import write_drive
from train.world.car import STEERING_RATIO, WHEELBASE_M
from train.world.draw import Pixels
from train.world.env import STEP_S, Action, DrivingWorld, Observation, World
from train.world.safety import BY_BRAKE, BY_GAS
from trigger.signals import ControlSource, EndReason
from trigger.telemetry import Telemetry
from trigger.vehicle import VehicleProfile

T0_NS = 1_700_000_000_000_000_000
METRES_PER_DEG = 111_320.0
ENCODING = Encoding(crf=23, preset="superfast", key_every=10)


class Driver(Protocol):
    """Whoever gives the actions."""

    def start(self) -> None:
        """A new drive begins."""

    def act(self, seen: Observation) -> Action:
        """(3,) float32 as `env` has it."""


@dataclass
class Ridden:
    """What became of one drive. `takeovers`: (t_s, reason). `name`: of the drive, where it was recorded."""

    place: str
    seconds: float = 0.0
    metres: float = 0.0
    takeovers: list[tuple[float, str]] = field(default_factory=list)
    name: str = ""


def ride(world: World, driver: Driver | None, seconds: float, ridden: Ridden) -> Iterator[tuple[float, Pixels]]:
    """Drive, and yield (t_s, picture) of every step; `ridden` fills up on the way.

    Args:
        driver: None where the expert drives all the way, as a human would.
    """
    if driver:
        driver.start()
    seen, info = world.reset()
    while ridden.seconds < seconds:
        yield info["t_s"], seen["front"]
        action = driver.act(seen) if driver else info["expert"]
        seen, _, terminated, truncated, info = world.step(action)
        ridden.seconds, ridden.metres = info["t_s"], info["metres"]
        if info["takeover"]:
            ridden.takeovers.append((info["t_s"] - STEP_S, info["takeover"]))
        if terminated or truncated:
            break


def record(
    folder: Path, name: str, world: DrivingWorld, driver: Driver | None, seconds: float, staged: bool = False
) -> tuple[Drive, Ridden]:
    """Ride, and write the drive into a new folder.

    Args:
        staged: the drive is labelled synthetic. Not what a fleet meets: the world is its road.

    Raises:
        DriveError: the folder exists.
    """
    ridden, log = Ridden(world.place, name=name), _Log(world, engaged=driver is not None)
    world.each_tick = log.tick
    video = folder.parent / f"{PREFIX}{name}.mp4"
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        frames = ((T0_NS + round(t_s * 1e9), picture) for t_s, picture in ride(world, driver, seconds, ridden))
        t0_ns = encode(video, frames, ENCODING)
        head = Manifest(
            id=name,
            recorder="native",
            t0_ns=T0_NS,
            cameras={},
            files={},
            vehicle=VehicleProfile(WHEELBASE_M, STEERING_RATIO),
            engagement="the policy drives",
            consent=True,
            static={"world": world.place} | ({SYNTHETIC: True} if staged else {}),
        )
        write_drive(
            folder,
            head,
            log.telemetry(ridden),
            {"front": lambda path: VideoFile(video.rename(path), t0_ns)},
            geometry={"front": world.lens.geometry},
        )
    finally:
        video.unlink(missing_ok=True)
        world.each_tick = lambda: None
    return open_drive(folder), ridden


class _Log:
    """Telemetry at every tick."""

    def __init__(self, world: DrivingWorld, engaged: bool) -> None:
        self.world, self.by_policy = world, engaged
        self.rows: list[tuple[float, ...]] = []

    def tick(self) -> None:
        scene = self.world.scene
        ego, place = scene.ego, scene.road.place
        x, y, heading = scene.road.pose(ego.station_m, ego.offset_m)
        self.rows.append(
            (
                scene.t_s, ego.speed_mps, ego.accel_mps2, ego.speed_mps * ego.yaw_rate_rad_s,
                math.degrees(ego.yaw_rate_rad_s), ego.steering_wheel_deg, ego.gas, ego.brake,
                float(self.by_policy and self.world.engaged), place.origin[0] + y / METRES_PER_DEG,
                place.origin[1] + x / METRES_PER_DEG, (90.0 - math.degrees(heading + ego.heading_rad)) % 360.0,
            )
        )  # fmt: skip

    def telemetry(self, ridden: Ridden) -> Telemetry:
        columns = np.array(self.rows).T
        t_ns = T0_NS + np.rint(columns[0] * 1e9).astype(np.int64)
        names = (
            "speed_mps", "accel_long_mps2", "accel_lat_mps2", "yaw_rate_dps", "steering_wheel_deg", "gas_fraction",
            "brake_fraction", "engaged", "lat_deg", "lon_deg", "heading_deg",
        )  # fmt: skip
        signals = {name: (t_ns, column) for name, column in zip(names, columns[1:], strict=True)}
        engaged = columns[8] > 0
        source = np.where(engaged, float(ControlSource.SYSTEM), float(ControlSource.HUMAN))
        signals |= dict.fromkeys(("control_source_steering", "control_source_speed"), (t_ns, source))
        if ridden.takeovers:
            at = np.array([T0_NS + round(t_s * 1e9) for t_s, _ in ridden.takeovers])
            why = np.array([float(_reason(reason)) for _, reason in ridden.takeovers])
            signals["end_reason"] = (at, why)
        return Telemetry.merge(signals)


def _reason(takeover: str) -> EndReason:
    """What the human's hands and feet tell the recorder; the world's own word for it stays here."""
    if takeover in BY_BRAKE:
        return EndReason.BRAKE
    if takeover in BY_GAS:
        return EndReason.GAS
    return EndReason.FAULT if takeover == "bad controls" else EndReason.STEERING
