"""What each answer of a service means: nothing but 2xx is a success, and giving up is for now, never for good."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.upload.machine import LONGEST_PAUSE_S, PATIENCE, Answer, Next, Standing, step


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (200, Next.GO_ON),
        (201, Next.GO_ON),
        (204, Next.GO_ON),
        (None, Next.ASK),
        (408, Next.ASK),
        (500, Next.ASK),
        (503, Next.ASK),
        (507, Next.ASK),
        (423, Next.ASK),
        (409, Next.ASK),
        (460, Next.ASK),
        (404, Next.AGAIN),
        (410, Next.AGAIN),
        (401, Next.SIGN),
        (429, Next.REPEAT),
        (301, Next.REFUSED),
        (400, Next.REFUSED),
        (403, Next.REFUSED),
        (412, Next.REFUSED),
        (413, Next.REFUSED),
        (415, Next.REFUSED),
        (422, Next.REFUSED),
    ],
)
def test_every_answer_has_its_meaning(status, expected):
    assert step(Answer(status), Standing(), 0.5).next is expected


def test_a_token_is_renewed_once():
    first = step(Answer(401), Standing(), 0.5)
    assert step(Answer(401), first.standing, 0.5).next is Next.REFUSED
    assert step(Answer(401), step(Answer(204), first.standing, 0.5).standing, 0.5).next is Next.SIGN


def test_the_service_says_when_to_come_back():
    assert step(Answer(429, 7.0), Standing(), 0.9).pause_s == 7.0
    assert step(Answer(503, 30.0), Standing(3), 0.9).pause_s == 30.0
    assert step(Answer(429, 3600.0), Standing(), 0.9).next is Next.GIVE_UP


@given(
    st.none() | st.integers(100, 599), st.integers(0, PATIENCE + 2), st.booleans(), st.floats(0, 1, exclude_max=True)
)
def test_only_2xx_is_a_success_and_every_run_of_failures_ends(status, failures, signed, draw):
    judged = step(Answer(status), Standing(failures, signed), draw)
    succeeded = status is not None and 200 <= status < 300
    assert (judged.next is Next.GO_ON) == succeeded
    assert 0.0 <= judged.pause_s <= LONGEST_PAUSE_S
    if not succeeded and judged.next is not Next.SIGN and judged.next is not Next.REFUSED:
        assert judged.standing.failures == failures + 1
        assert (judged.next is Next.GIVE_UP) == (failures + 1 > PATIENCE)


def test_pauses_double_and_jitter_is_full():
    ceilings = [step(Answer(), Standing(failures), 1.0).pause_s for failures in range(10)]
    assert ceilings == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]
    assert step(Answer(), Standing(5), 0.0).pause_s == 0.0
