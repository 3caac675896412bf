"""What a policy is trained on, and how exactly: float32, or bfloat16 where the machine multiplies it in hardware.

`auto` takes bfloat16 on processors with AMX and on graphics cards that have it. AVX-512 alone knows the format too and
is slower by it: `small` learned 112 samples a CPU-second on such a processor, and 126 in float32.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch

PRECISIONS = ("auto", "fp32", "bf16")


@dataclass(frozen=True)
class Processor:
    """`device`: of torch. `bf16`: whether products are made in bfloat16; sums and weights stay float32."""

    device: torch.device
    bf16: bool

    def products(self) -> AbstractContextManager[object]:
        """Inside, convolutions and matrix products are made as this processor does them."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16)


def find_processor(precision: str = "auto") -> Processor:
    """The graphics card where there is one, else the processor. `precision`: one of `PRECISIONS`."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return Processor(device, precision == "bf16" or (precision == "auto" and _fast_bf16(device)))


def _fast_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_amx_tile_supported())
