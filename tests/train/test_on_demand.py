"""Where the cache has no room, samples are what they are with it, in this process and in its children."""

from __future__ import annotations

import multiprocessing
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from bars import Bar
from makers.versions import published

from curate.clipref import refs_of
from curate.dataset import DatasetVersion
from curate.look import FOLDER, look
from edge.cut import cut
from edge.drive import open_drive
from edge.errors import VideoError
from edge.scan import scan
from train import frame_folder
from train.clips import open_clips, remarks
from train.frame_cache import FrameCache
from train.frames import Pixels, View
from train.on_demand import FramesOnDemand
from train.samples import collect
from train.window import Window

VIEW = View(48, 32, crop_top=0.25)
BYTES = 30 * 48 * 32 * 3
"""Of one clip's pictures in the cache."""


@pytest.fixture
def version(tmp_path: Path) -> DatasetVersion:
    """Two clips of 3 s, of which a look was taken."""
    clips = []
    for seed in range(2):
        Bar(seconds=3, seed=seed).write(tmp_path / f"{seed}")
        clips += [one.folder for one in cut(scan(open_drive(tmp_path / f"{seed}"), 1.0), tmp_path / "cut")]
    made = published(tmp_path / "store", clips)
    for ref in refs_of(made.store, sorted((made.store / "clips").iterdir())):
        look(ref)
    return made


def window(pictures: FramesOnDemand, frame: list[int]) -> Pixels:
    found = np.zeros((len(frame), *pictures.shape), np.uint8)
    pictures.take(np.array(frame), found)
    return found


def on_demand(version: DatasetVersion) -> FramesOnDemand:
    clips, _ = open_clips(version, VIEW, cache=FrameCache(version.store / "none", 0))
    assert isinstance(clips[0].frames, FramesOnDemand)
    return clips[0].frames


def test_pictures_are_those_of_the_cache_in_any_order(version: DatasetVersion) -> None:
    cached = open_clips(version, VIEW)[0][0].frames
    decoded = on_demand(version)
    assert np.array_equal(decoded.t_ns, cached.t_ns)
    assert decoded.shape == cached.shape
    for frame in ([0, 5, 10], [29, 3, 3], [7], list(range(30))):
        kept = np.empty((len(frame), *cached.shape), np.uint8)
        cached.take(np.array(frame), kept)
        assert np.array_equal(window(decoded, frame), kept)


def test_the_limit_holds_and_what_is_beyond_it_is_said(version: DatasetVersion, tmp_path: Path) -> None:
    cache = FrameCache(tmp_path / "cache", BYTES)
    clips, skipped = open_clips(version, VIEW, cache=cache)
    assert not skipped
    assert [isinstance(clip.frames, FramesOnDemand) for clip in clips] == [False, True]
    assert len(list(cache.root.iterdir())) == 1
    assert remarks(clips, aside=False) == ["1 of 2 clips do not fit into the cache: decoded for each sample"]


def test_a_disk_without_room_is_a_cache_without_room(
    version: DatasetVersion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frame_folder, "SPARE_BYTES", 1 << 62)
    clips, skipped = open_clips(version, VIEW, cache=FrameCache(tmp_path / "cache"))
    assert not skipped
    assert all(isinstance(clip.frames, FramesOnDemand) for clip in clips)


def test_a_clip_without_a_proxy_is_kept_beyond_the_limit(version: DatasetVersion, tmp_path: Path) -> None:
    first, _ = sorted((version.store / "made").iterdir())
    shutil.rmtree(first / FOLDER)
    clips, _ = open_clips(version, VIEW, cache=FrameCache(tmp_path / "cache", 0))
    assert [isinstance(clip.frames, FramesOnDemand) for clip in clips] == [False, True]


def test_samples_are_the_same_with_and_without_a_cache(version: DatasetVersion, tmp_path: Path) -> None:
    batches = []
    for limit in (BYTES, 0):
        clips, _ = open_clips(version, VIEW, cache=FrameCache(tmp_path / "cache" / str(limit), limit))
        batches.append(collect(version, "train", clips, Window(3, 0.2)).batch([40, 3, 3, 17]))
    assert torch.equal(batches[0].frames, batches[1].frames)
    assert batches[0].clip_ids == batches[1].clip_ids


def test_processes_of_a_fork_decode_each_for_itself(version: DatasetVersion) -> None:
    """With one decoder they would move each other's place in the file."""
    pictures = on_demand(version)
    frames = [[0, 9, 21], [4, 17, 29]]
    wanted = [window(pictures, frame) for frame in frames]
    with multiprocessing.get_context("fork").Pool(2) as children:
        found = children.starmap(window, [(pictures, frame) for frame in frames * 20], chunksize=1)
    assert all(np.array_equal(one, other) for one, other in zip(wanted * 20, found, strict=True))


def test_a_new_process_is_sent_no_decoder(version: DatasetVersion) -> None:
    pictures = on_demand(version)
    wanted = window(pictures, [0, 9])
    sent = pickle.loads(pickle.dumps(pictures))
    assert np.array_equal(window(sent, [0, 9]), wanted)


def test_a_proxy_that_goes_away_is_an_error_that_names_it(version: DatasetVersion) -> None:
    pictures = on_demand(version)
    pictures.video.path.unlink()
    with pytest.raises(VideoError, match=r"proxy-front\.mp4"):
        window(pictures, [3])
