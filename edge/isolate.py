"""Work in native code in child processes: a decoder that crashes costs one drive, never the run.

Decoders are C libraries fed with files from anywhere; PyAV has been seen to die with SIGSEGV on a truncated video.
A child takes items in turn and is replaced when it dies. What comes back is pickled, so jobs return small
results: no telemetry, and of frames a page's stills at most. Where bounds are given the kernel holds the child to them:
past its time it is killed, also inside a decoder; past its memory allocations fail. It ends with whoever began it, or
it would go on writing where the next run works.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from itertools import islice
from multiprocessing.connection import wait
from pathlib import Path
from typing import TypeVar

from edge.errors import DriveError, EdgeError

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Bounds:
    """What one item may cost: processor and wall time in s, memory in bytes on top of what the child has (Linux)."""

    cpu_s: int
    wall_s: float
    memory_bytes: int


@dataclass(frozen=True)
class Words:
    """How the failure of an item is told: what crashed on it, what it cannot be, and the other two parts."""

    worker: str = "a decoder"
    failed: str = "cannot be read"
    wanted: str = "a whole recording"
    todo: str = "copy it again, or leave it out"


class ChildDied(DriveError):
    """The child crashed on an item, or passed its time."""


def each(
    job: Callable[[Item], Result],
    items: Iterable[Item],
    bounds: Bounds | None = None,
    children: int = 1,
    words: Words = Words(),
) -> Iterator[Result | EdgeError]:
    """Run `job` on every item in a child process; an item that cannot be used gives its error instead.

    Args:
        job: a function of a module (it is pickled by name) that raises EdgeError for what it cannot use.
        children: how many work at once; each has a pool of its own, so that one that dies takes no other's item along.
        words: for jobs that do not read recordings.

    Yields:
        in the order of `items`.
    """
    run = partial(_bounded, job, bounds) if bounds else job
    pools = [_pool() for _ in range(children)]
    left = enumerate(items)
    under_way: deque[tuple[int, Item, Future[Result]]] = deque()
    try:
        while True:
            for number, item in islice(left, children - len(under_way)):
                place = number % children
                under_way.append((place, item, pools[place].submit(run, item)))
            if not under_way:
                return
            place, item, future = under_way.popleft()
            answer = _answer(item, future, bounds, words)
            if isinstance(answer, ChildDied):
                pools[place].shutdown(wait=False)
                pools[place] = _pool()
            yield answer
    finally:
        for pool in pools:
            pool.shutdown(wait=True, cancel_futures=True)


def _answer(item: Item, future: Future[Result], bounds: Bounds | None, words: Words) -> Result | EdgeError:
    try:
        return future.result()
    except EdgeError as error:
        return error
    except MemoryError:
        most = f"the {bounds.memory_bytes >> 20} MiB it may have" if bounds else "there is"
        return DriveError(f"{item} needs more memory than {most}", "a smaller recording", "leave it out")
    except (ArithmeticError, LookupError, ValueError) as error:
        return DriveError(f"{item} {words.failed}: {error!r}", words.wanted, words.todo)
    except BrokenProcessPool:
        past = f" or took longer than {bounds.cpu_s} s" if bounds else ""
        return ChildDied(f"{words.worker} crashed on {item}{past}", words.wanted, words.todo)


def _pool() -> ProcessPoolExecutor:
    """One child, forked from a clean server that has imported what jobs need: quick to start, safe with threads."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["edge.jobs", "edge.recorders"])
    return ProcessPoolExecutor(max_workers=1, mp_context=context, initializer=_end_with_parent)


def _end_with_parent() -> None:
    """In the child: a thread that waits for the parent to be gone, killed too, and then ends the process."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _bounded(job: Callable[[Item], Result], bounds: Bounds, item: Item) -> Result:
    """In the child: the job, with limits that the kernel enforces. SIGXCPU and SIGALRM, left alone, end the process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu_s = int(used.ru_utime + used.ru_stime) + bounds.cpu_s
    _limit(resource.RLIMIT_CPU, cpu_s)
    if sys.platform == "linux":  # elsewhere address space is not what a process uses
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        _limit(resource.RLIMIT_AS, pages * resource.getpagesize() + bounds.memory_bytes)
    signal.setitimer(signal.ITIMER_REAL, bounds.wall_s)
    try:
        return job(item)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        for kind in (resource.RLIMIT_CPU, resource.RLIMIT_AS):
            _limit(kind, resource.getrlimit(kind)[1])


def _limit(kind: int, soft: int) -> None:
    """The soft limit alone: it can be lifted again for the next item."""
    resource.setrlimit(kind, (soft, resource.getrlimit(kind)[1]))
