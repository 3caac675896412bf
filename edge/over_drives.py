"""Every recording below some paths, and one job for each of them, in child processes, with a progress bar."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from edge.drive import find_drives
from edge.errors import EdgeError
from edge.isolate import each
from edge.jobs import Where
from edge.offer import OFFER
from edge.output import say

Result = TypeVar("Result")


def find(paths: Sequence[Path]) -> list[Where]:
    """Every recording below the paths, once; clips beside whole drives are left out: they were cut from some drive.

    Raises:
        DriveError: a path that does not exist, or holds no known recording.
    """
    every = [Where(recorder.NAME, where) for path in paths for recorder, where in find_drives(path)]
    found = list({(where.recorder, where.path.absolute()): where for where in every}.values())
    return [where for where in found if not (where.path / OFFER).is_file()] or found


def every(job: Callable[[Where], Result], found: Sequence[Where], quiet: bool) -> Iterator[Result]:
    """Do a job on every drive; one that cannot be used beside others that can is said and skipped.

    Raises:
        EdgeError: none of them could be used.
    """
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("reading"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    used = 0
    failed: list[EdgeError] = []
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as progress:
        for result in progress.track(each(job, found), len(found)):
            if isinstance(result, EdgeError):
                failed.append(result)
                if len(found) > 1:
                    say(result)
            else:
                used += 1
                yield result
    if failed and not used:
        raise failed[-1]
