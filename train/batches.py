"""The batches of a training, from any step on: a pure function of the epochs' orders, so that a training which was
cut off goes on with exactly the samples that it would have seen.

Shapes: n draws of an epoch, B samples of a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from train.order import Index


def batches(order: Callable[[int], Index], draws: int, size: int, first: int = 0) -> Iterator[Index]:
    """Batch after batch, epoch after epoch; the rest of one that fills no batch goes before the next.

    Args:
        order: epoch number to its (n,) draws. draws: n, the same in every epoch.
        size: B. first: number of the first batch that is given.
    """
    epoch, done = divmod(first * size, draws)
    rest = order(epoch)[done:]
    while True:
        while rest.size < size:
            epoch += 1
            rest = np.concatenate([rest, order(epoch)])
        yield rest[:size]
        rest = rest[size:]
