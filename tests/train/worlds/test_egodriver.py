"""A policy behind AlpaSim's egodriver contract, driven by that package's own runtime; skipped where it is absent."""

import pickle

import numpy as np
import pytest

pytest.importorskip("carla_driver_interface", reason="no carla-driver-interface: pip install 'swerve[worlds]'")

import grpc
from carla_driver_interface.inprocess import in_process_channel
from carla_driver_interface.protocol import (
    DriveRequest,
    DriveSessionRequest,
    DynamicState,
    EgodriverServiceStub,
    RolloutCameraImage,
    RolloutEgoTrajectory,
    Vec3,
)
from carla_driver_interface.server import serving
from carla_driver_interface.testing import FakeCamera, FakeLoop

from train.world.car import BRAKE_MPS2, GAS_MPS2
from train.worlds.egodriver import EgoDriver
from train.worlds.path import Vehicle

EYE = FakeCamera(width=64, height=48)


class Scripted:
    """Gives one action always, and keeps what it was shown."""

    def __init__(self, *action):
        self.action, self.shown, self.starts = np.array(action, np.float32), [], 0

    def start(self):
        self.starts += 1

    def act(self, seen):
        self.shown.append(seen["front"])
        return self.action


class LaneKeeper(Scripted):
    """Steers by what it sees: towards the middle between the lane's markings, as a policy would."""

    def act(self, seen):
        row = seen["front"][-6].astype(int)
        white = np.flatnonzero(row.min(axis=1) > 160)
        middle = row.shape[0] / 2
        left, right = white[white < middle], white[white > middle]
        ahead = (left.max() + right.min()) / 2 - middle if left.size and right.size else 0.0
        return np.array([np.clip(-0.02 * ahead, -1, 1), 0.0, 0.0], np.float32)


def ego(driver, camera=None):
    return EgoDriver("scripted", lambda: driver, camera, Vehicle())


def drive(driver, steps=10, cameras=(EYE,), camera=None, **start):
    with FakeLoop(in_process_channel(ego(driver, camera)), cameras, **start) as loop:
        return loop.run(steps)


def test_it_is_driven_over_a_socket():
    driver = Scripted(0.0, 0.5, 0.0)
    with serving(ego(driver), port=0, host="127.0.0.1") as port, FakeLoop(f"127.0.0.1:{port}", (EYE,)) as loop:
        result = loop.run(10)
    assert result.steps == len(driver.shown) == 10
    assert driver.starts == 1
    assert driver.shown[0].shape == (48, 64, 3)
    assert result.debug[-1].policy_name == "scripted"
    assert result.debug[-1].scalars["gas"] == pytest.approx(0.5)


def test_gas_and_brake_become_speed():
    """The fake runtime takes a step's mean speed for the speed at its end, so half of an acceleration arrives."""
    faster = drive(Scripted(0.0, 0.5, 0.0), 11)
    assert faster.speeds_mps[-1] == pytest.approx(0.5 * GAS_MPS2 * 0.5 * 1.0, rel=1e-3)
    slower = drive(Scripted(0.0, 0.0, 0.5), 11, initial_speed_mps=8.0)
    assert slower.speeds_mps[-1] == pytest.approx(8.0 - 0.5 * BRAKE_MPS2 * 0.5 * 1.0, rel=1e-3)
    stopped = drive(Scripted(0.0, 0.0, 0.5), 45, initial_speed_mps=8.0)
    assert stopped.speeds_mps[-1] == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize("steering", [-0.1, 0.1])
def test_steering_left_drives_left(steering):
    result = drive(Scripted(steering, 0.0, 0.0), initial_speed_mps=8.0)
    assert np.sign(result.lateral_offsets_m[-1]) == np.sign(steering)
    assert np.sign(result.ego.last_pose.yaw) == np.sign(steering)


def test_what_steers_by_its_pictures_comes_back_to_the_lanes_middle():
    away = drive(Scripted(0.0, 0.0, 0.0), 60, initial_speed_mps=6.0, initial_lateral_offset_m=0.8)
    back = drive(LaneKeeper(0, 0, 0), 60, initial_speed_mps=6.0, initial_lateral_offset_m=0.8)
    assert away.lateral_offsets_m[-1] == pytest.approx(0.8)
    assert abs(back.lateral_offsets_m[-1]) < 0.3


def test_controls_that_are_none_end_the_session():
    result = drive(Scripted(np.nan, 0.0, 0.0))
    assert result.terminated_by_policy
    assert result.steps == 1


@pytest.mark.parametrize(("step_s", "shown"), [(0.05, 5), (1 / 30, 4)])
def test_of_a_faster_camera_it_is_shown_a_picture_every_tenth_of_a_second(step_s, shown):
    driver = Scripted(0.0, 0.1, 0.0)
    assert drive(driver, 10, step_s=step_s).steps == 10
    assert len(driver.shown) == shown


@pytest.mark.parametrize("step_s", [0.2, 1 / 15, 0.04])
def test_a_camera_that_is_too_slow_is_refused_loudly(step_s):
    with pytest.raises(grpc.RpcError, match="10, 20 or 30 pictures"):
        drive(Scripted(0.0, 0.1, 0.0), 10, step_s=step_s)


def test_two_cameras_and_no_name_is_refused_and_a_name_chooses():
    two = (EYE, FakeCamera("camera_left", 32, 24, yaw_left_deg=90.0))
    with pytest.raises(grpc.RpcError, match="camera_front, camera_left") as refused:
        drive(Scripted(0.0, 0.1, 0.0), cameras=two)
    assert refused.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    driver = Scripted(0.0, 0.1, 0.0)
    drive(driver, 3, cameras=two, camera="camera_left")
    assert {picture.shape for picture in driver.shown} == {(24, 32, 3)}


def test_it_answers_alpasims_runtime_before_and_after_the_first_picture():
    stub = EgodriverServiceStub(in_process_channel(ego(Scripted(0.0, 0.0, 0.0)), mode="alpasim"))
    request = DriveSessionRequest(session_uuid="a")
    request.rollout_spec.vehicle.available_cameras.append(EYE.available_camera())
    stub.start_session(request)
    motion = RolloutEgoTrajectory(session_uuid="a", dynamic_states=[DynamicState(linear_velocity=Vec3(x=5.0))])
    motion.trajectory.poses.add(timestamp_us=0).pose.quat.w = 1.0
    stub.submit_egomotion_observation(motion)
    asked = DriveRequest(session_uuid="a", time_now_us=0, time_query_us=100_000, renderer_data=b"its own")
    assert len(stub.drive(asked).trajectory.poses) == 1
    image = RolloutCameraImage(session_uuid="a")
    image.camera_image.logical_id, image.camera_image.image_bytes = EYE.logical_id, png()
    stub.submit_image_observation(image)
    answer = stub.drive(asked)
    assert len(answer.trajectory.poses) == 41
    last = answer.trajectory.poses[-1]
    assert (last.timestamp_us, last.pose.vec.x) == (4_000_000, pytest.approx(20.0))
    assert pickle.loads(answer.debug_info.unstructured_debug_info)["policy_name"] == "scripted"


def png():
    import cv2

    return cv2.imencode(".png", np.zeros((48, 64, 3), np.uint8))[1].tobytes()
