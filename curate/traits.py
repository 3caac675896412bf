"""A clip's traits: what it shows and what the car did at every whole second of its window, and all of it summed up.

The seconds are those of the drive's own grid, which a copy of the drive shares, so that the same second of a clip and
of its copy is described by the same frame. One camera is described: `front`, or the first by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from curate.clipref import ClipRef
from curate.driving import Figures, at_moments, summed_up
from curate.look import Seen, read_look
from curate.phash import Hashes, picture_hashes
from edge.clip import open_clip
from edge.durable import new_folder
from edge.errors import ClipError
from edge.isolate import Bounds
from edge.manifest import TELEMETRY
from edge.stored import open_telemetry
from trigger.baseline import SECOND_NS
from trigger.telemetry import Recorded, Times

Camera = TypeVar("Camera")
FOLDER, FILE = "traits-1", "traits.npz"
MAIN_CAMERA = "front"
BOUNDS = Bounds(cpu_s=60, wall_s=300.0, memory_bytes=3 * 1024**3)
"""Of describing one clip."""
NEAREST_NS = SECOND_NS // 4
"""A second without a frame this near to its begin has no picture."""


@dataclass(frozen=True)
class Traits:
    """M moments, S signals of `curate.driving.SIGNALS`.

    Attributes:
        hashes: (M,) uint64. shown: (M,) whether the moment has a picture with enough in it to be told.
        driven: (M, S) float32, NaN where not recorded. summary: (S, 4) float32.
    """

    hashes: Hashes
    shown: NDArray[np.bool_]
    driven: Figures
    summary: Figures


def describe(ref: ClipRef) -> None:
    """Write the clip's traits where they are not yet. Raises EdgeError for a clip that cannot be read."""
    target = ref.made / FOLDER
    if target.is_dir():
        return
    traits = traits_of(
        main_camera(read_look(ref).cameras), open_telemetry(ref.folder / TELEMETRY), open_clip(ref.folder).cut.window_ns
    )
    with new_folder(target) as folder:
        np.savez(folder / FILE, **vars(traits))


def traits_of(camera: Seen | None, telemetry: Recorded, window_ns: tuple[int, int]) -> Traits:
    """What a camera saw and what was recorded in a window of whole seconds."""
    moments = np.arange(*window_ns, SECOND_NS)
    hashes, shown = _pictures(camera, moments)
    return Traits(hashes, shown, at_moments(telemetry, moments), summed_up(telemetry.between(*window_ns)))


def read_traits(ref: ClipRef) -> Traits:
    """Raises ClipError where the clip was not described, or what was written is damaged."""
    path = ref.made / FOLDER / FILE
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return Traits(arrays["hashes"], arrays["shown"], arrays["driven"], arrays["summary"])
    except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
        raise ClipError(
            f"{path} cannot be read: {error!r}", "a clip's traits", f"remove {path.parent} and run the night again"
        ) from error


def main_camera(cameras: Mapping[str, Camera]) -> Camera | None:
    """The one that stands for the clip; None where it has none."""
    return cameras.get(MAIN_CAMERA) or next((cameras[name] for name in sorted(cameras)), None)


def _pictures(seen: Seen | None, moments: Times) -> tuple[Hashes, NDArray[np.bool_]]:
    """Of the frame nearest to each moment (M,), M > 0: its hash, and whether there is one to be told by."""
    if seen is None or not seen.t_ns.size:
        return np.zeros(moments.size, np.uint64), np.zeros(moments.size, bool)
    after = np.clip(np.searchsorted(seen.t_ns, moments), 1, max(1, seen.t_ns.size - 1))
    pair = np.stack([after - 1, np.minimum(after, seen.t_ns.size - 1)])
    away = np.abs(seen.t_ns[pair] - moments)
    frame = np.where(away[0] <= away[1], pair[0], pair[1])
    hashes, shown = picture_hashes(seen.thumbs[frame])
    return hashes, shown & (away.min(axis=0) <= NEAREST_NS)
