"""A second that a baseline clip and an event clip both hold is one second, with the events of both."""

import numpy as np
from conftest import drive_telemetry

from curate.seconds import seconds_of
from edge.night.driven import Source
from edge.night.intake import Intake, take_in


def test_the_lanes_of_a_night_are_joined(native_drive, tmp_path):
    speed = np.interp(np.arange(0, 40, 0.02), [0, 20, 22, 40], [20, 20, 8, 8])
    path = native_drive("d", drive_telemetry(40.0, speed_mps=speed), 40.0)
    out = tmp_path / "clips"
    taken = take_in(Intake(Source("native", str(path), "", 0), out, 0.2, consent=False, position=True))
    assert len({clip.lane for clip in taken.clips}) == 2
    told = seconds_of([out / clip.folder for clip in taken.clips])
    assert told.twice > 0
    braking = next(s for s in told.seconds if s.number == 21)
    assert {"harsh_braking"} <= set(braking.events)
    assert braking.inclusion_probability == 1.0
    assert len({s.number for s in told.seconds}) == len(told.seconds)
