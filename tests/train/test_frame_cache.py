"""What the cache decodes, the proxy or the clip's own video, and what it lets go of."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from bars import T0_NS, Bar
from makers.versions import published

from curate.clipref import ClipRef, refs_of
from curate.dataset import DatasetVersion
from curate.look import FOLDER, HEAD, look, read_look
from edge.cut import cut
from edge.drive import Drive, open_drive
from edge.manifest import Manifest
from edge.scan import scan
from edge.video.camera import VideoFile
from edge.write import encoded, write_drive
from train.clips import open_clips
from train.fit import fit
from train.frame_cache import FrameCache
from train.frame_folder import ClipFrames
from train.frames import View
from train.settings import Settings

WIDTH, HEIGHT, SECONDS = 384, 256, 3
VIEW = View(48, 32)
ROOM = SECONDS * 10 * 48 * 32 * 3 + 1000
"""For the frames of one short drive, in bytes, with their times."""


@pytest.fixture
def version(tmp_path: Path) -> DatasetVersion:
    """One clip, larger than its proxy, of which a look was taken."""
    bar = Bar(seconds=SECONDS)
    pictures = ((int(t_ns), ramp(number)) for number, t_ns in enumerate(bar.times()))
    head = Manifest("large", "test", T0_NS, {}, {}, engagement="nobody")
    write_drive(tmp_path / "drive", head, bar.telemetry(), {"front": encoded(pictures)})
    clips = [one.folder for one in cut(scan(open_drive(tmp_path / "drive"), 1.0), tmp_path / "cut")]
    made = published(tmp_path / "store", clips)
    look(ref_of(made))
    return made


def ref_of(version: DatasetVersion) -> ClipRef:
    (clip,) = sorted((version.store / "clips").iterdir())
    return refs_of(version.store, [clip])[0]


def ramp(number: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Dark above and light below, with an edge that moves from frame to frame."""
    picture = np.repeat(np.linspace(20, 200, HEIGHT).astype(np.uint8)[:, None], WIDTH, 1)
    picture[:, : 8 * number] //= 2
    return np.repeat(picture[..., None], 3, 2)


def opened(version: DatasetVersion, view: View = VIEW) -> tuple[Drive, ClipFrames]:
    (clip,), skipped = open_clips(version, view)
    assert not skipped
    return clip.drive, clip.frames


@pytest.mark.parametrize("view", [VIEW, View(96, 48, crop_top=0.25)])
def test_the_proxy_is_read_and_shows_what_the_clip_shows_when_it_does(
    version: DatasetVersion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, view: View
) -> None:
    whole = FrameCache(tmp_path / "whole").frames(open_drive(ref_of(version).folder), view)
    decode = VideoFile.frames

    def only_proxies(self: VideoFile, *window: int) -> object:
        assert self.path.name.startswith("proxy-"), "full resolution was decoded"
        return decode(self, *window)

    monkeypatch.setattr(VideoFile, "frames", only_proxies)
    _, frames = opened(version, view)
    assert frames.from_proxy
    assert not whole.from_proxy
    assert np.array_equal(frames.t_ns, whole.t_ns)
    off = np.abs(frames.pixels.astype(int) - whole.pixels).mean(axis=(1, 2, 3))
    another = np.abs(np.roll(frames.pixels, 1, axis=0).astype(int) - whole.pixels).mean(axis=(1, 2, 3))
    assert off.max() < 2.0
    assert (off < another).all()


def test_a_view_larger_than_the_proxy_is_read_from_the_clip_and_that_is_said(version: DatasetVersion) -> None:
    proxy = read_look(ref_of(version)).cameras["front"].video.size
    assert View(proxy[0], 64).is_held_by(proxy)
    _, frames = opened(version, View(proxy[0] + 1, 64))
    assert not frames.from_proxy
    _, cropped = opened(version, View(64, 100, crop_top=0.5))
    assert not cropped.from_proxy
    result = fit(version, Settings(preset="tiny", steps=1, batch=2))
    assert not result.notes


@pytest.mark.parametrize("damage", ["no look", "no head", "garbage", "short", "zeros"])
def test_without_a_whole_proxy_the_clip_itself_is_read(version: DatasetVersion, damage: str) -> None:
    folder = ref_of(version).made / FOLDER
    proxy = folder / "proxy-front.mp4"
    if damage == "no look":
        folder.rename(folder.with_name("look-0"))
    elif damage == "no head":
        (folder / HEAD).unlink()
    else:
        whole = proxy.read_bytes()
        half = len(whole) // 2
        damaged = {"garbage": b"not a video", "short": whole[:half], "zeros": whole[:half] + bytes(len(whole) - half)}
        proxy.write_bytes(damaged[damage])
    drive, frames = opened(version)
    assert not frames.from_proxy
    assert np.array_equal(frames.t_ns, drive.cameras["front"].frame_times())
    assert fit(version, Settings(preset="tiny", steps=1, batch=2)).notes[0].startswith("1 of 1 clips have no proxy")


def three_of(tmp_path: Path, cache: Path) -> list[tuple[Drive, Path]]:
    """Three drives, whose frames were put into the cache in this order: 30 frames of 48 x 32 each."""
    found: list[tuple[Drive, Path]] = []
    for number in range(3):
        Bar(seconds=SECONDS, seed=number).write(tmp_path / f"drive-{number}")
        drive = open_drive(tmp_path / f"drive-{number}")
        FrameCache(cache).frames(drive, VIEW)
        (folder,) = set(cache.iterdir()) - {path for _, path in found}
        os.utime(folder, (number, number))
        found.append((drive, folder))
    return found


def test_above_the_limit_the_longest_unused_go_first_and_none_in_use(tmp_path: Path) -> None:
    cache, size = tmp_path / "cache", ROOM
    (first, at_first), (_, at_second), (_, at_third) = three_of(tmp_path, cache)
    again = FrameCache(cache, 2 * size)
    again.trim()
    assert set(cache.iterdir()) == {at_second, at_third}
    kept = FrameCache(cache, size)
    frames = kept.frames(first, VIEW)
    kept.trim()
    assert set(cache.iterdir()) == {at_first}
    none = FrameCache(cache, 0)
    none.frames(first, VIEW)
    none.trim()
    assert set(cache.iterdir()) == {at_first}
    FrameCache(cache, 0).trim()
    assert not set(cache.iterdir())
    assert frames.pixels.mean() > 0, "what is mapped stays readable"


def test_reading_makes_a_folder_the_last_to_go(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    (first, at_first), *_ = three_of(tmp_path, cache)
    FrameCache(cache).frames(first, VIEW)
    FrameCache(cache, ROOM).trim()
    assert set(cache.iterdir()) == {at_first}


def test_open_clips_hold_no_files_open(tmp_path: Path) -> None:
    """A store has more clips than a process may open files."""
    drives = three_of(tmp_path, tmp_path / "cache")
    before = len(list(Path("/dev/fd").iterdir()))
    frames = [FrameCache(tmp_path / "cache").frames(drive, VIEW) for drive, _ in drives]
    assert len(list(Path("/dev/fd").iterdir())) == before
    assert all(one.pixels.any() for one in frames)
    with pytest.raises(ValueError, match="read-only"):
        frames[0].pixels[0] = 0
