"""A link that loses requests, in this process: seeded, so that what went wrong goes wrong again."""

from __future__ import annotations

import random
from collections import Counter

import httpx


class LossyLink(httpx.BaseTransport):
    """Loses a share of the requests, each in one of five ways.

    connect: it never leaves. body: half of it leaves, and the connection is reset. stall: all of it leaves, nothing
    arrives, and no answer comes in time. answer: it arrives, and its answer is lost. late: no answer comes in time, and
    it arrives after the request that follows it.

    Attributes:
        sent: bytes of bodies that left. lost: how many requests went which way.
    """

    def __init__(self, inner: httpx.BaseTransport, loss: float, seed: int) -> None:
        self.inner, self.loss, self.chance = inner, loss, random.Random(seed)
        self.sent, self.lost = 0, Counter[str]()
        self._late: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        body, lost = request.read(), self.chance.random() < self.loss
        how = self.chance.choice(["connect", "body", "stall", "answer", "late"]) if lost else ""
        if how:
            self.lost[how] += 1
        if how == "connect":
            raise httpx.ConnectError("no route")
        self.sent += len(body) // 2 if how == "body" else len(body)
        if how == "body":
            raise httpx.WriteError("reset")
        if how in ("stall", "late"):
            self._late += [request] if how == "late" else []
            raise httpx.ReadTimeout("nothing came back")
        late, self._late = self._late, []
        answer = self.inner.handle_request(request)
        for delayed in late:
            self.inner.handle_request(delayed)
        if how == "answer":
            raise httpx.ReadTimeout("nothing came back")
        return answer
