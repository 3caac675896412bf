"""From a released policy to one that also knows what is new: the nightly case.

A version holds all clips, old and new, so nothing needs to be kept aside to be replayed: `fresh` of the draws come
from clips that the released policy's own version did not hold, the rest from the others, within each as curation
weighs them. Half and half is the default: what is new is a small part of a version and would hardly be seen, and
without the old half its lessons would be forgotten.

It keeps the policy's shape, controls and units; what a version has besides is not learned. Where the policy's own
version is not in the store any more, it cannot be told what is new, and that is an error.
"""

from __future__ import annotations

import numpy as np

from curate.dataset import DatasetVersion, open_version
from curate.errors import CurateError
from train.errors import FitError
from train.samples import SampleSet
from train.shares import Flags


def is_fresh(samples: SampleSet, origin_version: str, origin_digest: str, version: DatasetVersion) -> Flags:
    """(S,) bool: which samples lie in clips that the origin's version did not hold.

    Raises:
        FitError: that version is not in the store.
    """
    known = set(_origin(version, origin_version, origin_digest).rows.column("clip_id").to_pylist())
    of_clip = np.array([clip.clip_id not in known for clip in samples.clips], np.bool_)
    return np.asarray(of_clip[samples.clip], np.bool_)


def _origin(version: DatasetVersion, name: str, digest: str) -> DatasetVersion:
    try:
        origin = open_version(version.store, name) if name else None
    except CurateError as error:
        raise _unknown(name, version) from error
    if origin is None or origin.digest != digest:
        raise _unknown(name, version)
    return origin


def _unknown(name: str, version: DatasetVersion) -> FitError:
    return FitError(
        f"a policy trained on {name or 'an unnamed version'}, which {version.store} does not hold",
        "the version that the policy was trained on, to tell which clips are new",
        "fine-tune in the store it came from, or train anew without --from",
    )
