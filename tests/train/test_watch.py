"""The video shows every frame once, and who held the wheel."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from bars import HUMAN, SYSTEM, T0_NS, Bar, fitted_fixture  # noqa: F401

from edge.drive import open_drive
from train.checkpoint import SavedPolicy, load_policy
from train.draw import HUMAN as GREEN
from train.draw import POLICY as ORANGE
from train.draw import SYSTEM as GREY
from train.draw import Colour
from train.errors import EvaluationError
from train.fit import FitResult
from train.watch import watch
from trigger.event import Event, Evidence

BAR = Bar(seconds=4, seed=6, sources=((0.0, HUMAN), (2.0, SYSTEM)), pedals=True)


@pytest.fixture
def saved(fitted: FitResult) -> SavedPolicy:
    return load_policy(fitted.folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    BAR.write(tmp_path / "drive")
    return tmp_path / "drive"


def decoded(path: Path) -> tuple[list[int], list[np.ndarray]]:  # type: ignore[type-arg]
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        found = [(f.time, f.to_ndarray(format="rgb24")) for f in container.decode(video=0)]
    return [round((t or 0.0) * 1000) for t, _ in found], [picture for _, picture in found]


def amount(picture: np.ndarray, colour: Colour) -> int:  # type: ignore[type-arg]
    return int((np.abs(picture.astype(int) - colour).max(axis=-1) < 60).sum())


def test_every_frame_of_the_source_appears_once_at_its_time(saved: SavedPolicy, folder: Path, tmp_path: Path) -> None:
    result = watch(open_drive(folder), saved, tmp_path / "out.mp4")
    times, pictures = decoded(tmp_path / "out.mp4")
    assert result.frames == len(pictures) == 40
    assert result.predicted == 39
    assert times == list(range(0, 4000, 100))
    assert pictures[0].shape[1] >= 640
    assert sorted(p.name for p in tmp_path.iterdir()) == ["drive", "out.mp4"]


def test_green_is_the_human_grey_the_system_orange_the_policy(saved: SavedPolicy, folder: Path, tmp_path: Path) -> None:
    watch(open_drive(folder), saved, tmp_path / "out.mp4")
    _, pictures = decoded(tmp_path / "out.mp4")
    left, right = slice(0, 320), slice(320, 640)
    assert amount(pictures[0][:, right], ORANGE) < amount(pictures[1][:, right], ORANGE) / 4
    human, system = pictures[10][300:, left], pictures[30][300:, left]
    assert amount(human, GREEN) > 4 * amount(system, GREEN)
    assert amount(system, GREY) > amount(human, GREY)


def test_an_event_is_announced(saved: SavedPolicy, folder: Path, tmp_path: Path) -> None:
    onset = T0_NS + 2_000_000_000
    event = Event("hard_brake", onset, onset, (onset, onset + 1), 1.0, Evidence("speed_mps", 0.0, 0.0))
    watch(open_drive(folder), saved, tmp_path / "with.mp4", events=[event])
    watch(open_drive(folder), saved, tmp_path / "without.mp4")
    (_, with_it), (_, without) = decoded(tmp_path / "with.mp4"), decoded(tmp_path / "without.mp4")
    top = slice(0, 60)
    assert np.abs(with_it[20][top].astype(int) - without[20][top]).mean() > 5
    assert np.abs(with_it[1][top].astype(int) - without[1][top]).mean() < 2


def test_a_part_predicts_from_its_first_frame_on(saved: SavedPolicy, folder: Path, tmp_path: Path) -> None:
    result = watch(open_drive(folder), saved, tmp_path / "out.mp4", start_s=1.0, seconds=1.5)
    assert (result.frames, result.predicted) == (15, 15)
    assert len(decoded(tmp_path / "out.mp4")[0]) == 15


def test_a_part_without_frames_is_refused_and_leaves_nothing(saved: SavedPolicy, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="no frame"):
        watch(open_drive(folder), saved, tmp_path / "out.mp4", start_s=99.0)
    assert [p.name for p in tmp_path.iterdir()] == ["drive"]


def test_an_interrupted_video_leaves_nothing(saved: SavedPolicy, folder: Path, tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        watch(open_drive(folder), saved, tmp_path / "out.mp4", advance=stop)
    assert [p.name for p in tmp_path.iterdir()] == ["drive"]
