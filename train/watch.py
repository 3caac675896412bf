"""Watch a policy beside the driver: the drive's video with two steering wheels, pedal bars and events drawn on it.

Rules:
- The driver's wheel is green where a human is known to hold it and grey where a system does or nobody can say; the
  policy's is orange. A bar each for gas and brake, where either side has them.
- The policy predicts from the frames it would have had: the window ending at the frame shown. Frames before the
  first whole window are drawn without a prediction.
- Every frame of the source appears once, at its own time.

The trade-off: the picture is encoded again, because it is drawn on. It predicts only: nothing that is drawn here
moves a car, and the next frame is what the driver did, not what the policy would have done.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from edge.drive import Drive
from edge.video.encode import Encoding, encode
from train.checkpoint import SavedPolicy
from train.controls import ControlSpec, labels, source_of
from train.draw import HUMAN, POLICY, SYSTEM, WHITE, Dial, banner, panel, text
from train.errors import EvaluationError
from train.frames import Eye, Pixels, camera_name
from train.senses import speed_and_command
from train.window import window_frames
from trigger.baseline import KIND as BASELINE
from trigger.detect import detect
from trigger.event import Event
from trigger.signals import SOURCE_AGE_S, ControlSource

MIN_WIDTH, MAX_WIDTH = 640, 1280
NEAR_S = 1.5
"""An event is announced from this long before its onset until this long after its end, in seconds."""
FRESH_S = 0.2
"""A system-driven control older than this, in seconds, is not shown."""
MAX_KINDS = 2


@dataclass(frozen=True)
class Watched:
    """What was written: frames in all, and how many of them show a prediction."""

    path: Path
    frames: int
    predicted: int
    seconds: float


def watch(
    drive: Drive,
    saved: SavedPolicy,
    out: Path,
    events: Sequence[Event] | None = None,
    start_s: float = 0.0,
    seconds: float | None = None,
    advance: Callable[[int, int], None] = lambda done, total: None,
) -> Watched:
    """Write an MP4 of the drive with the driver's and the policy's controls on it.

    Args:
        events: to announce; those of the clip's manifest unless told, or what the triggers find in the drive.
        start_s, seconds: which part, from the first frame on; all of it unless told.
        advance: told how many frames are done, of how many.

    Raises:
        EvaluationError: no frame in that part, or a policy of several cameras. SampleError: no camera.
        DriveError: the video cannot be read.
    """
    view, window = saved.config.view, saved.config.window
    if saved.config.others:
        raise EvaluationError(
            f"{saved.name} sees {len(saved.config.views)} cameras", "a policy of one camera", "watch another policy"
        )
    camera = drive.cameras[camera_name(drive, view)]
    times = camera.frame_times()
    first_ns = (int(times[0]) if times.size else 0) + round(start_s * 1e9)
    end_ns = 1 << 62 if seconds is None else first_ns + round(seconds * 1e9)
    shown = int(((times >= first_ns) & (times < end_ns)).sum())
    if not shown:
        raise EvaluationError(
            f"no frame of {drive.source} from {start_s:g} s on", "at least one frame", "choose another --start"
        )
    painter = _Painter(drive, saved, _events(drive) if events is None else events)
    # The policy's window reaches back before the first frame shown.
    back_ns = first_ns - round(window.frames * window.stride_s * 1e9)
    done = 0

    def painted() -> Iterator[tuple[int, Pixels]]:
        nonlocal done
        for t_ns, frame in camera.frames(back_ns, end_ns):
            picture = painter.see(t_ns, painter.eye.rgb(frame))
            if t_ns >= first_ns:
                done += 1
                advance(done, shown)
                yield t_ns, painter.paint(picture, t_ns, first_ns - round(start_s * 1e9))

    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = out.with_name(f".swerve-{out.name}")
    try:
        encode(temporary, painted(), Encoding(crf=22))
        temporary.replace(out)
    finally:
        temporary.unlink(missing_ok=True)
    return Watched(out, done, painter.predicted, float(times[-1] - first_ns) / 1e9 if seconds is None else seconds)


def _events(drive: Drive) -> Sequence[Event]:
    """What a clip was cut for, or what the triggers find in a whole drive; the random baseline is no event."""
    found = drive.cut.events if drive.cut else detect(drive.telemetry, drive.vehicle).events
    return [event for event in found if event.kind != BASELINE]


class _Painter:
    """Keeps the policy's window as frames come, and draws both sides on each."""

    def __init__(self, drive: Drive, saved: SavedPolicy, events: Sequence[Event]) -> None:
        self.telemetry, self.saved, self.events = drive.telemetry, saved, events
        self.eye = Eye(saved.config.view)
        self.spec = ControlSpec(saved.config.controls)
        self.seen: deque[tuple[int, Pixels]] = deque()
        self.span_ns = round(saved.config.window.frames * saved.config.window.stride_s * 1e9)
        self.answer: list[float] | None = None
        self.predicted = 0

    def see(self, t_ns: int, picture: Pixels) -> Pixels:
        """Take in a frame; the picture comes back at the size it will be shown."""
        self.seen.append((t_ns, self.eye.look(picture)))
        while self.seen[0][0] < t_ns - self.span_ns:
            self.seen.popleft()
        return _scaled(picture)

    def paint(self, picture: Pixels, t_ns: int, zero_ns: int) -> Pixels:
        self.answer = self._predict()
        self.predicted += self.answer is not None
        panel(picture, self._dials(t_ns))
        near = (e for e in self.events if e.t_ns - NEAR_S * 1e9 <= t_ns <= e.end_ns + NEAR_S * 1e9)
        kinds = list(dict.fromkeys(event.kind.replace("_", " ") for event in near))
        if kinds:
            banner(picture, ", ".join(kinds[:MAX_KINDS]))
        size = picture.shape[1] * 0.022
        text(picture, f"{(t_ns - zero_ns) / 1e9:6.2f} s", (size * 0.7, size * 1.5), size, WHITE)
        return picture

    def _predict(self) -> list[float] | None:
        t_ns = np.array([t for t, _ in self.seen], np.int64)
        frame, whole = window_frames(t_ns, self.saved.config.window)
        if not whole[-1]:
            return None
        stacked = np.stack([self.seen[int(i)][1] for i in frame[-1]])
        # T H W C -> 1 T C H W
        frames: Tensor = torch.from_numpy(stacked).permute(0, 3, 1, 2)[None]
        speed_mps, command = map(torch.from_numpy, speed_and_command(self.telemetry, t_ns[-1:]))
        with torch.inference_mode():
            policy = self.saved.policy
            return [float(v) for v in policy.to_units(policy(frames, (), speed_mps.float(), command)).mean[0, 0]]

    def _dials(self, t_ns: int) -> dict[str, list[Dial]]:
        """For each control the driver's dial and the policy's."""
        at = np.array([t_ns], np.int64)
        human = labels(self.telemetry, self.spec, at)[0]
        dials: dict[str, list[Dial]] = {}
        for index, name in enumerate(self.spec.names):
            value = float(human[index])
            colour, who = HUMAN, "driver"
            if np.isnan(value):
                value, colour, who = float(self.telemetry.at(name, at, FRESH_S)[0]), SYSTEM, self._who(name, at)
            mine = None if self.answer is None else self.answer[index]
            dials[name] = [Dial(None if np.isnan(value) else value, colour, who), Dial(mine, POLICY, "policy")]
        return dials

    def _who(self, name: str, at: np.ndarray[tuple[int], np.dtype[np.int64]]) -> str:
        source = self.telemetry.at(source_of(name), at, SOURCE_AGE_S)[0]
        return "driver" if source == ControlSource.HUMAN else "system" if source == ControlSource.SYSTEM else "unknown"


def _scaled(picture: Pixels) -> Pixels:
    """At least `MIN_WIDTH` and at most `MAX_WIDTH` pixels wide, even sides, as its own memory."""
    height, width = picture.shape[:2]
    wide = min(max(width, MIN_WIDTH), MAX_WIDTH) // 2 * 2
    tall = round(height * wide / width / 2) * 2
    if (wide, tall) == (width, height):
        return np.ascontiguousarray(picture).copy()
    kind = cv2.INTER_AREA if wide < width else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (wide, tall), interpolation=kind), np.uint8)
