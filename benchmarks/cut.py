"""Cutting a clip, beside a bare PyAV remux of the same packets and, where it is installed, `ffmpeg -c copy`.

    python benchmarks/cut.py VIDEO [--start 100] [--seconds 10.5] [--runs 20]

Prints medians and ratios of one run on one machine; the ratios are what can be compared.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import av

from edge.video.camera import VideoFile
from edge.video.remux import copy_stretch


def first_cut(video: Path, start_s: float, seconds: float, out: Path) -> None:
    """The first clip of a drive: every packet's time is read once."""
    next_cut(VideoFile(video), start_s, seconds, out)


def next_cut(video: VideoFile, start_s: float, seconds: float, out: Path) -> None:
    """Any further clip of the same drive."""
    start_ns = round(start_s * 1e9)
    copy_stretch(video, start_ns, start_ns + round(seconds * 1e9), out)


def bare_remux(video: Path, start_s: float, seconds: float, out: Path) -> None:
    with av.open(str(video)) as source, av.open(str(out), "w") as target:
        stream = source.streams.video[0]
        copy = target.add_stream_from_template(stream)
        source.seek(int(start_s / stream.time_base), stream=stream)
        for packet in source.demux(stream):
            if packet.dts is None:
                continue
            if packet.dts * stream.time_base >= start_s + seconds:
                break
            packet.stream = copy
            target.mux(packet)


def ffmpeg_copy(video: Path, start_s: float, seconds: float, out: Path) -> None:
    span = ["-ss", str(start_s), "-t", str(seconds)]
    subprocess.run(["ffmpeg", "-y", "-loglevel", "error", *span, "-i", video, "-c", "copy", out], check=True)


def median_ms(work: Callable[..., None], *arguments: object, runs: int) -> float:
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work(*arguments)
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", type=Path)
    parser.add_argument("--start", type=float, default=100.0)
    parser.add_argument("--seconds", type=float, default=10.5)
    parser.add_argument("--runs", type=int, default=20)
    chosen = parser.parse_args()
    peers: dict[str, Callable[..., None]] = {"bare PyAV remux": bare_remux}
    if shutil.which("ffmpeg"):
        peers["ffmpeg -c copy"] = ffmpeg_copy
    with tempfile.TemporaryDirectory() as folder:
        rest = (chosen.start, chosen.seconds, Path(folder) / "cut.mp4")
        opened = VideoFile(chosen.video)
        opened.frame_times()
        first = median_ms(first_cut, chosen.video, *rest, runs=chosen.runs)
        further = median_ms(next_cut, opened, *rest, runs=chosen.runs)
        print(f"swerve, first clip of a drive  {first:8.1f} ms\nswerve, every further clip     {further:8.1f} ms")
        for name, peer in peers.items():
            other = median_ms(peer, chosen.video, *rest, runs=chosen.runs)
            ratios = f"swerve / {name}: first {first / other:.2f}, further {further / other:.2f}"
            print(f"{name:30} {other:8.1f} ms   {ratios}")


if __name__ == "__main__":
    main()
