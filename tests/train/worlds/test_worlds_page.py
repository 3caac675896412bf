"""The example of docs/worlds.md does what the page says; skipped where highway-env is not installed."""

from pathlib import Path

import numpy as np
import pytest

from train.worlds.adapter import GymWorld

pytest.importorskip("highway_env", reason="highway-env is not installed: pip install highway-env")
PAGE = Path(__file__).parents[3] / "docs" / "worlds.md"


@pytest.mark.parametrize("steering", [-0.3, 0.3])
def test_the_pages_example_drives_and_leaves_the_road_on_the_side_it_steered_to(tmp_path, monkeypatch, steering):
    (tmp_path / "my_worlds.py").write_text(PAGE.read_text().split("```python\n")[1].split("```")[0])
    monkeypatch.syspath_prepend(tmp_path)
    world = GymWorld("my_worlds:racetrack-v1", 1)
    takeover, vehicle = "", world._moment.env.vehicle
    while not takeover and world.t_s < 5:
        _, _, _, _, info = world.step(np.array([steering, 0.0, 0.0], np.float32))
        takeover = info["takeover"]
    assert takeover == "off road"
    assert info["metres"] > 5
    # Its y axis points to the right, so a turn to the left is a negative heading.
    assert np.sign(vehicle.heading) == -np.sign(steering)
