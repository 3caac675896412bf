"""Every driven second has one fate."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge.night.driven import Driven, Standing, runs_of
from edge.night.ledger import Fate, account
from edge.night.queued import Lane, Queued, Reason, State

SECONDS = 60
numbers = st.sets(st.integers(0, SECONDS - 1)).map(lambda s: runs_of(np.array(sorted(s), np.int64)))
fates = st.sampled_from([(s, None) for s in State if s is not State.DROPPED] + [(State.DROPPED, r) for r in Reason])
standings = st.sampled_from([Standing.SCANNED, Standing.NOT_GIVEN, Standing.WITHHELD])


def clip(number, first, length, fate):
    state, reason = fate
    return Queued(number, f"c{number}", "", "d", first, first + length, Lane.EVENT, 1, 1.0, state, reason)


clips = st.lists(st.tuples(st.integers(0, SECONDS), st.integers(1, 30), fates), max_size=8).map(
    lambda rows: [clip(i, *row) for i, row in enumerate(rows)]
)


@given(numbers, numbers, standings, clips)
def test_it_adds_up_to_the_drive(recorded, seen, standing, cut):
    told = account(Driven("d", SECONDS, 0.005, recorded, seen), standing, cut)
    assert sum(told.total(fate) for fate in Fate) == SECONDS
    assert told.stretches[0].first == 0
    assert told.stretches[-1].end == SECONDS
    assert all(a.end == b.first and a != b for a, b in zip(told.stretches, told.stretches[1:], strict=False))


def test_each_fate_by_its_cause():
    driven = Driven("d", SECONDS, 0.005, recorded=((0, 50),), seen=((0, 40),))
    cut = [
        clip(0, 0, 5, (State.DROPPED, Reason.DELIVERED)),
        clip(1, 3, 5, (State.CHOSEN, None)),
        clip(2, 10, 5, (State.DROPPED, Reason.BUDGET)),
        clip(3, 35, 10, (State.ACKNOWLEDGED, None)),
    ]
    told = account(driven, Standing.SCANNED, cut)
    assert [(s.first, s.end, s.fate, s.clip) for s in told.stretches] == [
        (0, 5, Fate.KEPT, "c0"),
        (5, 8, Fate.WAITING, "c1"),
        (8, 10, Fate.NO_EVENT, None),
        (10, 15, Fate.BUDGET, None),
        (15, 35, Fate.NO_EVENT, None),
        (35, 40, Fate.KEPT, "c3"),
        (40, 50, Fate.NO_PICTURE, None),
        (50, 60, Fate.LOST, None),
    ]


def test_a_drive_that_may_not_be_shared_is_that_and_nothing_else():
    told = account(Driven("d", SECONDS, 0.005, ((0, 60),), ((0, 60),)), Standing.WITHHELD, [])
    assert told.total(Fate.NO_CONSENT) == SECONDS


def test_a_drive_of_no_length_has_an_empty_ledger():
    assert account(Driven("d", 0, 0.005, (), ()), Standing.SCANNED, []).stretches == ()
