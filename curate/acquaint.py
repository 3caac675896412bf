"""What the night learns of its clips before it weighs them: what they show, what they repeat, how crowded it is around
them, and what surprised a policy.

Each clip is looked at, described and embedded once, in child processes; what was made of it lies in its own folder and
is used again. Then all clips are compared with one another. A clip of which nothing can be made is told.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from curate.clipref import ClipRef, refs_of
from curate.deduplicate import deduplicate, read_portraits
from curate.duplicates import Duplicate, duplicate_factors, groups
from curate.embed import stage as embedding
from curate.embed.encoder import encoder_named
from curate.look import look
from curate.near import density
from curate.overlap import overlaps
from curate.portrait import Portrait
from curate.stage import Stage, children, run_stage
from curate.surprise import newest_scores, read_errors
from curate.traits import BOUNDS as DESCRIBING
from curate.traits import describe
from curate.weights.facts import Facts
from edge.errors import EdgeError
from edge.isolate import Bounds

NEIGHBOURS = 10
"""Clips of other drives by which it is judged how crowded it is around one: enough that one copy does not decide."""
LOOKING = Bounds(cpu_s=300, wall_s=900.0, memory_bytes=3 * 1024**3)
"""Of a clip that was admitted before it was looked at."""


@dataclass(frozen=True)
class Acquainted:
    """What is known of a store's clips.

    Attributes:
        facts: for the weights. groups: for the split, clip id to a name that clips with the same picture share.
        duplicates: clip id to what it repeats. unseen: clip id to why nothing was made of it.
        how: what this rests on, for the recipe: the encoder's id, and the table of errors with its sha256.
    """

    facts: Facts
    groups: Mapping[str, str] = field(default_factory=dict)
    duplicates: Mapping[str, Duplicate] = field(default_factory=dict)
    unseen: Mapping[str, str] = field(default_factory=dict)
    how: Mapping[str, str] = field(default_factory=dict)


def acquaint(
    root: Path, folders: Sequence[Path], encoder: str, step: Callable[[str], None] = lambda _: None
) -> Acquainted:
    """Learn what is to be known of the admitted clips in these folders of the store at `root`.

    Raises:
        EncoderError: no such encoder, or not installed. ScoresError: the table of errors cannot be used.
    """
    refs = refs_of(root, list(folders))
    made_by = encoder_named(encoder).id
    unseen = _made(refs, encoder, step)
    step("compare")
    portraits, without = read_portraits(refs, made_by)
    if without:  # damaged since it was made: once more from nothing, else what they repeat would be forgotten
        again = [ref for ref in refs if ref.clip_id in without]
        for ref in again:
            shutil.rmtree(ref.made, ignore_errors=True)
        unseen |= _made(again, encoder, step)
        portraits, without = read_portraits(refs, made_by)
        unseen = {clip_id: why for clip_id, why in unseen.items() if clip_id in without}
    repeats = deduplicate(root, portraits, made_by)
    scores = newest_scores(root)
    facts = Facts(
        density=_density(portraits),
        duplicate=duplicate_factors(repeats.duplicates),
        error=read_errors(scores) if scores else {},
    )
    how = {"encoder": made_by}
    if scores:
        how |= {"scores": scores.name, "scores_sha256": hashlib.sha256(scores.read_bytes()).hexdigest()}
    same = groups([*repeats.pairs, *overlaps(portraits)])
    return Acquainted(facts, same, repeats.duplicates, without | unseen, how)


def _made(refs: Sequence[ClipRef], encoder: str, step: Callable[[str], None]) -> dict[str, str]:
    """Have everything made of every clip that is not there yet; of which it cannot be, and why."""
    failed: dict[str, str] = {}
    stages: list[Stage[object]] = [
        Stage("look", look, LOOKING),
        Stage("describe", describe, DESCRIBING),
        Stage("embed", partial(embedding.embed, encoder=encoder), embedding.BOUNDS),
    ]
    for stage in stages:
        left = [ref for ref in refs if ref.clip_id not in failed]
        for done, (ref, result) in enumerate(run_stage(stage, left, children()), 1):
            step(f"{stage.name}: {done} of {len(left)}")
            if isinstance(result, EdgeError):
                failed[ref.clip_id] = str(result)
    return failed


def _density(portraits: Sequence[Portrait]) -> dict[str, float]:
    if not portraits:
        return {}
    _, drives = np.unique([portrait.drive_id for portrait in portraits], return_inverse=True)
    crowded = density(np.stack([portrait.vector for portrait in portraits]), drives.astype(np.int64), NEIGHBOURS)
    return {portrait.clip_id: value for portrait, value in zip(portraits, crowded.tolist(), strict=True)}
