"""A lease on a bucket: one object, written on conditions, says who works there and until when.

Taking it, renewing it and giving it back are each one conditional write, which the object store decides alone: of two
that try, one is told so. It is renewed while its holder lives, so a dead run holds the bucket for `LASTS_S` and no
longer. Whoever takes over is judged by its own clock, so clocks are to agree within minutes; where they do not, the
one whose lease was taken finds out at its next renewal and writes nothing more.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from curate.errors import StoreBusy, StoreError
from curate.service.shelf import told
from edge.manifest import canonical_json

if TYPE_CHECKING:
    from obstore.store import S3Store

KEY = "nightly.lock"
LASTS_S = 600.0
RENEWED_S = 120.0


@dataclass
class Lease:
    """Held from `take` to `release`. `tag` is the object store's name for what was written last."""

    bucket: S3Store
    now_s: Callable[[], float] = time.time
    owner: str = field(default_factory=lambda: secrets.token_hex(8))
    tag: str = ""
    _one: threading.Lock = field(default_factory=threading.Lock)

    def take(self) -> None:
        """Raises StoreBusy where another run holds it."""
        found = self._found()
        if found is None:
            self._write(LASTS_S, "create")
        elif found.until_s > self.now_s():
            raise _held(f"for {found.until_s - self.now_s():.0f} s unless it is renewed")
        else:
            self._write(LASTS_S, {"e_tag": found.tag})

    def renew(self) -> None:
        """Raises StoreBusy where it was taken over, StoreError where the object store does not answer."""
        with self._one:
            self._write(LASTS_S, {"e_tag": self.tag})

    def release(self) -> None:
        """Let others have it at once; where it was taken over, it stays theirs."""
        with suppress(StoreError):
            self._write(0.0, {"e_tag": self.tag})

    def _found(self) -> _Found | None:
        """What lies in the bucket; one that cannot be read has ended."""
        import obstore

        try:
            with told():
                found = obstore.get(self.bucket, KEY)
                tag, data = str(found.meta["e_tag"]), bytes(found.bytes())
        except FileNotFoundError:
            return None
        try:
            said = json.loads(data)
            return _Found(tag, str(said["owner"]), float(said["until_s"]))
        except (ValueError, KeyError, TypeError):
            return _Found(tag, "", 0.0)

    def _write(self, lasts_s: float, mode: Any) -> None:
        import obstore
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        # Tags are hashes of what is written: the random part keeps two writes of one moment apart.
        until = {"owner": self.owner, "until_s": self.now_s() + lasts_s, "write": secrets.token_hex(8)}
        try:
            with told():
                self.tag = str(obstore.put(self.bucket, KEY, canonical_json(until), mode=mode)["e_tag"])
        except StoreError as error:
            if not isinstance(error.__cause__, AlreadyExistsError | PreconditionError):
                raise
            found = self._found()
            if found is None or found.owner != self.owner:
                raise _held("and was quicker") from error
            self.tag = found.tag  # it was written, the answer was lost, and asking again was refused


@dataclass(frozen=True)
class _Found:
    tag: str
    owner: str
    until_s: float


def _held(how: str) -> StoreBusy:
    return StoreBusy(f"another run works on this bucket, {how}", "one at a time", "wait for it to end, or use --wait")


@contextmanager
def held(lease: Lease, wait: Callable[[], bool] | None = None) -> Iterator[Lease]:
    """The lease, taken, renewed in the background and given back.

    Args:
        wait: called while another holds it; whether to try again. None: not once.

    Raises:
        StoreBusy: another run holds it.
    """
    while True:
        try:
            lease.take()
            break
        except StoreBusy:
            if wait is None or not wait():
                raise
    ended = threading.Event()
    keeper = threading.Thread(target=_keep, args=(lease, ended), daemon=True)
    keeper.start()
    try:
        yield lease
    finally:
        ended.set()
        keeper.join()
        lease.release()


def _keep(lease: Lease, ended: threading.Event) -> None:
    while not ended.wait(RENEWED_S):
        try:
            lease.renew()
        except StoreError:
            continue  # a network that is away for a minute; one that took over is met by whoever renews next
