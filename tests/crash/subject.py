"""What is disturbed: something that does its work in rounds, and says what must hold of what a round leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol, TypeAlias


class Subject(Protocol):
    """`root` is a folder of its own; all that it leaves lies there."""

    root: Path

    def round(self) -> int:
        """Do all there is to do, in a child. 0: all done; 2: a problem was told."""

    def hear(self, line: bytes) -> None:
        """Something that was said to the outside world, and has to be kept from now on."""

    def torn(self) -> Iterator[str]:
        """What is wrong of what must hold at any instant."""

    def differences(self) -> Iterator[str]:
        """What is wrong of what must hold after a round that ended well."""


Made: TypeAlias = Callable[[Path], Subject]
"""Makes a subject in a folder that exists."""
