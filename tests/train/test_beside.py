"""Several cameras: each window of the first is given the frames of the others that were taken with it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from bars import Bar, publish_rows, rows_of
from hypothesis import given
from hypothesis import strategies as st

from train.beside import frames_beside
from train.checkpoint import load_policy
from train.clips import open_clips
from train.evaluation.answers import predict
from train.fit import fit
from train.frames import View
from train.samples import collect
from train.settings import Settings
from train.window import Window

MS = 1_000_000


def test_the_nearest_frame_is_taken_and_never_one_from_the_future() -> None:
    wanted = np.array([[0, 100], [100, 200]], np.int64) * MS
    frame, found = frames_beside(wanted, np.array([-10, 95, 160, 204], np.int64) * MS, 60 * MS)
    assert frame.tolist() == [[0, 1], [1, 2]]
    assert found.tolist() == [True, True]


def test_a_camera_that_started_later_has_no_frames_beside_the_first() -> None:
    _, found = frames_beside(np.array([[0], [100]], np.int64) * MS, np.array([90], np.int64) * MS, 40 * MS)
    assert found.tolist() == [False, True]


@given(st.lists(st.integers(0, 2000), min_size=1, max_size=30, unique=True), st.integers(0, 2000))
def test_what_is_found_is_near_and_not_after_the_sample(times: list[int], last: int) -> None:
    other = np.array(sorted(times), np.int64)
    wanted = np.array([[last - 100, last]], np.int64)
    frame, found = frames_beside(wanted, other, 30)
    if found[0]:
        assert (np.abs(other[frame[0]] - wanted[0]) < 30).all()
        assert (other[frame[0]] <= last).all()


def test_a_policy_of_two_cameras_trains_and_answers(tmp_path: Path) -> None:
    both, one = Bar(seconds=4, seed=1, cameras=("front", "left")), Bar(seconds=4, seed=2)
    both.write(tmp_path / "clips" / "a")
    one.write(tmp_path / "clips" / "b")
    version = publish_rows(tmp_path, rows_of("a", both, ["train"] * 4) + rows_of("b", one, ["train"] * 4))
    result = fit(version, Settings(preset="tiny", steps=2, batch=4, cameras=("left",)))
    assert list(result.skipped) == ["b"]
    assert "has the cameras front" in result.skipped["b"]
    saved = load_policy(result.folder)
    clips, _ = open_clips(version, saved.config.view, others=saved.config.others)
    samples = collect(version, "train", clips, saved.config.window)
    front, left = samples.batch([0, 5]).views
    assert front.shape == left.shape
    assert predict(saved.policy, samples).now.shape == (len(samples), 1)


def test_no_camera_looks_into_another_split(tmp_path: Path) -> None:
    """The second camera's clock is 30 ms behind: its frame beside the first of a second lies in the second before."""
    bar = Bar(seconds=4, cameras=("front", "left"))
    bar.write(tmp_path / "clips" / "a")
    version = publish_rows(tmp_path, rows_of("a", bar, ["eval", "eval", "train", "train"]))
    clips, _ = open_clips(version, View(48, 32), others=(View(48, 32, camera="left"),))
    late = replace(clips[0].others[0], t_ns=clips[0].others[0].t_ns - 30 * MS)
    samples = collect(version, "train", [replace(clips[0], others=(late,))], Window(1, 0.1))
    assert samples.dropped["window reaches into another split"] == 1
    assert len(samples) == 19
