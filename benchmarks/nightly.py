"""A whole night over many clips: wall and processor seconds of each step, and the greatest memory of all its processes.

    python benchmarks/nightly.py [--clips 1000] [--seconds 10] [--size 640x480] [--work FOLDER] [--again]

Makes so many clips of so many seconds, filmed on made roads (`made_road.py`) by one H.264 camera, then runs one night
over them as `swerve curate nightly` does. `--again` runs a second night, which finds nothing new. Processor seconds are
those of this process and its descendants (Linux); they tell what a night costs also where other work slows it down.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

import made_road

from curate.nightly import Night, nightly
from curate.store import open_store
from edge.cut import cut
from edge.drive import open_drive
from edge.manifest import Manifest
from edge.scan import scan
from edge.upload.destination import FolderDestination
from edge.upload.push import push
from edge.video.camera import VideoFile
from edge.video.encode import encode
from edge.write import write_camera, write_drive
from trigger.baseline import SECOND_NS

T0_NS = 1_700_000_000_000_000_000
CLIPS_A_ROAD, HOP_S = 8, 3
"""So many clips show one road, each from 3 s further on, as making films costs more than the night does. No clip's
video repeats another's, but many are alike in what they mean, and the night says so."""
BRAKES_EVERY = 4
"""On one road in so many somebody brakes hard."""


def make(folder: Path, seconds: int, size: tuple[int, int], road: int, clips: int) -> None:
    """Put clips of one road into the inbox of the store in `folder`."""
    whole = made_road.signals(road, T0_NS, seconds + HOP_S * (clips - 1), brakes=road % BRAKES_EVERY == 0)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        video = Path(name) / "film.mp4"
        filmed = VideoFile(video, encode(video, made_road.film(road, whole, size), made_road.FILMED))
        for number in range(clips):
            start_ns = T0_NS + number * HOP_S * SECOND_NS
            window_ns = (start_ns, start_ns + seconds * SECOND_NS)
            drive = f"drive-{road:04d}-{number}"
            head = Manifest(id=drive, recorder="native", t0_ns=start_ns, cameras={}, files={}, consent=True)
            camera = {"front": partial(write_camera, filmed, window_ns)}
            write_drive(Path(name) / drive, head, whole.between(*window_ns), camera)
            for written in cut(scan(open_drive(Path(name) / drive), 1.0), Path(name) / "clips"):
                push(written.folder, FolderDestination(folder / "store"))


def make_all(folder: Path, clips: int, seconds: int, size: tuple[int, int]) -> None:
    with ProcessPoolExecutor() as pool:
        of_road = [min(CLIPS_A_ROAD, clips - first) for first in range(0, clips, CLIPS_A_ROAD)]
        list(pool.map(partial(make, folder, seconds, size), range(len(of_road)), of_road))


@dataclass(frozen=True)
class Used:
    """What this process and its living descendants hold, and what they and those that ended have worked."""

    resident_bytes: int
    processor_s: float


def used() -> Used:
    """Pages that processes share count for each of them."""
    stat: dict[int, list[int]] = {}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError):
            fields = (process / "stat").read_text().rpartition(") ")[2].split()
            stat[int(process.name)] = [int(field) for field in fields[1:22]]
    own = {os.getpid()}
    while more := {child for child, fields in stat.items() if fields[0] in own} - own:
        own |= more
    ticks = sum(sum(stat[process][10:14]) for process in own & stat.keys())
    pages = sum(stat[process][20] for process in own & stat.keys())
    return Used(pages * resource.getpagesize(), ticks / os.sysconf("SC_CLK_TCK"))


class Watch:
    """What the steps of the night take, and the most that is held at any time, looked at five times a second."""

    def __init__(self) -> None:
        self.began = [("begin", time.perf_counter(), used().processor_s)]
        self.bytes, self.ended = 0, threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Watch:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.thread.join()
        self("end")

    def __call__(self, told: str) -> None:
        name = told.partition(":")[0]
        if name != self.began[-1][0]:
            self.began.append((name, time.perf_counter(), used().processor_s))

    def _watch(self) -> None:
        while not self.ended.wait(0.2):
            self.bytes = max(self.bytes, used().resident_bytes)

    def show(self) -> None:
        wall, processor = Counter[str](), Counter[str]()
        for (name, at, worked), (_, until, by_then) in pairwise(self.began):
            wall[name] += until - at
            processor[name] += by_then - worked
        for name in wall:
            print(f"  {name:20s} {wall[name]:8.1f} s {processor[name]:8.1f} processor s")
        print(f"the night: {wall.total():.1f} s, {processor.total():.1f} processor s")
        print(f"most memory of all processes: {self.bytes / 1024**2:.0f} MiB; load {os.getloadavg()[1]:.1f}")


def run(store: Path) -> Night:
    with Watch() as watch:
        night = nightly(open_store(store), step=watch)
    watch.show()
    counts = night.version.head["counts"]
    refused = sum(bool(admission.reason) for admission in night.admissions)
    told = f"{counts['clips']} clips, {counts['seconds']} seconds, {refused} refused"
    print(f"{told}, repeats {counts['duplicate_clips']}")
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
        make_all(Path(name), told.clips, told.seconds, (width, height))
        print(f"made {told.clips} clips in {time.perf_counter() - began:.1f} s")
        first = run(Path(name) / "store")
        if told.again:
            assert run(Path(name) / "store").version.digest == first.version.digest


if __name__ == "__main__":
    main()
