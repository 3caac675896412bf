"""A stage: one function over clip references, with the resources one call may take.

A stage keeps no state of its own and hands back small results, so the same function runs in a local pool, and on
anything that can map a function over a list. What it makes of a clip it puts into the clip's own folder, once.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from curate.clipref import ClipRef
from edge.errors import EdgeError
from edge.isolate import Bounds, each

Result = TypeVar("Result")
MOST_CHILDREN = 8
"""Each holds a decoder and two encoders: 160 MiB for a camera of 640x480."""


@dataclass(frozen=True)
class Stage(Generic[Result]):
    """`work` is a function of a module, as it is pickled by name; it raises EdgeError for a clip it cannot use."""

    name: str
    work: Callable[[ClipRef], Result]
    bounds: Bounds


def run_stage(
    stage: Stage[Result], refs: Sequence[ClipRef], children: int = 1
) -> Iterator[tuple[ClipRef, Result | EdgeError]]:
    """Each clip with its result, or why there is none, in the order of `refs`."""
    yield from zip(refs, each(stage.work, refs, stage.bounds, children), strict=True)


def children() -> int:
    """How many clips are worked at at once: one a processor."""
    return min(MOST_CHILDREN, os.cpu_count() or 1)
