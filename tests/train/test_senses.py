"""What a policy is told beside pictures: little, and nothing of what was done a moment ago."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
import torch
from bars import T0_NS
from hypothesis import given
from hypothesis import strategies as st

from train.errors import PolicyError
from train.senses import SPEEDS_MPS, Command, Senses, speed_and_command
from trigger.telemetry import Telemetry

NAN = float("nan")


def test_all_is_off_unless_asked_for_and_past_controls_cannot_be_asked_for() -> None:
    assert Senses().width == 0
    assert {field.name for field in fields(Senses)} == {"speed", "command", "hide_speed"}


def test_an_unknown_speed_is_not_standing_still() -> None:
    told = Senses(speed=True).encode(torch.tensor([0.0, NAN, 15.0]), torch.zeros(3, dtype=torch.int64), hide=False)
    assert told.argmax(1).tolist() == [0, 0, SPEEDS_MPS.index(15.0)]
    assert told.sum(1).tolist() == [2.0, 0.0, 2.0]
    assert told[:, -1].tolist() == [1.0, 0.0, 1.0]


@given(st.floats(-5.0, 90.0))
def test_a_speed_is_told_by_its_two_neighbours(speed):
    told = Senses(speed=True).encode(torch.tensor([speed]), torch.zeros(1, dtype=torch.int64), hide=False)[0, :-1]
    within = min(max(speed, SPEEDS_MPS[0]), SPEEDS_MPS[-1])
    assert told.sum().item() == pytest.approx(1.0, abs=1e-5)
    assert (told > 0).sum() <= 2
    assert (told * torch.tensor(SPEEDS_MPS)).sum().item() == pytest.approx(within, abs=1e-3)


def test_speed_is_hidden_from_a_share_of_what_is_learned_from() -> None:
    torch.manual_seed(0)
    told = Senses(speed=True, hide_speed=0.25).encode(torch.ones(4000), torch.zeros(4000, dtype=torch.int64), hide=True)
    assert told[:, -1].mean().item() == pytest.approx(0.75, abs=0.03)
    assert (told[told[:, -1] == 0] == 0).all()


def test_the_command_is_one_of_three() -> None:
    told = Senses(command=True).encode(torch.full((3,), NAN), torch.arange(3), hide=False)
    assert torch.equal(told, torch.eye(3))


def test_the_command_is_read_from_the_indicators() -> None:
    """Off, left, both (hazard lights), right, and then nothing for longer than a sample may be old."""
    t_ns = T0_NS + np.arange(4, dtype=np.int64) * 1_000_000_000
    left, right = np.array([0.0, 1.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0, 1.0])
    telemetry = Telemetry.merge({"blinker_left": (t_ns, left), "blinker_right": (t_ns, right)})
    speed, command = speed_and_command(telemetry, np.append(t_ns, t_ns[-1:] + 5_000_000_000))
    assert np.isnan(speed).all()
    assert command.tolist() == [Command.NONE, Command.LEFT, Command.NONE, Command.RIGHT, Command.NONE]


def test_a_share_that_is_none_is_refused() -> None:
    with pytest.raises(PolicyError):
        Senses(hide_speed=1.5)
