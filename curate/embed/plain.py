"""An encoder without a network: the picture's low frequencies.

It tells where it is light and dark, not what is there: good for finding the same view again, of little use for telling
how unusual a scene is. It is for machines on which onnxruntime does not run.
"""

from __future__ import annotations

import numpy as np

from curate.embed.encoder import SIDE, Features, Picture
from curate.phash import dct_rows

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""ITU-R BT.601."""
CELLS, LOWEST = 32, 13


class Plain:
    """The 13 x 13 lowest coefficients of the luma's DCT without its mean: (168,)."""

    id = "plain-1"

    def features(self, picture: Picture) -> Features:
        cell = SIDE // CELLS
        luma = (picture @ LUMA).reshape(CELLS, cell, CELLS, cell).mean(axis=(1, 3))
        low = dct_rows(CELLS, LOWEST)
        return np.asarray((low @ luma @ low.T).ravel()[1:], np.float32)
