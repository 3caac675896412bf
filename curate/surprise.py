"""What surprised a policy: its error on each clip, read from a table, and what that does to weights.

`STORE/scores/<policy>.parquet`, written by whoever trains: `clip_id` string, `start_ns` int64, `error` double, one row
a second or a clip; a clip's error is the mean of its rows. Only how errors compare counts, so any unit will do. The
table may name the dataset version it was made on, in its metadata as `swerve.version`.

`error_ratio` is the check of the rarity itself: what it calls rare should be what a policy that never saw it gets
wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean, median

import numpy as np
from numpy.typing import NDArray

from curate.errors import CurateError
from curate.version.names import NAME, number_of

SCORES = "scores"
COLUMNS = {"clip_id": "string", "start_ns": "int64", "error": "double"}
VERSION = b"swerve.version"
RAREST = 0.05

Floats = NDArray[np.float64]


class ScoresError(CurateError):
    """A table of errors that cannot be used."""


def newest_scores(root: Path) -> Path | None:
    """The table made on the newest dataset version, of several the one written last; None where no policy was scored.

    A table that names no version comes before all that do: the time of a file says when it was copied.
    """
    found = (root / SCORES).glob("[!.]*.parquet")
    return max(found, key=lambda path: (_version_number(path), path.stat().st_mtime_ns, path.name), default=None)


def _version_number(path: Path) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        name = (pq.read_schema(path).metadata or {}).get(VERSION, b"").decode()
    except (OSError, ValueError, pa.ArrowException):
        return -1  # said by `read_errors` where there is no other
    return number_of(name) if NAME.fullmatch(name) else -1


def read_errors(path: Path) -> dict[str, float]:
    """Clip id to mean error. Raises ScoresError."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path, columns=list(COLUMNS))
        table.validate(full=True)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise ScoresError(f"{path} cannot be read: {error}", "a table of errors", "run: swerve train score") from error
    kinds = {name: str(table.schema.field(name).type) for name in table.schema.names}
    if kinds != COLUMNS:
        wanted = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
        raise ScoresError(f"{path} has {kinds}", wanted, "run: swerve train score")
    clips, errors = table.column("clip_id").to_pylist(), np.asarray(table.column("error"), np.float64)
    if None in clips or not bool((np.isfinite(errors) & (errors >= 0.0)).all()):
        raise ScoresError(f"{path} has rows without a clip or with an error that is none", "0 or more", "score again")
    told: dict[str, list[float]] = {}
    for clip, own in zip(clips, errors.tolist(), strict=True):
        told.setdefault(clip, []).append(own)
    return {clip: fmean(each) for clip, each in told.items()}


def surprise_factors(clips: Sequence[str], errors: Mapping[str, float], known: Sequence[bool], most: float) -> Floats:
    """Square root of a clip's error over the median of those trained on, (N,) within [1 / most, most]; 1 unscored.

    Args:
        clips: (N,) of each second. known: (N,) those trained on, by which the usual error is judged.
    """
    trained = {clip for clip, is_known in zip(clips, known, strict=True) if is_known and clip in errors}
    usual = median(errors[clip] for clip in sorted(trained)) if trained else 0.0
    if not usual > 0.0:
        return np.ones(len(clips))
    return np.array([np.clip((errors.get(clip, usual) / usual) ** 0.5, 1 / most, most) for clip in clips], np.float64)


def error_ratio(rarity: Mapping[str, float], errors: Mapping[str, float], rarest: float = RAREST) -> float:
    """Mean error of the rarest clips over that of all, of the clips that have both; NaN where nothing can be said.

    Args:
        rarity: by clip, without the surprise: it would be asked about itself.
        errors: of a policy that saw none of these clips.
        rarest: share of the clips, at least one.
    """
    clips = sorted(rarity.keys() & errors.keys(), key=lambda clip: (-rarity[clip], clip))
    if not clips:
        return float("nan")
    top = clips[: max(1, round(rarest * len(clips)))]
    whole = fmean(errors[clip] for clip in clips)
    return fmean(errors[clip] for clip in top) / whole if whole else float("nan")
