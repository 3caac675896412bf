"""Work on foreign recordings in a child process: a decoder that crashes costs one drive, never the run.

Decoders are C libraries fed with files from anywhere; PyAV has been seen to die with SIGSEGV on a truncated video.
One child takes the items in turn and is replaced when it dies. What comes back is pickled, so jobs return small
results: no telemetry, and of frames a page's stills at most. It limits neither time nor memory.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from edge.errors import DriveError, EdgeError

Item = TypeVar("Item")
Result = TypeVar("Result")


def each(job: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result | EdgeError]:
    """Run `job` on every item in a child process; an item that cannot be used gives its error instead.

    Args:
        job: a function of a module (it is pickled by name) that raises EdgeError for what it cannot use.
    """
    pool = _pool()
    try:
        for item in items:
            try:
                yield pool.submit(job, item).result()
            except EdgeError as error:
                yield error
            except (ArithmeticError, LookupError, ValueError) as error:
                yield DriveError(
                    f"{item} cannot be read: {error!r}", "a whole recording", "copy it again, or leave it out"
                )
            except BrokenProcessPool:
                pool.shutdown(wait=False)
                pool = _pool()
                yield DriveError(f"a decoder crashed on {item}", "a whole recording", "copy it again, or leave it out")
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _pool() -> ProcessPoolExecutor:
    """One child, forked from a clean server that has imported what jobs need: quick to start, safe with threads."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["edge.jobs"])
    return ProcessPoolExecutor(max_workers=1, mp_context=context)
