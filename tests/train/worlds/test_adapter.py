"""Foreign environments as worlds: controls reach them in their own units, and a takeover means what their rules say."""

import json

import makers.lane  # noqa: F401  it plugs its environments in
import numpy as np
import pytest
from click.testing import CliRunner
from gymnasium.utils.env_checker import check_env

from train.drive_commands import drive_command
from train.errors import WorldError
from train.exam import sit
from train.world.record import Ridden, ride
from train.worlds.adapter import GymWorld
from train.worlds.stints import DRIVES, gym_stints


class Scripted:
    def __init__(self, *action):
        self.action = np.array(action, np.float32)

    def start(self):
        pass

    def act(self, seen):
        return self.action


def swerve_train_drive(*arguments):
    return CliRunner().invoke(drive_command, arguments)


def ridden(env_id, driver, seconds=30.0, seed=0):
    world, told = GymWorld(env_id, seed), Ridden(env_id)
    pictures = [picture for _, picture in ride(world, driver, seconds, told)]
    return world, told, pictures


@pytest.mark.parametrize("env_id", ["Alone-v0", "Taught-v0"])
def test_it_keeps_to_gymnasiums_contract(env_id):
    check_env(GymWorld(env_id), skip_render_check=True)


def test_controls_arrive_in_the_environments_own_units_for_a_tenth_of_a_second():
    world = GymWorld("Alone-v0")
    seen, _, _, _, info = world.step(np.array([0.5, 0.25, 0.0], np.float32))
    env = world._moment.env
    assert [list(action) for action in env.actions] == [[-0.5, 1.0], [-0.5, 1.0]]
    assert env.heading > 0
    assert info["t_s"] == pytest.approx(0.1)
    assert info["metres"] == pytest.approx(0.5, abs=0.02)
    assert seen["front"].shape == (24, 32, 3)


def test_without_an_expert_a_takeover_ends_the_drive():
    _, told, _ = ridden("Alone-v0", Scripted(0.3, 0.2, 0.0))
    assert [reason for _, reason in told.takeovers] == ["off lane"]
    assert told.seconds < 10
    assert told.metres > 1.5


def test_with_an_expert_the_car_comes_back_and_only_the_policys_metres_count():
    world, told, _ = ridden("Taught-v0", Scripted(0.3, 0.2, 0.0), 60.0)
    assert len(told.takeovers) > 2
    assert {reason for _, reason in told.takeovers} == {"off lane"}
    assert told.seconds == pytest.approx(60.0, abs=0.11)
    assert 0 < told.metres < 0.6 * world._moment.env.x_m


def test_its_expert_is_never_taken_over():
    _, told, _ = ridden("Taught-v0", None, 60.0)
    assert not told.takeovers
    assert told.metres > 250


def test_a_car_that_stands_is_taken_over():
    _, told, _ = ridden("Alone-v0", Scripted(0.0, 0.0, 0.5))
    assert [reason for _, reason in told.takeovers] == ["stalled"]
    assert 6.0 < told.takeovers[0][0] < 9.0


@pytest.mark.parametrize("bad", [(np.nan, 0, 0), (0, np.inf, 0), (1.2, 0, 0), (0, 0, -0.1)])
def test_what_is_no_control_is_counted_and_never_reaches_the_environment(bad):
    world, told, _ = ridden("Alone-v0", Scripted(*bad))
    assert [reason for _, reason in told.takeovers] == ["bad controls"]
    assert world._moment.env.actions == []


def test_an_end_that_the_rules_call_a_takeover_is_one():
    _, told, _ = ridden("Walled-v0", Scripted(0.0, 0.1, 0.0))
    assert [reason for _, reason in told.takeovers] == ["collision"]
    assert told.metres == pytest.approx(3.0, abs=0.3)


def test_the_same_seed_gives_the_same_pictures_and_another_does_not():
    first, again, other = (ridden("Taught-v0", None, 3.0, seed)[2] for seed in (4, 4, 5))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    ("env_id", "said"),
    [
        ("Unruled-v0", "no rules for the environment 'Unruled-v0'"),
        ("no_such_module:Lane-v0", "no_such_module"),
        ("Missing-v0", "cannot be made"),
        ("Float-v0", r"float32 of shape \(24, 32, 3\)"),
        ("Coarse-v0", "0.03 s"),
    ],
)
def test_an_environment_that_cannot_be_driven_is_refused(env_id, said):
    with pytest.raises(WorldError, match=said):
        GymWorld(env_id)


def test_an_exam_in_it_loses_only_the_drives_that_die():
    exam = sit(list(gym_stints(None, "makers.lane:Dying-v0", "gate"))[:2], 1.0)
    assert len(exam.lost) == 2
    assert "no such vehicle" in exam.lost[0]
    assert "seed 1000000" in exam.lost[0]


def test_fleet_gate_and_final_exam_have_seeds_of_their_own():
    seeds = [{stint.seed for stint in gym_stints(None, "Taught-v0", role)} for role in ("fleet", "gate", "final")]
    assert len(set.union(*seeds)) == 3 * DRIVES


def test_nobody_to_drive_is_refused_at_once():
    with pytest.raises(WorldError, match="no expert"):
        gym_stints(None, "Alone-v0", "gate")


def test_the_command_line_drives_it():
    told = json.loads(swerve_train_drive("--world", "gym:makers.lane:Taught-v0", "--miles", "0.1", "--json").stdout)
    assert told["world"] == "gym:makers.lane:Taught-v0"
    assert told["disengagements"] == 0
    assert told["miles"] >= 0.1
    assert told["by_place"].keys() == {"makers.lane:Taught-v0"}


@pytest.mark.parametrize(
    "wrong", [("--world", "carla"), ("--world", "gym:"), ("--world", "gym:X-v0", "--rates", "calm")]
)
def test_the_command_line_refuses_what_it_does_not_know(wrong):
    assert swerve_train_drive(*wrong).exit_code == 2
