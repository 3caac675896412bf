"""A small whole recording of every format that swerve reads: name to what writes it into a folder.

Each is as large as it must be for cuts every 4 KiB to fall into all that is read, and no larger.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from makers import bags, comma2k19, donkeycar, kitti, lerobot, nuscenes_can, openpilot, tesla, udacity, udacity_sim
from makers.native import drive_telemetry, write_native
from makers.video import write_video

from edge.cut import cut
from edge.drive import open_drive
from edge.scan import scan

FRAMES = 60


def _native(folder: Path) -> None:
    noise = np.random.default_rng(1).normal(size=1500)
    write_native(folder, telemetry=drive_telemetry(30, yaw_rate_dps=noise), seconds=30)


def _clip(folder: Path) -> None:
    source = folder.with_name(f"{folder.name}-source")
    write_native(source, telemetry=drive_telemetry(20, engaged=lambda t: t < 8), seconds=20)
    for clip in cut(scan(open_drive(source), baseline=0.0), folder):
        assert clip.new


def _comma2k19(folder: Path) -> None:
    steps = [comma2k19.rav4(i / comma2k19.HZ, engaged=50 < i < 120, gas=i % 50) for i in range(150)]
    comma2k19.write_can(comma2k19.write_segment(folder / "40", n=600, video=True), steps)


def _openpilot(file: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        noise = np.random.default_rng(2)
        messages = openpilot.drive_messages(seconds=3.0, engaged=((0.5, 2.0),), car=lambda t: _car(noise))
        messages += openpilot.encode_index("roadEncodeIdx", openpilot.START_S, range(FRAMES))
        messages += [openpilot.event(openpilot.START_S + 3, "sentinel", type="endOfSegment")]
        segment = folder / f"{openpilot.NEW}--0"
        openpilot.write(segment / file, messages)
        openpilot.write_video(segment / "fcamera.hevc", range(FRAMES))

    return write


def _car(noise: np.random.Generator) -> dict[str, float]:
    """No two messages alike, so that a packed log is long enough to be cut."""
    return {"vEgo": float(noise.normal(15)), "aEgo": float(noise.normal())}


def _tesla(folder: Path) -> None:
    frames = tesla.world(12)
    for start_s, said in ((0, frames[:60]), (6, frames[60:])):
        for camera in ("front", "back"):
            tesla.write(folder, said if camera == "front" else [None] * 60, start_s, camera, start_s * tesla.FPS)


def _donkeycar(folder: Path) -> None:
    donkeycar.write_tub(folder / "tub", n=FRAMES)


def _steps(n: int = 30) -> list[tuple[int, str, str, bytes]]:
    """Autoware's reports, a camera of JPEGs and one of H.264, step by step."""
    frames = bags.h264(n)
    video = [(i, "/rear", "foxglove.CompressedVideo", bags.protobuf_video(i, f)) for i, f in enumerate(frames)]
    return sorted([*bags.recording(n), *video], key=lambda message: message[0])


def _mcap(folder: Path) -> None:
    bags.write_mcap(folder / "drive.mcap", _steps())


def _bag(folder: Path) -> None:
    bags.write_bag(folder / "bag", bags.recording(30))


def _lerobot(folder: Path) -> None:
    lerobot.write_dataset(folder / "L2D", lengths=(40, 30))


def _udacity_video(folder: Path) -> None:
    udacity.write_labels(folder, labels=udacity.rows(300))
    udacity.write_video(folder, 300)


def _udacity_images(folder: Path) -> None:
    udacity.write_labels(folder, labels=udacity.rows(300))
    udacity.write_images(folder / "center", 300)


def _udacity_sim(folder: Path) -> None:
    udacity_sim.write_sim(folder, n=FRAMES)


def _nuscenes_can(folder: Path) -> None:
    nuscenes_can.write_scene(folder, seconds=4)


def _kitti(folder: Path) -> None:
    kitti.write_kitti(folder / kitti.NAME, n=FRAMES, cameras=("image_02", "image_00", "image_01", "image_03"))


def _video(name: str, frames: int, codec: str = "libx264") -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        write_video(folder / name, codec, frames=frames)

    return write


RECORDINGS: dict[str, Callable[[Path], None]] = {
    "native": _native,
    "clip": _clip,
    "comma2k19": _comma2k19,
    "openpilot": _openpilot("rlog"),
    "openpilot-bz2": _openpilot("rlog.bz2"),
    "openpilot-zst": _openpilot("rlog.zst"),
    "tesla": _tesla,
    "donkeycar": _donkeycar,
    "mcap": _mcap,
    "bag": _bag,
    "lerobot": _lerobot,
    "udacity-video": _udacity_video,
    "udacity-images": _udacity_images,
    "udacity_sim": _udacity_sim,
    "nuscenes_can": _nuscenes_can,
    "kitti": _kitti,
    "video-mp4": _video("trip.mp4", 400),
    "video-mkv": _video("trip.mkv", 400),
    "video-ts": _video("trip.ts", FRAMES),
    "video-avi": _video("trip.avi", FRAMES, "mjpeg"),
}
