"""How policies learn that are to drive by themselves: what the flywheel and the experiment share."""

from __future__ import annotations

from train.augment import Augmentation
from train.settings import Settings

SIDEWAYS_M, SIDEWAYS_DEG = 0.45, 2.0
"""A good driver's pictures never show the way back to the lane; these do (`train.perspective`)."""


def settings_of(preset: str, steps: int, seed: int, mix: float = 0.5, motion: bool = False) -> Settings:
    """One frame unless told, so that the policy cannot copy how the car is turning already."""
    aside = Augmentation(sideways_m=SIDEWAYS_M, sideways_deg=SIDEWAYS_DEG)
    return Settings(preset=preset, motion=motion, steps=steps, seed=seed, mix=mix, augmentation=aside)
