"""What controls become where a path is asked for: the arc that a car drives with them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.world.car import BRAKE_MPS2, GAS_MPS2, Car, Controls
from train.world.place import CALM, PLACES
from train.world.road import road_of
from train.worlds.path import Vehicle, path

AFTER_S = np.arange(1, 41) / 10


def test_straight_on_at_speed():
    places = path(Controls(0.0, 0.0, 0.0), 10.0, Vehicle(), AFTER_S)
    assert places[:, 0] == pytest.approx(10.0 * AFTER_S)
    assert not places[:, 1:].any()


def test_left_is_left_and_a_circle_closes():
    controls, vehicle = Controls(0.4, 0.0, 0.0), Vehicle()
    round_s = 2 * np.pi / vehicle.curvature_per_m(controls) / 8.0
    quarter, whole = path(controls, 8.0, vehicle, np.array([round_s / 4, round_s]))
    radius = 1 / vehicle.curvature_per_m(controls)
    assert quarter == pytest.approx([radius, radius, np.pi / 2])
    assert whole[:2] == pytest.approx([0.0, 0.0], abs=1e-9)


def test_braking_ends_at_a_standstill():
    places = path(Controls(0.0, 0.0, 1.0), 9.0, Vehicle(), AFTER_S)
    stop_m = 9.0**2 / (2 * BRAKE_MPS2)
    assert places[-1, 0] == pytest.approx(stop_m)
    assert np.all(np.diff(places[:, 0]) >= 0)


def test_gas_sets_a_standing_car_going():
    assert path(Controls(0.0, 0.5, 0.0), 0.0, Vehicle(), np.array([2.0]))[0, 0] == pytest.approx(GAS_MPS2)
    assert not path(Controls(0.5, 0.0, 0.5), 0.0, Vehicle(), AFTER_S).any()


def test_a_car_with_a_slower_steering_turns_less_for_the_same_wheel():
    controls = Controls(0.2, 0.0, 0.0)
    assert Vehicle(2.7, 18.0).curvature_per_m(controls) < Vehicle(2.7, 15.0).curvature_per_m(controls)
    assert Vehicle(3.0, 15.0).curvature_per_m(controls) == pytest.approx(Vehicle().curvature_per_m(controls) * 2.7 / 3)


@given(st.builds(Controls, st.floats(-0.3, 0.3), st.floats(0, 1), st.just(0.0)), st.floats(2, 20))
def test_it_is_where_the_built_in_worlds_car_gets_to(controls, speed):
    """Once its wheel and pedals have come to where they are asked to be; over one step, less a little drag."""
    car = Car(0.0, speed, 0.0)
    car.tyre_rad, car.gas = controls.steering * np.radians(35.0), controls.gas
    road, yaw = road_of(PLACES["meadow"], CALM), 0.0
    for _ in range(100):
        car.move(controls, road, 0.001)
        yaw += car.yaw_rate_rad_s * 0.001
    assert path(controls, speed, Vehicle(), np.array([0.1]))[0, 2] == pytest.approx(yaw, rel=0.01, abs=1e-6)
