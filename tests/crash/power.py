"""Cut the power at any call, on a disk that loses what it was not told to keep; check that nothing is lost.

    python tests/crash/power.py car|service [--states N] [--seed N]

One undisturbed round is recorded, every system call with its bytes, and done again on a model of a disk (`disk.py`).
After each call the power may go: what the disk then holds is drawn, with all that is not safe lost, all of it kept, or
each change by itself, and written into a folder. On that the real programs start. Nothing visible may be torn, nothing
acknowledged missing, and the next round must end as the undisturbed one did; or else tell a problem (what had half
arrived in a folder store is found damaged and forgotten), and the one after it must. A state counts once: what lies on
the disk, and what had been promised.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from child import in_child, need_strace
from disk import write_out
from replay import Replay
from subject import Made
from sweep import subjects
from traced import OPTIONS, Call, calls

TOLD = 2
"""Exit code of a round that told a problem."""
SHARES = (0.0, 1.0, 0.5, 0.9, 0.1)
"""With which probability a change that is not safe is there, in turn: the two ends first."""


@dataclass(frozen=True)
class State:
    """What the disk holds, what had been said before, and after which call."""

    found: dict[str, bytes | None]
    said: list[bytes]
    after: str

    @property
    def digest(self) -> bytes:
        told = hashlib.sha256(repr(self.said).encode())
        for path, data in sorted(self.found.items()):
            told.update(f"{path} {-1 if data is None else len(data)}\n".encode() + (data or b""))
        return told.digest()


def recorded(made: Made, root: Path) -> list[Call]:
    """The calls of one undisturbed round."""
    root.mkdir()
    trace = root.parent / "trace"
    code = in_child(made(root).round, root.parent / "said", ("-o", trace, *OPTIONS))
    assert code == 0, (root.parent / "said").read_text()
    told = list(calls(trace))
    replay = Replay(root)
    assert sum(1 for _ in replay.run(told)) > 100, "hardly a call was recorded"
    model = replay.disk.after_a_cut(1.0, random.Random())
    real = {f"{path.relative_to(root)}": path for path in root.rglob("*") if not path.name.endswith("-shm")}
    assert model == {name: None if path.is_dir() else path.read_bytes() for name, path in real.items()}
    return told


def states(told: list[Call], root: Path, wanted: int, luck: random.Random) -> Iterator[State]:
    """Distinct ones, `wanted` of them."""
    seen: set[bytes] = set()
    points = sum(1 for _ in Replay(root).run(told))
    for turn in count():
        replay = Replay(root)
        for number, call in enumerate(replay.run(told)):
            if luck.random() * points * len(SHARES) > wanted:
                continue
            found = replay.disk.after_a_cut(SHARES[turn % len(SHARES)], luck)
            state = State(found, list(replay.said), f"call {number}, {call.name} {call.paths or call.file}")
            if state.digest not in seen:
                seen.add(state.digest)
                yield state
            if len(seen) == wanted:
                return


def complaints(state: State, made: Made, root: Path) -> Iterator[str]:
    root.mkdir()
    write_out(state.found, root)
    subject = made(root)
    for line in state.said:
        subject.hear(line)
    yield from subject.torn()
    said = root.parent / "said"
    code = in_child(subject.round, said)
    if code == TOLD:
        code = in_child(subject.round, said)
    if code != 0:
        yield f"the next round fails\n{said.read_text()}"
    else:
        yield from subject.differences()
    shutil.rmtree(root)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("which", choices=("car", "service"))
    parser.add_argument("--states", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    need_strace()
    with tempfile.TemporaryDirectory(prefix="swerve-power-") as name:
        folder = Path(name)
        made = subjects(chosen.which, folder)
        told = recorded(made, folder / "recorded")
        checked, wrong = 0, []
        for state in states(told, folder / "recorded", chosen.states, random.Random(chosen.seed)):
            checked += 1
            wrong += [f"{state.after}: {problem}" for problem in complaints(state, made, folder / "after")]
    print(*wrong, f"{chosen.which}: {checked} states, {len(wrong)} violations", sep="\n")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
