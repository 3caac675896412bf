"""What `strace -f -y -xx` wrote, as calls that succeeded, in the order in which they ended."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

RECORDED = (
    "open", "openat", "creat", "close", "dup", "dup2", "dup3", "read", "lseek", "write", "pwrite64", "writev",
    "pwritev", "pwritev2", "fsync", "fdatasync", "sync", "syncfs", "sync_file_range", "rename", "renameat",
    "renameat2", "mkdir", "mkdirat", "link", "linkat", "unlink", "unlinkat", "rmdir", "symlink", "symlinkat",
    "ftruncate", "truncate", "fallocate", "sendfile", "copy_file_range", "mmap", "sendto",
)  # fmt: skip
OPTIONS = ("-y", "-xx", "-s", 1 << 26, "-e", f"trace={','.join('?' + name for name in RECORDED)}")

NAMING = tuple(
    name for name in RECORDED if name.startswith(("open", "creat", "rename", "mkdir", "link", "unlink", "rm"))
)
"""Calls whose strings are paths."""
LINE = re.compile(r"(\d+) +(.*)")
RESUMED = re.compile(r"<\.\.\. \w+ resumed>(.*)")
CALL = re.compile(r"(\w+)\((.*)\) += (-?\w+)(?:<([^>]*)>)?")
HEX = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
FILE = re.compile(r"(-?\w+)<((?:\\x[0-9a-f]{2})*)>")


@dataclass(frozen=True)
class Call:
    """A system call; `result` is the number it returned. Arguments are read by what they are."""

    name: str
    arguments: str
    result: int
    opened: str

    @property
    def fd(self) -> int:
        """The descriptor that is the first argument."""
        return int(self.arguments.partition("<")[0])

    @property
    def file(self) -> str:
        """What the first argument, a descriptor, is open on."""
        found = FILE.match(self.arguments)
        return _bytes(found[2]).decode() if found else ""

    @property
    def data(self) -> bytes:
        return b"".join(_bytes(text) for text in HEX.findall(self.arguments))

    @property
    def numbers(self) -> list[int]:
        """Arguments that are plain numbers."""
        return [int(part) for part in self.arguments.split(", ") if re.fullmatch(r"-?\d+", part)]

    @property
    def paths(self) -> list[str]:
        """Absolute paths of its arguments; one that is relative begins at the folder named before it."""
        paths, at = [], ""
        for part in self.arguments.split(", ") if self.name in NAMING else ():
            if named := HEX.fullmatch(part):
                path = _bytes(named[1]).decode()
                paths.append(path if path.startswith("/") else f"{at}/{path}")
            elif folder := FILE.fullmatch(part):
                at = _bytes(folder[2]).decode()
        return paths


def calls(trace: Path) -> Iterator[Call]:
    begun: dict[str, str] = {}
    for line in trace.read_text().splitlines():
        found = LINE.match(line)
        assert found, line[:200]
        thread, text = found.groups()
        if text.endswith("<unfinished ...>"):
            begun[thread] = text.removesuffix("<unfinished ...>")
            continue
        if resumed := RESUMED.match(text):
            text = begun.pop(thread) + resumed[1]
        call = CALL.match(text)
        if call and not call[3].startswith("-") and call[3] != "?":
            yield Call(call[1], call[2], int(call[3], 0), _bytes(call[4] or "").decode())


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", "")) if text.startswith("\\x") else text.encode()
