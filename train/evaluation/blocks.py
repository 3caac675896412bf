"""Which samples stand or fall together: the units that intervals and tests are drawn over.

Neighbouring frames show one and the same bend, so their errors are one event and not twenty. What is independent:
- the drive, where there are at least `ENOUGH_DRIVES` of them;
- else stretches of at least `BLOCK_S` seconds of a drive. That is the weaker claim: it speaks of these drives and not
  of others, and what lasts longer than a stretch (the road, the light, the driver) is not in the interval. Whatever
  prints a figure says which of the two it is (`Blocks.words`).

Seconds are counted where there are samples, in order of time, whichever clips they lie in; what is left over at the
end of a drive joins its last stretch, and a shorter drive is one block.

Shapes: S samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curate.dataset import DatasetVersion
from train.samples import SampleSet
from trigger.telemetry import Times

Index = NDArray[np.int64]

ENOUGH_DRIVES = 10
BLOCK_S = 10
"""Seconds of a block, at least."""


@dataclass(frozen=True, repr=False, eq=False)
class Blocks:
    """`of` (S,) int64: the block of each sample, 0 to `count - 1`; blocks are drives or stretches of drives."""

    of: Index
    count: int
    drives: int

    @property
    def by_drive(self) -> bool:
        return self.drives >= ENOUGH_DRIVES

    @property
    def words(self) -> str:
        if self.by_drive:
            return f"{self.count} drives"
        noun = "drive" if self.drives == 1 else "drives"
        return f"{self.count} blocks of at least {BLOCK_S} s of {self.drives} {noun} (below {ENOUGH_DRIVES} drives)"


def drives_of(version: DatasetVersion, samples: SampleSet) -> list[str]:
    """(S,) drive of each sample."""
    return [str(name) for name in version.rows.column("drive_id").take(samples.row).to_pylist()]


def blocks_of(version: DatasetVersion, samples: SampleSet) -> Blocks:
    return find_blocks(drives_of(version, samples), version.rows.column("start_ns").to_numpy()[samples.row])


def find_blocks(drive: Sequence[str], second_ns: Times) -> Blocks:
    """Blocks of samples.

    Args:
        drive: (S,) drive of each sample. second_ns: (S,) start of the second that holds it.
    """
    names, of_drive = np.unique(np.asarray(drive, dtype=object), return_inverse=True)
    if names.size >= ENOUGH_DRIVES:
        return Blocks(of_drive.astype(np.int64), int(names.size), int(names.size))
    of, count = np.empty(len(second_ns), np.int64), 0
    for number in range(names.size):
        own = of_drive == number
        seconds, rank = np.unique(second_ns[own], return_inverse=True)
        stretches = max(1, seconds.size // BLOCK_S)
        of[own] = count + np.minimum(rank // BLOCK_S, stretches - 1)
        count += stretches
    return Blocks(of, count, int(names.size))
