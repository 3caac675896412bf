"""How far a picture slid sideways: each column of one feature map beside its neighbours in the frame before.

(N, C, H, W) twice to (N, K, H, W) with K = 2 reach + 1: how alike each cell of `now` is to the cells `reach` columns
left and right of it in `before`.

In training the gradient is written out by hand, because the graph of K slices costs three times as much. Without
gradients the same sums are made of plain operations, which every exporter knows.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def slide(now: Tensor, before: Tensor, reach: int) -> Tensor:
    if torch.is_grad_enabled():
        return torch.as_tensor(Slide.apply(now, before, reach))
    return _alike(now, F.pad(before, (reach, reach)), reach)


class Slide(torch.autograd.Function):
    """`slide` with its gradient."""

    @staticmethod
    def forward(ctx: Any, now: Tensor, before: Tensor, reach: int) -> Tensor:
        width, padded = now.shape[-1], F.pad(before, (reach, reach))
        ctx.save_for_backward(now, padded)
        ctx.reach = reach
        result = now.new_empty(now.shape[0], 2 * reach + 1, *now.shape[2:])
        product = torch.empty_like(now)
        for k in range(2 * reach + 1):
            torch.mul(now, padded[..., k : k + width], out=product)
            torch.sum(product, 1, out=result[:, k])
        return result

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        now, padded = ctx.saved_tensors
        width = now.shape[-1]
        grad_now, grad_padded = torch.zeros_like(now), torch.zeros_like(padded)
        for k in range(2 * ctx.reach + 1):
            of_k = grad[:, k : k + 1]
            grad_now.addcmul_(of_k, padded[..., k : k + width])
            grad_padded[..., k : k + width].addcmul_(of_k, now)
        return grad_now, grad_padded[..., ctx.reach : ctx.reach + width], None


def _alike(now: Tensor, padded: Tensor, reach: int) -> Tensor:
    width = now.shape[-1]
    return torch.stack([(now * padded[..., k : k + width]).sum(1) for k in range(2 * reach + 1)], 1)
