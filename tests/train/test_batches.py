"""A training that was cut off goes on with exactly the samples it would have seen."""

from __future__ import annotations

from itertools import islice

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from train.batches import batches
from train.order import Index, epoch_order

P = np.arange(1.0, 98.0) / np.arange(1.0, 98.0).sum()


def order(epoch: int) -> Index:
    return epoch_order(P, P.size, "digest", 3, epoch)


def test_fifty_places_to_resume_at_and_no_sample_differs() -> None:
    whole = list(islice(batches(order, P.size, 8), 120))
    for first in np.random.default_rng(0).choice(110, 50, replace=False).tolist():
        again = list(islice(batches(order, P.size, 8, first), 10))
        assert [b.tolist() for b in again] == [b.tolist() for b in whole[first : first + 10]]


@given(size=st.integers(1, 300), first=st.integers(0, 40))
def test_batches_are_the_epochs_cut_in_pieces(size: int, first: int) -> None:
    """Also where a batch is larger than an epoch."""
    epochs = np.concatenate([order(epoch) for epoch in range((first + 3) * size // P.size + 1)])
    for place, batch in enumerate(islice(batches(order, P.size, size, first), 3), first):
        assert batch.tolist() == epochs[place * size : (place + 1) * size].tolist()
