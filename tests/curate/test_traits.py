"""Traits: what was seen and done at each second, and nothing made up where there is no picture or no signal."""

import numpy as np
from conftest import T0_NS, drive_telemetry

from curate.driving import SIGNALS
from curate.look import Seen
from curate.traits import main_camera, traits_of
from trigger.telemetry import Telemetry

S = 1_000_000_000
WINDOW = (T0_NS, T0_NS + 5 * S)


def seen(t_s):
    rng = np.random.default_rng(0)
    thumbs = np.kron(rng.integers(0, 256, (len(t_s), 6, 8), np.uint8), np.ones((1, 3, 4), np.uint8))
    return Seen(T0_NS + np.round(np.array(t_s) * 1e9).astype(np.int64), thumbs, (), None, None)


def test_a_second_is_the_frame_nearest_to_its_begin():
    fine, coarse = seen(np.arange(0, 5, 0.1)), seen(np.arange(0, 5, 0.1))
    whole = traits_of(fine, drive_telemetry(5), WINDOW)
    later = traits_of(coarse, drive_telemetry(5), (WINDOW[0] + S, WINDOW[1]))
    assert whole.shown.all()
    assert len(set(whole.hashes.tolist())) == 5
    assert later.hashes.tolist() == whole.hashes[1:].tolist()


def test_a_second_without_a_frame_near_it_shows_nothing():
    assert traits_of(seen([0.0, 1.1, 3.9]), drive_telemetry(5), WINDOW).shown.tolist() == [
        True,
        True,
        False,
        False,
        True,
    ]
    assert traits_of(seen([0.1]), drive_telemetry(5), WINDOW).shown.tolist() == [True, False, False, False, False]
    assert not traits_of(None, drive_telemetry(5), WINDOW).shown.any()


def test_what_is_not_recorded_is_nan_and_what_is_lies_in_the_window():
    speed = list(SIGNALS).index("speed_mps")
    traits = traits_of(None, drive_telemetry(10, speed_mps=lambda t: t), WINDOW)
    assert traits.driven[:, speed].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]
    mean, spread, least, greatest = traits.summary[speed]
    assert (least, round(float(mean), 2), round(float(greatest), 2)) == (0.0, 2.49, 4.98)
    assert spread > 1.0
    assert np.isnan(traits.driven[:, list(SIGNALS).index("brake_fraction")]).all()
    assert np.isnan(traits_of(None, Telemetry.merge({}), WINDOW).summary).all()


def test_the_front_camera_stands_for_the_clip():
    assert main_camera({"left": 1, "front": 2}) == 2
    assert main_camera({"right": 1, "left": 2}) == 2
    assert main_camera({}) is None
