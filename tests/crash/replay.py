"""Recorded system calls, done again on the model of a disk. A call that the model does not know is an error."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from disk import Change, Disk, File, Folder
from traced import Call

FORGOTTEN = "-shm"
"""SQLite's shared memory is written through a mapping and made anew by the first to open a database."""
HARMLESS = ("close", "dup", "dup2", "dup3", "mmap", "sync_file_range")


class Replay:
    """A disk, and where each descriptor stands. `said` is what was sent to the outside world until now."""

    def __init__(self, root: Path) -> None:
        self.root, self.disk = f"{root}/", Disk()
        self.at: dict[int, int] = {}
        self.said: list[bytes] = []

    def run(self, recorded: Iterable[Call]) -> Iterator[Call]:
        """Do each call; gives those that changed the disk or said something, when they are done."""
        for call in recorded:
            if self._do(call):
                yield call

    def _do(self, call: Call) -> bool:
        if call.name == "sendto":
            self.said += [line for line in call.data.splitlines() if line.startswith(b"{")]
            return call.data.startswith(b"{")
        if call.name in ("open", "openat", "creat"):
            return self._open(call)
        if call.name in ("lseek", "read"):
            self.at[call.fd] = call.result if call.name == "lseek" else self.at.get(call.fd, 0) + call.result
            return False
        named = [self._below(path) for path in call.paths if self._below(path)]
        path = self._below(call.file) if call.arguments[0].isdigit() else ""
        if not (named or path or call.file == self.root.rstrip("/")):
            return False
        if call.name in HARMLESS:
            assert (
                call.name != "mmap"
                or path.endswith(FORGOTTEN)
                or "MAP_PRIVATE" in call.arguments
                or ("PROT_WRITE" not in call.arguments)
            ), call
            return False
        if path.endswith(FORGOTTEN) or any(name.endswith(FORGOTTEN) for name in named):
            return False
        getattr(self, f"_{call.name}")(call, path, named)
        return True

    def _below(self, path: str) -> str:
        """Relative to the root, empty for what is elsewhere."""
        return path.removeprefix(self.root) if path.startswith(self.root) else ""

    def _open(self, call: Call) -> bool:
        self.at[call.result] = 0
        path = self._below(call.opened)
        if not path or path.endswith(FORGOTTEN) or isinstance(found := self.disk.find(path), Folder):
            return False
        if "O_APPEND" in call.arguments and found:
            self.at[call.result] = len(self.disk.file(path).now)
        if found is None:
            self.disk.step({path: File()})
            return True
        if "O_TRUNC" in call.arguments:
            found.change(Change(0, None))
            return True
        return False

    def _write(self, call: Call, path: str, _: list[str]) -> None:
        at = self.at[call.fd]
        self.disk.file(path).change(Change(at, call.data[: call.result]))
        self.at[call.fd] = at + call.result

    _writev = _write

    def _pwrite64(self, call: Call, path: str, _: list[str]) -> None:
        self.disk.file(path).change(Change(call.numbers[-1], call.data[: call.result]))

    def _ftruncate(self, call: Call, path: str, _: list[str]) -> None:
        self.disk.file(path).change(Change(call.numbers[-1], None))

    def _fsync(self, call: Call, path: str, _: list[str]) -> None:
        self.disk.sync(path)

    _fdatasync = _fsync

    def _mkdir(self, _: Call, __: str, named: list[str]) -> None:
        self.disk.step({named[0]: Folder()})

    _mkdirat = _mkdir

    def _unlink(self, _: Call, __: str, named: list[str]) -> None:
        self.disk.step({named[-1]: None})

    _unlinkat = _rmdir = _unlink

    def _rename(self, _: Call, __: str, named: list[str]) -> None:
        self.disk.step({named[0]: None, named[1]: self.disk.find(named[0])})

    _renameat = _renameat2 = _rename

    def _link(self, _: Call, __: str, named: list[str]) -> None:
        self.disk.step({named[1]: self.disk.find(named[0])})

    _linkat = _link
