"""The gate without a world: released is what is shown not to be worse, and what cannot be computed is refused."""

import numpy as np
import pytest

from train.comparison import Comparison, lines
from train.controls import ControlSpec
from train.errors import EvaluationError
from train.evaluation.blocks import Blocks
from train.evaluation.slices import ALL, WHOLE, Slice
from train.open_gate import NOT_INFERIOR, decide

BLOCKS, EACH = 12, 40


def compared(scale, blocks=BLOCKS, controls=("steering_wheel_deg",)):
    """Two policies whose errors are noise of size `scale`(S,) and 1; the second half of each block is a slice."""
    chance = np.random.default_rng(3)
    samples = blocks * EACH
    shape = (samples, len(controls))
    label = np.zeros(shape)
    of_b = chance.normal(size=shape)
    of_a = chance.normal(size=shape) * np.broadcast_to(np.asarray(scale, float)[..., None], shape)
    late = (np.arange(samples) % EACH >= EACH // 2).astype(float)
    slices = [Slice(WHOLE, ALL, np.ones(samples)), Slice("event", "harsh", late), Slice("event", "calm", 1 - late)]
    of = Blocks(np.arange(samples) // EACH, blocks, 1)
    told = lines(ControlSpec(controls), of_a, of_b, label, slices, of)
    return Comparison("new", "old", "v", "d", samples, 0, 0, of.words, (), told)


def test_what_errs_less_is_released_and_what_errs_more_is_refused():
    better, worse = decide(compared(0.8)), decide(compared(1.4))
    assert (better.verdict, better.why) == ("released", "")
    assert better.ratio < better.at_most < 1
    assert worse.verdict == "refused"
    assert "steering_wheel_deg, whole all" in worse.worse


def test_doubt_keeps_the_old_one():
    decision = decide(compared(1.0))
    assert decision.at_most > NOT_INFERIOR
    assert decision.verdict == "undecided"


def test_the_same_policy_is_not_inferior_to_itself():
    found = compared(1.0)
    same = lines(
        ControlSpec(("steering_wheel_deg",)),
        *[np.ones((80, 1))] * 2,
        np.zeros((80, 1)),
        [Slice(WHOLE, ALL, np.ones(80))],
        Blocks(np.arange(80) // 10, 8, 1),
    )
    assert decide(Comparison(**{**vars(found), "lines": same})).verdict == "released"


def test_a_better_whole_does_not_hide_a_worse_part():
    late = np.arange(BLOCKS * EACH) % EACH >= EACH // 2
    decision = decide(compared(np.where(late, 1.25, 0.3)))
    assert decision.at_most < NOT_INFERIOR
    assert decision.verdict == "refused"
    assert list(decision.worse) == ["steering_wheel_deg, event harsh"]


def test_a_worse_pedal_is_worse():
    decision = decide(compared(1.4, controls=("steering_wheel_deg", "brake_fraction")))
    assert "brake_fraction, whole all" in decision.worse


def test_what_cannot_be_computed_is_refused():
    decision = decide(compared(0.1, blocks=4))
    assert (decision.verdict, decision.at_most) == ("refused", None)
    assert "4 blocks" in decision.why
    with pytest.raises(EvaluationError, match="two that steer"):
        decide(compared(0.1, controls=("brake_fraction",)))
