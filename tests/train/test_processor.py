"""Which machines train in bfloat16, and that a policy still learns in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from bars import bars_fixture  # noqa: F401

from curate.dataset import DatasetVersion
from train.fit import fit
from train.processor import find_processor
from train.settings import Settings


@pytest.mark.parametrize(("amx", "asked", "bf16"), [(0, "auto", 0), (1, "auto", 1), (1, "fp32", 0), (0, "bf16", 1)])
def test_bfloat16_where_the_processor_has_it_or_where_asked_for(
    amx: int, asked: str, bf16: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: bool(amx))
    assert find_processor(asked).bf16 is bool(bf16)


def test_a_training_in_bfloat16_is_near_one_in_float32(bars: DatasetVersion, tmp_path: Path) -> None:
    quick = Settings(preset="tiny", steps=4, batch=8, precision="fp32")
    exact = fit(bars, quick, folder=tmp_path / "fp32")
    rough = fit(bars, replace(quick, precision="bf16"), folder=tmp_path / "bf16")
    pairs = [(a.loss, b.loss) for a, b in zip(exact.points, rough.points, strict=True)]
    assert all(b == pytest.approx(a, rel=0.05) for a, b in pairs)
    assert any(a != b for a, b in pairs)
