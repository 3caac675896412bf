"""A short form of the attacks of `make soak`."""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
TESTS = HERE.parent


def test_all_of_it_is_refused_and_changes_nothing():
    done = subprocess.run(
        [sys.executable, HERE / "hostile.py", "--cases", "250"],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (TESTS.parent, TESTS, TESTS / "curate")))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
