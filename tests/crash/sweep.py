"""Kill, or refuse, a subject at its persistence system calls; start it again; check that nothing was lost or torn.

    python tests/crash/sweep.py car|service [--every K] [--refuse]

`car`: a small recording is scanned, cut, queued, sent to a folder store and acknowledged. `service`: it is started, two
clips are handed over file by file, committed and acknowledged. `strace` counts the calls of one undisturbed round, then
kills a round on entry to the N-th call of each name, for every K-th N. After each death nothing visible may be torn and
nothing acknowledged missing, and the next round must end as the undisturbed one did. With --refuse the call answers
ENOSPC, EIO or EMFILE instead: the round must end with a problem in words, or cope, and the next one must succeed.
"""

from __future__ import annotations

import argparse
import re
import shutil
import signal
import sys
import tempfile
from collections import Counter
from pathlib import Path

from car import Car, cars
from child import CRASHED, import_what_it_imports, in_child, need_strace
from intake import Cargo, Intake
from recording import write_recording
from subject import Made, Subject

WRITES = (
    "write", "pwrite64", "writev", "fsync", "fdatasync", "rename", "renameat", "renameat2", "mkdir", "mkdirat",
    "link", "linkat", "unlink", "unlinkat", "rmdir", "ftruncate", "fallocate", "sendfile", "copy_file_range", "chmod",
    "fchmod",
)  # fmt: skip
REFUSALS = {
    "ENOSPC": ("write", "pwrite64", "writev", "fallocate", "mkdir", "mkdirat", "link", "copy_file_range", "ftruncate"),
    "EIO": ("write", "pwrite64", "fsync", "fdatasync", "rename", "unlink", "unlinkat", "rmdir", "read", "pread64"),
    "EMFILE": ("openat",),
}


def subjects(which: str, root: Path) -> Made:
    """What makes them, each as good as the other, after this process has imported what they import."""
    for folder in (root / "warm", root / "calm"):
        folder.mkdir()
    if which == "service":
        cargo = Cargo.made(root / "cargo")
        import_what_it_imports(Intake(root / "warm", cargo).round, root / "warm")
        return lambda folder: Intake(folder, cargo)
    write_recording(root / "watched/drive")
    import_what_it_imports(Car(root / "warm", root / "watched").round, root / "warm")
    calm = Car(root / "calm", root / "watched")
    assert in_child(calm.round, root / "calm/said") == 0
    return cars(root / "watched", calm)


def calls(subject: Subject, names: tuple[str, ...]) -> dict[str, int]:
    """How often an undisturbed round makes each call, the busiest thread's count."""
    trace, said = subject.root / "trace", subject.root / "said"
    code = in_child(subject.round, said, ("-o", trace, "-e", f"trace={','.join('?' + n for n in names)}"))
    assert code == 0, said.read_text()
    counts = Counter(re.findall(r"^(\d+) +(\w+)\(", trace.read_text(), re.M))
    return {name: max((n for (_, call), n in counts.items() if call == name), default=0) for name in names}


def points(counts: dict[str, int], every: int) -> list[tuple[str, int]]:
    """Every K-th of all calls, those of one name in turn."""
    return [(name, n) for name, count in counts.items() for n in range(1, count + 1)][:: max(every, 1)]


def planned(counts: dict[str, int], every: int, refuse: bool) -> list[tuple[str, str, int]]:
    """Name of the call, what it meets, and which one of that name."""
    if not refuse:
        return [(name, "signal=KILL", n) for name, n in points(counts, every)]
    return [
        (name, f"error={error}", n)
        for error, names in REFUSALS.items()
        for name, n in points({k: counts[k] for k in names}, every)
    ]


def sweep(root: Path, made: Made, every: int, refuse: bool) -> tuple[int, list[str]]:
    """Disturb a round at each point; how many there were, and what went wrong."""
    (root / "counted").mkdir()
    names = tuple(sorted({n for of in REFUSALS.values() for n in of})) if refuse else WRITES
    plan = planned(calls(made(root / "counted"), names), every, refuse)
    wrong: list[str] = []
    for number, (name, what, n) in enumerate(plan):
        folder = root / f"{number}"
        folder.mkdir()
        strace = ("-o", "/dev/null", "-e", f"trace={name}", "-e", f"inject={name}:{what}:when={n}")
        wrong += [f"{name} {n} {what}: {problem}" for problem in disturbed(made(folder), strace, refuse)]
        shutil.rmtree(folder)
    return len(plan), wrong


def disturbed(subject: Subject, strace: tuple[str, ...], refuse: bool) -> list[str]:
    said = subject.root / "said"
    code = in_child(subject.round, said, strace)
    wrong = []
    if code == CRASHED or (not refuse and code != -signal.SIGKILL):
        wrong.append(f"exit code {code}\n{said.read_text()}")
    wrong += subject.torn()
    if in_child(subject.round, said) != 0:
        return [*wrong, f"the next round fails\n{said.read_text()}"]
    return [*wrong, *subject.differences()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("which", choices=("car", "service"))
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--refuse", action="store_true")
    chosen = parser.parse_args()
    need_strace()
    with tempfile.TemporaryDirectory(prefix="swerve-crash-") as folder:
        made = subjects(chosen.which, Path(folder))
        count, wrong = sweep(Path(folder), made, chosen.every, chosen.refuse)
    print(*wrong, f"{chosen.which}: {count} points, {len(wrong)} violations", sep="\n")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
