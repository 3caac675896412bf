"""An encoder that is a network in an ONNX file: the one that comes with swerve, or DINO or CLIP exported by a user.

The file's first input takes float32 (1, 3, 224, 224), RGB, scaled to 0..1 and normalised by ImageNet's mean and
deviation; its first output gives (1, F), pooled already. It runs on one thread, a picture at a time: features then
depend neither on what else is encoded nor on the number of threads, and that costs nothing (121 pictures a processor
second one by one, 105 in batches of 32).
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from curate.embed.encoder import SIDE, Features, Picture
from curate.errors import EncoderError

MEAN = np.array([0.485, 0.456, 0.406], np.float32)
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
"""Of ImageNet's training pictures; what torchvision's models, DINO and EfficientNet expect."""
INSTALL = "run: pip install 'swerve[embed]', or choose the encoder plain"


class Network:
    """Features of an ONNX model, given as the bytes of its file.

    Raises:
        EncoderError: onnxruntime is not installed, or the model does not do what the module says.
    """

    def __init__(self, kind: str, model: bytes, weights_sha256: str) -> None:
        self.id = f"{kind}-1-{weights_sha256[:12]}"
        self._session = _session(kind, model)
        self._input = self._session.get_inputs()[0].name
        shape = self._run(np.zeros((SIDE, SIDE, 3), np.uint8), kind).shape
        if len(shape) != 2 or shape[0] != 1:
            raise EncoderError(f"{kind}: a model that gives {shape}", "(1, F)", "export it with its pooling")

    def features(self, picture: Picture) -> Features:
        return np.asarray(self._run(picture, self.id)[0], np.float32)

    def _run(self, picture: Picture, name: str) -> Any:
        scaled = (picture.astype(np.float32) / 255.0 - MEAN) / DEVIATION
        try:
            return self._session.run(None, {self._input: np.ascontiguousarray(scaled.transpose(2, 0, 1)[None])})[0]
        except Exception as error:  # onnxruntime's own exceptions share no base of their own
            raise EncoderError(
                f"{name}: the model fails on a picture ({error})",
                "an input (1, 3, 224, 224) float32",
                "export it again",
            ) from error


def network_file(path: Path) -> Network:
    """The model in a file. Raises EncoderError."""
    try:
        model = path.read_bytes()
    except OSError as error:
        raise EncoderError(f"{path} cannot be read: {error.strerror}", "an ONNX file", "check the path") from error
    return Network("onnx", model, hashlib.sha256(model).hexdigest())


def _session(kind: str, model: bytes) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise EncoderError(f"the encoder {kind} needs onnxruntime", "it installed", INSTALL) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # as above
        raise EncoderError(f"{kind}: not a usable model ({error})", "an ONNX file", "export it again") from error
