"""A bag: channels and messages of a `.mcap` or `.db3` file, or of a bag folder, whatever stores them.

It is read once from its beginning to its end, whether it has an index or not; the bytes of a picture are not kept but
read again from where they lie (`Place`), so that a long recording fits into memory, at the price of a second read.

Not covered: ROS 1 bags, and files compressed as a whole, which are refused with the command that unpacks them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from edge.errors import DriveError
from edge.formats.bag_mcap import McapFile
from edge.formats.bag_sqlite import SqliteFile
from edge.formats.message import Channel, Message, Place, Wanted, damage

STORAGE = (".mcap", ".db3")


class Storage(Protocol):
    lost: list[str]
    channels: dict[int, Channel]

    def messages(self, wanted: Wanted) -> Iterator[tuple[int, int, bytes, tuple[int, int, int]]]:
        """Channel number, log time, content, and where the content lies: block, start, end."""

    def read(self, block: int, start: int, end: int) -> bytes:
        """Content again."""


@dataclass
class Bag:
    files: list[Storage]

    @property
    def channels(self) -> list[Channel]:
        return [channel for file in self.files for channel in file.channels.values()]

    def messages(self, wanted: Wanted) -> Iterator[Message]:
        """All of them. Of several files one that cannot be opened is lost, and said; a single one is refused."""
        for number, file in enumerate(self.files):
            try:
                for channel, log_ns, data, place in file.messages(wanted):
                    yield Message(file.channels[channel], log_ns, data, (number, *place))
            except DriveError as error:
                if len(self.files) == 1:
                    raise
                file.lost.append(error.got)

    def read(self, place: Place) -> bytes:
        """Bytes of a message again. Raises OSError where they have gone since."""
        try:
            return self.files[place[0]].read(*place[1:])
        except damage() as error:
            raise OSError(f"the recording has changed: {error}") from error


def open_bag(path: Path, lost: list[str]) -> Bag:
    files = [path] if path.is_file() else storage_files(path)
    packed = [f for f in files if f.suffix not in STORAGE]
    if packed:
        raise DriveError(
            f"{packed[0]} is a bag file compressed as a whole", ".mcap or .db3", f"unpack it: unzstd {packed[0].name}"
        )
    metadata = path / "metadata.yaml"
    if metadata.is_file():
        with metadata.open("rb") as file:
            text = file.read(1 << 24).decode(errors="replace")
        named = re.findall(r"^\s*-\s+(\S+\.(?:mcap|db3))\s*$", text, re.MULTILINE)
        here = {f.name for f in files}
        gone = sorted({PurePosixPath(name).name for name in named} - here)
        lost += [f"{name}, named in metadata.yaml, is absent" for name in gone]
    return Bag([McapFile(f) if f.suffix == ".mcap" else SqliteFile(f) for f in files])


def storage_files(folder: Path) -> list[Path]:
    """Storage files of a folder in the order of their numbers, those compressed as a whole among them."""
    if not folder.is_dir():
        return []
    files = [p for p in folder.iterdir() if p.is_file() and not p.name.startswith(".") and _kind(p)]
    return sorted(files, key=lambda p: [int(s) if s.isdigit() else s for s in re.split(r"(\d+)", p.name)])


def _kind(path: Path) -> str:
    ending = path.suffixes[-2] if path.suffix in (".zstd", ".zst") and len(path.suffixes) > 1 else path.suffix
    return ending if ending in STORAGE else ""
