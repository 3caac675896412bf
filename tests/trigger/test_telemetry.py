import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigger.telemetry import Telemetry, TelemetryError


def test_times_must_increase():
    with pytest.raises(TelemetryError, match="strictly increasing"):
        Telemetry(np.array([1, 1]), {})


def test_unknown_names_and_wrong_lengths_are_refused():
    with pytest.raises(TelemetryError, match="vEgo"):
        Telemetry(np.array([1, 2]), {"vEgo": np.zeros(2)})
    with pytest.raises(TelemetryError, match=r"\(3,\) beside 2 times"):
        Telemetry(np.array([1, 2]), {"speed_mps": np.zeros(3)})
    with pytest.raises(TelemetryError, match="infinite"):
        Telemetry(np.array([1, 2]), {"speed_mps": np.array([0.0, np.inf])})


def test_merge_keeps_each_signals_own_samples_and_nothing_else():
    telemetry = Telemetry.merge(
        {
            "speed_mps": (np.array([30, 10]), np.array([3.0, 1.0])),
            "engaged": (np.array([20, 20, 10]), np.array([0.0, 1.0, 0.0])),
            "gas_fraction": (np.array([5]), np.array([np.nan])),
        }
    )
    assert telemetry.t_ns.tolist() == [10, 20, 30]
    assert telemetry.samples("speed_mps")[1].tolist() == [1.0, 3.0]
    assert telemetry.samples("engaged")[1].tolist() == [0.0, 1.0]  # of equal times the last is kept
    assert "gas_fraction" not in telemetry  # a signal without a sample is absent, not empty


def test_a_held_value_grows_old():
    telemetry = Telemetry(np.array([0, 1_000_000_000]), {"speed_mps": np.array([5.0, np.nan])})
    held = telemetry.at("speed_mps", np.array([-1, 0, 400_000_000, 600_000_000]), max_age_s=0.5)
    np.testing.assert_array_equal(held, [np.nan, 5.0, 5.0, np.nan])


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=60), st.integers(0, 10**12), st.integers(0, 10**12))
def test_parts_of_a_drive_join_to_the_whole(times, a, b):
    t_ns = np.array(times)
    whole = Telemetry.merge({"speed_mps": (t_ns, t_ns / 1e6)})
    low, high = sorted((a, b))
    parts = [whole.between(-1, low), whole.between(low, high), whole.between(high, 10**13)]
    np.testing.assert_array_equal(np.concatenate([p.t_ns for p in parts]), whole.t_ns)
