"""Kill, or refuse, the agent at its persistence system calls; start it again; check that nothing was lost or torn.

    python tests/crash/sweep.py [--every K] [--refuse]

A small recording is scanned, cut, queued, sent to a folder store and acknowledged, in one process, with a campaign
whose quota it uses. `strace` counts the calls of one undisturbed round, then kills a round on entry to the N-th call of
each name, for every K-th N. After each death nothing visible may be torn and no acknowledged clip missing from the
store, and the next round must end with the clips, the offers, the used quota and the ledger of the undisturbed one.
With --refuse the call answers ENOSPC, EIO or EMFILE instead: the round must end with a problem in words, or cope, and
the next one must succeed.

Each round is a fork of this process, which has imported what a round imports on its way, so that the calls disturbed
are the agent's and none of Python's own: about a third of a second a point.
"""

from __future__ import annotations

import argparse
import ctypes
import importlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from once import once
from recording import write_recording

from edge.clip import open_clip
from edge.durable import PREFIX
from edge.errors import EdgeError
from edge.night.ledger import accounts
from edge.night.queued import Queued
from edge.night.quota import Hearing, Quota, quotas
from edge.night.spool import CLIPS, read_spool
from edge.upload.destination import ARRIVING, INBOX

WRITES = (
    "write", "pwrite64", "writev", "fsync", "fdatasync", "rename", "renameat", "renameat2", "mkdir", "mkdirat",
    "unlink", "unlinkat", "rmdir", "ftruncate", "fallocate", "sendfile", "copy_file_range", "chmod", "fchmod",
)  # fmt: skip
REFUSALS = {
    "ENOSPC": ("write", "pwrite64", "writev", "fallocate", "mkdir", "mkdirat", "copy_file_range", "ftruncate"),
    "EIO": ("write", "pwrite64", "fsync", "fdatasync", "rename", "unlink", "unlinkat", "rmdir", "read", "pread64"),
    "EMFILE": ("openat",),
}
CRASHED = 70
"""Exit code of a round that ended with a traceback."""
PR_SET_PTRACER, ANYBODY = 0x59616D61, ctypes.c_ulong(-1)


@dataclass(frozen=True)
class Place:
    """One car and one store."""

    root: Path
    watched: Path

    @property
    def store(self) -> Path:
        return self.root / "store"

    @property
    def spool(self) -> Path:
        return self.root / "spool"

    @property
    def trace(self) -> Path:
        return self.root / "trace"

    @property
    def said(self) -> str:
        return (self.root / "said").read_text()


@dataclass(frozen=True)
class Outcome:
    """What a finished round leaves: clip id to offer, what campaigns used, and the ledger."""

    offers: dict[str, bytes]
    quotas: list[Quota]
    ledger: list[tuple[str, int, dict[str, int]]]


def round_of(place: Place, strace: tuple[str, ...] = ()) -> int:
    """One round in a child, under strace with these options if any; its exit code, negative for a signal."""
    child = os.fork()
    if child == 0:
        _in_child(place, bool(strace))
    if strace:
        os.waitpid(child, os.WUNTRACED)
        tracer = subprocess.Popen(
            ["strace", "-f", "-o", str(place.trace), *strace, "-p", str(child)], stderr=subprocess.PIPE, text=True
        )
        assert tracer.stderr
        line = tracer.stderr.readline()
        if "attached" not in line:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            raise SystemExit(f"SKIPPED: strace cannot attach here: {line.strip()}")
        os.kill(child, signal.SIGCONT)
    _, status = os.waitpid(child, 0)
    if strace:
        tracer.communicate()
    return os.waitstatus_to_exitcode(status)


def import_what_it_imports(root: Path, watched: Path) -> None:
    """Names come from a round in a child: what starts threads must not run in a process that forks."""
    place = Place(root / "warm", watched)
    place.root.mkdir()
    names = place.root / "modules"
    child = os.fork()
    if child == 0:
        code = CRASHED
        try:
            code = once(place.watched, place.store, place.spool)
            names.write_text("\n".join(sys.modules))
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0, "an undisturbed round fails"
    for name in names.read_text().splitlines():
        importlib.import_module(name)


def _in_child(place: Place, traced: bool) -> None:
    code = CRASHED
    try:
        said = os.open(place.root / "said", os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
        os.dup2(said, 2)
        if traced:
            ctypes.CDLL(None).prctl(PR_SET_PTRACER, ANYBODY, 0, 0, 0)
            os.kill(os.getpid(), signal.SIGSTOP)
        code = once(place.watched, place.store, place.spool)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def torn(place: Place) -> Iterator[str]:
    """What must hold at any instant: visible clips are whole, and acknowledged ones are in the store."""
    inbox = place.store / INBOX
    there = {path.name for path in inbox.glob("*")}
    for folder in [inbox / name for name in there] + list(_visible(place.spool / CLIPS)):
        try:
            clip = open_clip(folder)
            clip.verify()
        except EdgeError as error:
            if folder.parent == inbox or not _leaving(place, folder.name):
                yield f"{folder} is torn: {error}"
            continue
        if folder.parent == inbox and clip.id != folder.name:
            yield f"{folder} holds clip {clip.id}"
    yield from (
        f"acknowledged clip {c.folder} is not in the store"
        for c in _queue(place)
        if c.delivered and c.clip_id not in there
    )


def _visible(clips: Path) -> Iterator[Path]:
    if clips.exists():
        yield from (path for path in clips.iterdir() if not path.name.startswith(PREFIX))


def _leaving(place: Place, folder: str) -> bool:
    """Its row says that it is dropped: the next start removes what is left of it."""
    return any(c.folder == folder and c.reason for c in _queue(place))


def _queue(place: Place) -> list[Queued]:
    try:
        with read_spool(place.spool) as spool:
            return spool.clips()
    except EdgeError:
        return []  # not made yet


def outcome(place: Place) -> Outcome:
    inbox = place.store / INBOX
    offers = {folder.name: (folder / "offer.json").read_bytes() for folder in inbox.glob("*")}
    with read_spool(place.spool) as spool:
        told, used = accounts(spool.drives(), spool.clips()), quotas(spool)
    fates = [(a.drive, a.seconds, dict(Counter({s.fate: a.total(s.fate) for s in a.stretches}))) for a in told]
    return Outcome(offers, used, fates)


def differences(place: Place, wanted: Outcome) -> Iterator[str]:
    """What must hold after the round that follows."""
    yield from torn(place)
    got = outcome(place)
    if got != wanted:
        yield f"the round ended with {got}, not {wanted}"
    if any(sum(fates.values()) != seconds for _, seconds, fates in got.ledger):
        yield f"the ledger does not add up: {got.ledger}"
    left = [*(place.spool / CLIPS).glob("*"), *(place.store / ARRIVING).glob("*")]
    if left:
        yield f"left behind: {left}"


def calls(place: Place, names: tuple[str, ...]) -> dict[str, int]:
    """How often an undisturbed round makes each call, the busiest thread's count."""
    code = round_of(place, ("-e", f"trace={','.join('?' + n for n in names)}"))
    assert code == 0, place.said
    counts = Counter(re.findall(r"^(\d+) +(\w+)\(", place.trace.read_text(), re.M))
    return {name: max((n for (_, call), n in counts.items() if call == name), default=0) for name in names}


def points(counts: dict[str, int], every: int) -> list[tuple[str, int]]:
    """Every K-th of all calls, those of one name in turn."""
    return [(name, n) for name, count in counts.items() for n in range(1, count + 1)][:: max(every, 1)]


def sweep(root: Path, watched: Path, every: int, refuse: bool) -> tuple[int, list[str]]:
    """Disturb a round at each point; how many there were, and what went wrong."""
    import_what_it_imports(root, watched)
    calm = Place(root / "calm", watched)
    calm.root.mkdir()
    names = tuple(sorted({n for of in REFUSALS.values() for n in of})) if refuse else WRITES
    counts = calls(calm, names)
    wanted = outcome(calm)
    assert len(wanted.offers) >= 2, "the recording must give clips of both lanes"
    assert [quota.hearing for quota in wanted.quotas] == [Hearing.USED], "the campaign must use its quota"
    if refuse:
        plan = [
            (name, f"error={error}", n)
            for error, of in REFUSALS.items()
            for name, n in points({k: counts[k] for k in of}, every)
        ]
    else:
        plan = [(name, "signal=KILL", n) for name, n in points(counts, every)]
    wrong: list[str] = []
    for number, (name, what, n) in enumerate(plan):
        place = Place(root / f"{number}", watched)
        place.root.mkdir()
        code = round_of(place, ("-e", f"trace={name}", "-e", f"inject={name}:{what}:when={n}"))
        at = f"{name} {n} {what}"
        if code == CRASHED or (not refuse and code != -signal.SIGKILL):
            wrong.append(f"{at}: exit code {code}\n{place.said}")
        wrong += [f"{at}: {problem}" for problem in torn(place)]
        if round_of(place) != 0:
            wrong.append(f"{at}: the next round fails\n{place.said}")
        else:
            wrong += [f"{at}: {problem}" for problem in differences(place, wanted)]
        shutil.rmtree(place.root)
    return len(plan), wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--refuse", action="store_true")
    chosen = parser.parse_args()
    if not shutil.which("strace"):
        raise SystemExit("SKIPPED: strace is not installed, so no system call was disturbed")
    with tempfile.TemporaryDirectory(prefix="swerve-crash-") as folder:
        write_recording(Path(folder) / "watched/drive")
        count, wrong = sweep(Path(folder), Path(folder) / "watched", chosen.every, chosen.refuse)
    print(*wrong, f"{count} points, {len(wrong)} violations", sep="\n")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
