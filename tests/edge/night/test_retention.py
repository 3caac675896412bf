"""What goes when the disk is short."""

from hypothesis import given
from hypothesis import strategies as st

from edge.night.queued import Lane, Queued, State
from edge.night.retention import to_drop


def clip(sequence, size, value, lane, state):
    value = 0.0 if lane is Lane.BASELINE else value
    state = State.CHOSEN if lane is Lane.BASELINE and state is State.CUT else state
    return Queued(sequence, f"c{sequence}", f"c{sequence}", "d", 0, 1, lane, size, value, state)


KEPT = st.sampled_from([State.CUT, State.CHOSEN, State.SENT, State.ACKNOWLEDGED])
queues = st.lists(st.tuples(st.integers(1, 100), st.floats(0.1, 100.0), st.sampled_from(Lane), KEPT), max_size=30).map(
    lambda rows: [clip(i, *row) for i, row in enumerate(rows)]
)


@given(queues, st.integers(0, 2000))
def test_no_event_clip_goes_while_an_acknowledged_or_ordinary_one_is_left(clips, wanted):
    dropped = to_drop(clips, wanted)
    left = [c for c in clips if c not in dropped]
    if any(c.lane is Lane.EVENT and c.state is not State.ACKNOWLEDGED for c in dropped):
        assert all(c.lane is Lane.EVENT and c.state is not State.ACKNOWLEDGED for c in left)


@given(queues, st.integers(0, 2000))
def test_as_few_go_as_are_needed(clips, wanted):
    dropped = to_drop(clips, wanted)
    freed = sum(c.bytes for c in dropped)
    assert freed >= min(wanted, sum(c.bytes for c in clips))
    assert not dropped or freed - dropped[-1].bytes < wanted


def test_the_order():
    cut, chosen = State.CUT, State.CHOSEN
    clips = [
        clip(0, 10, 9.0, Lane.EVENT, chosen),
        clip(1, 10, 50.0, Lane.EVENT, cut),
        clip(2, 10, 5.0, Lane.EVENT, cut),
        clip(3, 10, 0.0, Lane.BASELINE, chosen),
        clip(4, 10, 0.0, Lane.BASELINE, chosen),
        clip(5, 10, 99.0, Lane.EVENT, State.ACKNOWLEDGED),
    ]
    assert [c.sequence for c in to_drop(clips, 60)] == [5, 3, 4, 2, 1, 0]
