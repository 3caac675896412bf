"""One file a recording format, all with the same two functions (see `edge.drive.Recorder`).

The order is the order in which a path is asked for: the strictest format first, bare video last.
"""

from __future__ import annotations

from typing import cast

from edge.drive import Recorder
from edge.recorders import (
    comma2k19,
    donkeycar,
    kitti,
    lerobot,
    mcap_ros,
    native,
    nuscenes_can,
    openpilot,
    tesla,
    udacity,
    udacity_sim,
    video,
)

RECORDERS: tuple[Recorder, ...] = tuple(
    cast(Recorder, module)
    for module in (
        native,
        comma2k19,
        openpilot,
        donkeycar,
        tesla,
        udacity_sim,
        nuscenes_can,
        kitti,
        mcap_ros,
        lerobot,
        udacity,
        video,
    )
)
