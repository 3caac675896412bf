"""A robot's own columns of a LeRobotDataset as signals, so that what works on telemetry works on them.

`action` becomes `action_<k>` and `observation.state` becomes `state_<k>`, k made of the dataset's own name for the
element. Units differ from robot to robot and are seldom stated, so a value is told as a fraction of the range that the
whole dataset has of it (`meta/stats.json`): from its 1st to its 99th percentile, or from its least to its greatest
where quantiles are absent or equal. A column without a range, or that never moves, is left out and said.

Who moved the robot is in no file. LeRobot's recorder insists that the name of a dataset begins with `eval_` if and only
if a policy acts (sanity_check_dataset_name in lerobot's control_utils.py); any other is taken for demonstrations by a
human. A folder that was renamed says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from edge.formats.lerobot_dataset import Dataset, Episode
from trigger.signals import ControlSource
from trigger.telemetry import Values

FAMILIES = {"action": "action", "observation.state": "state"}
QUANTILES, EXTREMES = ("q01", "q99"), ("min", "max")
Ranges = dict[str, tuple[float, float]]


def robot_columns(
    dataset: Dataset, episode: Episode, stats: dict[str, Any], notes: list[str]
) -> tuple[dict[str, Values], Ranges]:
    """Signals (N,) by name, and the range, in the dataset's own unit, that is 0 to 1 of each."""
    signals: dict[str, Values] = {}
    ranges: Ranges = {}
    left_out = []
    for feature, family in FAMILIES.items():
        values = episode.columns.get(feature, np.empty((0, 0)))
        for i, name in enumerate(_column_names(family, dataset.names.get(feature, []), values.shape[1])):
            span = _range(stats.get(feature), i)
            if span is None:
                left_out.append(name)
                continue
            low, high = ranges[name] = span
            fraction = (values[:, i] - low) / (high - low)
            signals[name] = np.where(np.isfinite(fraction), fraction, np.nan)
    if left_out:
        notes.append(f"meta/stats.json gives no range of {', '.join(left_out)}: left out")
    if any(name.startswith("action_") for name in signals):
        by_policy = dataset.root.name.startswith("eval_")
        said = "a policy acted (eval_ in the dataset's name)" if by_policy else "taken as demonstrations by a human"
        notes.append(f"who moved the robot is not recorded: {said}")
        source = ControlSource.SYSTEM if by_policy else ControlSource.HUMAN
        signals["control_source_robot"] = np.full(episode.t_ns.size, float(source))
    return signals, ranges


def _column_names(family: str, names: Sequence[str], width: int) -> list[str]:
    """Names of a feature's elements as signals; numbers where the dataset has none, or two that come out the same."""
    found: list[str] = []
    for i in range(width):
        own = re.sub(r"[^a-z0-9]+", "_", (names[i] if i < len(names) else "").lower()).strip("_")[:48] or str(i)
        name = f"{family}_{own}"
        found.append(f"{name}_{i}" if name in found else name)
    return found


def _range(stats: Any, i: int) -> tuple[float, float] | None:
    """The i-th element's range, None where the statistics do not give one that is wider than nothing."""
    for ends in (QUANTILES, EXTREMES):
        try:
            low, high = (float(stats[end][i]) for end in ends)
        except (KeyError, TypeError, IndexError, ValueError, OverflowError):
            continue
        if np.isfinite(low) and np.isfinite(high) and high > low:
            return low, high
    return None
