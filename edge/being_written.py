"""Is something still writing to a recording? Such a recording is not scanned: its end is not there yet.

Linux tells which files every process holds open and how (`/proc/PID/fdinfo`), so the answer needs no guess from clocks
and no waiting. Elsewhere, and for processes of other users that may not be looked at, nothing is known and nothing is
refused; recorders that leave a lock file are told by their reader.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from edge.errors import DriveError

WRITING = os.O_WRONLY | os.O_RDWR


def refuse_while_written(path: Path) -> None:
    """Raises DriveError when a process holds `path`, or a file below it, open for writing, or where that cannot be told
    for want of descriptors."""
    target = path.resolve()
    for open_file in _open_for_writing():
        if open_file == target or target in open_file.parents:
            raise DriveError(
                f"{path} is still being written ({open_file.name})", "a finished recording", "try again later"
            )


def _open_for_writing() -> Iterator[Path]:
    try:
        processes = list(Path("/proc").glob("[0-9]*"))
    except OSError as error:
        got = f"/proc cannot be read: {error.strerror}"
        raise DriveError(got, "to see who is writing", "try again later") from error
    for process in processes:
        try:
            links = list((process / "fd").iterdir())
        except OSError:
            continue
        for link in links:
            try:
                target = link.readlink()
                if target.is_absolute() and _flags(process / "fdinfo" / link.name) & WRITING:
                    yield target
            except (OSError, ValueError):
                continue


def _flags(info: Path) -> int:
    """The flags a file was opened with, octal in the line `flags:`."""
    return next(int(line.split()[1], 8) for line in info.read_text().splitlines() if line.startswith("flags:"))
