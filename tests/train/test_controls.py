"""Only what a human is known to have done is a label."""

from __future__ import annotations

import numpy as np
import pytest

from train.controls import ControlSpec, find_controls, labels
from train.errors import SampleError
from trigger.signals import ControlSource
from trigger.telemetry import Telemetry

MS = 1_000_000
HUMAN, SYSTEM, UNKNOWN, SHARED = (float(ControlSource[n]) for n in ("HUMAN", "SYSTEM", "UNKNOWN", "SHARED"))


def drive(signals: dict[str, list[tuple[int, float]]]) -> Telemetry:
    """Signals as (milliseconds, value) pairs."""
    return Telemetry.merge(
        {name: (np.array([t * MS for t, _ in p], np.int64), np.array([v for _, v in p])) for name, p in signals.items()}
    )


def at(telemetry: Telemetry, names: tuple[str, ...], *times_ms: float) -> list[list[float]]:
    return labels(telemetry, ControlSpec(names), np.array([round(t * MS) for t in times_ms], np.int64)).tolist()


STEERING = ("steering_wheel_deg",)
RAMP = [(t, float(t)) for t in range(0, 1001, 100)]


def test_a_human_value_is_a_label_and_is_a_line_between_samples() -> None:
    telemetry = drive({"steering_wheel_deg": RAMP, "control_source_steering": [(0, HUMAN)]})
    assert at(telemetry, STEERING, 0, 150, 200, 999) == [[0.0], [150.0], [200.0], [999.0]]


@pytest.mark.parametrize("source", [SYSTEM, UNKNOWN, SHARED])
def test_what_no_human_did_is_no_label(source: float) -> None:
    telemetry = drive({"steering_wheel_deg": RAMP, "control_source_steering": [(0, source)]})
    assert np.isnan(at(telemetry, STEERING, 0, 150, 1000)).all()


def test_a_recording_that_does_not_say_who_drove_has_no_labels() -> None:
    assert np.isnan(at(drive({"steering_wheel_deg": RAMP}), STEERING, 0, 500)).all()


def test_before_the_first_word_on_the_source_nothing_is_a_label() -> None:
    telemetry = drive({"steering_wheel_deg": RAMP, "control_source_steering": [(500, HUMAN)]})
    assert np.isnan(at(telemetry, STEERING, 100, 450)).all()
    assert at(telemetry, STEERING, 500, 550) == [[500.0], [550.0]]


def test_a_line_is_not_drawn_from_one_driver_to_another() -> None:
    sources = [(0, HUMAN), (450, SYSTEM), (750, HUMAN)]
    telemetry = drive({"steering_wheel_deg": RAMP, "control_source_steering": sources})
    assert np.isnan(at(telemetry, STEERING, 420, 500, 700, 780)).all()
    assert at(telemetry, STEERING, 400, 800, 850) == [[400.0], [800.0], [850.0]]


def test_a_source_holds_for_two_seconds_and_a_value_for_a_fifth() -> None:
    points = [(0, 1.0), (100, 2.0), (1_900, 3.0), (2_000, 4.0), (2_100, 5.0), (2_200, 6.0)]
    telemetry = drive({"steering_wheel_deg": points, "control_source_steering": [(0, HUMAN)]})
    assert at(telemetry, STEERING, 50, 1_950) == [[1.5], [3.5]]
    assert np.isnan(at(telemetry, STEERING, 1_000, 2_150)).all()  # no value near; the word on who drives is too old


def test_a_moment_of_other_hands_between_two_samples_leaves_no_label() -> None:
    sources = [(0, HUMAN), (110, SYSTEM), (120, HUMAN)]
    telemetry = drive({"steering_wheel_deg": [(0, 1.0), (100, 2.0), (200, 3.0)], "control_source_steering": sources})
    assert at(telemetry, STEERING, 50) == [[1.5]]
    assert np.isnan(at(telemetry, STEERING, 150)).all()


def test_pedals_follow_the_source_of_speed_and_not_of_steering() -> None:
    signals = {"gas_fraction": [(0, 0.5), (100, 0.7)], "steering_wheel_deg": [(0, 9.0)]}
    sources = {"control_source_speed": [(0, SYSTEM)], "control_source_steering": [(0, HUMAN)]}
    row = at(drive(signals | sources), ("steering_wheel_deg", "gas_fraction"), 0)[0]
    assert row[0] == 9.0
    assert np.isnan(row[1])


def test_controls_are_those_a_human_moved_with_one_steering_signal() -> None:
    first = drive(
        {"steering_normalised": [(0, 0.1)], "steering_tire_deg": [(0, 1.0)], "control_source_steering": [(0, HUMAN)]}
    )
    second = drive(
        {"brake_fraction": [(0, 0.1)], "gas_fraction": [(9, 0.1)], "control_source_speed": [(0, HUMAN), (5, SYSTEM)]}
    )
    assert find_controls([first, second]).names == ("steering_tire_deg", "brake_fraction")
    assert find_controls([first]).steering == 0
    assert find_controls([second]).steering is None


def test_no_human_control_at_all_is_an_error_with_three_parts() -> None:
    with pytest.raises(SampleError) as caught:
        find_controls([drive({"steering_wheel_deg": RAMP, "control_source_steering": [(0, SYSTEM)]})])
    assert "human" in caught.value.got
    assert caught.value.todo
