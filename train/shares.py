"""Giving some samples a fixed share of the draws: what is new in a version, or where the driver acts.

Both leave alone how likely the samples of one side are beside each other, so curation's weights still act within.

Shapes: S samples, K steps of the horizon, A controls.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from train.order import Floats, Index
from trigger.telemetry import Times

Flags = NDArray[np.bool_]

LAG_S = 0.5
"""Over which a change of controls is taken, in seconds: longer than a nervous hand, shorter than a bend."""
KEY_SHARE = 0.1
"""Share of samples that count as key frames: those with the greatest change."""


def with_share(p: Floats, chosen: Flags, share: float) -> Floats:
    """`p` scaled so that the chosen samples have `share` of it; as it is where one side has nothing to draw.

    Args:
        p: (S,) probabilities with sum 1. chosen: (S,). share: 0 to 1.
    """
    own = float(p[chosen].sum())
    if not (own > 0.0 and bool((p[~chosen] > 0).any())):
        return p
    return np.where(chosen, p * (share / own), p * ((1.0 - share) / (1.0 - own)))


def key_frames(controls: NDArray[np.float32], t_ns: Times, clip: Index) -> Flags:
    """Where a driver acts: the tenth of the samples whose controls changed most in the last half second.

    A policy that repeats what was done a moment ago is right nearly everywhere and wrong exactly here (Wen et al.
    2021, "Keyframe-Focused Visual Imitation Learning"). They measure by a model of past actions how surprising an
    action is; this takes the change itself, which needs no model. A sample without one half a second before it in its
    clip is none.

    Args:
        controls: (S, A) in any unit, NaN where not a label. t_ns: (S,), clip: (S,), in order of (clip, time).

    Returns:
        (S,) bool.
    """
    change = np.full(len(t_ns), np.nan)
    scale = np.nanstd(controls, axis=0)
    for number in np.unique(clip):
        own = np.flatnonzero(clip == number)
        before = np.searchsorted(t_ns[own], t_ns[own] - round(LAG_S * 1e9), side="right") - 1
        far = (t_ns[own] - t_ns[own[before]]) > 1.5 * LAG_S * 1e9
        moved = np.abs(controls[own] - controls[own[before]]) / np.where(scale > 0, scale, 1.0)
        change[own] = np.where((before < 0) | far, np.nan, np.nan_to_num(moved).max(axis=1))
    known = ~np.isnan(change)
    if not known.any():
        return np.asarray(known, np.bool_)
    return np.asarray(
        np.nan_to_num(change, nan=-1.0) >= max(np.quantile(change[known], 1.0 - KEY_SHARE), 1e-9), np.bool_
    )
