"""A rehearsal: the very same night on a shadow of the store, so that a dry run tells what the night would do.

The shadow has folders of its own whose files are links to the store's. What a night does to a store, it does by writing
new files, renaming and removing, never by writing into a file, so all of it stays in the shadow, which is removed.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from curate.store import Store

LEFT_OUT = ("arriving", "cache", "policies", "reports", "service")
"""Places of a store that no night reads."""


@contextmanager
def shadow(store: Store) -> Iterator[Store]:
    """A store that can be spoilt, for the time of the block; no other run works on the store meanwhile."""
    with tempfile.TemporaryDirectory(prefix="swerve-dry-run-") as name:
        root = Path(name)
        with store.locked():
            for path in sorted(store.root.iterdir()):
                if path.is_dir() and path.name not in LEFT_OUT and not path.name.startswith("."):
                    shutil.copytree(path, root / path.name, copy_function=_link, ignore=_hidden)
            yield Store(root)


def _link(source: str, target: str) -> None:
    Path(target).symlink_to(Path(source).resolve())


def _hidden(_: str, names: list[str]) -> list[str]:
    """What a crash left half done."""
    return [name for name in names if name.startswith(".")]
