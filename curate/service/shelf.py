"""Where committed clips are kept: a folder, or a bucket with the same names as keys.

    inbox/<clip id>/<name>         whole clips, with receipt.json
    quarantine/<clip id>.<random>/ refused, with reason.json

A clip is there or it is not. In a folder it appears by one rename after everything was forced to disk; obstore writes
local files without forcing them, so folders are written by `edge.durable`. In a bucket each object counts when the
store has confirmed it, and the clip when its receipt is there.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Protocol

from curate.errors import StoreError
from curate.version.names import HEAD, NAME, VERSIONS, number_of, version_names
from edge.durable import PREFIX, make_folder, new_folder, sync_file, sync_folder, write_bytes
from edge.upload.destination import CLIPS, INBOX, QUARANTINE

if TYPE_CHECKING:
    from obstore.store import RetryConfig, S3Store

RECEIPT, REASON = "receipt.json", "reason.json"
PLACES = (INBOX, CLIPS, QUARANTINE)
RETRY: RetryConfig = {"max_retries": 3, "retry_timeout": timedelta(seconds=20)}
"""What a bucket is asked again for, before the car is told to come back."""


@dataclass(frozen=True)
class Kept:
    """Where a clip lies; `receipt` is empty where it did not come through a service."""

    place: str
    receipt: bytes


class Shelf(Protocol):
    def find(self, clip_id: str) -> Kept | None:
        """A clip that was committed before."""

    def reason(self, clip_id: str) -> bytes:
        """What was written down when a clip was refused; empty where nothing was."""

    def keep(self, clip_id: str, files: Mapping[str, Path], receipt: bytes) -> None:
        """Put a whole clip into the inbox, safe from a power cut when this returns. Twice is as good as once."""

    def set_aside(self, clip_id: str, files: Mapping[str, Path], reason: bytes) -> None:
        """Keep what was refused, with its reason."""

    def heads(self, copies: Path) -> list[tuple[str, Path]]:
        """Name and head of every published version, oldest first; of a bucket as a file in `copies`."""

    def check(self) -> None:
        """Raises OSError or StoreError where nothing can be kept now."""

    def tidy(self) -> None:
        """Make it ready, and remove what a crash left half done; before anything is kept, while nobody else writes."""


@dataclass(frozen=True)
class FolderShelf:
    root: Path

    def find(self, clip_id: str) -> Kept | None:
        for place in PLACES:
            folder = self.root / place / clip_id
            try:
                return Kept(place, (folder / RECEIPT).read_bytes())
            except OSError:
                if folder.is_dir():
                    return Kept(place, b"")
        return None

    def reason(self, clip_id: str) -> bytes:
        try:
            return (self.root / QUARANTINE / clip_id / REASON).read_bytes()
        except OSError:
            return b""

    def keep(self, clip_id: str, files: Mapping[str, Path], receipt: bytes) -> None:
        try:
            self._write(self.root / INBOX / clip_id, files, {RECEIPT: receipt})
        except OSError:
            if self.find(clip_id) is None:  # else another hand-over of the very same clip was quicker
                raise

    def set_aside(self, clip_id: str, files: Mapping[str, Path], reason: bytes) -> None:
        self._write(self.root / QUARANTINE / f"{clip_id}.{secrets.token_hex(4)}", files, {REASON: reason})

    def heads(self, copies: Path) -> list[tuple[str, Path]]:
        return [(name, self.root / VERSIONS / name / HEAD) for name in version_names(self.root)]

    def check(self) -> None:
        if not os.access(self.root, os.W_OK):
            raise StoreError(f"{self.root} cannot be written", "a folder this user may write to", "check its rights")

    def tidy(self) -> None:
        """Their names are forced to disk here, once for all clips: also those that a crash left in memory alone."""
        for place in (INBOX, QUARANTINE):
            (self.root / place).mkdir(exist_ok=True)
            for left in (self.root / place).glob(f"{PREFIX}*"):
                shutil.rmtree(left, ignore_errors=True)
        sync_folder(self.root)

    def _write(self, folder: Path, files: Mapping[str, Path], more: Mapping[str, bytes]) -> None:
        """Linked, not moved: what a crash leaves half done is done again from where the bytes arrived. They were forced
        to disk when they did.
        """
        with new_folder(folder, sync_folder) as temporary:
            for name, path in files.items():
                os.link(path, temporary / name)
            for name, data in more.items():
                (temporary / name).write_bytes(data)
                sync_file(temporary / name)


@dataclass(frozen=True)
class BucketShelf:
    bucket: S3Store

    def find(self, clip_id: str) -> Kept | None:
        import obstore

        for place in PLACES:
            with told(), suppress(FileNotFoundError):
                return Kept(place, bytes(obstore.get(self.bucket, f"{place}/{clip_id}/{RECEIPT}").bytes()))
        return None

    def reason(self, clip_id: str) -> bytes:
        import obstore

        with told(), suppress(FileNotFoundError):
            return bytes(obstore.get(self.bucket, f"{QUARANTINE}/{clip_id}/{REASON}").bytes())
        return b""

    def keep(self, clip_id: str, files: Mapping[str, Path], receipt: bytes) -> None:
        self._write(f"{INBOX}/{clip_id}", files, {RECEIPT: receipt})

    def set_aside(self, clip_id: str, files: Mapping[str, Path], reason: bytes) -> None:
        self._write(f"{QUARANTINE}/{clip_id}.{secrets.token_hex(4)}", files, {REASON: reason})

    def heads(self, copies: Path) -> list[tuple[str, Path]]:
        """Fetched once each, as a version never changes; one that is not whole yet has none."""
        import obstore

        with told():
            folders = obstore.list_with_delimiter(self.bucket, VERSIONS)["common_prefixes"]
        names = sorted((name for f in folders if NAME.fullmatch(name := PurePosixPath(f).name)), key=number_of)
        for name in names:
            if not (copies / name).exists():
                with told(), suppress(FileNotFoundError):
                    head = bytes(obstore.get(self.bucket, f"{VERSIONS}/{name}/{HEAD}").bytes())
                    write_bytes(copies / name, head)
        return [(name, copies / name) for name in names]

    def check(self) -> None:
        import obstore

        with told():
            obstore.list_with_delimiter(self.bucket)

    def tidy(self) -> None:
        """Objects of a clip without its receipt are written again when the car asks again."""

    def _write(self, prefix: str, files: Mapping[str, Path], more: Mapping[str, bytes]) -> None:
        import obstore

        with told():
            for name, path in files.items():
                obstore.put(self.bucket, f"{prefix}/{name}", path)
            for name, data in more.items():
                obstore.put(self.bucket, f"{prefix}/{name}", data)


@contextmanager
def told() -> Iterator[None]:
    """What the object store answered, as a StoreError; that something is not there stays FileNotFoundError."""
    from obstore.exceptions import BaseError

    try:
        yield
    except FileNotFoundError:
        raise
    except BaseError as error:
        raise StoreError(
            f"the object store answers: {str(error)[:200]}", "a store that can be written", "check it"
        ) from error


def open_shelf(where: str) -> Shelf:
    """The shelf a user named; credentials of a bucket come from the environment (AWS_...).

    Raises:
        StoreError: neither file:///path, nor a path, nor s3://bucket.
    """
    if where.startswith("s3://"):
        from obstore.store import S3Store

        return BucketShelf(S3Store.from_url(where, retry_config=RETRY))
    if "://" in where and not where.startswith("file://"):
        raise StoreError(f"the store {where}", "file:///path or s3://bucket/prefix", "name one of these")
    root = Path(where.removeprefix("file://"))
    make_folder(root)
    return FolderShelf(root)
