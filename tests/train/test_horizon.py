"""Labels of the next steps: only while the same human goes on, and never those of an exam."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from bars import HUMAN, SECOND_NS, SYSTEM, T0_NS, Bar, publish_rows, rows_of

from train.clips import open_clips
from train.controls import ControlSpec, labels_ahead
from train.errors import SampleError
from train.frames import View
from train.horizon import Horizon
from train.samples import SampleSet, collect
from train.window import Window

SECOND = Horizon(5, 0.25)
STEERING = ControlSpec(("steering_wheel_deg",))


def ahead(bar: Bar, at_s: list[float], horizon: Horizon = SECOND) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    t_ns = T0_NS + np.round(np.array(at_s) * 1e9).astype(np.int64)
    return labels_ahead(bar.telemetry(), STEERING, t_ns, horizon)[..., 0]


def samples_of(store: Path, bar: Bar, split: list[str], wanted: str = "train") -> SampleSet:
    bar.write(store / "clips" / "a")
    version = publish_rows(store, rows_of("a", bar, split))
    clips, skipped = open_clips(version, View(48, 32))
    return collect(version, wanted, clips, Window(2, 0.1), skipped=skipped, horizon=SECOND)


def test_each_step_is_the_control_that_much_later() -> None:
    bar = Bar(seconds=5)
    found = ahead(bar, [1.0, 2.5])
    truth = np.interp(np.array([[1.0], [2.5]]) + np.arange(5) * 0.25, np.arange(50) / 10, bar.steering())
    assert np.allclose(found, truth)


def test_beyond_a_change_of_hands_nothing_is_known_even_where_a_human_returns() -> None:
    bar = Bar(seconds=5, sources=((0.0, HUMAN), (2.0, SYSTEM), (2.1, HUMAN)))
    assert np.isnan(ahead(bar, [1.6])[0]).tolist() == [False, False, True, True, True]


def test_what_a_human_does_after_taking_over_is_no_answer_to_what_the_system_saw() -> None:
    bar = Bar(seconds=5, sources=((0.0, SYSTEM), (2.0, HUMAN)))
    assert np.isnan(ahead(bar, [1.6])).all()


def test_the_end_of_the_recording_is_the_end_of_the_labels() -> None:
    assert np.isnan(ahead(Bar(seconds=3), [2.4])[0]).tolist() == [False, False, False, True, True]


def test_no_second_of_an_exam_is_trained_on_ahead_of_time(tmp_path: Path) -> None:
    split = ["train"] * 3 + ["eval"] * 2 + ["train"] * 2
    train = samples_of(tmp_path, Bar(seconds=7), split)
    steps = SECOND.times(train.t_ns)
    trained_on = set(((steps[~np.isnan(train.controls[..., 0])] - T0_NS) // SECOND_NS).tolist())
    assert trained_on == {0, 1, 2, 5, 6}
    near = train.t_ns == T0_NS + round(2.6 * SECOND_NS)
    assert np.isnan(train.controls[near, :, 0]).tolist() == [[False, False, True, True, True]]


def test_an_exam_does_not_ask_about_what_was_trained_on(tmp_path: Path) -> None:
    exam = samples_of(tmp_path, Bar(seconds=5), ["train"] * 2 + ["eval"] * 2 + ["train"], "eval")
    asked = set(((SECOND.times(exam.t_ns)[~np.isnan(exam.controls[..., 0])] - T0_NS) // SECOND_NS).tolist())
    assert asked == {2, 3}


def test_a_horizon_adds_no_sample_and_takes_none_away(tmp_path: Path) -> None:
    bar = Bar(seconds=4)
    bar.write(tmp_path / "clips" / "a")
    version = publish_rows(tmp_path, rows_of("a", bar, ["train"] * 4))
    clips, _ = open_clips(version, View(48, 32))
    now, later = (collect(version, "train", clips, Window(2, 0.1), horizon=h) for h in (Horizon(), SECOND))
    assert now.t_ns.tolist() == later.t_ns.tolist()
    assert np.array_equal(now.controls_now, later.controls_now)
    assert later.controls.shape == (len(later), 5, 1)


@pytest.mark.parametrize(("steps", "stride_s"), [(0, 0.1), (65, 0.1), (2, 0.0), (2, 11.0), (2, float("nan"))])
def test_horizons_that_cannot_be_are_refused(steps: int, stride_s: float) -> None:
    with pytest.raises(SampleError):
        Horizon(steps, stride_s)
