"""Seen from the side: the picture moves as the road would, and the label leads back."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from bars import Bar, publish_rows, rows_of

from curate.dataset import DatasetVersion
from edge.drive import Drive, open_drive
from edge.manifest import Manifest
from edge.video.geometry import CameraGeometry
from edge.write import encoded, write_drive
from train.augment import ASIDE, Augmentation, changed
from train.clips import open_clips
from train.fit import fit, resume
from train.frames import View
from train.horizon import Horizon
from train.perspective import Geometry, correction_deg, geometry_of, seen_from
from train.policies.presets import PRESETS
from train.samples import Batch, collect
from train.settings import Settings
from train.sideways import FURTHEST, draw, seen_aside
from train.window import Window
from trigger.vehicle import VehicleProfile

LEVEL = Geometry(fx=1.0, fy=1.5, cx=0.5, cy=0.5, pitch_rad=0.0, height_m=1.5, wheelbase_m=2.7, steering_ratio=15.0)
NOW = torch.zeros(1)
# A camera 96 x 64 that looks straight ahead from 1.5 m above the road.
FRONT = CameraGeometry(
    intrinsics=((96.0, 0.0, 48.0), (0.0, 96.0, 32.0), (0.0, 0.0, 1.0)),
    pose=((0.0, 0.0, 1.0, 1.0), (-1.0, 0.0, 0.0, 0.0), (0.0, -1.0, 0.0, 1.5), (0.0, 0.0, 0.0, 1.0)),
)


def moves(shift_m: float, yaw_deg: float, samples: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.full((samples,), shift_m), torch.full((samples,), math.radians(yaw_deg))


def write_bar(folder: Path, bar: Bar, geometry: CameraGeometry | None) -> None:
    """A drive as `Bar.write` makes it, of a vehicle and a camera that are known."""
    bar.write(folder)
    plain = open_drive(folder)
    head = Manifest(plain.id, "test", plain.t0_ns, {}, {}, vehicle=VehicleProfile(2.7, 15.0), engagement="nobody")
    pictures = ((t_ns, frame.to_ndarray(format="rgb24")) for t_ns, frame in plain.cameras["front"].frames())
    known = {"front": geometry} if geometry else {}
    write_drive(folder.with_name("known"), head, plain.telemetry, {"front": encoded(pictures)}, geometry=known)
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    folder.with_name("known").rename(folder)


def version_with(store: Path, geometry: CameraGeometry | None, seconds: int = 6) -> DatasetVersion:
    bar = Bar(seconds=seconds, seed=3)
    write_bar(store / "clips" / "a", bar, geometry)
    return publish_rows(store, rows_of("a", bar, ["train"] * seconds))


def batch_of(version: DatasetVersion, horizon: Horizon = Horizon()) -> Batch:  # noqa: B008 - frozen
    clips, skipped = open_clips(version, View(48, 32))
    assert not skipped
    return collect(version, "train", clips, Window(2, 0.1), horizon=horizon).batch(range(24))


def test_too_far_left_steers_right_and_turned_left_too() -> None:
    speed = torch.tensor([15.0])
    for move in (moves(0.5, 0.0), moves(0.0, 2.0)):
        assert correction_deg(LEVEL, *move, speed, NOW).item() < 0
    assert correction_deg(LEVEL, *moves(-0.5, 0.0), speed, NOW).item() > 0


def test_the_way_back_that_the_corrections_steer_ends_on_the_drivers_own() -> None:
    """Integrated over two seconds at 15 m/s, the corrected steering takes away the shift and the turn."""
    speed, step_s = 15.0, 0.001
    ahead_s = torch.arange(0.0, 2.0, step_s)
    (turned,) = correction_deg(LEVEL, *moves(0.6, 2.0), torch.tensor([speed]), ahead_s).tolist()
    aside, heading = 0.6, math.radians(2.0)
    for steering_deg in turned:
        curvature = math.tan(math.radians(steering_deg / LEVEL.steering_ratio)) / LEVEL.wheelbase_m
        aside += heading * speed * step_s
        heading += curvature * speed * step_s
    assert abs(aside) < 0.01
    assert abs(heading) < 0.001


def test_nothing_is_corrected_once_the_car_is_back() -> None:
    assert correction_deg(LEVEL, *moves(0.6, 2.0), torch.tensor([15.0]), torch.tensor([2.0, 5.0])).eq(0).all()


def test_a_mark_on_the_road_goes_right_when_the_camera_goes_left_and_the_sky_stays() -> None:
    picture = torch.zeros(1, 1, 1, 64, 96, dtype=torch.uint8)
    picture[..., 46:50] = 255
    seen = seen_from(picture, LEVEL, *moves(0.5, 0.0))
    rows = seen[0, 0, 0].float()
    assert torch.equal(seen[..., :30, :], picture[..., :30, :])
    assert rows[-1].argmax() > rows[44].argmax() > 50
    # The last row looks at the road fy * height / (v - cy) ahead, where half a metre is fx * 0.5 / that of the width.
    away = LEVEL.fy * LEVEL.height_m / (63.5 / 64 - LEVEL.cy)
    centre = (rows[-1] * (torch.arange(96) + 0.5)).sum() / rows[-1].sum()
    assert abs(centre - (48 + 96 * LEVEL.fx * 0.5 / away)) < 1.0


def test_no_move_is_no_change() -> None:
    picture = torch.randint(0, 256, (2, 3, 3, 32, 48), dtype=torch.uint8)
    assert torch.equal(seen_from(picture, LEVEL, *moves(0.0, 0.0, 2)), picture)
    views, controls = seen_aside(
        [picture], torch.ones(2, 1, 1), [(LEVEL,)] * 2, torch.full((2,), 9.0), NOW, 0, moves(0.0, 0.0, 2)
    )
    assert torch.equal(views[0], picture)
    assert torch.equal(controls, torch.ones(2, 1, 1))


def test_draws_leave_some_as_they_are_and_go_no_further_than_told() -> None:
    shift, yaw = draw(4000, 0.45, 2.0, torch.Generator().manual_seed(1))
    assert 0.27 < (shift == 0).float().mean() < 0.33
    assert torch.equal(shift == 0, yaw == 0)
    assert shift.abs().max() <= FURTHEST * 0.45 + 1e-6
    assert yaw.abs().max() <= math.radians(FURTHEST * 2.0) + 1e-6


def test_samples_of_a_known_camera_are_moved_and_corrected_over_the_horizon(tmp_path: Path) -> None:
    horizon = Horizon(3, 0.3)
    batch = batch_of(version_with(tmp_path, FRONT), horizon)
    config = replace(PRESETS["tiny"](), controls=("steering_wheel_deg",), horizon=horizon)
    seen = changed(batch, ASIDE, config, torch.Generator().manual_seed(4))
    off = (seen.controls - batch.controls)[..., 0]
    moved = off[:, 0] != 0
    assert 0 < moved.sum() < len(moved)
    assert off[~moved].eq(0).all()
    assert (off[moved, 0] != off[moved, 1]).all()
    assert torch.equal(batch.controls, batch_of(version_with(tmp_path / "again", FRONT), horizon).controls)


@pytest.mark.parametrize("unknown", ["geometry", "speed", "unit"])
def test_what_cannot_be_corrected_is_not_moved(tmp_path: Path, unknown: str) -> None:
    batch = batch_of(version_with(tmp_path, None if unknown == "geometry" else FRONT))
    assert (batch.geometry[0] is None) == (unknown == "geometry")
    if unknown == "speed":
        batch = replace(batch, speed_mps=torch.full_like(batch.speed_mps, torch.nan))
    steering = "steering_normalised" if unknown == "unit" else "steering_wheel_deg"
    config = replace(PRESETS["tiny"](), controls=(steering,))
    how = Augmentation(gamma=0, contrast=0, brightness=0, shade=0, noise=0, nudge=0, sideways_m=0.45, sideways_deg=2.0)
    seen = changed(batch, how, config, torch.Generator().manual_seed(4))
    assert torch.equal(seen.controls, batch.controls)
    grey = batch.frames.float().mean(2, keepdim=True).clamp_min(0.255)
    assert torch.allclose(seen.views[0], grey, atol=0.01)


def test_only_cameras_that_look_ahead_can_be_moved(tmp_path: Path) -> None:
    write_bar(tmp_path / "a", Bar(seconds=1), FRONT)
    drive = open_drive(tmp_path / "a")
    found = geometry_of(drive, View(48, 32, crop_top=0.25))
    assert found is not None
    assert (found.fx, found.cx, found.fy, found.cy) == (1.0, 0.5, 2.0, 1 / 3)
    assert (found.pitch_rad, found.height_m) == (0.0, 1.5)
    aside = CameraGeometry(FRONT.intrinsics, tuple(map(tuple, turned(FRONT.pose, 10.0))))
    assert geometry_of(replace(drive, geometry={"front": aside}), View(48, 32)) is None
    assert geometry_of(replace(drive, vehicle=VehicleProfile()), View(48, 32)) is None
    assert geometry_of(nameless(drive), View(48, 32)) is None


def turned(pose: tuple[tuple[float, ...], ...], yaw_deg: float) -> Any:
    cos, sin = math.cos(math.radians(yaw_deg)), math.sin(math.radians(yaw_deg))
    turn = np.array([[cos, -sin, 0, 0], [sin, cos, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    return (turn @ np.array(pose)).tolist()


def nameless(drive: Drive) -> Drive:
    return replace(drive, geometry={})


def test_cut_off_and_resumed_it_ends_with_the_same_weights(tmp_path: Path) -> None:
    version = version_with(tmp_path, FRONT)
    settings = Settings(preset="tiny", steps=6, batch=8, keep_s=0.0, augmentation=ASIDE)
    whole = fit(version, settings, folder=tmp_path / "whole")
    assert any("samples of 1 of 1 clips" in note for note in whole.notes)
    folder = version.store / "policies" / "cut"
    state = folder.parent / ".training" / "cut.safetensors"
    kept = b""

    def stop(progress: Any) -> None:
        nonlocal kept
        kept = state.read_bytes()
        if progress.step == 3:
            raise KeyboardInterrupt

    fit(version, settings, stop, folder)
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    state.write_bytes(kept)
    resume(version.store, "cut")
    assert (folder / "weights.safetensors").read_bytes() == (whole.folder / "weights.safetensors").read_bytes()
    plain = fit(version, replace(settings, augmentation=Augmentation()), folder=tmp_path / "plain")
    assert (plain.folder / "weights.safetensors").read_bytes() != (whole.folder / "weights.safetensors").read_bytes()
