"""Told to be slower or faster, a sample's pedals lead back to the speed that was driven."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from train.augment import Augmentation, changed
from train.flywheel.learning import CLEAR, DRIVER, settings_of
from train.pace import MOST_MPS2, Pace, at_other_speeds
from train.policies.presets import PRESETS
from train.samples import Batch
from train.senses import Senses
from train.settings import Settings

PACE = Pace(3.0, gas_mps2=4.0, brake_mps2=9.0)
PEDALS = (1, 2)
CONTROLS = ("steering_wheel_deg", "gas_fraction", "brake_fraction")


def chance(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def asked_mps2(controls: torch.Tensor) -> torch.Tensor:
    return controls[..., 1] * PACE.gas_mps2 - controls[..., 2] * PACE.brake_mps2


def cruising(samples: int, gas: float = 0.1, brake: float = 0.0) -> torch.Tensor:
    return torch.tensor([5.0, gas, brake]).expand(samples, 1, 3)


def test_who_is_too_slow_gets_gas_and_who_is_too_fast_brakes() -> None:
    speed = torch.full((400,), 10.0)
    told, led = at_other_speeds(speed, cruising(400), PEDALS, PACE, chance())
    slower, faster = told < 10.0, told > 10.0
    assert slower.sum() > 80
    assert faster.sum() > 80
    assert (led[slower, 0, 1] > 0.1).all()
    assert (led[slower, 0, 2] == 0).all()
    assert (asked_mps2(led[faster, 0]) < 0.4).all()
    assert (led[told < 6.0, 0, 1] >= 0.1 + MOST_MPS2[1] / PACE.gas_mps2 - 1e-6).all()


def test_a_share_stays_as_it_was_driven() -> None:
    told, led = at_other_speeds(torch.full((1000,), 10.0), cruising(1000), PEDALS, PACE, chance())
    same = told == 10.0
    assert 330 < same.sum() < 470
    torch.testing.assert_close(led[same], cruising(int(same.sum())))


def test_steering_is_not_touched_and_what_is_given_stays() -> None:
    speed, controls = torch.full((50,), 10.0), cruising(50).clone()
    _, led = at_other_speeds(speed, controls, PEDALS, PACE, chance())
    assert (led[..., 0] == 5.0).all()
    torch.testing.assert_close(controls, cruising(50))
    assert (speed == 10.0).all()


def test_what_is_not_known_stays_unknown() -> None:
    speed = torch.full((200,), 10.0)
    speed[::2] = torch.nan
    controls = cruising(200).clone()
    controls[1::4, :, 2] = torch.nan
    told, led = at_other_speeds(speed, controls, PEDALS, PACE, chance())
    assert torch.equal(told.isnan(), speed.isnan())
    assert torch.equal(led.isnan(), controls.isnan())
    torch.testing.assert_close(led[::2], controls[::2])
    assert (led[1::4, 0, 1] != 0.1).any()


@given(st.floats(0, 40), st.floats(0, 1), st.floats(0, 1), st.integers(0, 1000), st.floats(0.1, 10.0))
def test_pedals_stay_pedals_and_no_speed_is_negative(
    speed: float, gas: float, brake: float, seed: int, std: float
) -> None:
    told, led = at_other_speeds(
        torch.full((8,), speed), cruising(8, gas, brake), PEDALS, replace(PACE, std_mps=std), chance(seed)
    )
    assert (told >= 0).all()
    assert ((led[..., 1:] >= 0) & (led[..., 1:] <= 1)).all()
    moved = told != speed
    back = asked_mps2(led)[:, 0] - asked_mps2(cruising(8, gas, brake))[:, 0]
    assert (back[moved & (told < speed)] >= -1e-3).all()
    assert (back[moved & (told > speed)] <= 1e-3).all()


def batch(samples: int) -> Batch:
    return Batch(
        frames=torch.zeros((samples, 2, 3, 60, 128), dtype=torch.uint8),
        others=(),
        controls=cruising(samples).clone(),
        weight=torch.ones(samples),
        clip_ids=("a",) * samples,
        geometry=(None,) * samples,
        speed_mps=torch.full((samples,), 10.0),
        command=torch.zeros(samples, dtype=torch.int64),
    )


@pytest.mark.parametrize(("told", "moves"), [(True, True), (False, False)])
def test_only_a_policy_that_is_told_its_speed_is_told_another(told: bool, moves: bool) -> None:
    config = replace(PRESETS[DRIVER](), senses=Senses(speed=told), controls=CONTROLS, mean=(0.0,) * 3, std=(1.0,) * 3)
    seen = changed(batch(64), replace(Augmentation(), pace=PACE), config, chance())
    assert bool((seen.speed_mps != 10.0).any()) is moves
    assert bool((seen.controls != cruising(64)).any()) is moves


def test_the_worlds_driver_learns_to_find_its_speed_again_and_its_settings_are_kept() -> None:
    settings = settings_of(DRIVER, 10, 0)
    assert settings.augmentation == CLEAR
    assert CLEAR.pace.std_mps > 0
    assert Settings.from_json(asdict(settings)) == settings
    plain = asdict(settings)
    del plain["augmentation"]["pace"]
    assert Settings.from_json(plain).augmentation.pace == Pace()
