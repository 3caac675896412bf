"""Every kind of defect is found where it is put in, and hardly ever where it is not.

A few clips a kind by default; SWERVE_LONG=1 asks a thousand sound ones, and two hundred a kind.
"""

import os
from itertools import count, islice

import numpy as np
import pytest
from makers.injected import (
    INJECTED,
    drift,
    in_km_h,
    in_radians,
    mirrored,
    offset,
    reordered,
    stamped_too_fast,
    stuck,
    swapped,
)
from makers.scenes import scene, with_front, with_signal

from curate.defects.finding import Defect, Severity
from curate.defects.judge import judge
from curate.defects.order import reordered_frames
from curate.defects.scene import Scene, Sight
from trigger.telemetry import Telemetry

LONG = bool(os.environ.get("SWERVE_LONG"))
SOUND, EACH = (1000, 200) if LONG else (100, 8)
BY_TURNING = (drift, offset, mirrored, stamped_too_fast)
TURNING = (*BY_TURNING, stuck, in_km_h, in_radians)


def codes(found, *severities):
    return {f.code for f in found if f.severity in (severities or (Severity.QUARANTINE, Severity.NOTED))}


def test_hardly_a_sound_clip_raises_an_alarm():
    alarms = [codes(judge(scene(seed, rear=seed % 4 == 0))) for seed in range(SOUND)]
    assert sum(map(bool, alarms)) <= max(1, SOUND // 100), [found for found in alarms if found]


def eligible(injected):
    """Sound clips in which the kind can be told: it turns enough, where that is what it is told by."""
    for seed in count(10_000):
        turns = 8.0 if injected in TURNING else 1.0 if injected is swapped else None
        sound = scene(seed, turns=turns, stands=False, rear=injected is swapped)
        if injected not in BY_TURNING or not codes(judge(sound), Severity.UNDETERMINED):
            yield seed, sound


@pytest.mark.parametrize("injected", INJECTED, ids=lambda f: f.__name__)
def test_a_defect_that_is_put_in_is_found(injected):
    clips = islice(eligible(injected), EACH)
    missed = [
        seed for seed, s in clips if INJECTED[injected] not in codes(judge(injected(s, np.random.default_rng(seed))))
    ]
    assert len(missed) <= max(EACH // 20, 1 if injected in BY_TURNING else 0), missed


@pytest.mark.parametrize("level", [17, 90])
def test_a_parked_car_is_neither_black_nor_frozen(level):
    s = scene(3, stands=True)
    t_ns, pictures = s.cameras["front"].t_ns, np.full_like(s.cameras["front"].thumbs, level)
    assert not codes(judge(with_front(s, t_ns, pictures)), *Severity) & {Defect.FROZEN_PICTURE, Defect.BLACK_PICTURE}


def test_without_a_speed_a_picture_that_stands_is_undetermined():
    s = scene(3, stands=False)
    still = with_front(s, s.cameras["front"].t_ns, np.full_like(s.cameras["front"].thumbs, 90))
    unknown = with_signal(still, "speed_mps", np.full(len(s.signals), np.nan))
    assert Defect.FROZEN_PICTURE in codes(judge(still), Severity.QUARANTINE)
    assert Defect.FROZEN_PICTURE in codes(judge(unknown), Severity.UNDETERMINED)


def test_where_it_does_not_turn_the_offset_is_undetermined():
    found = judge(scene(5, turns=0.2, stands=False))
    assert codes(found, Severity.UNDETERMINED) == {Defect.VIDEO_OFFSET}


def test_a_clip_of_one_frame_and_no_signal_is_judged():
    s = scene(1)
    one = Sight(s.cameras["front"].t_ns[:1], s.cameras["front"].thumbs[:1])
    assert not codes(judge(Scene(s.window_ns, {"front": one}, s.signals.between(0, 0))))


def test_positions_at_the_date_line_do_not_jump():
    s = scene(4, stands=False)
    lon = s.signals.columns["lon_deg"] + (122.0 + 180.0)
    assert not codes(judge(with_signal(s, "lon_deg", np.where(lon > 180, lon - 360, lon)))) & {Defect.POSITION_JUMP}


def test_a_car_that_is_jerked_to_and_fro_swings_its_picture_and_is_kept():
    """Two frames exchanged look like a picture that went to and fro; where the car did, it is no defect."""
    rng = np.random.default_rng(1)
    exchanged = reordered(scene(5, stands=False, turns=2.0), rng)
    assert Defect.REORDERED_FRAMES in codes(judge(exchanged))
    t_s = exchanged.signals.t_ns / 1e9
    swinging = exchanged.signals.columns["yaw_rate_dps"] + 30.0 * np.sign(np.sin(2 * np.pi * t_s / 0.3))
    assert Defect.REORDERED_FRAMES not in codes(judge(with_signal(exchanged, "yaw_rate_dps", swinging)))


def test_pairs_in_the_wrong_order_are_a_habit_only_where_they_are_frequent():
    """What passes close by can look like an exchange; in a clip of minutes it does so a few times."""
    short = scene(5, stands=False, turns=2.0).cameras["front"].thumbs
    there_and_back = np.concatenate([short, short[::-1]] * 8)
    for pictures, severity in ((short, Severity.QUARANTINE), (there_and_back, Severity.NOTED)):
        order = np.arange(len(pictures))
        for at in (10, 20, 30, 40, 50, 60):
            order[[at, at + 1]] = order[[at + 1, at]]
        sight = Sight(np.arange(len(pictures)) * 50_000_000, pictures[order])
        (found,) = reordered_frames(Scene((0, int(sight.t_ns[-1])), {"front": sight}, Telemetry.merge({})))
        assert found.severity is severity
