"""What training makes small: the error of the mean, and apart from it the surprise at one's own errors.

Shapes: B samples, K steps of the horizon, A controls.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def answer_loss(mean: Tensor, wanted: Tensor, knee: float) -> Tensor:
    """Smooth L1 over the labels that exist.

    Args:
        mean, wanted: (B, K, A) standardised; NaN in `wanted` is no label and adds nothing, to the loss or the gradient.

    Returns:
        scalar: the mean over labels; 0 where there is none.
    """
    known = ~torch.isnan(wanted)
    each = F.smooth_l1_loss(mean, torch.where(known, wanted, 0.0), beta=knee, reduction="none")
    return _mean(each, known)


def doubt_loss(mean: Tensor, log_variance: Tensor, wanted: Tensor) -> Tensor:
    """Negative logarithm of the Gaussian likelihood, less its constant; no gradient reaches the mean.

    Args:
        mean, log_variance, wanted: (B, K, A) standardised, NaN in `wanted` where there is no label.
    """
    known = ~torch.isnan(wanted)
    square = (mean.detach() - torch.where(known, wanted, 0.0)) ** 2
    return _mean(0.5 * (log_variance + square * torch.exp(-log_variance)), known)


def _mean(each: Tensor, known: Tensor) -> Tensor:
    return torch.where(known, each, 0.0).sum() / known.sum().clamp_min(1)
