"""Short forms of what `make crash` and `make soak` do in full, each in a process of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TESTS = HERE.parent


@pytest.mark.parametrize(
    "command",
    [
        "sweep.py car --every 37",
        "sweep.py car --every 300 --refuse",
        "sweep.py service --every 60",
        "sweep.py service --every 100 --refuse",
        "power.py car --states 12",
        "power.py service --states 20",
        "both.py --kills 3 --clips 12",
        "lossy.py --clips 25",
        "sockets.py --clips 4",
        "fleet.py --devices 8 --clips 5",
    ],
)
def test_nothing_is_lost_torn_or_there_twice(command):
    script, *options = command.split()
    done = subprocess.run(
        [sys.executable, HERE / script, *options],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (TESTS.parent, TESTS, TESTS / "curate")))},
        capture_output=True,
        text=True,
        check=False,
    )
    if "SKIPPED" in done.stderr:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stdout + done.stderr
    assert not re.search(r"[1-9]\d* violations", done.stdout)
