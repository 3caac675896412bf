"""The night of a store that lies in a bucket: fetched to a work folder, run there, brought back.

The bucket is what counts; the work folder is a copy that is made equal to it first, so what a killed run left there
does no harm. It is worth keeping between nights: clips that lie in it are not fetched again, and what was made of them
stays there (`made/` is not brought back: it can be made again).

Brought back, in this order: the journal; each clip from `inbox/` to `clips/` or `quarantine/`, copied within the
bucket, its receipt last, and only then taken out of the inbox, in one request; reports; and each version, its head last
and only where there is none. A run killed between any two is mended by the next, which finds the clip still in the
inbox, or already out of it. A clip counts as arrived, and as moved, when its receipt is there (`curate.service.shelf`).
Objects that no receipt stands for yet may still be on their way, and are left alone.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Literal

from curate.errors import StoreError
from curate.journal import JOURNAL
from curate.lease import Lease, held
from curate.service.shelf import RECEIPT, RETRY, told
from curate.store import Store
from curate.version.names import HEAD, NAME, VERSIONS
from edge.clip import content_digest
from edge.durable import PREFIX, new_folder, write_bytes
from edge.manifest import file_entry
from edge.upload.destination import CLIPS, INBOX, QUARANTINE

if TYPE_CHECKING:
    from obstore.store import S3Store

SCHEME = "s3://"
SMALL = ("campaigns", VERSIONS)
"""Folders of which the work folder holds all that the bucket holds, and no more."""
REPORTS = "reports"
CLIPS_AT_ONCE = 8
"""Clips that are fetched or moved side by side: each object takes a few journeys there and back."""

Folder = Mapping[str, int]
"""Names of files, and their sizes in bytes."""


@contextmanager
def bucket_store(
    where: str, work: Path, wait: Callable[[], bool] | None = None, bring_back: bool = True
) -> Iterator[Store]:
    """A store that is the bucket's, for the time of the block, and brought back after it, also where it ends badly.

    Args:
        where: s3://bucket/prefix; credentials come from the environment (AWS_...).
        work: a folder for this bucket alone.
        wait: as in `curate.lease.held`.

    Raises:
        StoreBusy: another run is at work there, or took over. StoreError: the bucket does not answer.
    """
    from obstore.store import S3Store

    bucket = S3Store.from_url(where, retry_config=RETRY)
    _own(work, where)
    with held(Lease(bucket), wait) as lease:
        mirror = Mirror(bucket, work, lease.renew)
        mirror.fetch()
        try:
            yield Store(work)
        except Exception:
            if bring_back:  # what was admitted or refused before the error was, whatever came then
                mirror.bring_back()
            raise
        if bring_back:
            mirror.bring_back()


def _own(work: Path, where: str) -> None:
    """The work folder says whose copy it is: clips of another bucket would be taken for what must go."""
    mark = work / ".bucket"
    if work.is_dir() and any(work.iterdir()) and (not mark.is_file() or mark.read_text() != where):
        raise StoreError(
            f"{work} is not a copy of {where}", "an empty folder, or one used for it before", "name another"
        )
    write_bytes(mark, where.encode())


@dataclass(frozen=True)
class Mirror:
    """The bucket, its copy, and `sure`: raises StoreError where this run may not write to the bucket any more."""

    bucket: S3Store
    root: Path
    sure: Callable[[], None]

    def fetch(self) -> None:
        """Make the work folder equal to the bucket."""
        inbox = {name: files for name, files in self._folders(INBOX).items() if RECEIPT in files}
        clips = {name: f for name, f in self._folders(CLIPS).items() if RECEIPT in f and name not in inbox}
        for place, other, wanted in ((INBOX, CLIPS, inbox), (CLIPS, INBOX, clips)):
            (self.root / place).mkdir(parents=True, exist_ok=True)
            with ThreadPoolExecutor(CLIPS_AT_ONCE) as pool:
                list(pool.map(partial(self._fetch_clip, place, other), wanted, wanted.values()))
        for place, wanted in ((INBOX, inbox), (CLIPS, clips), (QUARANTINE, {})):
            for folder in Store(self.root).folders(place):
                if folder.name not in wanted:
                    shutil.rmtree(folder)
        for place in SMALL:
            self._fetch_all(place)
        self._fetch_file(JOURNAL, self.root / JOURNAL)

    def bring_back(self) -> None:
        """Make the bucket equal to the work folder; nothing is written where the lease was lost."""
        self.sure()
        self._put_file(self.root / JOURNAL)
        arrived = self._folders(INBOX)
        moved = [(CLIPS, folder) for folder in Store(self.root).folders(CLIPS) if folder.name in arrived]
        moved += [(QUARANTINE, f) for f in Store(self.root).folders(QUARANTINE) if _clip_of(f) in arrived]
        with ThreadPoolExecutor(CLIPS_AT_ONCE) as pool:
            list(pool.map(lambda to: self._move(to[0], to[1], arrived[_clip_of(to[1])]), moved))
        for path in sorted((self.root / REPORTS).glob("*.html")):
            self._put_file(path)
        self._put_versions()

    def _folders(self, place: str) -> dict[str, dict[str, int]]:
        """Folders of a place, with their files."""
        found: dict[str, dict[str, int]] = {}
        for key, size in self._objects(place).items():
            folder, _, name = key.partition("/")
            if name and "/" not in name:
                found.setdefault(folder, {})[name] = size
        return found

    def _objects(self, place: str) -> dict[str, int]:
        """Keys below a place, without its name, and sizes."""
        import obstore

        with told():
            listed = [entry for page in obstore.list(self.bucket, place) for entry in page]
        sizes = {str(PurePosixPath(entry["path"]).relative_to(place)): int(entry["size"]) for entry in listed}
        return dict(sorted((key, size) for key, size in sizes.items() if not key.startswith(".")))

    def _fetch_clip(self, place: str, other: str, name: str, files: Folder) -> None:
        """Into its place, from the other one where a run that was killed had moved it."""
        folder = self.root / place / name
        if not folder.is_dir() and (self.root / other / name).is_dir():
            (self.root / other / name).rename(folder)
        if folder.is_dir():
            for path in folder.iterdir():
                if path.name not in files:
                    path.unlink()
            if {path.name: path.stat().st_size for path in folder.iterdir()} == dict(files):
                return
            shutil.rmtree(folder)
        with new_folder(folder) as temporary:
            for file in files:
                self._fetch_file(f"{place}/{name}/{file}", temporary / file)

    def _fetch_all(self, place: str) -> None:
        """Everything below a place; versions never change, what is small beside them is fetched again."""
        keys = self._objects(place)
        whole = {key.partition("/")[0] for key in keys if key.endswith(f"/{HEAD}")}
        (self.root / place).mkdir(exist_ok=True)
        for path in sorted((self.root / place).rglob("*"), reverse=True):
            name = str(path.relative_to(self.root / place))
            if path.is_file() and (name not in keys or _version_of(name) not in whole | {""}):
                path.unlink()
            elif path.is_dir() and not any(path.iterdir()):
                path.rmdir()
        for key, size in keys.items():
            path, of = self.root / place / key, _version_of(key)
            if of == "" or (of in whole and not (path.is_file() and path.stat().st_size == size)):
                self._fetch_file(f"{place}/{key}", path)

    def _fetch_file(self, key: str, path: Path) -> None:
        """Nothing where there is no such object."""
        import obstore

        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f"{PREFIX}{path.name}")
        with told(), suppress(FileNotFoundError):
            found = obstore.get(self.bucket, key)
            with temporary.open("wb") as file:
                for chunk in found.stream():
                    file.write(chunk)
            temporary.replace(path)

    def _move(self, place: str, folder: Path, arrived: Folder) -> None:
        """A clip out of the inbox: what arrived is copied, what was found out is put beside it, then it is let go."""
        import obstore

        clip_id = _clip_of(folder)
        target = f"{place}/{clip_id}" if place == CLIPS else f"{place}/{clip_id}.{_content(folder)}"
        if RECEIPT in arrived:
            for path in sorted(folder.iterdir()):
                if path.name not in arrived:
                    self._put_file(path, f"{target}/{path.name}")
            with told():
                for file in reversed(_receipt_first(arrived)):
                    obstore.copy(self.bucket, f"{INBOX}/{clip_id}/{file}", f"{target}/{file}")
        with told():
            obstore.delete(self.bucket, [f"{INBOX}/{clip_id}/{file}" for file in _receipt_first(arrived)])

    def _put_versions(self) -> None:
        there = self._objects(VERSIONS)
        for folder in sorted((self.root / VERSIONS).iterdir()) if (self.root / VERSIONS).is_dir() else ():
            if NAME.fullmatch(folder.name) and f"{folder.name}/{HEAD}" not in there:
                for path in sorted(folder.iterdir(), key=lambda path: path.name == HEAD):
                    self.sure()
                    self._put_file(path, mode="create" if path.name == HEAD else "overwrite")

    def _put_file(self, path: Path, key: str = "", mode: Literal["create", "overwrite"] = "overwrite") -> None:
        """Under its own name in the store unless told; nothing where there is no such file."""
        import obstore

        if path.is_file():
            with told():
                obstore.put(self.bucket, key or path.relative_to(self.root).as_posix(), path, mode=mode)


def _receipt_first(files: Folder) -> list[str]:
    return sorted(files, key=lambda file: (file != RECEIPT, file))


def _clip_of(folder: Path) -> str:
    """A refused clip may lie under its id and a random part."""
    return folder.name.partition(".")[0]


def _version_of(key: str) -> str:
    """The version a key below `versions/` belongs to, "" for what belongs to none."""
    name = key.partition("/")[0]
    return name if NAME.fullmatch(name) else ""


def _content(folder: Path) -> str:
    """A short name for what a refused clip holds: the same clip refused again is the same object, another is not."""
    return content_digest({path.name: file_entry(path).sha256 for path in folder.iterdir()})[:8]
