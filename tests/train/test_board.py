"""Curves for TensorBoard, where it is installed, and a clear word where it is not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from train.board import board
from train.curves import Point
from train.errors import FitError
from train.loop import Progress


def test_losses_and_exam_are_written(tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    with board(tmp_path) as log:
        log(Progress(1, 0.5, 1.0, 8.0, 0.75, 1e-3))
        log(Progress(2, 1.0, 2.0, 8.0, 0.5, 5e-4, Point(2, 2.0, 0.6, 0.4, {"gas_fraction": 0.1})))
    events = accumulator.EventAccumulator(str(tmp_path)).Reload()
    assert [event.value for event in events.Scalars("loss")] == [0.75, 0.5]
    assert [event.step for event in events.Scalars("eval/rmse/gas_fraction")] == [2]


def test_without_tensorboard_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(FitError, match="tensorboard") as caught, board(tmp_path):
        pytest.fail("opened")
    assert "pip install" in caught.value.todo
