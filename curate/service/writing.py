"""Writing: the bytes of one request on their way into an upload.

Written and hashed a block at a time, forced to disk and promised at the end. What a broken request left in the file
beyond the promise is cut off before the next byte is written. When the last byte is there the digest of the whole file
is compared; where it is not what was announced, the upload starts again at 0. A file that comes in several requests is
hashed as it comes; only after a restart of the service it is read again.
"""

from __future__ import annotations

import hashlib
import os
from collections import OrderedDict
from contextlib import suppress
from io import BufferedRandom
from typing import TYPE_CHECKING

from curate.service.refusal import Reason, Refused
from curate.service.tus import Checksum
from curate.service.uploads import Upload, Uploads

if TYPE_CHECKING:
    from hashlib import _Hash

MOST_DIGESTS = 4096
"""Unfinished uploads whose digest is remembered; beyond this those that have been quiet longest are read again."""


class Digests:
    """The sha256 of what is promised of unfinished uploads, by their id."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[int, _Hash]] = OrderedDict()

    def of(self, upload: Upload) -> _Hash | None:
        """To go on with, at the upload's offset; None where that is not known."""
        if upload.offset == 0:
            return hashlib.sha256()
        offset, digest = self._known.get(upload.id, (0, None))
        return digest.copy() if digest and offset == upload.offset else None

    def keep(self, upload: Upload, digest: _Hash) -> None:
        self._known.pop(upload.id, None)
        if not upload.whole:
            self._known[upload.id] = upload.offset, digest
        if len(self._known) > MOST_DIGESTS:
            self._known.popitem(last=False)


class Writing:
    """Bytes on their way into one upload: `add` and `write` them, then `keep` them; without `keep` nothing happened."""

    def __init__(self, uploads: Uploads, digests: Digests, upload: Upload, checksum: Checksum | None) -> None:
        self.uploads, self.digests, self.upload, self.checksum = uploads, digests, upload, checksum
        self.held = 0
        self._pending: list[bytes] = []
        self._file: BufferedRandom | None = None
        self._offset = upload.offset
        self._whole = digests.of(upload)
        self._chunk = hashlib.new(checksum.algorithm) if checksum else None

    def add(self, data: bytes) -> None:
        """Into memory; raises Refused (400) beyond the announced length."""
        self._pending.append(data)
        self.held += len(data)
        if self._offset + self.held > self.upload.length:
            raise Refused(400, Reason.BEYOND_LENGTH, f"more than the announced {self.upload.length} bytes")

    def write(self) -> None:
        """What was added, into the file."""
        file = self._opened()
        for data in self._pending:
            file.write(data)
            for digest in (self._whole, self._chunk):
                if digest:
                    digest.update(data)
        self._offset += self.held
        self._pending, self.held = [], 0

    def keep(self) -> Upload:
        """Force what was added to disk and promise it; returns the upload as it stands.

        Raises:
            Refused: 460; nothing of the chunk counts where it is not what its checksum says, nothing of the file where
                the whole is not what was announced.
        """
        if self.held:
            self.write()
        if self.checksum and self._chunk and self._chunk.digest() != self.checksum.digest:
            raise Refused(460, Reason.CHECKSUM, "the chunk is not what its checksum says")
        if self._offset == self.upload.offset:
            return self.upload
        file = self._opened()
        file.flush()
        if self._offset == self.upload.length and self._digest(file) != self.upload.sha256:
            if not self.upload.new:
                self.uploads.promise(self.upload, 0)
            raise Refused(460, Reason.CONTENT, "the file is not what was announced")
        os.fsync(file.fileno())
        self.upload = self.uploads.promise(self.upload, self._offset)
        if self._whole:
            self.digests.keep(self.upload, self._whole)
        return self.upload

    def _opened(self) -> BufferedRandom:
        if self._file is None:
            descriptor = os.open(self.uploads.path(self.upload), os.O_RDWR | os.O_CREAT, 0o644)
            os.ftruncate(descriptor, self.upload.offset)
            self._file = os.fdopen(descriptor, "r+b")
            self._file.seek(self.upload.offset)
        return self._file

    def _digest(self, file: BufferedRandom) -> str:
        if self._whole:
            return self._whole.hexdigest()
        file.seek(0)
        return hashlib.file_digest(file, "sha256").hexdigest()

    def close(self) -> None:
        """Also where nothing was kept; a full disk may complain once more about bytes nobody will miss."""
        if self._file is None:
            return
        with suppress(OSError):
            self._file.close()
        if self.upload.new:
            self.uploads.path(self.upload).unlink(missing_ok=True)
