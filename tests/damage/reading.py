"""What can be read of a recording, told in a few numbers, by a child process with a time limit.

A child, because decoders are C libraries: one that crashes or hangs must fail its case and not stop the rest.
"""

from __future__ import annotations

import multiprocessing
import traceback
import warnings
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

LIMIT_S = 60.0
"""No damage may take longer to read than this; whole, every recording here takes well under a second."""


@dataclass(frozen=True)
class Reading:
    """One drive, by the name of its path.

    `signals` and `cameras`: name to how many samples or frames there are.
    `pictures`: camera and place among its frames to whether a frame was shown at the time it was promised for.
    """

    name: str
    recorder: str
    lost: tuple[str, ...]
    notes: tuple[str, ...]
    signals: dict[str, int]
    cameras: dict[str, int]
    pictures: dict[tuple[str, int], bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Refusal:
    """An error in three parts."""

    got: str
    wanted: str
    todo: str


@dataclass(frozen=True)
class Failure:
    """What no damage may cause: an exception, a crash or a hang, in words."""

    what: str


class Reader:
    """A child process that reads recordings, one after the other; replaced where it dies or does not answer."""

    def __init__(self) -> None:
        self._start()

    def read(self, path: Path) -> list[Reading | Refusal] | Failure:
        """All drives at `path`."""
        self._pipe.send(path)
        if not self._pipe.poll(LIMIT_S):
            self.close()
            self._start()
            return Failure(f"no answer within {LIMIT_S:.0f} s")
        try:
            answer: list[Reading | Refusal] | Failure = self._pipe.recv()
        except EOFError:
            self.close()
            code = self._child.exitcode
            self._start()
            return Failure(f"the process died with exit code {code}")
        return answer

    def close(self) -> None:
        self._child.kill()
        self._child.join()
        self._pipe.close()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._child = context.Process(target=_serve, args=(theirs,), daemon=True)
        self._child.start()
        theirs.close()


def _serve(pipe: Connection) -> None:
    warnings.simplefilter("error")
    warnings.filterwarnings(
        "ignore", "overflow encountered", RuntimeWarning
    )  # of numbers that are said to be too large
    while True:
        path = pipe.recv()
        try:
            pipe.send(read(path))
        except Exception as error:
            where = [f"{Path(f.filename).name}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__)]
            pipe.send(Failure(f"{error!r} ({' '.join(where)})"))


def read(path: Path) -> list[Reading | Refusal]:
    """What `swerve edge inspect` and everything after it would see. Raises what is a defect, and nothing else."""
    from edge.drive import find_drives
    from edge.errors import EdgeError

    try:
        found = find_drives(path)
    except EdgeError as error:
        return [Refusal(error.got, error.wanted, error.todo)]
    answers: list[Reading | Refusal] = []
    for recorder, where in found:
        try:
            answers.append(reading_of(recorder.open(where)))
        except EdgeError as error:
            answers.append(Refusal(error.got, error.wanted, error.todo))
    return answers


def reading_of(drive) -> Reading:  # type: ignore[no-untyped-def]
    from edge.inspect import inspect
    from trigger.detect import detect

    summary = inspect(drive)
    detect(drive.telemetry, drive.vehicle)
    telemetry, pictures = drive.telemetry, {}
    for name, camera in drive.cameras.items():
        times = camera.frame_times()
        assert (np.diff(times) >= 0).all(), f"frames of {name} are not in order of time"
        for place in sorted({0, len(times) // 3, 2 * len(times) // 3, len(times) - 1}) if len(times) else ():
            t_ns = int(times[place])
            shown = next(camera.frames(t_ns, t_ns + 1), None)
            pictures[name, place] = shown is not None and shown[1].to_ndarray(format="gray").size > 0
    return Reading(
        name=drive.source.name,
        recorder=drive.recorder,
        lost=summary.lost,
        notes=summary.notes,
        signals={name: len(telemetry.samples(name)[0]) for name in telemetry},
        cameras={name: len(camera.frame_times()) for name, camera in drive.cameras.items()},
        pictures=pictures,
    )
