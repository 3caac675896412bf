"""What a policy says at the wheel: slips beyond a pedal's end are the end, anything else is for the safety driver."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from train.driver import MOST_WHEEL_DEG, PolicyDriver
from train.errors import PolicyError
from train.frames import View
from train.policies.policy import Forecast
from train.senses import Senses
from train.window import Window
from train.world.env import SPEED

NAMES = ("steering_wheel_deg", "gas_fraction", "brake_fraction")


class Saying:
    def __init__(self, *values):
        self.values, self.shapes, self.speeds = values, [], []

    def __call__(self, frames, speed_mps):
        self.shapes.append(tuple(frames.shape))
        self.speeds.append(speed_mps.item())
        return frames

    def to_units(self, _):
        return Forecast(torch.tensor(self.values).view(1, 1, 3), torch.ones(1, 1, 3))


def driver(policy, frames=1, stride_s=0.1, controls=NAMES, **more):
    config = SimpleNamespace(
        view=View(32, 24), window=Window(frames, stride_s), controls=controls, others=(), senses=Senses(), **more
    )
    return PolicyDriver(SimpleNamespace(name="p", policy=policy, config=config))


SEEN = {"front": np.zeros((48, 64, 3), np.uint8)}


def test_its_answer_is_an_action():
    acted = driver(Saying(MOST_WHEEL_DEG / 2, 0.4, 0.1)).act(SEEN)
    assert acted == pytest.approx([0.5, 0.4, 0.1])


def test_it_is_told_the_speed_where_the_world_tells_it():
    policy = Saying(0.0, 0.0, 0.0)
    at_wheel = driver(policy)
    at_wheel.act(SEEN | {SPEED: np.array([12.5], np.float32)})
    at_wheel.act(SEEN)
    assert policy.speeds[0] == 12.5
    assert np.isnan(policy.speeds[1])


def test_a_slip_is_the_pedals_end_and_nonsense_is_passed_on():
    assert driver(Saying(0.0, 1.1, -0.2)).act(SEEN) == pytest.approx([0.0, 1.0, 0.0])
    assert driver(Saying(0.0, 3.0, -0.2)).act(SEEN)[1] == pytest.approx(3.0)
    assert np.isnan(driver(Saying(float("nan"), 0.0, 0.0)).act(SEEN)[0])


def test_frames_lie_as_far_apart_as_in_training_and_the_first_stands_for_those_before():
    policy = Saying(0.0, 0.0, 0.0)
    at_wheel = driver(policy, frames=3, stride_s=0.2)
    at_wheel.start()
    for _ in range(3):
        at_wheel.act(SEEN)
    assert policy.shapes == [(1, 3, 3, 24, 32)] * 3
    assert at_wheel.frames.maxlen == 5


@pytest.mark.parametrize("odd", [{"stride_s": 0.15}, {"controls": NAMES[:2]}])
def test_a_policy_of_another_world_is_refused(odd):
    with pytest.raises(PolicyError, match="train it on drives"):
        driver(Saying(0.0, 0.0, 0.0), **odd)
