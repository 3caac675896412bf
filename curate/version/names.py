"""Names of versions: their numbers, their tags, and which of them is current.

    versions/<number>-<digest>/     a version; numbers only grow
    versions/tags/<tag>             the name of a version
    versions/rolled_back.json       {"to": name, "from": name}

The newest version is current, but where a run was rolled back: then `to` is current for as long as `from` is the
newest. So a roll-back is one atomic write, deletes nothing, and ends by itself when better data are published; what
must hold for longer is a tag.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from curate.errors import DatasetError
from edge.durable import write_bytes
from edge.manifest import canonical_json

VERSIONS, TAGS, ROLLED_BACK = "versions", "tags", "rolled_back.json"
HEAD = "version.json"
"""In a version's folder, and the last of it to be there where it comes file by file."""
NAME = re.compile(r"\d{4,}-[0-9a-f]{8}")
TAG = re.compile(r"[a-zA-Z][a-zA-Z0-9._-]{0,63}")
CURRENT, NEWEST = "current", "newest"


def version_names(store: Path) -> list[str]:
    """Published versions, oldest first."""
    folder = store / VERSIONS
    names = [p.name for p in folder.iterdir() if NAME.fullmatch(p.name)] if folder.is_dir() else []
    return sorted(names, key=number_of)


def number_of(name: str) -> int:
    return int(name.partition("-")[0])


def current_name(store: Path) -> str | None:
    """The version that is used where none is named; None where nothing was ever published."""
    names = version_names(store)
    if not names:
        return None
    try:
        moved = json.loads((store / VERSIONS / ROLLED_BACK).read_bytes())
        holds = moved["from"] == names[-1] and moved["to"] in names
    except (OSError, ValueError, KeyError, TypeError):
        return names[-1]
    return str(moved["to"]) if holds else names[-1]


def resolve(store: Path, text: str | None = None) -> str:
    """The version that a name, a tag, `current` or `newest` stands for; the current one for None.

    Raises:
        DatasetError: there is none.
    """
    names = version_names(store)
    current = current_name(store)
    if current is None:
        raise DatasetError(
            f"{store} holds no dataset version", "at least one", f"run: swerve curate nightly --store {store}"
        )
    known = {**tags(store), CURRENT: current, NEWEST: names[-1]} | {name: name for name in names}
    found = known.get(text or CURRENT)
    if found not in names:
        got = f"no version {text} in {store}" if found is None else f"{text} is {found}, which is gone from {store}"
        raise DatasetError(got, f"one of {', '.join(known)}", "choose one of these")
    return found


def tags(store: Path) -> dict[str, str]:
    """Tag to the version it names, sorted."""
    folder = store / VERSIONS / TAGS
    files = sorted(p for p in folder.iterdir() if TAG.fullmatch(p.name)) if folder.is_dir() else []
    return {path.name: path.read_text().strip() for path in files}


def set_tag(store: Path, name: str, tag: str, move: bool = False) -> None:
    """Name a version.

    Raises:
        DatasetError: no such version, no usable tag, or one that names another version and may not move.
    """
    if not TAG.fullmatch(tag) or tag in (CURRENT, NEWEST):
        raise DatasetError(f"the tag {tag!r}", "1 to 64 of a-z A-Z 0-9 . _ -, a letter first", "choose another")
    version, before = resolve(store, name), tags(store).get(tag)
    if before not in (None, version) and not move:
        raise DatasetError(f"{tag} names {before}", "a new tag", "choose another, or move it with --move")
    write_bytes(store / VERSIONS / TAGS / tag, f"{version}\n".encode())


def roll_back(store: Path, name: str) -> str:
    """Make a version current, until a newer one than now is published; `newest` ends that. Raises DatasetError."""
    to, newest = resolve(store, name), version_names(store)[-1]
    write_bytes(store / VERSIONS / ROLLED_BACK, canonical_json({"to": to, "from": newest}))
    return to
