"""Two processes that train together see the same samples as one, and learn the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch.distributed as dist
from bars import bars_fixture  # noqa: F401
from test_sideways import FRONT, version_with

from curate.dataset import DatasetVersion
from train.augment import Augmentation
from train.crew import Crew
from train.errors import FitError
from train.fit import fit
from train.policies import presets
from train.settings import Settings

STILL = Augmentation(gamma=0.0, contrast=0.0, brightness=0.0, shade=0.0, noise=0.0, nudge=0)
STEPS = Settings(preset="tiny", steps=4, batch=10, rate=1e-3, augmentation=STILL)

TOGETHER = """
import json, sys
from dataclasses import asdict
from pathlib import Path
from curate.dataset import open_version
from test_crew import STEPS, without_dropout
from train.crew import quiet
from train.fit import fit
from train.policies import presets

presets.PRESETS["tiny"] = without_dropout
result = fit(open_version(Path(sys.argv[1])), STEPS, folder=Path(sys.argv[2]))
if not quiet():
    print(json.dumps(result.to_json()))
"""

ASIDE_TOGETHER = """
import json, os, sys
from dataclasses import replace
from pathlib import Path
from curate.dataset import open_version
from test_crew import STEPS
from train import augment
from train.augment import ASIDE
from train.crew import quiet
from train.fit import fit

version, out = open_version(Path(sys.argv[1])), Path(sys.argv[2])
shifts, draw = [], augment.draw

def noted(*how):
    drawn = draw(*how)
    shifts.append(drawn[0].tolist())
    return drawn

augment.draw = noted
result = fit(version, replace(STEPS, augmentation=ASIDE), folder=out / "policy")
(out / f"shifts-{os.environ['RANK']}.json").write_text(json.dumps(shifts))
if not quiet():
    print(json.dumps(result.to_json()))
"""


def without_dropout() -> presets.PolicyConfig:
    return replace(presets.tiny(), dropout=0.0)


NEEDS_GLOO = pytest.mark.skipif(
    not (dist.is_available() and dist.is_gloo_available()), reason="this build of torch has no gloo"
)


def run_two(script: str, *arguments: Path) -> Any:
    """What the first of two processes prints, as JSON."""
    file = arguments[-1].with_suffix(".py")
    file.write_text(script)
    here = Path(__file__)
    run = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(file)]
    done = subprocess.run(
        [*run, *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{here.parents[2]}:{here.parent}", "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@NEEDS_GLOO
def test_two_processes_learn_what_one_does(
    bars: DatasetVersion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(presets.PRESETS, "tiny", without_dropout)  # type: ignore[arg-type]
    alone = fit(bars, STEPS, folder=tmp_path / "alone")
    two = run_two(TOGETHER, bars.store, tmp_path / "two")
    assert two["mix"] == {kind: dict(share) for kind, share in alone.mix.items()}
    assert [p["loss"] for p in two["points"]] == pytest.approx([p.loss for p in alone.points], rel=1e-4)
    assert two["points"][-1]["eval_loss"] == pytest.approx(alone.points[-1].eval_loss, rel=1e-3)
    assert (tmp_path / "two" / "weights.safetensors").is_file()


@NEEDS_GLOO
def test_two_processes_that_look_from_the_side_move_each_their_own_samples(tmp_path: Path) -> None:
    version, out = version_with(tmp_path / "store", FRONT), tmp_path / "out"
    out.mkdir()
    result = run_two(ASIDE_TOGETHER, version.store, out)
    assert any("samples of 1 of 1 clips" in note for note in result["notes"])
    assert all(np.isfinite(point["loss"]) for point in result["points"])
    assert (out / "policy" / "weights.safetensors").is_file()
    mine, others = (json.loads((out / f"shifts-{rank}.json").read_text()) for rank in range(2))
    assert np.shape(mine) == np.shape(others) == (STEPS.steps, 5)
    assert np.any(mine)
    assert np.any(others)
    assert mine != others


def test_the_parts_of_a_batch_are_the_batch() -> None:
    batch = np.arange(7)
    assert sorted(np.concatenate([Crew(rank, 3).part(batch) for rank in range(3)]).tolist()) == batch.tolist()


def test_a_batch_smaller_than_the_crew_is_refused(
    bars: DatasetVersion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "11")
    with pytest.raises(FitError, match="11 processes"):
        fit(bars, STEPS, folder=tmp_path / "p")
