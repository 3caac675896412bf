"""Predictions made by someone else for the same frames, from a CSV file.

    frame_id         integer ns, on the drive's clock
    steering_angle   rad, + left

The three entries of the Udacity challenge are such files. A prediction counts for a sample when its time is within
`TOLERANCE_NS`; samples without one are left out of that comparison and counted. It reads steering only.

Shapes: N predictions, S samples.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from train.errors import EvaluationError
from trigger.telemetry import Times, Values

TOLERANCE_NS = 5_000_000
COLUMNS = ("frame_id", "steering_angle")


@dataclass(frozen=True, repr=False, eq=False)
class Reference:
    """`t_ns` (N,) increasing; `steering_rad` (N,), + left."""

    name: str
    t_ns: Times
    steering_rad: Values

    def at(self, t_ns: Times) -> Values:
        """(S,) rad: the prediction nearest to each time, NaN where none is near enough."""
        right = np.clip(np.searchsorted(self.t_ns, t_ns), 0, self.t_ns.size - 1)
        left = np.maximum(right - 1, 0)
        nearer = np.abs(t_ns - self.t_ns[left]) <= np.abs(self.t_ns[right] - t_ns)
        nearest = np.where(nearer, left, right)
        near = np.abs(self.t_ns[nearest] - t_ns) <= TOLERANCE_NS
        return np.where(near, self.steering_rad[nearest], np.nan)


def read_reference(path: Path) -> Reference:
    """Raises EvaluationError for a file that is missing, malformed or empty."""
    try:
        with path.open(newline="") as file:
            reader = csv.DictReader(file)
            if not set(COLUMNS) <= set(reader.fieldnames or ()):
                found = ", ".join(reader.fieldnames or ()) or "no header"
                raise _refused(path, f"has the columns {found}")
            rows = sorted((int(row["frame_id"]), float(row["steering_angle"])) for row in reader)
        t_ns = np.array([t for t, _ in rows], np.int64)
    except OSError as error:
        raise _refused(path, f"cannot be read: {error.strerror}") from error
    except (ValueError, TypeError, OverflowError, csv.Error) as error:
        raise _refused(path, f"holds a row that is no prediction ({error})") from error
    if not rows:
        raise _refused(path, "holds no prediction")
    return Reference(path.stem, t_ns, np.array([angle for _, angle in rows], np.float64))


def _refused(path: Path, what: str) -> EvaluationError:
    return EvaluationError(
        f"{path} {what}", "a CSV with frame_id [ns] and steering_angle [rad, + left]", "mend or drop this --reference"
    )
