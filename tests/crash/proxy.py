"""A TCP proxy on loopback that breaks connections: a fifth of them, each in one of five ways, at a byte drawn by lot.

refused: closed before a byte passes. reset: broken off at both ends somewhere on the way up. gone: broken off at the
car's end, and the service never hears of it. stall: nothing passes any more after some bytes, until the car gives up.
answer: all goes up, and the answer is lost.
"""

from __future__ import annotations

import random
import socket
import struct
import threading
from collections import Counter
from contextlib import suppress

LOSS = 0.2
WAYS = ("refused", "reset", "gone", "stall", "answer")
FURTHEST = 400_000
"""A connection breaks before so many bytes went up."""


class Proxy:
    """Listens on `port`. `up` counts the bytes that cars sent; `lost`, the connections that broke, by their way."""

    def __init__(self, service_port: int, seed: int) -> None:
        self.service_port, self.chance = service_port, random.Random(seed)
        self.up, self.connections, self.lost = 0, 0, Counter[str]()
        self._gone: list[socket.socket] = []
        self.listening = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            car, _ = self.listening.accept()
            self.connections += 1
            way = self.chance.choice(WAYS) if self.chance.random() < LOSS else ""
            if way:
                self.lost[way] += 1
            left = self.chance.randrange(FURTHEST) if way in ("reset", "gone", "stall") else 1 << 62
            threading.Thread(target=self._pass_on, args=(car, way, left), daemon=True).start()

    def _pass_on(self, car: socket.socket, way: str, left: int) -> None:
        with car, suppress(OSError):
            if way == "refused":
                return _reset(car)
            with socket.create_connection(("127.0.0.1", self.service_port)) as service:
                for end in (car, service):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                down = threading.Thread(target=self._down, args=(service, car, way == "answer"), daemon=True)
                down.start()
                while data := car.recv(16_384):
                    self.up += len(data)
                    if left < len(data) and way in ("reset", "gone"):
                        service.sendall(data[:left])
                        return self._break(car, service, way)
                    service.sendall(data[: max(0, left)])
                    left -= len(data)
                service.shutdown(socket.SHUT_WR)
                down.join()

    def _break(self, car: socket.socket, service: socket.socket, way: str) -> None:
        _reset(car)
        if way == "gone":
            self._gone.append(service.dup())
        else:
            service.shutdown(socket.SHUT_RDWR)

    def _down(self, service: socket.socket, car: socket.socket, lost: bool) -> None:
        with suppress(OSError):
            while data := service.recv(16_384):
                if lost:
                    break
                car.sendall(data)
            car.shutdown(socket.SHUT_RDWR)


def _reset(end: socket.socket) -> None:
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
