"""What to do with a service's answer: a pure state machine, without clock, chance or network.

    answer                      meaning                                      next
    2xx                         done as asked                                GO_ON
    no answer, 408, 5xx         the link or the service is down              ASK after a pause
    423                         another connection of ours is still open     ASK after a pause
    409                         other bytes are held than we thought         ASK
    460                         the bytes were damaged on the way            ASK
    404, 410                    the upload is no more                        AGAIN, from its first byte
    401                         the token does not hold                      SIGN a new one; a second time REFUSED
    429                         too fast                                     REPEAT when the service says
    any other, 403 and 413 too  it will never be taken                       REFUSED

Nothing but 2xx is ever a success. Failures in a row are counted; any progress starts the count again, and after
`PATIENCE` of them the clip waits for another night. Pauses grow by doubling, with full jitter: drawn evenly from
0 to the present ceiling, so that a fleet that lost its service does not come back in step (Brooker, "Exponential
backoff and jitter", AWS Architecture Blog, 2015).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto

PATIENCE = 12
"""Failures in a row before giving up: with the pauses below about four minutes on average."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 60.0
LONGEST_ASKED_S = 600.0
"""A service that asks for a longer pause than this, in s, is taken to mean: not tonight."""


class Next(Enum):
    GO_ON = auto()
    ASK = auto()
    AGAIN = auto()
    SIGN = auto()
    REPEAT = auto()
    REFUSED = auto()
    GIVE_UP = auto()


@dataclass(frozen=True)
class Answer:
    """What came back: `status` None where nothing did; `retry_after_s` where the service named a pause."""

    status: int | None = None
    retry_after_s: float | None = None


@dataclass(frozen=True)
class Standing:
    """How it has gone since the last progress: failures in a row, and whether a fresh token was just tried."""

    failures: int = 0
    signed: bool = False


@dataclass(frozen=True)
class Step:
    """What to do next, after a pause of `pause_s`, and how things stand then."""

    next: Next
    standing: Standing
    pause_s: float = 0.0


def step(answer: Answer, standing: Standing, draw: float) -> Step:
    """Judge an answer.

    Args:
        draw: a random number from [0, 1), the jitter.
    """
    status = answer.status
    if status is not None and 200 <= status < 300:
        return Step(Next.GO_ON, Standing())
    if status == 401:
        return Step(Next.REFUSED if standing.signed else Next.SIGN, replace(standing, signed=True))
    failed = Standing(standing.failures + 1)
    if status is None or status in (408, 423) or status >= 500:
        return _wait(Next.ASK, answer, failed, draw)
    if status == 429:
        return _wait(Next.REPEAT, answer, failed, draw)
    if status in (409, 460):
        return _wait(Next.ASK, replace(answer, retry_after_s=0.0), failed, draw)
    if status in (404, 410):
        return _wait(Next.AGAIN, replace(answer, retry_after_s=0.0), failed, draw)
    return Step(Next.REFUSED, failed)


def _wait(then: Next, answer: Answer, standing: Standing, draw: float) -> Step:
    asked_s = answer.retry_after_s
    if standing.failures > PATIENCE or (asked_s or 0.0) > LONGEST_ASKED_S:
        return Step(Next.GIVE_UP, standing)
    if asked_s is not None:
        return Step(then, standing, asked_s)
    ceiling_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** (standing.failures - 1))
    return Step(then, standing, draw * ceiling_s)
