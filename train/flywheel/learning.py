"""How policies learn that are to drive by themselves: what the flywheel and the experiment share."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from curate.dataset import DatasetVersion
from train.augment import Augmentation
from train.checkpoint import SavedPolicy, load_policy
from train.fit import fit, resume
from train.loop import Progress
from train.pace import Pace
from train.resume import state_path
from train.senses import Senses
from train.settings import Settings
from train.world.car import BRAKE_MPS2, GAS_MPS2

WHOLE = "steps"
"""What `train.fit` says of a training that took all of its steps."""

SIDEWAYS_M, SIDEWAYS_DEG = 0.45, 2.0
"""A good driver's pictures never show the way back to the lane; these do (`train.perspective`)."""

DRIVER = "driver"
"""The preset for the built-in world, and how it learns there: light changes little within a place, and how hard to
brake depends on the speed. Squares, not absolute errors: brakes are at rest in 95 of 100 frames, and whoever makes
absolute errors small leaves them there. On the clips it learned from, its brake had a correlation with the driver's
of 0.94 after 1,500 steps; with the changes of light for a road under trees, smooth L1 and dropout it was 0.71 after
900, at a quarter of the force."""
CLEAR = Augmentation(
    gamma=0.1, contrast=0.1, brightness=0.05, shade=0.0, noise=0.0, nudge=0,
    sideways_m=SIDEWAYS_M, sideways_deg=SIDEWAYS_DEG, pace=Pace(3.0, GAS_MPS2, BRAKE_MPS2),
)  # fmt: skip
SQUARES = 20.0
KEYS = 0.3
"""Share of what a driver draws from the frames at which somebody acted. From 2,900 s, 2,400 of them in chosen clips,
one training each drove 0.47 miles without and 1.01 with it."""


def settings_of(
    preset: str, steps: int, seed: int, mix: float = 0.5, motion: bool = False, kept: bool = False
) -> Settings:
    """One frame unless told, so that the policy cannot copy how the car is turning already; `DRIVER` compares frames
    too far apart for that."""
    terms: dict[str, Any] = {"preset": preset, "steps": steps, "seed": seed, "mix": mix, "kept": kept}
    if preset == DRIVER:
        return Settings(**terms, senses=Senses(speed=True, hide_speed=0.1), knee=SQUARES, keys=KEYS, augmentation=CLEAR)
    aside = Augmentation(sideways_m=SIDEWAYS_M, sideways_deg=SIDEWAYS_DEG)
    return Settings(**terms, motion=motion, augmentation=aside)


def learned(
    version: DatasetVersion,
    folder: Path,
    settings: Settings,
    told: Callable[[Progress], None],
    origin: SavedPolicy | None = None,
) -> int:
    """Train a policy into `folder`, go on with a training that was cut off, or find it done; returns its steps.

    A policy that was cut short is none: equal steps are what is promised. What it had learned is gone on from.

    Raises:
        KeyboardInterrupt: training was interrupted. Those of `train.fit.fit`.
    """
    if folder.exists():
        result = load_policy(folder).about["result"]
        if result["stopped"] == WHOLE:
            state_path(folder).unlink(missing_ok=True)
            return int(result["steps"])
        shutil.rmtree(folder)
    if state_path(folder).exists():
        return resume(version.store, folder.name, told, whole=True).steps
    return fit(version, settings, told, folder, origin=origin, whole=True).steps
