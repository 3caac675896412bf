"""A policy as the driver of a foreign simulator: the `egodriver` gRPC contract of NVIDIA's AlpaSim, which CARLA speaks
too through autoware_carla_scenario. Both ends of it are in `carla-driver-interface` (PyPI, Apache-2.0).

The simulator sends pictures and the car's speed and asks for a path; sessions, clocks and coordinates are that
package's business. The policy is given a picture every 0.1 s, as in training: of a faster camera the ones between are
left out, and a camera that cannot do it is refused. The answer holds until the next picture, and becomes a path by
`train.worlds.path`.

Controls that are none end the session (`terminate_session`): there is no safety driver here, and nothing is clipped in
silence. Before the first picture the path is empty, which the contract takes for "stay". There is neither encryption
nor a password: serve it to simulators you trust.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from carla_driver_interface.driver import BaseDriver, DriveContext, DriveResult, SensorFrame, SessionState
from carla_driver_interface.geometry import Pose, Trajectory

from train.checkpoint import load_policy
from train.driver import PolicyDriver
from train.errors import WorldError
from train.world.car import STEERING_RATIO, WHEELBASE_M, Controls
from train.world.env import STEP_S
from train.world.record import Driver
from train.worlds.path import Vehicle, path

AFTER_S = np.arange(1, 41, dtype=np.float64) / 10
"""A path is told for 4 s in steps of 0.1 s, as the contract's own reference drivers do."""
LATE_S = 0.015
"""A picture may come so much off its time: 10, 20 and 30 pictures a second fit, 15 and 25 do not."""


@dataclass
class _Session:
    """One car. `controls`: the answer to the last picture."""

    driver: Driver
    camera: str
    seen_us: int | None = None
    controls: Controls | None = None

    def see(self, frame: SensorFrame) -> None:
        since_s = STEP_S if self.seen_us is None else (frame.timestamp_us - self.seen_us) / 1e6
        if since_s < STEP_S - LATE_S:
            return
        if since_s > STEP_S + LATE_S:
            raise WorldError(
                f"{self.camera} gave no picture for {since_s:.3f} s",
                f"one every {STEP_S} s, or a multiple of that rate",
                "set the camera to 10, 20 or 30 pictures a second",
            )
        self.seen_us = frame.timestamp_us
        action = self.driver.act({"front": frame.as_array()})
        self.controls = Controls(*(float(value) for value in action))


def from_folder(
    folder: Path | str,
    camera: str | None = None,
    wheelbase_m: float = WHEELBASE_M,
    steering_ratio: float = STEERING_RATIO,
    threads: int = 1,
) -> EgoDriver:
    """A saved policy; `carla-driver-interface` itself can call this by name, and so packs it for AlpaSim.

    Args:
        wheelbase_m, steering_ratio: of the car that it learned on. threads: of torch.

    Raises:
        PolicyError: no policy there, or not one that drives.
    """
    torch.set_num_threads(threads)
    saved = load_policy(Path(folder))
    PolicyDriver(saved)
    return EgoDriver(saved.name, lambda: PolicyDriver(saved), camera, Vehicle(wheelbase_m, steering_ratio))


class EgoDriver(BaseDriver):  # type: ignore[misc]
    """Raises WorldError, which the simulator is told, for a session without the camera."""

    def __init__(self, name: str, driver: Callable[[], Driver], camera: str | None, vehicle: Vehicle) -> None:
        """`driver`: makes one for a session, for it remembers pictures. `camera`: as the simulator calls it; its only
        one unless told."""
        self.name = name
        self._driver, self._camera, self._vehicle = driver, camera, vehicle
        self._sessions: dict[str, _Session] = {}

    def on_session_start(self, session: SessionState) -> None:
        cameras = sorted(session.cameras)
        camera = self._camera or (cameras[0] if len(cameras) == 1 else "")
        if camera not in cameras:
            raise WorldError(
                f"the simulator has the cameras {', '.join(cameras) or 'none'}",
                f"one called {camera}" if camera else "a single one",
                "name one of them with --camera",
            )
        driver = self._driver()
        driver.start()
        self._sessions[session.uuid] = _Session(driver, camera)

    def on_session_close(self, session: SessionState) -> None:
        self._sessions.pop(session.uuid, None)

    def on_frame(self, session: SessionState, frame: SensorFrame) -> None:
        ours = self._sessions[session.uuid]
        if frame.logical_id == ours.camera:
            ours.see(frame)

    def drive(self, ctx: DriveContext) -> DriveResult:
        controls = self._sessions[ctx.session.uuid].controls
        if controls is None:
            return DriveResult(Trajectory.empty())
        told = {"steering": controls.steering, "gas": controls.gas, "brake": controls.brake}
        if controls.problem():
            return DriveResult(Trajectory.empty(), terminate_session=True, debug_scalars=told)
        return DriveResult(self._trajectory(controls, ctx), debug_scalars=told)

    def _trajectory(self, controls: Controls, ctx: DriveContext) -> Trajectory:
        places = path(controls, ctx.session.speed_mps(), self._vehicle, AFTER_S)
        times_us = [ctx.time_now_us + round(after_s * 1e6) for after_s in AFTER_S.tolist()]
        return Trajectory(times_us, [Pose.from_xyz_yaw(x, y, 0.0, yaw) for x, y, yaw in places])
