"""What is read of a second: its events and their chances, where it was, and how it was driven."""

import numpy as np
import pytest
from conftest import drive_telemetry

from curate.place import cell_of
from curate.seconds import PLACE_AGE_S, seconds_of
from edge.cut import cut
from edge.drive import open_drive
from edge.night.driven import Source
from edge.night.intake import Intake, take_in
from edge.scan import scan


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
    begun = [s for s in told.seconds if "harsh_braking" in s.onsets]
    assert [s.number for s in begun] == [20]
    assert begun[0].event_probability == 1.0
    by_draw_alone = [s for s in told.seconds if s.inclusion_probability < 1.0]
    assert by_draw_alone
    assert max(s.event_probability for s in by_draw_alone) < 1e-9
    assert not any("baseline" in s.onsets for s in told.seconds)


def seconds_of_whole(native_drive, tmp_path, telemetry):
    drive = open_drive(native_drive("whole", telemetry, 30.0))
    (clip,) = cut(scan(drive, 1.0), tmp_path / "out")
    return seconds_of([clip.folder]).seconds


def test_a_second_tells_where_and_how_it_was_driven(native_drive, tmp_path):
    t = np.arange(0, 30, 0.02)
    fixes = np.where((np.arange(t.size) % 50 == 0) & (t < 10), t, np.nan)  # one a second, then a tunnel
    telemetry = drive_telemetry(
        30.0,
        speed_mps=np.interp(t, [0, 20, 22, 30], [20, 20, 8, 8]),
        accel_lat_mps2=np.where(t < 5, 4.5, 0.0),
        lat_deg=48.0 + 1e-4 * fixes,
        lon_deg=11.0 + 0 * fixes,
        blinker_left=np.where(t < 3, 1.0, 0.0),
        blinker_right=np.zeros(t.size),
    )
    seconds = seconds_of_whole(native_drive, tmp_path, telemetry)
    assert seconds[4].lat_deg == pytest.approx(48.0004)
    assert seconds[4].place == str(cell_of(48.0004, 11.0))
    assert seconds[8 + int(PLACE_AGE_S)].place != "" == seconds[10 + int(PLACE_AGE_S)].place
    assert [seconds[n].turn_signal for n in (1, 5)] == [1.0, 0.0]
    assert seconds[5].speed_mps == pytest.approx(20.0)
    cornering, calm, braking = (seconds[n].manner for n in (2, 12, 20))
    assert (cornering.turning, cornering.hard_turning) == (1.0, 1.0)
    assert cornering.lateral_mps2 == pytest.approx(4.5)
    assert (calm.braking, calm.turning, calm.longitudinal_mps2) == pytest.approx((0.0, 0.0, 0.0), abs=1e-9)
    assert braking.hard_braking > 0.8
    assert braking.longitudinal_mps2 == pytest.approx(6.0, rel=0.05)
    assert np.isnan(braking.following)


def test_what_is_not_recorded_is_not_known(native_drive, tmp_path):
    seconds = seconds_of_whole(native_drive, tmp_path, drive_telemetry(30.0, speed_mps=None))
    assert all(s.place == "" for s in seconds)
    assert np.isnan([[s.speed_mps, s.turn_signal, s.manner.braking, s.manner.turning] for s in seconds]).all()
