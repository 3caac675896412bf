"""A short form of the sweeps of `make crash`: a kill, or a refusal, at some of the agent's persistence system calls."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.parametrize("options", [("--every", "37"), ("--every", "300", "--refuse")])
def test_nothing_is_lost_or_torn(options):
    done = subprocess.run(
        [sys.executable, HERE / "sweep.py", *options],
        env=os.environ | {"PYTHONPATH": str(HERE.parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    if "SKIPPED" in done.stderr:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 violations" in done.stdout
