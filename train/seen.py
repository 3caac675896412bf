"""Which seconds a policy may have learned from: those that its versions gave to training.

A fine-tuned policy learned from what the one it came from learned from as well, so its origins are followed while the
store holds them. What is known to have been trained on is said; where a version or an origin is gone, the rest is not
known, and never called unseen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curate.dataset import DatasetVersion, open_version
from curate.errors import CurateError
from train.checkpoint import load_policy
from train.errors import PolicyError

Second = tuple[str, int]
"""A drive and the start of the second on its clock, ns."""


@dataclass(frozen=True, repr=False)
class Seen:
    """`complete` is False where some of what the policy was trained on is not known."""

    seconds: frozenset[Second]
    complete: bool

    def say(self, seconds: Sequence[Second]) -> list[bool | None]:
        """Whether each was trained on, None where that is not known."""
        return [True if second in self.seconds else False if self.complete else None for second in seconds]


def seen_by(store: Path, about: Mapping[str, Any]) -> Seen:
    """What the policy that `about` describes was trained on; see `train.checkpoint.SavedPolicy`."""
    seconds: set[Second] = set()
    followed: set[str] = set()
    while True:
        version = _version(store, about)
        if version is None:
            return Seen(frozenset(seconds), False)
        seconds |= _trained(version)
        origin = about.get("origin")
        if not origin:
            return Seen(frozenset(seconds), True)
        name = str(origin["name"])
        if name in followed or (before := _about(store, name)) is None or before.get("dataset") != origin["dataset"]:
            known = _version(store, origin)
            return Seen(frozenset(seconds | _trained(known)) if known else frozenset(seconds), False)
        followed.add(name)
        about = before


def _version(store: Path, facts: Mapping[str, Any]) -> DatasetVersion | None:
    try:
        version = open_version(store, str(facts.get("version")))
    except CurateError:
        return None
    return version if version.digest == facts.get("dataset") else None


def _trained(version: DatasetVersion) -> set[Second]:
    columns = (version.rows.column(name).to_pylist() for name in ("drive_id", "start_ns", "split"))
    return {(drive, start) for drive, start, split in zip(*columns, strict=True) if split == "train"}


def _about(store: Path, name: str) -> Mapping[str, Any] | None:
    try:
        return load_policy(store / "policies" / name).about
    except PolicyError:
        return None
