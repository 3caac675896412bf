"""The step that tells which clips of a store repeat others: tonight's against all, what was found before is kept.

`cache/likeness-<rules>-<encoder id>.npz` holds the pairs that are alike among the clips it knows. It can be removed at
any time: likeness depends on two clips alone, so that what is found again from nothing is the same.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from curate.clipref import ClipRef
from curate.duplicates import Duplicate, duplicates
from curate.likeness import HOWS, RULES, Pair, likenesses
from curate.portrait import Portrait, read_portrait
from edge.durable import write_bytes
from edge.errors import EdgeError

CACHE = "cache"


@dataclass(frozen=True)
class Known:
    """The pairs that are alike among these clips."""

    clip_ids: frozenset[str]
    pairs: tuple[Pair, ...]


NOTHING = Known(frozenset(), ())


@dataclass(frozen=True)
class Repeats:
    """Clip id to what it is a duplicate of, and every pair that is alike, whichever of them is kept."""

    duplicates: dict[str, Duplicate]
    pairs: tuple[Pair, ...]


def deduplicate(root: Path, portraits: Sequence[Portrait], encoder_id: str) -> Repeats:
    """Which of a store's clips are duplicates, and of what; the cache in its folder `root` is brought up to date."""
    cache = root / CACHE / f"likeness-{RULES}-{encoder_id}.npz"
    known = _read(cache)
    now = updated(known, portraits)
    if now != known:
        _write(cache, now)
    return Repeats(duplicates(portraits, now.pairs), now.pairs)


def updated(known: Known, portraits: Sequence[Portrait]) -> Known:
    """The pairs among exactly these clips; only what is not known yet is compared."""
    here = frozenset(portrait.clip_id for portrait in portraits)
    new = [portrait for portrait in portraits if portrait.clip_id not in known.clip_ids]
    old = [portrait for portrait in portraits if portrait.clip_id in known.clip_ids]
    kept = [pair for pair in known.pairs if pair.clip_id in here and pair.of in here]
    return Known(here, tuple(sorted([*kept, *likenesses(new, old)])))


def read_portraits(refs: Sequence[ClipRef], encoder_id: str) -> tuple[list[Portrait], dict[str, str]]:
    """The portraits that there are; of clips without, which are compared with nothing, the id and why."""
    portraits, without = [], {}
    for ref in refs:
        try:
            portraits.append(read_portrait(ref, encoder_id))
        except EdgeError as error:
            without[ref.clip_id] = str(error)
    return portraits, without


def _read(path: Path) -> Known:
    """What is not there, or damaged, is found again."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            ids = [name.decode() for name in arrays["clip_ids"].tolist()]
            columns = (arrays[name].tolist() for name in ("clip", "of", "how", "likeness"))
            pairs = (Pair(ids[c], ids[o], HOWS[h], likeness) for c, o, h, likeness in zip(*columns, strict=True))
            return Known(frozenset(ids), tuple(pairs))
    except (OSError, EOFError, ValueError, KeyError, IndexError, BadZipFile):
        return NOTHING


def _write(path: Path, known: Known) -> None:
    ids = sorted(known.clip_ids)
    number = {clip_id: at for at, clip_id in enumerate(ids)}
    file = io.BytesIO()
    np.savez(
        file,
        clip_ids=np.array([clip_id.encode() for clip_id in ids], np.bytes_),
        clip=np.array([number[pair.clip_id] for pair in known.pairs], np.int32),
        of=np.array([number[pair.of] for pair in known.pairs], np.int32),
        how=np.array([HOWS.index(pair.how) for pair in known.pairs], np.int8),
        likeness=np.array([pair.likeness for pair in known.pairs], np.float64),
    )
    write_bytes(path, file.getvalue())
