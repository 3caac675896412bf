"""Several processes that train one policy together, started by torchrun; alone they are a crew of one.

    torchrun --nproc-per-node 2 -m swerve train fit ...

Rules:
- All take the same batches in the same order; each learns from its own part of each batch.
- Gradients are averaged over all, so that every process holds the same weights after every step.
- What depends on a clock is decided by the first process; only the first writes files and prints.

The trade-off: gloo, which runs on any machine, and no splitting of the policy itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from train.errors import FitError
from train.order import Index


@dataclass(frozen=True)
class Crew:
    """Which of how many processes this is."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        return self.rank == 0

    def part(self, indices: Index) -> Index:
        """This process's samples of a batch."""
        return indices[self.rank :: self.size]

    def together(self, policy: nn.Module) -> nn.Module:
        """A module whose backward pass averages the gradients over the crew."""
        return policy if self.size == 1 else DistributedDataParallel(policy)

    def agree(self, value: float) -> float:
        """The first process's value."""
        if self.size == 1:
            return value
        shared = torch.tensor([value], dtype=torch.float64)
        dist.broadcast(shared, 0)
        return float(shared)

    def total(self, value: Tensor) -> Tensor:
        """The sum over the crew."""
        if self.size > 1:
            value = value.clone()
            dist.all_reduce(value)
        return value

    def gathered(self, value: Tensor) -> list[Tensor]:
        """The tensors of all, which have one shape, in order of rank."""
        if self.size == 1:
            return [value]
        places = [torch.empty_like(value) for _ in range(self.size)]
        dist.all_gather(places, value)
        return places


@contextmanager
def crew_at_work() -> Iterator[Crew]:
    """The crew that torchrun's environment describes, else a crew of one.

    Raises:
        FitError: this build of torch cannot talk between processes.
    """
    size = crew_size()
    if size == 1:
        yield Crew()
        return
    if not (dist.is_available() and dist.is_gloo_available()):
        raise FitError(f"{size} processes", "a torch with gloo", "run one process, or install another build of torch")
    dist.init_process_group("gloo")
    try:
        yield Crew(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()


def crew_size() -> int:
    """How many processes torchrun started; 1 without it."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def quiet() -> bool:
    """Whether this process of a crew is not the one that prints."""
    return int(os.environ.get("RANK", "0")) > 0
