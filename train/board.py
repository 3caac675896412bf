"""A training's curves for TensorBoard, beside the ones that are saved with the policy.

tensorboard is an extra: it is imported when it is asked for, and a clear error says so where it is not installed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from train.errors import FitError
from train.loop import Progress


@contextmanager
def board(folder: Path) -> Iterator[Callable[[Progress], None]]:
    """What to call after every step; the events go to `folder`.

    Raises:
        FitError: tensorboard is not installed, or the folder cannot be written.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise FitError(
            f"--tensorboard {folder}, but tensorboard is not installed", "it", "pip install 'swerve[tensorboard]'"
        ) from error
    try:
        writer = SummaryWriter(str(folder))
    except OSError as error:
        raise FitError(f"{folder}: {error.strerror}", "a folder for the events", "name another folder") from error

    def on_step(progress: Progress) -> None:
        scalars = {"loss": progress.loss, "rate": progress.rate, "samples_per_s": progress.samples_per_s}
        if progress.point and progress.point.eval_loss is not None:
            scalars["eval/loss"] = progress.point.eval_loss
            scalars |= {f"eval/rmse/{name}": value for name, value in progress.point.eval_rmse.items()}
        for name, value in scalars.items():
            writer.add_scalar(name, value, progress.step)

    try:
        yield on_step
    finally:
        writer.close()
