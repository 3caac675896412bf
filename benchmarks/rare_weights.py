"""Does it pay to draw rare seconds more often? Trainings with curation's weights beside trainings as seconds come.

    python benchmarks/rare_weights.py STORE [--seeds 3] [--steps 1500] [--mirror]

Trains both ways with each seed on the store's newest version (STORE/policies/rare-weights/; what is done is not done
again) and examines all on its exam: steering, overall, in rare seconds and in the others, and by how sharp the bend is.
The ratio is that of root mean squared errors, weighted to natural, over all seeds; its interval is drawn over seeds and
over blocks of the exam, the same blocks for both. It holds for this exam and these roads.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

# isort: split
import numpy as np
from numpy.typing import NDArray

from curate.dataset import DatasetVersion, open_version
from edge.output import grid, show
from train.augment import Augmentation
from train.checkpoint import load_policy
from train.clips import open_clips
from train.controls import ControlSpec
from train.evaluation.answers import predict
from train.evaluation.blocks import blocks_of
from train.evaluation.rare import find_rare
from train.evaluation.slices import ALL, ORDINARY, RARE, find_slices
from train.flywheel.learning import learned
from train.samples import collect
from train.settings import Settings

WAYS = {"natural": 0.0, "weighted": Settings().mix}
RESAMPLES = 4000


@dataclass(frozen=True)
class Squares:
    """(S,) squared errors of steering and (S,) block of each sample; slices by name, (S,) bool."""

    errors: NDArray[np.float64]
    block: NDArray[np.int64]
    slices: dict[str, NDArray[np.bool_]]


def examined(version: DatasetVersion, folder: Path) -> Squares:
    saved = load_policy(folder)
    config = saved.config
    clips, skipped = open_clips(version, config.view)
    samples = collect(version, "eval", clips, config.window, ControlSpec(config.controls), skipped, config.horizon)
    steering = samples.spec.steering
    assert steering is not None, "steering is not recorded"
    off = predict(saved.policy, samples).now[:, steering] - samples.controls_now[:, steering]
    _, rare = find_rare(version, samples)
    slices = {
        part.name: part.weight > 0
        for part in find_slices(version, samples, rare)
        if part.family == "bend" or part.name in (ALL, RARE, ORDINARY)
    }
    return Squares(off**2, blocks_of(version, samples).of, slices)


def compared(new: list[Squares], old: list[Squares], name: str) -> tuple[float, float, float]:
    """(ratio, low, high) of root mean squared errors."""
    chance = np.random.Generator(np.random.PCG64(0))
    inside, blocks = new[0].slices[name], new[0].block
    names = np.unique(blocks[inside])
    sums = [
        np.array([[own.errors[inside & (blocks == b)].sum() for b in names] for own in side]) for side in (new, old)
    ]
    picked = chance.integers(len(names), size=(RESAMPLES, len(names)))
    drawn = [
        side[chance.integers(len(side), size=(RESAMPLES, len(side)))[:, :, None], picked[:, None, :]].sum(axis=(1, 2))
        for side in sums
    ]
    low, high = np.percentile(np.sqrt(drawn[0] / drawn[1]), [2.5, 97.5])
    return float(np.sqrt(sums[0].sum() / sums[1].sum())), float(low), float(high)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--mirror", action="store_true")
    asked = parser.parse_args()
    version = open_version(asked.store)
    found: dict[str, list[Squares]] = {way: [] for way in WAYS}
    for seed in range(asked.seeds):
        for way, mix in WAYS.items():
            folder = asked.store / "policies" / f"rare-weights-{way}-{seed}-{asked.steps}"
            settings = Settings(steps=asked.steps, seed=seed, mix=mix, augmentation=Augmentation(mirror=asked.mirror))
            learned(version, folder, settings, lambda progress: None)
            found[way].append(examined(version, folder))
    table = grid("slice", "samples", "blocks", *WAYS, "ratio", "95 %", title=f"Steering RMSE, {asked.seeds} seeds each")
    for name, inside in found["natural"][0].slices.items():
        roots = (" ".join(f"{np.sqrt(own.errors[inside].mean()):.4g}" for own in found[way]) for way in WAYS)
        middle, low, high = compared(found["weighted"], found["natural"], name)
        blocks = np.unique(found["natural"][0].block[inside]).size
        table.add_row(name, str(int(inside.sum())), str(blocks), *roots, f"{middle:.3f}", f"{low:.3f} to {high:.3f}")
    show(table)


if __name__ == "__main__":
    main()
