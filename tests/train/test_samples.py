"""Which windows are samples; above all that no frame of an exam is trained on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from bars import HUMAN, SECOND_NS, SYSTEM, T0_NS, Bar, bars_fixture, publish_rows, rows_of  # noqa: F401
from hypothesis import given
from hypothesis import strategies as st

from curate.dataset import DatasetVersion
from train.clips import open_clips
from train.errors import SampleError
from train.frames import View
from train.samples import SampleSet, collect
from train.window import Window, window_frames

VIEW, WINDOW = View(48, 32), Window(3, 0.2)


def version_of(store: Path, bar: Bar, split: list[str]) -> DatasetVersion:
    bar.write(store / "clips" / "a")
    return publish_rows(store, rows_of("a", bar, split))


def samples_of(version: DatasetVersion, split: str, window: Window = WINDOW) -> SampleSet:
    clips, skipped = open_clips(version, VIEW)
    return collect(version, split, clips, window, skipped=skipped)


def frame_seconds(samples: SampleSet) -> set[int]:
    """Every second that any frame of any window lies in."""
    seconds = set()
    for clip, window in zip(samples.clip, samples.frame, strict=True):
        seconds |= set(((samples.clips[clip].frames.t_ns[window[0]] - T0_NS) // SECOND_NS).tolist())
    return seconds


def test_no_window_reaches_into_another_split(tmp_path: Path) -> None:
    split = ["train"] * 5 + ["eval"] * 4 + ["excluded"] * 2 + ["train"] * 3
    version = version_of(tmp_path, Bar(seconds=14), split)
    train, exam = samples_of(version, "train"), samples_of(version, "eval")
    assert frame_seconds(train) == {0, 1, 2, 3, 4, 11, 12, 13}
    assert frame_seconds(exam) == {5, 6, 7, 8}
    # 4 frames at the start of the exam, and 4 after the excluded seconds, reach back too far.
    assert exam.dropped["window reaches into another split"] == 4
    assert train.dropped["window reaches into another split"] == 4
    assert train.dropped["window not whole"] == 4
    assert len(train) == 80 - 8


def test_a_second_that_another_clip_of_the_drive_examines_is_not_trained_on(tmp_path: Path) -> None:
    bar = Bar(seconds=6)
    for name in ("a", "b"):
        bar.write(tmp_path / "clips" / name)
    rows = rows_of("a", bar, ["train"] * 6) + rows_of("b", bar, ["eval"] * 2 + ["excluded"] * 4)[:3]
    version = publish_rows(tmp_path, rows)
    assert frame_seconds(samples_of(version, "train")) == {3, 4, 5}


def test_frames_no_human_steered_are_context_and_not_samples(tmp_path: Path) -> None:
    bar = Bar(seconds=6, sources=((0.0, HUMAN), (2.0, SYSTEM), (4.0, HUMAN)))
    samples = samples_of(version_of(tmp_path, bar, ["train"] * 6), "train")
    assert set(((samples.t_ns - T0_NS) // SECOND_NS).tolist()) == {0, 1, 4, 5}
    # The first samples after the take-over look back at what the system did.
    assert 3 in frame_seconds(samples)
    assert samples.dropped["no human control"] == 20


def test_a_sample_belongs_to_the_second_that_holds_its_last_frame(tmp_path: Path) -> None:
    samples = samples_of(version_of(tmp_path, Bar(seconds=4), ["train"] * 4), "train")
    assert samples.row.tolist() == ((samples.t_ns - T0_NS) // SECOND_NS).tolist()


def test_shapes_of_a_sample_and_a_batch(bars: DatasetVersion) -> None:
    samples = samples_of(bars, "train")
    batch = samples.batch([0, 5, 100])
    assert batch.frames.shape == (3, 3, 3, 32, 48)
    assert batch.frames.dtype == torch.uint8
    assert batch.controls.shape == (3, 1, 1)
    assert batch.controls.dtype == batch.weight.dtype == torch.float32
    assert batch.clip_ids == ("a", "a", "a")
    one = samples.sample(5)
    assert torch.equal(one.frames, batch.frames[1])
    assert torch.equal(one.controls, batch.controls[1])
    assert "Batch" in repr(batch)
    assert "train" in repr(samples)


def test_missing_controls_are_nan_and_the_others_stay(tmp_path: Path) -> None:
    both, steering = Bar(seconds=3, seed=3, pedals=True), Bar(seconds=3, seed=4)
    both.write(tmp_path / "clips" / "a")
    steering.write(tmp_path / "clips" / "b")
    rows = rows_of("a", both, ["train"] * 3) + rows_of("b", steering, ["train"] * 3)
    samples = samples_of(publish_rows(tmp_path, rows), "train")
    assert samples.spec.names == ("steering_wheel_deg", "gas_fraction", "brake_fraction")
    of_b = samples.controls[samples.clip == 1]
    assert not np.isnan(of_b[..., 0]).any()
    assert np.isnan(of_b[..., 1:]).all()
    assert not np.isnan(samples.controls[samples.clip == 0]).any()


def test_a_control_without_a_label_in_the_split_is_not_learned(tmp_path: Path) -> None:
    """The human works the pedals only in the seconds that are examined."""
    bar = Bar(seconds=6, pedals=True, pedal_sources=((0.0, SYSTEM), (4.0, HUMAN)))
    version = version_of(tmp_path, bar, ["train"] * 4 + ["eval"] * 2)
    assert samples_of(version, "train").spec.names == ("steering_wheel_deg",)
    assert len(samples_of(version, "eval").spec.names) == 3


def test_an_empty_split_is_an_error_that_counts_why(tmp_path: Path) -> None:
    version = version_of(tmp_path, Bar(seconds=3), ["train"] * 3)
    with pytest.raises(SampleError) as caught:
        samples_of(version, "eval")
    assert caught.value.todo


def test_windows_take_the_frame_nearest_to_the_time_wanted() -> None:
    ms = 1_000_000
    t_ns = np.array([0, 51, 99, 152, 200, 249], np.int64) * ms
    frame, whole = window_frames(t_ns, Window(2, 0.1))
    assert frame[whole].tolist() == [[0, 2], [1, 3], [2, 4], [3, 5]]


def test_a_gap_in_the_video_breaks_windows() -> None:
    t_ns = np.array([0, 100, 200, 900, 1000, 1100], np.int64) * 1_000_000
    _, whole = window_frames(t_ns, Window(3, 0.1))
    assert whole.tolist() == [False, False, True, False, False, True]


def test_a_slow_camera_never_fills_a_window_with_the_same_frame_twice() -> None:
    t_ns = np.arange(10, dtype=np.int64) * 150_000_000
    frame, whole = window_frames(t_ns, Window(3, 0.1))
    assert all(len(set(window)) == 3 for window in frame[whole].tolist())


@given(
    gaps=st.lists(st.integers(1, 400), min_size=1, max_size=40),
    frames=st.integers(1, 4),
    stride_ms=st.integers(20, 300),
)
def test_windows_never_look_ahead_and_keep_their_tolerance(gaps: list[int], frames: int, stride_ms: int) -> None:
    t_ns = np.cumsum(gaps).astype(np.int64) * 1_000_000
    window = Window(frames, stride_ms / 1000)
    frame, whole = window_frames(t_ns, window)
    assert (frame <= np.arange(len(t_ns))[:, None]).all()
    for last in np.flatnonzero(whole):
        ages = t_ns[last] - t_ns[frame[last]]
        wanted = np.arange(frames - 1, -1, -1) * stride_ms * 1_000_000
        assert (np.abs(ages - wanted) < window.tolerance_ns).all()


def test_windows_that_cannot_be_are_refused() -> None:
    with pytest.raises(SampleError):
        Window(0, 0.1)
    with pytest.raises(SampleError):
        Window(2, 0.0)
