"""A model of a disk that may lose, in a power cut, whatever it was not told to keep. Weaker than ext4, xfs or btrfs.

Files: a change of a file (bytes written, a new length) is safe when the file was fsynced after it. Of changes that are
not, each is, on its own, there or lost; bytes that were written may also be there up to a multiple of 512 alone, or as
zeros where the file grew: lengths and bytes reach a disk apart, and in any order. POSIX promises no more.

Folders: an entry that was made, replaced or removed is safe when its folder was fsynced after it; fsync of a file says
nothing of its name. Of steps that are not safe each is there or lost, but those that concern one name are there in
their order, and a rename is one step: never both names, never neither. A rename between two folders is safe when
either was fsynced. A folder or file whose name is lost is out of reach, whatever is safe in it.

What a program cannot rely on and a real disk would never do (such as keeping a later rename but not an earlier one) is
possible here, so that what survives here survives there. Not modelled: disks that lie about fsync, and bytes that rot.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

SECTOR = 512


@dataclass
class Change:
    """`data` was written at `offset`; or, where it is None, the length became `offset`."""

    offset: int
    data: bytes | None

    def on(self, held: bytearray) -> None:
        if self.data is None:
            held[:] = held[: self.offset].ljust(self.offset, b"\0")
        elif self.data:
            _reach(held, self.offset + len(self.data))
            held[self.offset : self.offset + len(self.data)] = self.data

    def cut_off(self, held: bytearray, keep: float, luck: random.Random) -> None:
        """It, a part of it, or nothing of it."""
        fate = luck.random()
        if fate < keep:
            self.on(held)
        elif self.data and fate < keep + (1 - keep) / 4:
            sectors = luck.randrange(len(self.data) // SECTOR + 1)
            Change(self.offset, self.data[: sectors * SECTOR]).on(held)
        elif self.data and fate < keep + (1 - keep) / 2:
            _reach(held, self.offset + len(self.data))


def _reach(held: bytearray, length: int) -> None:
    held.extend(bytes(max(0, length - len(held))))


@dataclass(eq=False)
class File:
    """What programs see now, what is safe, and the changes between the two."""

    now: bytearray = field(default_factory=bytearray)
    safe: bytearray = field(default_factory=bytearray)
    pending: list[Change] = field(default_factory=list)

    def change(self, change: Change) -> None:
        change.on(self.now)
        self.pending.append(change)

    def sync(self) -> None:
        self.safe, self.pending = bytearray(self.now), []

    def after_a_cut(self, keep: float, luck: random.Random) -> bytes:
        held = bytearray(self.safe)
        for change in self.pending:
            change.cut_off(held, keep, luck)
        return bytes(held)


@dataclass(eq=False)
class Folder:
    now: dict[str, Node] = field(default_factory=dict)
    safe: dict[str, Node] = field(default_factory=dict)


Node: TypeAlias = File | Folder
Entries: TypeAlias = dict[Folder, dict[str, Node]]


@dataclass(eq=False)
class Step:
    """Entries that change at once: (folder, name) to what it names, None for nothing."""

    entries: dict[tuple[Folder, str], Node | None]

    def on(self, entries: Entries) -> None:
        for (folder, name), node in self.entries.items():
            if node is None:
                entries[folder].pop(name, None)
            else:
                entries[folder][name] = node


class Disk:
    """Folders below one root, which is safe from the beginning. Paths are relative to it."""

    def __init__(self) -> None:
        self.root = Folder()
        self.folders = [self.root]
        self.steps: list[Step] = []

    def find(self, path: str) -> Node | None:
        node: Node | None = self.root
        for name in path.split("/") if path else ():
            node = node.now.get(name) if isinstance(node, Folder) else None
        return node

    def file(self, path: str) -> File:
        found = self.find(path)
        assert isinstance(found, File), path
        return found

    def place(self, path: str) -> tuple[Folder, str]:
        folder, _, name = path.rpartition("/")
        found = self.find(folder)
        assert isinstance(found, Folder), path
        return found, name

    def step(self, entries: dict[str, Node | None]) -> None:
        step = Step({self.place(path): node for path, node in entries.items()})
        step.on({folder: folder.now for folder, _ in step.entries})
        self.folders += [node for node in entries.values() if isinstance(node, Folder) and node not in self.folders]
        self.steps.append(step)

    def sync(self, path: str) -> None:
        found = self.find(path)
        if isinstance(found, File):
            found.sync()
        elif found is not None:
            self._sync_folder(found)

    def _sync_folder(self, folder: Folder) -> None:
        """Its steps, and before each those that concern the same names."""
        needed: set[tuple[Folder, str]] = set()
        safe = []
        for step in reversed(self.steps):
            if needed & step.entries.keys() or any(of is folder for of, _ in step.entries):
                needed |= step.entries.keys()
                safe.append(step)
        for step in reversed(safe):
            step.on({of: of.safe for of, _ in step.entries})
            self.steps.remove(step)

    def after_a_cut(self, keep: float, luck: random.Random) -> dict[str, bytes | None]:
        """What is found when the power is back: path to bytes, None for a folder. Each change is kept by `keep`."""
        entries: Entries = {folder: dict(folder.safe) for folder in self.folders}
        lost: set[tuple[Folder, str]] = set()
        for step in self.steps:
            if lost & step.entries.keys() or luck.random() >= keep:
                lost |= step.entries.keys()
            else:
                step.on(entries)
        held: dict[File, bytes] = {}
        found: dict[str, bytes | None] = {}
        waiting = [("", self.root)]
        while waiting:
            at, folder = waiting.pop()
            for name, node in sorted(entries[folder].items()):
                if isinstance(node, Folder):
                    found[f"{at}{name}"] = None
                    waiting.append((f"{at}{name}/", node))
                else:
                    if node not in held:
                        held[node] = node.after_a_cut(keep, luck)
                    found[f"{at}{name}"] = held[node]
        return found


def write_out(found: dict[str, bytes | None], root: Path) -> None:
    for path, data in sorted(found.items()):
        if data is None:
            (root / path).mkdir()
        else:
            (root / path).write_bytes(data)
