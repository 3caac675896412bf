"""Names of signals: the table, and a robot's own columns beside it."""

import numpy as np
import pytest

from trigger.signals import SIGNALS, controls_of, signal_named, signals_named
from trigger.telemetry import Telemetry, TelemetryError


def test_a_robots_columns_have_a_meaning_and_other_names_have_none():
    assert signal_named("speed_mps") is SIGNALS["speed_mps"]
    gripper = signal_named("action_gripper")
    assert (gripper.name, gripper.kind, gripper.unit) == ("action_gripper", "number", "")
    for name in ("gripper", "action_", "action_Gripper", "action gripper", "state_" + "a" * 65, "actions_gripper", ""):
        assert signal_named(name) is None
        with pytest.raises(TelemetryError, match="telemetry column"):
            Telemetry(np.array([1]), {name: np.array([0.5])})
    assert set(Telemetry(np.array([1]), {"state_0": np.array([0.5])})) == {"state_0"}


def test_the_table_comes_first_and_in_its_order():
    names = ["state_elbow", "lat_deg", "action_gripper", "nonsense", "speed_mps"]
    assert [s.name for s in signals_named(names)] == ["speed_mps", "lat_deg", "action_gripper", "state_elbow"]


def test_a_robots_actions_have_a_source_of_their_own():
    controls = controls_of(["speed_mps", "action_gripper", "state_gripper"])
    assert controls["control_source_robot"] == ("action_gripper",)
    assert all(axis in SIGNALS for axis in controls)
