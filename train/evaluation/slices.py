"""Parts of an exam whose errors are told apart: a policy may be good on average and bad where it matters.

`whole` holds the parts that have a meaning of their own: `all`; `natural`, which is all of it with each second weighted
by 1 / inclusion probability (the error on everything that was driven, had it all been kept); `rare` and `ordinary`.
Further families cut the exam by one property each, every sample in exactly one part, except `event`, whose kinds may
overlap. Outside `natural` all samples count the same.

Properties are read at the sample's own time. Steering is banded by the label, speed and turn signal by the recording.
What is not known is a part of its own. A family with more than `MOST` parts keeps the largest and joins the rest. A
part that holds the whole exam says nothing that `all` does not, and is left out.

Shapes: S samples.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from curate.dataset import DatasetVersion
from train.evaluation.blocks import ENOUGH_DRIVES, drives_of
from train.evaluation.light import DARK_BELOW, brightness
from train.order import QUIET, spread
from train.samples import SampleSet
from train.senses import Command

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Index = NDArray[np.int64]

WHOLE, ALL, NATURAL, RARE, ORDINARY = "whole", "all", "natural", "rare", "ordinary"
MOST = 12
UNKNOWN = "not known"
SPEEDS_MPS = (5.0, 15.0, 25.0)
"""Bands: creeping and parking, town, country roads, motorways."""
BENDS = {
    "steering_wheel_deg": (5.0, 15.0, 45.0),
    "steering_tire_deg": (0.33, 1.0, 3.0),
    "steering_normalised": (0.05, 0.15, 0.45),
}
"""Bands of the angle to either side: straight, slight, clear and sharp bends; tyres by a steering ratio of 15."""


@dataclass(frozen=True, repr=False, eq=False)
class Slice:
    """`weight` (S,): importance of each sample, 0 outside."""

    family: str
    name: str
    weight: Floats


def find_slices(version: DatasetVersion, samples: SampleSet, rare: Flags) -> tuple[Slice, ...]:
    """All slices of an exam. `rare` (S,) as in `train.evaluation.rare`."""
    whole = (
        Slice(WHOLE, ALL, np.ones(len(samples))),
        Slice(WHOLE, NATURAL, spread(samples.row, 1.0 / samples.inclusion)),
    )
    halves = (Slice(WHOLE, RARE, rare.astype(np.float64)), Slice(WHOLE, ORDINARY, (~rare).astype(np.float64)))
    parts = (*halves, *_events(version, samples), *_properties(version, samples))
    return (*whole, *(part for part in parts if 0 < np.count_nonzero(part.weight) < len(samples)))


def _events(version: DatasetVersion, samples: SampleSet) -> Iterator[Slice]:
    kinds = version.rows.column("events").take(samples.row).to_pylist()
    told = [set(own or ()) or {QUIET} for own in kinds]
    for kind in sorted(set().union(*told)):
        yield Slice("event", kind, np.array([kind in own for own in told], np.float64))


def _properties(version: DatasetVersion, samples: SampleSet) -> Iterator[Slice]:
    yield from _parts("speed", *_bands(samples.speed_mps, SPEEDS_MPS, "m/s"))
    if samples.spec.steering is not None:
        name = samples.spec.names[samples.spec.steering]
        angle = np.abs(samples.controls_now[:, samples.spec.steering])
        yield from _parts("bend", *_bands(angle, BENDS[name], samples.spec.unit(name)))
    dark = brightness(samples) < DARK_BELOW
    yield from _parts("light", dark.astype(np.int64), ("bright (day)", "dark (night, tunnel)"))
    signalled = samples.command != Command.NONE
    yield from _parts("junction", signalled.astype(np.int64), ("turn signal off", "turn signal on"))
    for family, column in (("place", "place"), ("driver", "device")):
        told = version.rows.column(column).take(samples.row).to_pylist()
        yield from _parts(family, *_named([name or UNKNOWN for name in told]))
    drives, names = _named(drives_of(version, samples))
    if len(names) < ENOUGH_DRIVES:
        # With more, a drive is one block, of which no interval can be told.
        yield from _parts("drive", drives, names)


def _bands(values: NDArray[np.float32], edges: Sequence[float], unit: str) -> tuple[Index, list[str]]:
    """(S,) values to the band of each and the names of the bands."""
    unit = f" {unit}" if unit else ""
    between = [f"{low:g} to {high:g}{unit}" for low, high in pairwise(edges)]
    names = [f"below {edges[0]:g}{unit}", *between, f"{edges[-1]:g}{unit} and more", UNKNOWN]
    band = np.where(np.isnan(values), len(names) - 1, np.digitize(values, edges))
    return band.astype(np.int64), names


def _named(of: Sequence[str]) -> tuple[Index, list[str]]:
    names, place = np.unique(np.array(of, dtype=object), return_inverse=True)
    return place.astype(np.int64), [str(name) for name in names]


def _parts(family: str, of: Index, names: Sequence[str]) -> Iterator[Slice]:
    """A slice for each of `names`; `of` (S,) is the number of each sample's name."""
    largest = np.argsort(-np.bincount(of, minlength=len(names)), kind="stable")[:MOST]
    for number in sorted(largest.tolist()):
        yield Slice(family, names[number], (of == number).astype(np.float64))
    if len(names) > MOST:
        yield Slice(family, f"{len(names) - MOST} others", (~np.isin(of, largest)).astype(np.float64))
