"""CarRacing-v3 as a world; skipped where it is not installed: pip install "gymnasium[box2d]"."""

import numpy as np
import pytest

from train.world.record import Ridden, ride
from train.worlds.adapter import GymWorld

pytest.importorskip("Box2D", reason='CarRacing-v3 is not installed: pip install "gymnasium[box2d]"')
pytest.importorskip("pygame", reason='CarRacing-v3 is not installed: pip install "gymnasium[box2d]"')


class Scripted:
    def __init__(self, steering):
        self.steering = steering

    def start(self):
        pass

    def act(self, seen):
        return np.array([self.steering, 0.3, 0.0], np.float32)


def test_its_expert_drives_on_without_a_takeover():
    told = Ridden("CarRacing-v3")
    for _, picture in ride(GymWorld("CarRacing-v3", 7), None, 8.0, told):
        assert picture.shape == (96, 96, 3)
    assert not told.takeovers
    assert told.metres > 50


@pytest.mark.parametrize("steering", [-0.6, 0.6])
def test_a_car_that_leaves_the_road_is_taken_over_on_the_side_it_steered_to(steering):
    world, told = GymWorld("CarRacing-v3", 7), Ridden("CarRacing-v3")
    heading = world._moment.env.car.hull.angle
    for _ in ride(world, Scripted(steering), 8.0, told):
        if told.takeovers:
            break
    assert [reason for _, reason in told.takeovers] == ["off road"]
    assert np.sign(world._moment.env.car.hull.angle - heading) == np.sign(steering)
