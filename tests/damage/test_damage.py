"""Whatever happens to a recording, the answer is a drive that says what it lost, or an error that says what to do.

Every format is damaged in every way of `corpus`. Where fewer samples, frames or pictures come back than from the whole
recording, and nothing is said to be lost, the reader is not honest; any other exception, a crash or a hang fails too.
A sample of the damages is drawn here; `make damage` runs all of them, with more flipped bits.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from corpus import Damage, damages, sample, struck
from reading import Failure, Reader, Reading, Refusal
from recordings import RECORDINGS

LONG = bool(os.environ.get("SWERVE_DAMAGE_LONG"))
EACH = 5
FLIPS = 100 if LONG else 4


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    child = Reader()
    yield child
    child.close()


@pytest.mark.parametrize("name", RECORDINGS)
def test_every_damage_ends_in_a_drive_or_in_a_clear_error(name: str, reader: Reader, tmp_path: Path) -> None:
    folder = tmp_path / name
    folder.mkdir()
    RECORDINGS[name](folder)
    whole = reader.read(folder)
    assert isinstance(whole, list)
    for drive in whole:
        assert isinstance(drive, Reading)
        assert all(drive.pictures.values())
    found = damages(folder, FLIPS)
    wrong = []
    for damage in found if LONG else sample(found, EACH, seed=len(name)):
        with struck(folder, damage):
            wrong += [f"{damage}: {line}" for line in complaints(whole, reader.read(folder), damage)]
    assert not wrong, "\n".join(wrong)


def complaints(whole: list[Reading], answers: list[Reading | Refusal] | Failure, damage: Damage) -> Iterator[str]:
    """What is wrong with the answer to a damaged recording."""
    if isinstance(answers, Failure):
        yield answers.what
        return
    drives = [answer for answer in answers if isinstance(answer, Reading)]
    for refusal in (answer for answer in answers if isinstance(answer, Refusal)):
        if not (refusal.got and refusal.wanted and refusal.todo):
            yield f"an error without its three parts: {refusal}"
    alone = drives[0].name if len(whole) == len(drives) == 1 else ""  # a bag without its folder's list is a file
    for before in whole:
        after = next((d for d in drives if d.recorder == before.recorder and d.name in (before.name, alone)), None)
        gone = missing(before, after, damage) if after else []
        if after and gone and not is_said(before, after, damage):
            yield f"nothing is lost, but {', '.join(gone)}"
        if after is None and all(answer in drives and answer.recorder == before.recorder for answer in answers):
            yield f"{before.name} is gone without a word"


def is_said(whole: Reading, found: Reading, damage: Damage) -> bool:
    """Is anything said that is not said of the whole recording? Of a part that is absent a note is enough: nobody can
    tell a file that was lost from one that was never recorded."""
    said = set(found.lost) - set(whole.lost)
    return bool(said or (damage.kind in ("drop", "flip") and set(found.notes) - set(whole.notes)))


def missing(whole: Reading, found: Reading, damage: Damage) -> list[str]:
    """Fewer samples, frames or pictures than the whole recording has.

    Formats without checksums cannot tell every flipped bit, nor those without a list that one of many pictures is gone;
    either may cost what it stands in unseen, but no more. A bit of a camera's name gives it another one.
    """
    unseen = 2 if damage.kind in ("drop", "flip") else 0
    before, after = whole.signals | whole.cameras, found.signals | found.cameras
    renamed = max((after[name] for name in after.keys() - before.keys()), default=0) if damage.kind == "flip" else 0
    gone = [
        f"{here} of {count} of {name} are there"
        for name, count in before.items()
        if (here := after.get(name, renamed)) < count - unseen
    ]
    unshown = [f"frame {at} of {name} is not shown" for (name, at), shown in found.pictures.items() if not shown]
    return gone + (unshown if damage.kind != "flip" else [])


class Bomb:
    """What a decoder can do to the process it runs in."""

    def __init__(self, does: Callable[..., object], *arguments: object) -> None:
        self.call = (does, arguments)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call


@pytest.mark.parametrize(("bomb", "said"), [(Bomb(os._exit, 3), "exit code 3"), (Bomb(signal.pause), "no answer")])
def test_a_crash_and_a_hang_are_failures_and_not_the_end(
    bomb: Bomb, said: str, reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if said == "no answer":
        monkeypatch.setattr("reading.LIMIT_S", 0.2)
    answer = reader.read(bomb)  # type: ignore[arg-type]
    assert isinstance(answer, Failure)
    assert said in answer.what
    monkeypatch.undo()
    assert isinstance(reader.read(tmp_path), list)
