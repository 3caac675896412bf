"""Damage as garages, tunnels and worn cards do it, for any recording: where it strikes and how, as pure functions.

A damage strikes one part (a file or a folder) of a recording. `damages` lists all there are for a folder, always the
same ones; `sample` draws some of each kind. Nothing here touches the disk but `strike`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

BLOCK = 4096
"""Bytes that a file system writes at once, so that what breaks off or turns to zeros is a multiple of it."""
PER_KIND = 4
"""Of files that lie in one folder and have one ending, such as pictures, this many stand for all."""

Kind = Literal["cut", "flip", "zero", "drop", "empty", "folder"]


@dataclass(frozen=True)
class Damage:
    """`at`: bytes that remain of a cut file, the first byte of a zeroed block, the flipped bit; else 0."""

    kind: Kind
    part: Path
    at: int = 0

    def __str__(self) -> str:
        return f"{self.kind} {self.part}" + (f" at {self.at}" if self.at else "")


def damages(folder: Path, flips: int) -> list[Damage]:
    """Every damage of a recording: each file cut and zeroed at every block, with `flips` flipped bits, and gone."""
    rng = np.random.default_rng(7)
    files = list(_representatives(p for p in sorted(folder.rglob("*")) if p.is_file()))
    found = [Damage("drop", p.relative_to(folder)) for p in sorted(folder.rglob("*")) if p.is_dir()]
    for file in files:
        part, size = file.relative_to(folder), file.stat().st_size
        found += [Damage("drop", part), Damage("folder", part)]
        found += [Damage("empty", part)] if size else []
        found += [Damage("cut", part, at) for at in range(BLOCK, size, BLOCK) or range(size // 2, size // 2 + size % 2)]
        found += [Damage("zero", part, at) for at in range(0, size, BLOCK)]
        found += [Damage("flip", part, int(at)) for at in rng.integers(0, max(1, 8 * size), flips if size else 0)]
    return found


def sample(found: list[Damage], each: int, seed: int) -> list[Damage]:
    """`each` of every kind, in their order; all where there are no more."""
    rng = np.random.default_rng(seed)
    kept: set[int] = set()
    for kind in {damage.kind for damage in found}:
        places = [i for i, damage in enumerate(found) if damage.kind == kind]
        kept |= set(rng.permutation(places)[:each].tolist())
    return [found[i] for i in sorted(kept)]


def damaged(data: bytes, damage: Damage) -> bytes:
    """What remains of a file's bytes; of kinds that leave a file."""
    if damage.kind == "cut":
        return data[: damage.at]
    if damage.kind == "zero":
        return data[: damage.at] + bytes(min(BLOCK, len(data) - damage.at)) + data[damage.at + BLOCK :]
    if damage.kind == "flip":
        flipped = bytearray(data)
        flipped[damage.at // 8] ^= 1 << damage.at % 8
        return bytes(flipped)
    return b""


@contextmanager
def struck(folder: Path, damage: Damage) -> Iterator[None]:
    """The recording with that damage; afterwards it is whole again."""
    part, aside = folder / damage.part, folder.with_name(f"{folder.name}-aside")
    part.rename(aside)
    try:
        if damage.kind == "folder":
            part.mkdir()
        elif damage.kind != "drop":
            part.write_bytes(damaged(aside.read_bytes(), damage))
        yield
    finally:
        shutil.rmtree(part) if part.is_dir() else part.unlink(missing_ok=True)
        aside.rename(part)


def _representatives(files: Iterable[Path]) -> Iterator[Path]:
    """At most `PER_KIND` of a folder and an ending, spread from the first to the last."""
    groups: dict[tuple[Path, str], list[Path]] = {}
    for file in files:
        groups.setdefault((file.parent, file.suffix), []).append(file)
    for group in groups.values():
        places = np.unique(np.linspace(0, len(group) - 1, PER_KIND).round().astype(int))
        yield from (group[i] for i in places.tolist())
