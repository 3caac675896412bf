"""Files and folders that are either whole or absent, also after a power cut.

Everything is written under a hidden temporary name beside its final place, forced to disk, renamed, and the
parent folder is forced to disk too. What a crash leaves behind starts with `.swerve-` and is never read.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = ".swerve-"


def write_bytes(path: Path, data: bytes) -> None:
    """Replace `path` by `data` at once."""
    make_folder(path.parent)
    handle, name = tempfile.mkstemp(prefix=PREFIX, dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_tree(folder: Path) -> None:
    """Force every file below `folder`, and the folders themselves, to disk."""
    for root, _, files in os.walk(folder):
        for name in files:
            sync_file(Path(root, name))
        sync_folder(Path(root))


@contextmanager
def new_folder(path: Path, sync: Callable[[Path], None] = sync_tree) -> Iterator[Path]:
    """A temporary folder that becomes `path` when the block ends well, and vanishes when it does not.

    Args:
        sync: forces the folder to disk; `sync_folder` where the block has forced every file of it.

    Raises:
        FileExistsError: `path` exists already and is not empty.
    """
    make_folder(path.parent)
    temporary = Path(tempfile.mkdtemp(prefix=PREFIX, dir=path.parent))
    try:
        yield temporary
        sync(temporary)
        temporary.chmod(0o755)
        temporary.rename(path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    sync_folder(path.parent)


def sync_file(path: Path) -> None:
    _sync(path)


def make_folder(path: Path) -> None:
    """Make `path`, and what is missing above it, so that a power cut leaves their names, too."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    _sync(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
