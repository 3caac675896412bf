"""What the commands of `swerve train` show while they work, on stderr, and of what was left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import click

Move = Callable[[float, str], None]


@contextmanager
def bar(what: str, quiet: bool = False) -> Iterator[Move]:
    """Progress: share done, a note, time gone and time left."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True, quiet=quiet), transient=True) as progress:
        task = progress.add_task(what, total=1.0, note="")
        yield lambda share, note: progress.update(task, completed=share, note=note)


def opening(move: Move) -> Callable[[int, int], None]:
    return lambda done, total: move(0.0, f"opening clip {done + 1} of {total}")


def counted(move: Move, noun: str) -> Callable[[int, int], None]:
    from time import monotonic

    start = monotonic()

    def advance(done: int, total: int) -> None:
        move(done / total, f"{done / max(monotonic() - start, 1e-6):.0f} {noun}/s")

    return advance


def print_left_out(dropped: Mapping[str, int], skipped: Mapping[str, str]) -> None:
    for why, count in dropped.items():
        if count:
            click.echo(f"{count} frames are no samples: {why}")
    for clip, why in skipped.items():
        click.echo(f"clip {clip[:12]} left out: {why}")
