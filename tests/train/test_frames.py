"""The frame cache: right, whole, and made again when it is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from bars import Bar, bars_fixture  # noqa: F401

from curate.dataset import DatasetVersion
from edge.drive import Drive, open_drive
from train import frame_cache
from train.clips import open_clips
from train.errors import SampleError
from train.frame_cache import FrameCache
from train.frame_folder import LOST, PIXELS, TIMES, ClipFrames
from train.frames import Eye, Pixels, View, camera_name

VIEW = View(48, 32)


def cached_frames(drive: Drive, view: View, cache: Path) -> ClipFrames:
    return FrameCache(cache).frames(drive, view)


@pytest.fixture
def drive(tmp_path: Path) -> Drive:
    Bar(seconds=3, seed=5).write(tmp_path / "drive")
    return open_drive(tmp_path / "drive")


def test_frames_have_the_size_and_the_times_of_the_camera(drive: Drive, tmp_path: Path) -> None:
    found = cached_frames(drive, VIEW, tmp_path / "cache")
    assert found.pixels.shape == (30, 32, 48, 3)
    assert found.pixels.dtype == np.uint8
    assert found.t_ns.tolist() == drive.cameras["front"].frame_times().tolist()
    assert found.lost == ()


def test_the_bar_is_where_it_was_drawn(drive: Drive, tmp_path: Path) -> None:
    found = cached_frames(drive, VIEW, tmp_path / "cache")
    column = found.pixels[..., 1].mean(axis=1).argmax(axis=1)
    wanted = (96 / 2 - Bar(seconds=3, seed=5).steering() * 0.6) / 2
    assert np.abs(column - wanted).max() < 3


def test_a_second_reading_decodes_nothing(drive: Drive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = cached_frames(drive, VIEW, tmp_path / "cache")
    monkeypatch.setattr(frame_cache, "write_frames", lambda *_: pytest.fail("decoded again"))
    assert np.array_equal(cached_frames(drive, VIEW, tmp_path / "cache").pixels, first.pixels)


def test_crop_and_size_make_folders_of_their_own(drive: Drive, tmp_path: Path) -> None:
    whole = cached_frames(drive, VIEW, tmp_path / "cache")
    cropped = cached_frames(drive, View(48, 32, crop_top=0.5), tmp_path / "cache")
    assert whole.pixels.shape == cropped.pixels.shape
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_an_interrupted_decode_leaves_nothing_and_the_next_one_completes(
    drive: Drive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = iter(range(100))
    whole = Eye.look

    def stops(self: Eye, rgb: Pixels) -> Pixels:
        if next(calls) == 7:
            raise KeyboardInterrupt
        return whole(self, rgb)

    monkeypatch.setattr(Eye, "look", stops)
    with pytest.raises(KeyboardInterrupt):
        cached_frames(drive, VIEW, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []
    assert len(cached_frames(drive, VIEW, tmp_path / "cache").t_ns) == 30


@pytest.mark.parametrize("name", [PIXELS, TIMES, LOST])
@pytest.mark.parametrize("damage", ["truncate", "remove"])
def test_a_damaged_folder_is_made_again(drive: Drive, tmp_path: Path, name: str, damage: str) -> None:
    before = np.array(cached_frames(drive, VIEW, tmp_path / "cache").pixels)
    path = next((tmp_path / "cache").iterdir()) / name
    content = path.read_bytes()
    path.unlink()
    if damage == "truncate" and name != LOST:
        path.write_bytes(content[: len(content) // 2])
    assert np.array_equal(cached_frames(drive, VIEW, tmp_path / "cache").pixels, before)


def test_a_short_video_gives_its_good_part_and_says_so(
    drive: Drive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = type(drive.cameras["front"])
    whole = camera.frames
    monkeypatch.setattr(camera, "frames", lambda self: (f for f, _ in zip(whole(self), range(21), strict=False)))
    found = cached_frames(drive, VIEW, tmp_path / "cache")
    assert found.pixels.shape[0] == found.t_ns.size == 21
    assert "9 of 30" in found.lost[0]


def test_the_front_camera_is_taken_unless_another_is_named(drive: Drive) -> None:
    cameras = {"rear": drive.cameras["front"], "front": drive.cameras["front"], "a": drive.cameras["front"]}
    three = Drive(drive.id, "test", drive.source, drive.t0_ns, drive.telemetry, cameras)
    assert camera_name(three, VIEW) == "front"
    assert camera_name(three, View(48, 32, camera="rear")) == "rear"
    with pytest.raises(SampleError, match="a camera called left"):
        camera_name(three, View(48, 32, camera="left"))


def test_a_damaged_clip_is_left_out_once_and_named(bars: DatasetVersion, tmp_path: Path) -> None:
    rows = bars.rows
    store = tmp_path / "store"
    for clip in ("a", "b"):
        (store / "clips").mkdir(parents=True, exist_ok=True)
        (store / "clips" / clip).symlink_to(bars.clip_folder(clip))
    (store / "clips" / "b").unlink()
    (store / "clips" / "b").mkdir()
    for file in bars.clip_folder("b").iterdir():
        (store / "clips" / "b" / file.name).write_bytes(file.read_bytes())
    (store / "clips" / "b" / "front.mp4").write_bytes(b"not a video")
    clips, skipped = open_clips(DatasetVersion(store, bars.name, rows, bars.head), VIEW)
    assert [clip.clip_id for clip in clips] == ["a"]
    assert list(skipped) == ["b"]
    assert "front.mp4" in skipped["b"]


@pytest.mark.parametrize("wrong", [{"width": 4}, {"height": 0}, {"crop_top": 1.0}, {"crop_top": -0.1}])
def test_views_that_show_nothing_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SampleError):
        View(**({"width": 48, "height": 32} | wrong))  # type: ignore[arg-type]
