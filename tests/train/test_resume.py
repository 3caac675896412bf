"""A training that is killed goes on to the very same weights; a full disk takes nothing away."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from bars import bars_fixture  # noqa: F401

from curate.dataset import DatasetVersion
from train import resume as state_file
from train.augment import Augmentation
from train.checkpoint import load_policy, policy_folder
from train.errors import FitError
from train.fit import fit, resume
from train.flywheel.learning import learned
from train.loop import Progress
from train.resume import read_state, state_path
from train.settings import Settings

STEPS = Settings(preset="tiny", steps=8, batch=8, keep_s=0.0, augmentation=Augmentation(mirror=True))

KILLED = """
import os, signal, sys
from pathlib import Path
sys.path[:0] = sys.argv[3:]
from curate.dataset import open_version
from test_resume import STEPS
from train.fit import fit

def die(progress):
    if progress.step == 5:
        os.kill(os.getpid(), signal.SIGKILL)

fit(open_version(Path(sys.argv[1])), STEPS, die, Path(sys.argv[2]))
"""


def cut_off(version: DatasetVersion, name: str, step: int = 3) -> Path:
    """A state such as a killed training leaves: the policy that an interruption would save is taken away."""
    folder, kept = policy_folder(version.store, name), b""

    def look(progress: Progress) -> None:
        nonlocal kept
        kept = state_path(folder).read_bytes()
        if progress.step == step:
            raise KeyboardInterrupt

    fit(version, STEPS, look, folder)
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    state_path(folder).write_bytes(kept)
    return state_path(folder)


def test_killed_and_resumed_it_ends_with_the_same_weights_and_curve(bars: DatasetVersion, tmp_path: Path) -> None:
    whole = fit(bars, STEPS, folder=tmp_path / "whole")
    folder, here = policy_folder(bars.store, "killed"), Path(__file__)
    arguments = [sys.executable, "-c", KILLED, bars.store, folder, here.parent, here.parents[2]]
    done = subprocess.run([str(argument) for argument in arguments], capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert not folder.exists()
    assert read_state(state_path(folder)).step == 5
    again = resume(bars.store, "killed")
    assert [point.loss for point in again.points] == [point.loss for point in whole.points]
    assert [point.eval_loss for point in again.points] == [point.eval_loss for point in whole.points]
    assert (folder / "weights.safetensors").read_bytes() == (whole.folder / "weights.safetensors").read_bytes()
    assert again.mix == whole.mix
    assert not state_path(folder).exists()


def test_interrupted_where_all_or_nothing_is_asked_for_it_goes_on_from_what_it_had(bars: DatasetVersion) -> None:
    """Ctrl-C in a flywheel's night or an experiment: no half policy, and no lost hour."""
    folder = policy_folder(bars.store, "all-or-nothing")
    steps: list[int] = []

    def interrupt(progress: Progress) -> None:
        steps.append(progress.step)
        if progress.step == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        learned(bars, folder, STEPS, interrupt)
    assert not folder.exists()
    assert learned(bars, folder, STEPS, lambda progress: steps.append(progress.step)) == STEPS.steps
    assert steps == [1, 2, 3, 4, 5, 6, 7, 8]
    assert not state_path(folder).exists()


def test_one_that_was_killed_after_its_last_step_learns_no_further(bars: DatasetVersion) -> None:
    tensors = read_state(cut_off(bars, "done", STEPS.steps or 0)).tensors
    result = resume(bars.store, "done")
    saved = load_policy(result.folder).policy.state_dict()
    assert result.steps == STEPS.steps
    assert all(torch.equal(saved[name], tensors[f"averaged.{name}"]) for name in saved)


def test_a_full_disk_keeps_the_last_good_state_and_training_goes_on(
    bars: DatasetVersion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, folder = state_file.write_bytes, tmp_path / "full"
    steps: list[int] = []

    def fills_up(path: Path, data: bytes) -> None:
        if steps and steps[-1] >= 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(path, data)

    def look(progress: Progress) -> None:
        steps.append(progress.step)
        assert read_state(state_path(folder)).step == min(progress.step, 2)

    monkeypatch.setattr(state_file, "write_bytes", fills_up)
    result = fit(bars, STEPS, look, folder)
    assert result.stopped == "steps"
    assert any("not kept 6 times" in note and "No space left" in note for note in result.notes)


def test_a_new_training_does_not_run_over_an_unfinished_one(bars: DatasetVersion) -> None:
    path = cut_off(bars, "unfinished")
    with pytest.raises(FitError, match="cut off") as caught:
        fit(bars, STEPS, folder=policy_folder(bars.store, "unfinished"))
    assert "--resume unfinished" in caught.value.todo
    assert path.exists()


def test_damaged_and_missing_states_are_refused(bars: DatasetVersion) -> None:
    path = cut_off(bars, "damaged")
    whole = path.read_bytes()
    for content in (b"", whole[:100], whole[:-1], whole[:-9] + b"\xff" + whole[-8:], b"PK" + whole[2:]):
        path.write_bytes(content)
        with pytest.raises(FitError, match="damaged"):
            resume(bars.store, "damaged")
    path.unlink()
    with pytest.raises(FitError, match="no unfinished training"):
        resume(bars.store, "damaged")


def test_a_state_of_another_dataset_is_refused(bars: DatasetVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    cut_off(bars, "other")
    monkeypatch.setattr(DatasetVersion, "digest", "0" * 64)
    with pytest.raises(FitError, match="is not what other was trained on"):
        resume(bars.store, "other")


def test_settings_are_read_back_as_they_were() -> None:
    from dataclasses import asdict

    settings = replace(STEPS, cameras=("left", "right"), minutes=2.5)
    assert Settings.from_json({**asdict(settings), "cameras": ["left", "right"]}) == settings
