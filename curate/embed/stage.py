"""The step that gives each clip its vector: computed once for an encoder, and kept beside the clip.

`made/<clip id>/embed-<encoder id>/vector.npy`. A stage of one clip: a child keeps its encoder, which is loaded once.
"""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from curate.clipref import ClipRef
from curate.embed.encoder import SIDE, Picture, encoder_named
from curate.embed.vector import vector_of
from curate.look import read_look
from curate.traits import read_traits
from edge.durable import new_folder
from edge.errors import ClipError
from edge.isolate import Bounds
from edge.video.camera import DECODE_ERRORS

FILE = "vector.npy"
BOUNDS = Bounds(cpu_s=120, wall_s=600.0, memory_bytes=4 * 1024**3)
"""Of one clip: 5 stills a camera at most, 10 ms each, and once a child the network. Most of the memory stays unused."""


def embed(ref: ClipRef, encoder: str) -> str:
    """Write the clip's vector where it is not yet, and return the id of the encoder, under which it lies.

    Args:
        encoder: its name (`curate.embed.encoder`).

    Raises:
        EncoderError. ClipError: the clip was not looked at or described, or a still is damaged.
    """
    made_by = encoder_named(encoder)
    folder = _folder(ref, made_by.id)
    if folder.is_dir():
        return made_by.id
    vector = vector_of([made_by.features(picture) for picture in _stills(ref)], read_traits(ref).summary)
    with new_folder(folder) as temporary:
        np.save(temporary / FILE, vector)
    return made_by.id


def read_vector(ref: ClipRef, encoder_id: str) -> NDArray[np.float32]:
    """(256,) float32. Raises ClipError where there is none of that encoder."""
    path = _folder(ref, encoder_id) / FILE
    try:
        return np.asarray(np.load(path, allow_pickle=False), np.float32)
    except (OSError, EOFError, ValueError) as error:
        raise ClipError(
            f"{path} cannot be read: {error!r}", "a clip's vector", f"remove {path.parent} and run the night again"
        ) from error


def _folder(ref: ClipRef, encoder_id: str) -> Path:
    return ref.made / f"embed-{encoder_id}"


def _stills(ref: ClipRef) -> list[Picture]:
    """Of every camera, so that what a side camera saw counts too."""
    return [_picture(still.path) for seen in read_look(ref).cameras.values() for still in seen.stills]


def _picture(path: Path) -> Picture:
    try:
        with av.open(str(path)) as container:
            frame = next(container.decode(video=0))
            small = VideoReformatter().reformat(frame, SIDE, SIDE, "rgb24", interpolation="AREA", threads=1)
            return np.asarray(small.to_ndarray(), np.uint8)
    except (*DECODE_ERRORS, StopIteration) as error:
        raise ClipError(
            f"{path} cannot be decoded: {error!r}", "a JPEG", f"remove {path.parent} and run the night again"
        ) from error
