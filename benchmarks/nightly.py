"""A whole night over many small clips: seconds of each step, and the greatest memory of all its processes together.

    python benchmarks/nightly.py [--clips 1000] [--seconds 10] [--size 640x480] [--work FOLDER] [--again]

Makes so many clips of so many seconds, each cut from a drive of its own with one H.264 camera, whose picture moves and
whose signals differ; then runs one night over them as `swerve curate nightly` does. The clips' video is one of eight,
made once, so that making them takes less than the night. `--again` runs a second night, which finds nothing new.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import tempfile
import threading
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np

from curate.nightly import Night, nightly
from curate.store import open_store
from edge.cut import cut
from edge.drive import open_drive
from edge.manifest import Manifest
from edge.scan import scan
from edge.upload.destination import FolderDestination
from edge.upload.push import push
from edge.video.encode import Encoding
from edge.write import encoded, write_camera, write_drive
from trigger.signals import ControlSource
from trigger.telemetry import Telemetry

T0_NS = 1_700_000_000_000_000_000
ALWAYS_NS = (0, 1 << 62)
RATE = 20
VIDEOS = 8
EVENTS_EVERY = 10
"""One clip in so many brakes hard."""


def telemetry(number: int, seconds: int) -> Telemetry:
    rng = np.random.default_rng(number)
    t_s = np.arange(0.0, seconds, 0.02)
    speed = 10 + 15 * rng.random() + np.sin(t_s / 3 + number)
    if number % EVENTS_EVERY == 0:
        speed = np.maximum(speed - 6 * np.clip(t_s - seconds / 2, 0, 1.5), 0)
    human = np.full(t_s.size, float(ControlSource.HUMAN))
    columns = {
        "speed_mps": speed,
        "steering_wheel_deg": 20 * rng.random() * np.sin(t_s / (1 + rng.random())) + rng.normal(0, 0.1, t_s.size),
        "lat_deg": 59.3 + 0.5 * rng.random() + speed * t_s / 111_000,
        "lon_deg": np.full(t_s.size, 18.0 + rng.random()),
        "control_source_steering": human,
        "control_source_speed": human,
    }
    return Telemetry(T0_NS + np.round(t_s * 1e9).astype(np.int64), columns)


def pictures(number: int, seconds: int, size: tuple[int, int]):  # type: ignore[no-untyped-def]
    """A textured road that comes nearer, never the same twice."""
    width, height = size
    rng = np.random.default_rng(number)
    ground = np.kron(rng.integers(40, 200, (height // 8 * 4, width // 8)), np.ones((8, 8))).astype(np.uint8)
    for k in range(seconds * RATE):
        rolled = np.roll(ground, 3 * k, axis=0)[:height]
        yield T0_NS + k * 1_000_000_000 // RATE, np.repeat(rolled[:, :, None], 3, axis=2)


def make(folder: Path, clips: int, seconds: int, size: tuple[int, int]) -> None:
    """A store with this many clips in its inbox."""
    videos = []
    for number in range(VIDEOS):
        head = Manifest(id=f"video-{number}", recorder="native", t0_ns=T0_NS, cameras={}, files={})
        video = {"front": encoded(pictures(number, seconds, size), Encoding(key_every=RATE))}
        write_drive(folder / f"video-{number}", head, telemetry(number, seconds), video)
        videos.append(open_drive(folder / f"video-{number}").cameras["front"])
    for number in range(clips):
        place = folder / f"drive-{number}"
        head = Manifest(id=f"drive-{number:05d}", recorder="native", t0_ns=T0_NS, cameras={}, files={}, consent=True)
        write_drive(
            place,
            head,
            telemetry(number, seconds),
            {"front": partial(write_camera, videos[number % VIDEOS], ALWAYS_NS)},
        )
        for written in cut(scan(open_drive(place), 1.0), folder / "clips"):
            push(written.folder, FolderDestination(folder / "store"))
        shutil.rmtree(place)
        shutil.rmtree(folder / "clips")


class Steps:
    """How long each step of the night took."""

    def __init__(self) -> None:
        self.began: list[tuple[str, float]] = []

    def __call__(self, name: str) -> None:
        self.began.append((name, time.perf_counter()))

    def show(self) -> None:
        ends = [at for _, at in self.began[1:]] + [time.perf_counter()]
        for (name, began), ended in zip(self.began, ends, strict=True):
            print(f"  {name:28s} {ended - began:8.1f} s")


class Peak:
    """Resident memory of this process and its descendants, looked at five times a second (Linux)."""

    def __init__(self) -> None:
        self.bytes, self.ended = 0, threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Peak:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.thread.join()

    def _watch(self) -> None:
        while not self.ended.wait(0.2):
            self.bytes = max(self.bytes, resident_bytes())


def resident_bytes() -> int:
    """Of this process and its descendants; pages that they share count for each of them."""
    parent, pages = {}, {}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError):
            fields = (process / "stat").read_text().rpartition(") ")[2].split()
            parent[int(process.name)], pages[int(process.name)] = int(fields[1]), int(fields[21])
    own = {os.getpid()}
    while more := {child for child, of in parent.items() if of in own} - own:
        own |= more
    return sum(pages.get(process, 0) for process in own) * resource.getpagesize()


def run(store: Path) -> Night:
    steps, began = Steps(), time.perf_counter()
    with Peak() as peak:
        night = nightly(open_store(store), step=steps)
    steps.show()
    counts = night.version.head["counts"]
    print(f"the night: {time.perf_counter() - began:.1f} s, {counts['clips']} clips, {counts['seconds']} seconds")
    print(f"peak of all processes {peak.bytes / 1024**2:.0f} MiB")
    return night


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--clips", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--size", default="640x480")
    parser.add_argument("--work", type=Path, default=Path.cwd(), help="where the store is made, and removed again")
    parser.add_argument("--again", action="store_true")
    told = parser.parse_args()
    width, height = map(int, told.size.split("x"))
    with tempfile.TemporaryDirectory(dir=told.work) as name:
        began = time.perf_counter()
        make(Path(name), told.clips, told.seconds, (width, height))
        print(f"made {told.clips} clips in {time.perf_counter() - began:.1f} s")
        first = run(Path(name) / "store")
        if told.again:
            assert run(Path(name) / "store").version.digest == first.version.digest


if __name__ == "__main__":
    main()
