"""Two processes that train together see the same samples as one, and learn the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch.distributed as dist
from bars import bars_fixture  # noqa: F401

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


def without_dropout() -> presets.PolicyConfig:
    return replace(presets.tiny(), dropout=0.0)


@pytest.mark.skipif(not (dist.is_available() and dist.is_gloo_available()), reason="this build of torch has no gloo")
def test_two_processes_learn_what_one_does(
    bars: DatasetVersion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(presets.PRESETS, "tiny", without_dropout)  # type: ignore[arg-type]
    alone = fit(bars, STEPS, folder=tmp_path / "alone")
    script = tmp_path / "together.py"
    script.write_text(TOGETHER)
    here = Path(__file__)
    run = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*run, str(script), str(bars.store), str(tmp_path / "two")],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{here.parents[2]}:{here.parent}", "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    two = json.loads(done.stdout)
    assert two["mix"] == {kind: dict(share) for kind, share in alone.mix.items()}
    assert [p["loss"] for p in two["points"]] == pytest.approx([p.loss for p in alone.points], rel=1e-4)
    assert two["points"][-1]["eval_loss"] == pytest.approx(alone.points[-1].eval_loss, rel=1e-3)
    assert (tmp_path / "two" / "weights.safetensors").is_file()


def test_the_parts_of_a_batch_are_the_batch() -> None:
    batch = np.arange(7)
    assert sorted(np.concatenate([Crew(rank, 3).part(batch) for rank in range(3)]).tolist()) == batch.tolist()


def test_a_batch_smaller_than_the_crew_is_refused(
    bars: DatasetVersion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "11")
    with pytest.raises(FitError, match="11 processes"):
        fit(bars, STEPS, folder=tmp_path / "p")
