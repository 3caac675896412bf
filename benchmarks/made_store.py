"""A store for benchmarks: one clip of given pictures, driven by a human, and a version of which all of it trains."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.dataset import FACTORS, SCHEMA, DatasetVersion
from curate.proxy import PROXY
from curate.version.publish import publish
from edge.manifest import Manifest
from edge.write import encoded, write_drive
from trigger.signals import ControlSource
from trigger.telemetry import Telemetry

SECOND_NS = 1_000_000_000


def made_store(store: Path, pictures: NDArray[np.uint8], rate_hz: int) -> DatasetVersion:
    """Pictures (N, H, W, 3) as the video of a clip, encoded as proxies are; it has no other."""
    t_ns = np.arange(len(pictures), dtype=np.int64) * (SECOND_NS // rate_hz)
    signals = {
        "steering_wheel_deg": 20.0 * np.sin(t_ns / 1e9),
        "speed_mps": np.full(t_ns.size, 12.0),
        "control_source_steering": np.full(t_ns.size, float(ControlSource.HUMAN)),
    }
    head = Manifest("made", "made", 0, {}, {}, engagement="nobody")
    video = encoded(zip(t_ns.tolist(), pictures, strict=True), PROXY)
    write_drive(store / "clips" / "made", head, Telemetry(t_ns, signals), {"front": video})
    rows = [_row(second) for second in range(len(pictures) // rate_hz)]
    return publish(store, pa.Table.from_pylist(rows, schema=SCHEMA), {"made_by": "benchmarks"}, {}, {})


def _row(second: int) -> dict[str, object]:
    return {
        "clip_id": "made",
        "drive_id": "made",
        "start_ns": second * SECOND_NS,
        "end_ns": (second + 1) * SECOND_NS,
        "split": "train",
        "events": [],
        "severity": 0.0,
        "inclusion_probability": 1.0,
        "weight": 1.0,
        "place": "",
        "device": "",
        **{f"{name}_factor": 1.0 for name in FACTORS},
    }
