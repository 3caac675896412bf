"""Weights that torch saved before its version 1.6, read without torch.

Such a file is a row of pickles (a magic number, the protocol, the system, the tensors, the names of their storages) and
then the storages' numbers, each after its length. Pickles can run code, so only the four names that tensors need are
known here, and the caller checks the file's hash first.
"""

from __future__ import annotations

import io
import pickle
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAGIC = 0x1950A86A20F9469CFC6C


def read_weights(data: bytes) -> Mapping[str, NDArray[Any]]:
    """Name to tensor. Raises ValueError or pickle.UnpicklingError for any other file."""
    file = io.BytesIO(data)
    if _Reader(file, {}).load() != MAGIC:
        raise ValueError("not weights in torch's format of before 1.6")
    for _ in ("protocol", "system"):
        _Reader(file, {}).load()
    storages: dict[str, NDArray[Any]] = {}
    tensors = _Reader(file, storages).load()
    for key in _Reader(file, {}).load():
        length = int.from_bytes(file.read(8), "little")
        storages[key][:] = np.frombuffer(file.read(length * storages[key].itemsize), storages[key].dtype)
    return {name: tensor for name, tensor in tensors.items() if isinstance(tensor, np.ndarray)}


class _Reader(pickle.Unpickler):
    """Gives arrays for tensors: views of storages that are filled later."""

    def __init__(self, file: io.BytesIO, storages: dict[str, NDArray[Any]]) -> None:
        super().__init__(file)
        self._storages = storages

    def find_class(self, module: str, name: str) -> Any:
        known = {
            "collections.OrderedDict": OrderedDict,
            "torch._utils._rebuild_tensor_v2": _tensor,
            "torch.FloatStorage": np.dtype("<f4"),
            "torch.LongStorage": np.dtype("<i8"),
        }
        try:
            return known[f"{module}.{name}"]
        except KeyError:
            raise pickle.UnpicklingError(f"weights that ask for {module}.{name}") from None

    def persistent_load(self, pid: Any) -> NDArray[Any]:
        _, kind, key, _, length, _ = pid
        return self._storages.setdefault(key, np.empty(length, kind))


def _tensor(
    storage: NDArray[Any], offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: object
) -> NDArray[Any]:
    steps = tuple(step * storage.itemsize for step in stride)
    return np.lib.stride_tricks.as_strided(storage[offset:], size, steps)
