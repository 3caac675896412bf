"""The world: the same for everybody, drivable by its expert, and its recordings tell only what a car knows."""

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.drive import open_drive
from edge.scan import scan
from train.errors import WorldError
from train.exam import Exam, sit, stints
from train.miles import Miles
from train.world.actors import Debris
from train.world.car import Car, Controls
from train.world.env import DrivingWorld
from train.world.expert import CAREFUL, HURRIED, RELAXED, drive
from train.world.place import CALM, NATURAL, PLACES, STRESS, places
from train.world.record import Ridden, record, ride
from train.world.road import APART_M, road_of
from train.world.safety import EARLY, LAST_MOMENT, Limits, SafetyDriver
from train.world.scene import Scene
from trigger.signals import ControlSource


class Scripted:
    """A policy that does what it is told: step number to action."""

    def __init__(self, answer):
        self.answer, self.step = answer, 0

    def start(self):
        self.step = 0

    def act(self, seen):
        self.step += 1
        return np.asarray(self.answer(self.step), np.float32)


def straight_on(step):
    return (0.0, 0.3, 0.0)


def test_it_keeps_to_gymnasiums_contract():
    check_env(DrivingWorld("meadow", "calm"), skip_render_check=True)


def test_the_same_actions_give_the_same_pictures_to_the_bit():
    def pictures(world):
        world.reset()
        return [world.step(np.array([0.01, 0.2, 0.0]))[0]["front"].tobytes() for _ in range(40)]

    first = pictures(DrivingWorld("evening", "stress", 400.0))
    pictures(DrivingWorld("town", "stress", 900.0))
    assert pictures(DrivingWorld("evening", "stress", 400.0)) == first
    assert len(set(first)) == 40


def test_no_place_serves_two_purposes():
    by_role = [{(place.name, place.seed) for place in places(role)} for role in ("fleet", "gate", "final")]
    assert all(len(chosen) >= 3 for chosen in by_role)
    assert len({seed for chosen in by_role for _, seed in chosen}) == len(PLACES)


@pytest.mark.parametrize("name", PLACES)
def test_what_happens_lies_where_the_place_says_and_apart(name):
    stress, natural = (road_of(PLACES[name], rates).happenings for rates in (STRESS, NATURAL))
    stations = np.array([h.station_m for h in stress])
    assert np.all(np.diff(stations) >= APART_M)
    assert {h.kind for h in stress} == set(STRESS)
    assert len(natural) < len(stress) / 4
    assert not road_of(PLACES[name], CALM).happenings


def test_a_rarer_kind_leaves_the_others_where_they_are():
    place = PLACES["meadow"]
    alone = road_of(place, {**CALM, "debris": STRESS["debris"]}).happenings
    assert {h.station_m for h in road_of(place, {**CALM, "debris": STRESS["debris"], "pedestrian": 1 / 9000}).happenings
            if h.kind == "debris"} <= {h.station_m for h in alone}  # fmt: skip


def test_another_day_has_the_same_bends_and_other_people():
    place = PLACES["town"]
    days = [road_of(place, STRESS, day).happenings for day in (0, 1, 1, 2)]
    bends, others = ([[h for h in day if (h.kind == "sharp_bend") == bend] for day in days] for bend in (True, False))
    assert days[0] == road_of(place, STRESS).happenings
    assert days[1] == days[2]
    assert not set(others[0]) & set(others[1])
    assert not set(others[1]) & set(others[3])
    assert {h.station_m for h in bends[0]} & {h.station_m for h in bends[1]}


@pytest.mark.parametrize(
    ("style", "limits"), [(CAREFUL, LAST_MOMENT), (HURRIED, LAST_MOMENT), (RELAXED, LAST_MOMENT), (CAREFUL, EARLY)]
)
def test_the_expert_is_never_taken_over(style, limits):
    """Eight minutes of stress in each exam place: about ten miles a style."""
    for place in (*places("gate"), *places("final")):
        scene, safety = Scene(place, STRESS, 150.0), SafetyDriver(limits)
        while scene.t_s < 160.0:
            controls = drive(scene, style)
            assert safety.watch(scene, controls, controls, 0.1) == "", (place.name, scene.ego.station_m)
            scene.step(controls, 0.1)
        assert scene.ego.station_m > 1000


def test_a_fleets_safety_driver_does_not_wait_for_the_last_moment():
    """With the expert's hands at the wheel, and feet that never brake."""

    def gap_of_first(limits: Limits) -> float:
        scene, safety = Scene(PLACES["town"], CALM, 150.0), SafetyDriver(limits)
        while scene.t_s < 160.0:
            expert = drive(scene)
            given = Controls(expert.steering, expert.gas, 0.0)
            if safety.watch(scene, given, expert, 0.1) == "obstacle":
                return min(gap for gap, _ in scene.in_path(margin_m=4.0))
            scene.step(given, 0.1)
        raise AssertionError("nobody was met")

    assert gap_of_first(EARLY) > 2 * max(gap_of_first(LAST_MOMENT), 1.0)


@pytest.mark.parametrize("seen_m", [14.0, 20.0, 30.0])
def test_whoever_sees_late_what_lies_in_the_lane_brakes_and_swerves_as_hard_as_it_takes(seen_m):
    """Until then the wheel follows the lane as if nothing lay there, at 11 m/s."""
    place = PLACES["meadow"]
    scene = Scene(place, {**CALM, "debris": 1 / 900}, 150.0, speed_mps=11.0)
    passed = 0
    while passed < 3:
        gaps = [other.back_m - scene.ego.front_m for other in scene.others if isinstance(other, Debris)]
        near = [gap for gap in gaps if -2.0 < gap < 60.0]
        blind = bool(near) and near[0] > seen_m
        hidden, scene.others = scene.others, [o for o in scene.others if not (blind and isinstance(o, Debris))]
        controls = drive(scene)
        scene.others = hidden
        before = min(near, default=0.0)
        scene.step(controls, 0.1)
        assert scene.collided is None, (before, scene.ego.offset_m)
        passed += any(-2.0 < gap <= -1.0 for gap in near)


def test_a_fleets_safety_driver_ends_a_crawl_before_an_exams_does():
    def seconds(limits: Limits) -> float:
        scene, safety = Scene(PLACES["meadow"], CALM, 150.0, speed_mps=4.0), SafetyDriver(limits)
        while scene.t_s < 60.0:
            expert = drive(scene)
            given = Controls(expert.steering, 0.5 if scene.ego.speed_mps < 4.0 else 0.0, 0.0)
            if safety.watch(scene, given, expert, 0.1):
                return scene.t_s
            scene.step(given, 0.1)
        raise AssertionError("never")

    assert seconds(EARLY) < 0.6 * seconds(LAST_MOMENT)


def test_a_policy_that_does_nothing_is_taken_over_and_the_car_comes_back():
    ridden = Ridden("town")
    for _ in ride(DrivingWorld("town", "calm"), Scripted(straight_on), 60.0, ridden):
        pass
    assert ridden.takeovers
    assert {reason for _, reason in ridden.takeovers} <= {"off lane", "obstacle", "collision", "speeding"}
    assert 0 < ridden.metres < 60.0 * 20


@pytest.mark.parametrize("bad", [(np.nan, 0, 0), (0, np.inf, 0), (0, 0.5, 1.5), (2.0, 0, 0)])
def test_what_is_no_control_is_taken_over_and_counted(bad):
    ridden = Ridden("meadow")
    driver = Scripted(lambda step: bad if step == 5 else (0.0, 0.1, 0.0))
    for _ in ride(DrivingWorld("meadow", "calm"), driver, 2.0, ridden):
        pass
    assert [reason for _, reason in ridden.takeovers] == ["bad controls"]


def test_a_policy_that_is_never_a_number_is_taken_over_again_and_again():
    ridden = Ridden("meadow")
    for _ in ride(DrivingWorld("meadow", "calm"), Scripted(lambda step: (np.nan, 0, 0)), 12.0, ridden):
        pass
    assert {why for _, why in ridden.takeovers} == {"bad controls"}
    assert len(ridden.takeovers) >= 2
    assert ridden.metres == 0


@pytest.mark.parametrize(("aims_at", "reason"), [(0.2, "crawling"), (1.6, "speeding")])
def test_crawling_and_speeding_do_not_pay(aims_at, reason):
    """With the expert's hands at the wheel, and feet that know one speed."""
    scene, safety, found = Scene(PLACES["meadow"], CALM, 150.0), SafetyDriver(), ""
    while not found and scene.t_s < 60.0:
        expert = drive(scene)
        wished = aims_at * PLACES["meadow"].limit_mps
        given = Controls(expert.steering, 0.5 if scene.ego.speed_mps < wished else 0.0, 0.0)
        found = safety.watch(scene, given, expert, 0.1)
        scene.step(given, 0.1)
    assert found == reason


def test_a_policy_that_stands_or_brakes_for_nothing_is_taken_over():
    for action, reason in (((0.0, 0.0, 0.6), "needless brake"), ((0.0, 0.0, 0.15), "stalled")):
        ridden = Ridden("meadow")
        for _ in ride(DrivingWorld("meadow", "calm"), Scripted(lambda step, a=action: a), 25.0, ridden):
            pass
        assert reason in {why for _, why in ridden.takeovers}


def test_a_recorded_drive_shows_the_takeover_to_the_triggers_and_nothing_of_the_world(tmp_path):
    world = DrivingWorld("town", "calm")
    drive_, ridden = record(tmp_path / "car", "car", world, Scripted(straight_on), 40.0)
    found = scan(open_drive(tmp_path / "car"), 0.0)
    at = [event.t_ns for event in found.events if event.kind == "disengagement"]
    assert len(at) >= 1
    assert abs((at[0] - drive_.t0_ns) / 1e9 - ridden.takeovers[0][0]) < 0.3
    columns = set(drive_.telemetry)
    assert "engaged" in columns
    assert not {"expert", "lead_distance_m"} & columns
    grid = drive_.t0_ns + (np.arange(0.1, 39.0, 0.1) * 1e9).astype(np.int64)
    engaged = drive_.telemetry.at("engaged", grid, 1.0) > 0
    source = drive_.telemetry.at("control_source_steering", grid, 1.0)
    assert np.array_equal(source == ControlSource.SYSTEM, engaged)
    assert drive_.geometry["front"].pose[2][3] == pytest.approx(1.3)


def test_a_drive_by_the_expert_is_a_human_drive(tmp_path):
    drive_, ridden = record(tmp_path / "car", "car", DrivingWorld("meadow", "natural"), None, 6.0)
    assert not ridden.takeovers
    assert len(drive_.cameras["front"].frame_times()) == 60
    assert set(drive_.telemetry.at("control_source_speed", drive_.cameras["front"].frame_times()[1:], 1.0)) == {
        float(ControlSource.HUMAN)
    }


def test_an_unknown_place_is_refused():
    with pytest.raises(WorldError, match="meadow"):
        DrivingWorld("atlantis")


@given(st.lists(st.tuples(st.floats(-2, 2), st.floats(-1, 2), st.floats(-1, 2)), min_size=1, max_size=40))
@settings(max_examples=40, deadline=None)
def test_a_car_never_drives_backwards_or_tears_its_wheel_round(answers):
    road, car = road_of(PLACES["desert"], CALM), Car(300.0, 10.0)
    for steering, gas, brake in answers:
        before = car.tyre_rad
        car.move(Controls(steering, gas, brake), road, 0.02)
        assert car.speed_mps >= 0
        assert abs(car.tyre_rad - before) <= np.radians(45.0) * 0.02 + 1e-12


def test_an_exam_adds_up_and_two_policies_sit_the_same_one():
    exam = sit(stints(None, "gate", "calm"), 0.5)
    assert isinstance(exam, Exam)
    assert exam.miles.count == 0
    assert exam.miles.miles >= 0.5
    assert sum(exam.by_place.values(), Miles(0, 0.0)).miles == pytest.approx(exam.miles.miles)
    assert [(s.place, s.start_m) for s in list(stints(None, "gate", "stress"))[:6]] == [
        ("vale", 150.0), ("suburb", 150.0), ("dusk", 150.0), ("vale", 2450.0), ("suburb", 2450.0), ("dusk", 2450.0),
    ]  # fmt: skip
