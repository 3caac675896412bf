"""A training step of swerve beside a bare loop over the same net, and what the step is made of.

    python benchmarks/step.py [--preset small]... [--steps 30] [--runs 3]

The bare loop has all its batches in memory as the net takes them, and does forward, loss, backward and AdamW, no more.
swerve's step also takes its batch out of the cache, changes the light, bounds the gradients and averages the weights.
One thread, batches of 32; processor time, the least of several runs, the contenders taking turns. bfloat16 beside
float32 where the processor multiplies it in tiles (AMX); elsewhere that is said.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from measured import least_cpu_s

# isort: split
import numpy as np
import torch
from made_store import made_store
from numpy.typing import NDArray

from train.allocator import keep_freed_memory
from train.augment import changed
from train.clips import open_clips
from train.job import for_labels
from train.loop import Training
from train.loss import answer_loss, doubt_loss
from train.policies.policy import Outputs, Policy
from train.processor import find_processor
from train.samples import SampleSet, collect
from train.settings import Settings

RATE_HZ, SECONDS, BATCHES = 20, 20, 8
PRESETS = ("small", "recurrent", "mobilenet")


def pictures() -> NDArray[np.uint8]:
    """Smooth noise that slides sideways, (N, 192, 256, 3)."""
    chance = np.random.default_rng(0)
    coarse = chance.integers(0, 255, (24, 200, 3), np.uint8)
    wide = coarse.repeat(8, 0).repeat(8, 1)
    return np.stack([wide[:, 2 * number : 2 * number + 256] for number in range(RATE_HZ * SECONDS)])


@dataclass
class Contest:
    """The contenders over one dataset and one net; each does `steps` steps."""

    samples: SampleSet
    settings: Settings
    policy: Policy

    def works(self) -> dict[str, Callable[[], object]]:
        return {"swerve": self.swerve, "bare": self.bare(), "loader": self.loader, "light": self.light()}

    def swerve(self) -> None:
        p = np.full(len(self.samples), 1 / len(self.samples))
        Training("made", self.settings, self.policy, self.samples, None, p).run(lambda progress: None)

    def bare(self) -> Callable[[], None]:
        policy, processor = self.policy.train(), find_processor(self.settings.precision)
        optimizer = torch.optim.AdamW(policy.parameters(), lr=1e-4)
        ready = [(seen.views[0], (seen.controls - policy.mean) / policy.std) for seen in self._seen(BATCHES)]

        def loop() -> None:
            for step in range(self._steps):
                view, wanted = ready[step % BATCHES]
                with processor.products():
                    outputs: Outputs = policy(view)
                optimizer.zero_grad(set_to_none=True)
                loss = answer_loss(outputs.mean, wanted, self.settings.knee)
                (loss + doubt_loss(outputs.mean, outputs.log_variance, wanted)).backward()
                optimizer.step()

        return loop

    def loader(self) -> None:
        for indices in self._indices(self._steps):
            self.samples.batch(indices)

    def light(self) -> Callable[[], None]:
        batch, chance = self.samples.batch(self._indices(1)[0]), torch.Generator().manual_seed(0)

        def loop() -> None:
            for _ in range(self._steps):
                changed(batch, self.settings.augmentation, self.policy.config, chance)

        return loop

    @property
    def _steps(self) -> int:
        return self.settings.steps or 0

    def _indices(self, count: int) -> NDArray[np.int64]:
        return np.random.default_rng(0).integers(0, len(self.samples), (count, self.settings.batch))

    def _seen(self, count: int) -> list[object]:
        chance, how = torch.Generator().manual_seed(0), self.settings.augmentation
        return [changed(self.samples.batch(i), how, self.policy.config, chance) for i in self._indices(count)]


def contest(store: Path, preset: str, steps: int, precision: str) -> Contest:
    settings = Settings(preset=preset, steps=steps, precision=precision)
    version, config = made_store(store, pictures(), RATE_HZ), settings.config()
    clips, _ = open_clips(version, config.view)
    samples = collect(version, "train", clips, config.window, horizon=config.horizon)
    return Contest(samples, settings, Policy(for_labels(config, samples)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", action="append", choices=PRESETS)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--runs", type=int, default=3)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()
    tiles = torch.backends.cpu.get_cpu_capability() == "AMX" or "amx_bf16" in Path("/proc/cpuinfo").read_text()
    for preset in chosen.preset or PRESETS:
        with tempfile.TemporaryDirectory() as folder:
            one = contest(Path(folder), preset, chosen.steps, "fp32")
            took = least_cpu_s(one.works(), chosen.runs)
            size = chosen.steps * one.settings.batch
            print(
                f"{preset:10} swerve {size / took['swerve']:7.1f} samples/CPU-s, bare {size / took['bare']:7.1f}: "
                f"{took['bare'] / took['swerve']:.2f} x; of swerve's step the loader is "
                f"{took['loader'] / took['swerve']:.1%}, the change of light {took['light'] / took['swerve']:.1%}"
            )
        if tiles:
            with tempfile.TemporaryDirectory() as folder:
                halved = contest(Path(folder), preset, chosen.steps, "bf16")
                works = {"fp32": one.swerve, "bf16": halved.swerve}
                ratio = least_cpu_s(works, chosen.runs)
                print(f"{preset:10} bf16 {ratio['fp32'] / ratio['bf16']:.2f} x fp32")
    if not tiles:
        print("no AMX here: bf16 is not compared")


if __name__ == "__main__":
    main()
