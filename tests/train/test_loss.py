"""Missing labels add nothing, and doubt never costs the answer."""

from __future__ import annotations

import pytest
import torch

from train.loss import answer_loss, doubt_loss

NAN = float("nan")


def test_nan_labels_add_nothing_to_the_loss_or_the_gradient() -> None:
    output = torch.tensor([[1.0, 5.0], [2.0, 7.0]], requires_grad=True)
    loss = answer_loss(output, torch.tensor([[0.0, NAN], [2.0, NAN]]), knee=0.3)
    loss.backward()
    assert loss.item() == pytest.approx((1.0 - 0.15) / 2)
    assert output.grad is not None
    assert output.grad[:, 1].tolist() == [0.0, 0.0]
    assert output.grad[0, 0] > 0


def test_a_batch_without_any_label_is_no_error() -> None:
    output = torch.ones(2, 1, requires_grad=True)
    loss = answer_loss(output, torch.full((2, 1), float("nan")), knee=0.3)
    loss.backward()
    assert loss.item() == 0.0


def test_doubt_is_least_at_the_size_of_the_error() -> None:
    mean, wanted = torch.zeros(1, 1, 1), torch.full((1, 1, 1), 0.5)
    losses = {v: doubt_loss(mean, torch.full((1, 1, 1), v).log(), wanted).item() for v in (0.1, 0.25, 0.6)}
    assert min(losses, key=lambda variance: losses[variance]) == 0.25


def test_doubt_moves_neither_the_answer_nor_anything_where_no_label_is() -> None:
    mean, doubt = torch.ones(2, 1, 1, requires_grad=True), torch.zeros(2, 1, 1, requires_grad=True)
    doubt_loss(mean, doubt, torch.tensor([[[3.0]], [[NAN]]])).backward()
    assert mean.grad is None
    assert doubt.grad is not None
    assert doubt.grad[0].item() == pytest.approx(0.5 * (1 - 4))
    assert doubt.grad[1].item() == 0.0
