"""Portraits of clips that were never filmed: random views and driving, and copies of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from curate.driving import SIGNALS
from curate.portrait import Portrait
from curate.traits import Traits

S = 1_000_000_000
SCALES = np.array([signal.scale for signal in SIGNALS.values()])


def portrait(
    name: str, seed: int, seconds: int = 10, events: Mapping[str, float] | None = None, **other: object
) -> Portrait:
    """A clip of a drive of its own, whose views, driving and vector are those of the seed."""
    rng = np.random.default_rng(seed)
    driven = rng.standard_normal((seconds, SCALES.size)) * SCALES
    summary = np.stack([driven.mean(axis=0), driven.std(axis=0), driven.min(axis=0), driven.max(axis=0)], axis=1)
    vector = rng.standard_normal(256)
    traits = Traits(
        hashes=rng.integers(0, 2**64, seconds, np.uint64),
        shown=np.ones(seconds, bool),
        driven=driven.astype(np.float32),
        summary=summary.astype(np.float32),
    )
    made = Portrait(
        clip_id=name,
        seconds=seconds,
        events=dict(events or {}),
        drive_id=f"drive of {name}",
        start_ns=0,
        end_ns=seconds * S,
        video=f"video of {name}",
        traits=traits,
        vector=(np.round(vector / np.linalg.norm(vector) * 2048) / 2048).astype(np.float32),
    )
    return replace(made, **other)  # type: ignore[arg-type]


def encoded_again(of: Portrait, name: str, seed: int = 0, bits: int = 3, first: int = 0, **other: object) -> Portrait:
    """A copy in other bytes, whose hashes differ by up to so many bits, without its first seconds; told by its picture
    alone, as its vector is another's."""
    rng = np.random.default_rng(seed)
    flipped = np.zeros(of.traits.hashes.size, np.uint64)
    for _ in range(bits):
        flipped |= np.uint64(1) << rng.integers(0, 64, flipped.size, np.uint64)
    traits = replace(of.traits, hashes=of.traits.hashes ^ flipped)
    traits = replace(traits, **{field: getattr(traits, field)[first:] for field in ("hashes", "shown", "driven")})
    copy = replace(portrait(name, seed), events=of.events, traits=traits, seconds=of.seconds - first, end_ns=of.end_ns)
    return replace(replace(copy, start_ns=first * S), **other)  # type: ignore[arg-type]
