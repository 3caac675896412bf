"""Training samples a processor second: swerve's cache, its proxies without the cache, and LeRobot's dataset.

    python benchmarks/loader.py VIDEO [--lerobot PYTHON] [--seconds 40] [--stride 0.25] [--samples 96] [--runs 3]

A sample is a random window of 8 pictures of 256 x 128, as float32 from 0 to 1, and once as the bytes that swerve's
training takes. Both sides encode the same pictures
themselves: swerve as its proxies, LeRobot as `LeRobotDataset.create` does by default. PYTHON is the interpreter of an
environment that holds `lerobot` >= 0.4; without it swerve is measured alone. LeRobot decodes with torchcodec where that
finds FFmpeg's libraries, with PyAV otherwise. One thread; processor time, the least of several runs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from measured import least_cpu_s

# isort: split
import numpy as np

RATE_HZ, FRAMES, WIDTH, HEIGHT = 20, 8, 256, 128
BATCH = 8
PICTURES, IMAGE = "pictures.npy", "observation.images.front"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", type=Path)
    parser.add_argument("--lerobot", metavar="PYTHON")
    parser.add_argument("--seconds", type=int, default=40)
    parser.add_argument("--stride", type=float, default=0.25, help="seconds from one picture of a window to the next")
    parser.add_argument("--samples", type=int, default=96)
    parser.add_argument("--runs", type=int, default=3)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pictures = source(chosen.video, chosen.seconds * RATE_HZ)
        np.save(folder / PICTURES, pictures)
        print(f"{len(pictures)} pictures of {WIDTH} x {HEIGHT}; windows of {FRAMES}, {chosen.stride:g} s apart")
        mine = swerve(folder, pictures, chosen.stride, chosen.samples, chosen.runs)
        theirs = ask_lerobot(chosen.lerobot, folder, chosen) if chosen.lerobot else {}
        for name, (per_s, video) in {**mine, **theirs}.items():
            kilobytes = Path(video).stat().st_size / 1000 / (len(pictures) / RATE_HZ)
            line = (
                f"{name:34} {per_s:8.1f} samples/CPU-s   {kilobytes:5.1f} kB/s   {psnr(Path(video), pictures):5.2f} dB"
            )
            print(line + "".join(f"   {per_s / other:6.2f} x {rival}" for rival, (other, _) in theirs.items()))


def source(video: Path, count: int) -> np.ndarray:  # type: ignore[type-arg]
    """The lower two thirds of its first frames, averaged down; (N, H, W, 3) uint8."""
    from edge.video.camera import VideoFile
    from train.frames import Eye, View

    eye = Eye(View(WIDTH, HEIGHT, crop_top=1 / 3))
    frames = VideoFile(video).frames()
    return np.stack([eye.look(eye.rgb(frame)) for _, (_, frame) in zip(range(count), frames, strict=False)])


def swerve(folder: Path, pictures: np.ndarray, stride_s: float, count: int, runs: int) -> dict[str, tuple[float, str]]:  # type: ignore[type-arg]
    import torch
    from made_store import made_store

    from edge.video.camera import VideoFile
    from train.allocator import keep_freed_memory
    from train.clips import open_clips
    from train.frame_cache import FrameCache
    from train.frames import View
    from train.on_demand import FramesOnDemand
    from train.samples import collect
    from train.window import Window

    torch.set_num_threads(1)
    keep_freed_memory()
    view = View(WIDTH, HEIGHT)
    version = made_store(folder / "store", pictures, RATE_HZ)
    clips, _ = open_clips(version, view)
    samples = collect(version, "train", clips, Window(FRAMES, stride_s))
    picked = np.random.default_rng(0).integers(0, len(samples), count)
    video = clips[0].drive.cameras["front"]
    assert isinstance(video, VideoFile)
    on_demand = FramesOnDemand(video, view)

    def as_bytes() -> None:
        for some in np.array_split(picked, max(1, count // BATCH)):
            samples.batch(some)

    def cached() -> None:
        for some in np.array_split(picked, max(1, count // BATCH)):
            samples.batch(some).frames.to(torch.float32).div_(255)

    def decoded() -> None:
        for index in picked:
            window = np.empty((FRAMES, HEIGHT, WIDTH, 3), np.uint8)
            on_demand.take(samples.frame[index, 0], window)
            torch.from_numpy(window).to(torch.float32).div_(255)

    def filled() -> None:
        with tempfile.TemporaryDirectory() as cache:
            FrameCache(Path(cache)).frames(clips[0].drive, view)

    works = {"as bytes": as_bytes, "cached": cached, "decoded": decoded, "filled": filled}
    took = least_cpu_s(works, runs)
    print(f"swerve fills its cache once, {took['filled'] / len(pictures) * 1e3:.2f} ms of processor time a picture")
    return {
        "swerve, cached, bytes": (count / took["as bytes"], str(video.path)),
        "swerve, cached": (count / took["cached"], str(video.path)),
        "swerve, decoded for each window": (count / took["decoded"], str(video.path)),
    }


def ask_lerobot(python: str, folder: Path, chosen: argparse.Namespace) -> dict[str, tuple[float, str]]:
    told = [str(folder), str(chosen.stride), str(chosen.samples), str(chosen.runs)]
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(folder / "hf"), "OMP_NUM_THREADS": "1"}
    command = [python, __file__, "--in-lerobot", *told]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    answer = json.loads(done.stdout.splitlines()[-1])
    return {answer["name"]: (answer["per_s"], answer["video"])}


def in_lerobot(folder: Path, stride_s: float, count: int, runs: int) -> None:
    """In LeRobot's environment: the same pictures, encoded and read by LeRobot."""
    import torch
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    torch.set_num_threads(1)
    features = {
        IMAGE: {"dtype": "video", "shape": (HEIGHT, WIDTH, 3), "names": ["height", "width", "channels"]},
        "action": {"dtype": "float32", "shape": (1,), "names": ["steering"]},
    }
    pictures = np.load(folder / PICTURES)
    made = LeRobotDataset.create("swerve/loader", fps=RATE_HZ, features=features, root=folder / "lerobot")
    for picture in pictures:
        made.add_frame({IMAGE: picture, "action": np.zeros(1, np.float32), "task": "drive"})
    made.save_episode()
    made.finalize()
    backend = _backend()
    window = [-stride_s * age for age in range(FRAMES - 1, -1, -1)]
    dataset = LeRobotDataset(
        "swerve/loader", root=folder / "lerobot", video_backend=backend, delta_timestamps={IMAGE: window}
    )
    first = round(stride_s * (FRAMES - 1) * RATE_HZ)
    picked = np.random.default_rng(0).integers(first, len(dataset), count).tolist()

    def read() -> None:
        for index in picked:
            assert dataset[index][IMAGE].shape == (FRAMES, 3, HEIGHT, WIDTH)

    took = least_cpu_s({"read": read}, runs)["read"]
    (video,) = (folder / "lerobot").rglob("*.mp4")
    print(json.dumps({"name": f"LeRobot, {backend}", "per_s": count / took, "video": str(video)}))


def _backend() -> str:
    try:
        import torchcodec.decoders  # noqa: F401
    except (ImportError, RuntimeError, OSError):
        return "pyav"
    return "torchcodec"


def psnr(video: Path, pictures: np.ndarray) -> float:  # type: ignore[type-arg]
    """Of all pictures' red, green and blue together, in dB."""
    from edge.video.camera import VideoFile
    from train.frames import Eye, View

    eye = Eye(View(WIDTH, HEIGHT))
    errors = [
        np.square(eye.rgb(frame).astype(np.float64) - picture).mean()
        for picture, (_, frame) in zip(pictures, VideoFile(video).frames(), strict=True)
    ]
    return float(10 * np.log10(255.0**2 / np.mean(errors)))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--in-lerobot"]:
        in_lerobot(Path(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))
    else:
        main()
