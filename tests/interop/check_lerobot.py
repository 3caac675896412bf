"""Do exported drives, and an exported dataset version, load in LeRobot itself? `check_lerobot.py LEROBOT_PYTHON`

Runs twice: in swerve's environment it exports two generated drives, and a version made of them, to a temporary folder
and starts LEROBOT_PYTHON, the interpreter of an environment that holds `lerobot` >= 0.4, with this file and that
folder; there it loads and reads them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

LENGTHS = (60, 41)


def main(argument: str) -> None:
    if Path(argument).is_dir():
        load(Path(argument) / "dataset")
        load_version(Path(argument) / "version")
        return
    with tempfile.TemporaryDirectory() as folder:
        export(Path(folder))
        environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(Path(folder) / "cache")}
        command = [argument, __file__, folder]
        raise SystemExit(subprocess.run(command, env=environment, check=False).returncode)


def export(folder: Path) -> None:
    """Two drives, the second without a brake and with a variable frame rate."""
    root = Path(__file__).parents[2]
    sys.path[:0] = [str(root), str(root / "tests")]
    from conftest import T0_NS, drive_telemetry, picture

    from edge.drive import open_drive
    from edge.export.lerobot import export_lerobot
    from edge.manifest import Manifest
    from edge.video.encode import Encoding
    from edge.write import encoded, write_drive

    drives = []
    for number, length in enumerate(LENGTHS):
        brake = {} if number else {"brake_fraction": lambda t: t * 0.0 + 0.25}
        telemetry = drive_telemetry(length / 10, **brake)
        jitter = 20_000_000 if number else 0
        times = [T0_NS + i * 100_000_000 - (jitter if i % 2 else 0) for i in range(length)]
        frames = ((t, picture(i)) for i, t in enumerate(times))
        head = Manifest(id=f"drive-{number}", recorder="native", t0_ns=T0_NS, cameras={}, files={})
        write_drive(folder / f"drive-{number}", head, telemetry, {"front": encoded(frames, Encoding())})
        drives.append(open_drive(folder / f"drive-{number}"))
    export_lerobot(drives, folder / "dataset")
    export_curated(folder)


def export_curated(folder: Path) -> None:
    """A version of clips of the first drive."""
    from makers.versions import published

    from curate.export.lerobot import export_version
    from edge.cut import cut
    from edge.drive import open_drive
    from edge.scan import scan

    clips = [written.folder for written in cut(scan(open_drive(folder / "drive-0"), 1.0), folder / "clips")]
    version = published(folder / "store", clips, weight=lambda second: float(second % 3))
    assert export_version(version, folder / "version") == {}


def load(folder: Path) -> None:
    """In LeRobot's environment."""
    import torch
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    dataset = LeRobotDataset("swerve/check", root=folder, video_backend="pyav")
    assert (dataset.num_episodes, dataset.num_frames, dataset.fps) == (2, sum(LENGTHS), 10)
    for index, item in enumerate(dataset):
        assert item["observation.images.front"].shape == (3, 48, 64)
        assert item["action"].shape == item["action.is_human"].shape == (2,)
        assert item["action.is_human"].tolist() == [True, index < LENGTHS[0]]
        assert torch.isfinite(item["observation.state"]).all()
        assert item["task"]
        assert shown(item["observation.images.front"]) == int(item["frame_index"])
    window = LeRobotDataset(
        "swerve/check",
        root=folder,
        video_backend="pyav",
        delta_timestamps={"observation.images.front": [-0.2, 0.0], "action": [0.0, 0.1, 0.2]},
    )
    batch = next(iter(torch.utils.data.DataLoader(window, batch_size=8)))
    assert batch["observation.images.front"].shape == (8, 2, 3, 48, 64)
    assert batch["action"].shape == (8, 3, 2)
    assert set(dataset.meta.stats["action"]) >= {"min", "max", "mean", "std", "count", "q01", "q99"}
    print(
        f"lerobot loads the export: {dataset.num_episodes} episodes, {dataset.num_frames} frames,",
        ", ".join(dataset.features),
    )


def load_version(folder: Path) -> None:
    """In LeRobot's environment."""
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    dataset = LeRobotDataset("swerve/version", root=folder, video_backend="pyav")
    items = list(dataset)
    weights = [float(item["swerve.weight"]) for item in items]
    assert len(weights) > LENGTHS[0] / 2
    assert max(weights) > 0
    assert {int(item["swerve.split"]) for item in items} <= {0, 1, 2}
    assert all(0 < float(item["swerve.inclusion_probability"]) <= 1 for item in items)
    assert items[0]["swerve.events"].numel() == len(dataset.features["swerve.events"]["names"])
    print(f"lerobot loads the version: {dataset.num_frames} frames, mean weight {sum(weights) / len(weights):.3f}")


def shown(image) -> int:  # type: ignore[no-untyped-def]
    """The number a picture tells: see conftest.picture."""
    row = image[1, 24]
    return sum(1 << bit for bit in range(12) if row[bit * 5 + 2] > 0.5)


if __name__ == "__main__":
    main(sys.argv[1])
