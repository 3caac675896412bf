"""Samples of one split of a dataset version: a window of frames, and what a human did at its last one.

Rules:
- A sample ends at a frame time t and belongs to the row (the second) that holds t.
- Its T frames lie `stride_s` apart. Each is the frame nearest to the time wanted, never after t, and less than
  0.4 strides off; a nearest frame keeps the spacing even where "the last one before" would jump between
  one and two frames on a clock that jitters.
- No frame of an exam is ever trained on: every frame of the window must lie in a row of the sample's own split,
  and no second of it may stand in another split in any clip of that drive. Nor is a label: a step of the horizon
  that lies in a second which is not the split's own is masked.
- A frame at which no human moved any control is not a sample; it may still be context in a window.
- A clip that cannot be read is left out once, counted and named; the others go on.

The trade-off: the index of all samples is held in memory (about 60 bytes each), pictures stay on disk. It does not
shuffle (`train.order`) or augment (`train.augment`).

Shapes: B samples, V cameras, T frames of a window, C colours, H rows, W columns, K steps of the horizon, A controls,
N frames of a clip, S samples.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from curate.dataset import DatasetVersion
from edge.drive import Drive, open_drive
from edge.errors import DriveError
from train.beside import frames_beside
from train.controls import ControlSpec, find_controls, labels_ahead
from train.errors import SampleError
from train.frames import ClipFrames, View, cached_frames
from train.horizon import Horizon
from train.senses import speed_and_command
from trigger.telemetry import Times

Index = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Window:
    """T frames, the last one at the sample's time and each `stride_s` seconds before the next."""

    frames: int = 3
    stride_s: float = 0.1

    def __post_init__(self) -> None:
        if not (1 <= self.frames <= 64 and 0.0 < self.stride_s <= 10.0):
            raise SampleError(f"{self}", "1 to 64 frames, at most 10 s apart", "choose another window")

    @property
    def tolerance_ns(self) -> int:
        return round(self.stride_s * 1e9 * 0.4)


@dataclass(frozen=True, repr=False, eq=False)
class SourceClip:
    """One clip that is in use: its recording, its pictures and its rows of the version.

    Attributes:
        frames: of the first camera, whose frame times are the samples' times. others: of the further cameras.
    """

    clip_id: str
    drive: Drive
    frames: ClipFrames
    rows: Index
    others: tuple[ClipFrames, ...] = ()


@dataclass(frozen=True, repr=False, eq=False)
class Sample:
    """One sample: frames (T, C, H, W) uint8; controls (K, A) float32, NaN where not a label."""

    frames: torch.Tensor
    controls: torch.Tensor
    weight: float
    clip_id: str
    t_ns: int


@dataclass(frozen=True, repr=False, eq=False)
class Batch:
    """Samples side by side.

    Attributes:
        frames: (B, T, C, H, W) uint8, red green blue; the memory is laid out with C last.
        others: the same of further cameras, each at its own size.
        controls: (B, K, A) float32 in the units of the controls, NaN where not a label.
        weight: (B,) float32, weight of each sample's row.
        speed_mps: (B,) float32, NaN where unknown. command: (B,) int64, see `train.senses.Command`.
    """

    frames: torch.Tensor
    controls: torch.Tensor
    weight: torch.Tensor
    clip_ids: tuple[str, ...]
    speed_mps: torch.Tensor
    command: torch.Tensor
    others: tuple[torch.Tensor, ...] = ()

    @property
    def views(self) -> tuple[torch.Tensor, ...]:
        return (self.frames, *self.others)

    def __repr__(self) -> str:
        return f"Batch(frames {tuple(self.frames.shape)}, controls {tuple(self.controls.shape)})"


@dataclass(frozen=True, repr=False, eq=False)
class SampleSet:
    """All samples of one split, in order of (clip, time).

    Attributes:
        clip: (S,) index into `clips`. frame: (S, V, T) frames of its V cameras. row: (S,) row of `version.rows`.
        t_ns: (S,) time of the last frame. controls: (S, K, A) float32, NaN where not a label.
        speed_mps: (S,) float32, NaN where unknown. command: (S,) int64, see `train.senses.Command`.
        dropped: why frames are no samples, with how many. skipped: clip id to why it is not in use.
    """

    split: str
    spec: ControlSpec
    horizon: Horizon
    clips: tuple[SourceClip, ...]
    clip: Index
    frame: Index
    row: Index
    t_ns: Times
    controls: NDArray[np.float32]
    speed_mps: NDArray[np.float32]
    command: Index
    row_weight: NDArray[np.float64]
    inclusion: NDArray[np.float64]
    dropped: Mapping[str, int]
    skipped: Mapping[str, str]

    def __len__(self) -> int:
        return int(self.t_ns.size)

    def __repr__(self) -> str:
        return f"SampleSet({self.split}: {len(self)} samples of {len(self.clips)} clips, {len(self.skipped)} skipped)"

    @property
    def controls_now(self) -> NDArray[np.float32]:
        """(S, A): the controls at the samples' own times."""
        return self.controls[:, 0]

    def pixels(self, index: int, camera: int = 0) -> NDArray[np.uint8]:
        """(T, H, W, C) uint8."""
        clip = self.clips[self.clip[index]]
        return np.asarray((clip.frames, *clip.others)[camera].pixels[self.frame[index, camera]], np.uint8)

    def sample(self, index: int) -> Sample:
        # T H W C -> T C H W
        frames = torch.from_numpy(self.pixels(index)).permute(0, 3, 1, 2)
        clip = self.clips[self.clip[index]].clip_id
        controls = torch.from_numpy(self.controls[index])
        return Sample(frames, controls, float(self.row_weight[self.row[index]]), clip, int(self.t_ns[index]))

    def batch(self, indices: Sequence[int] | Index) -> Batch:
        picked = np.asarray(indices, np.int64)
        frames, *others = (self._stacked(picked, camera) for camera in range(self.frame.shape[1]))
        return Batch(
            frames=frames,
            others=tuple(others),
            controls=torch.from_numpy(self.controls[picked]),
            weight=torch.from_numpy(self.row_weight[self.row[picked]].astype(np.float32)),
            clip_ids=tuple(self.clips[c].clip_id for c in self.clip[picked]),
            speed_mps=torch.from_numpy(self.speed_mps[picked]),
            command=torch.from_numpy(self.command[picked]),
        )

    def _stacked(self, picked: Index, camera: int) -> torch.Tensor:
        stacked = torch.from_numpy(np.stack([self.pixels(int(i), camera) for i in picked]))
        # B T H W C -> B T C H W, a view
        return stacked.permute(0, 1, 4, 2, 3)


def open_clips(
    version: DatasetVersion,
    view: View,
    advance: Callable[[int, int], None] = lambda done, total: None,
    cache: Path | None = None,
    others: Sequence[View] = (),
) -> tuple[tuple[SourceClip, ...], dict[str, str]]:
    """Every clip of the version that can be used, and why the others cannot.

    Args:
        advance: told how many clips are open, of how many; decoding one for the first time takes a while.
        cache: where decoded frames are kept; `<store>/cache/frames` unless told.
        others: views of further cameras; a clip that lacks one of them is left out.
    """
    cache = cache or version.store / "cache" / "frames"
    rows_of = _rows_by_clip(version)
    clips: list[SourceClip] = []
    skipped: dict[str, str] = {}
    for done, clip_id in enumerate(sorted(rows_of)):
        advance(done, len(rows_of))
        try:
            drive = open_drive(version.clip_folder(clip_id))
            frames, *beside = (cached_frames(drive, each, cache) for each in (view, *others))
        except (DriveError, SampleError) as problem:
            skipped[clip_id] = problem.got
            continue
        clips.append(SourceClip(clip_id, drive, frames, rows_of[clip_id], tuple(beside)))
    return tuple(clips), skipped


def _rows_by_clip(version: DatasetVersion) -> dict[str, Index]:
    names, place = np.unique(np.array(version.rows.column("clip_id").to_pylist()), return_inverse=True)
    order = np.argsort(place, kind="stable")
    ends = np.cumsum(np.bincount(place, minlength=names.size))[:-1]
    return dict(zip(names.tolist(), np.split(order, ends), strict=True))


def collect(
    version: DatasetVersion,
    split: str,
    clips: Sequence[SourceClip],
    window: Window,
    spec: ControlSpec | None = None,
    skipped: Mapping[str, str] | None = None,
    horizon: Horizon = Horizon(),  # noqa: B008 - frozen
) -> SampleSet:
    """The samples of `split`.

    Args:
        spec: the controls wanted; those that the split has labels of, unless told.

    Raises:
        SampleError: no sample is left; the message counts why.
    """
    rows = _read_rows(version, split)
    used = [clip for clip in clips if bool(rows.own[clip.rows].any())]
    wanted = spec or find_controls(clip.drive.telemetry for clip in used)
    dropped: Counter[str] = Counter()
    parts = [_clip_samples(number, clip, rows, window, horizon, wanted, dropped) for number, clip in enumerate(used)]
    if not sum(len(part["t_ns"]) for part in parts):
        raise _nothing(version, split, dropped, skipped or {})
    joined = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    if spec is None:
        # A human may have moved a control only where there is no sample: nothing can be learned of it.
        known = ~np.isnan(joined["controls"]).all(axis=(0, 1))
        wanted = ControlSpec(tuple(name for name, is_known in zip(wanted.names, known, strict=True) if is_known))
        joined["controls"] = joined["controls"][..., known]
    return SampleSet(
        split=split,
        spec=wanted,
        horizon=horizon,
        clips=tuple(used),
        row_weight=rows.weight,
        inclusion=rows.inclusion,
        dropped=dict(dropped),
        skipped=dict(skipped or {}),
        **joined,
    )


def window_frames(t_ns: Times, window: Window) -> tuple[Index, Flags]:
    """For each frame as the last one, the frames of its window and whether all of them exist.

    Args:
        t_ns: (N,) int64 ns, increasing.

    Returns:
        (N, T) int64 indices, oldest first, and (N,) bool.
    """
    ages = np.arange(window.frames - 1, -1, -1) * round(window.stride_s * 1e9)
    wanted = t_ns[:, None] - ages[None, :]
    right = np.minimum(np.searchsorted(t_ns, wanted), len(t_ns) - 1)
    left = np.maximum(right - 1, 0)
    nearest = np.where(wanted - t_ns[left] <= t_ns[right] - wanted, left, right)
    nearest = np.minimum(nearest, np.arange(len(t_ns))[:, None])
    nearest[:, -1] = np.arange(len(t_ns))
    whole: Flags = np.all(np.abs(t_ns[nearest] - wanted) < window.tolerance_ns, axis=1)
    # Two places of a window that share one frame would tell the policy that nothing moved.
    whole &= np.all(np.diff(nearest, axis=1) > 0, axis=1)
    return nearest.astype(np.int64), whole


def _clip_samples(
    number: int,
    clip: SourceClip,
    rows: _Rows,
    window: Window,
    horizon: Horizon,
    spec: ControlSpec,
    dropped: Counter[str],
) -> dict[str, NDArray[Any]]:
    t_ns = clip.frames.t_ns
    row, mine = _row_of(t_ns, clip.rows, rows), _own_seconds(t_ns, clip.rows, rows)
    frame, whole = window_frames(t_ns, window)
    pure = mine[frame].all(axis=1)
    frames = [frame]
    for other in clip.others:
        beside, found = frames_beside(t_ns[frame], other.t_ns, window.tolerance_ns)
        whole &= found
        pure &= _own_seconds(other.t_ns, clip.rows, rows)[beside].all(axis=1)
        frames.append(beside)
    controls = labels_ahead(clip.drive.telemetry, spec, t_ns, horizon)
    controls[~_own_seconds(horizon.times(t_ns), clip.rows, rows)] = np.nan
    labelled = ~np.isnan(controls[:, 0]).all(axis=1)
    speed_mps, command = speed_and_command(clip.drive.telemetry, t_ns)
    keep = mine & whole & pure & labelled
    dropped["window not whole"] += int((mine & ~whole).sum())
    dropped["window reaches into another split"] += int((mine & whole & ~pure).sum())
    dropped["no human control"] += int((mine & whole & pure & ~labelled).sum())
    return {
        "clip": np.full(int(keep.sum()), number, np.int64),
        "frame": np.stack(frames, axis=1)[keep],
        "row": row[keep],
        "t_ns": t_ns[keep],
        "controls": controls[keep].astype(np.float32),
        "speed_mps": speed_mps[keep].astype(np.float32),
        "command": command[keep],
    }


def _own_seconds(t_ns: Times, clip_rows: Index, rows: _Rows) -> Flags:
    """Which times lie in a row of the clip that is the split's alone; the shape of `t_ns`."""
    row = _row_of(t_ns, clip_rows, rows)
    return (row >= 0) & rows.own[row]


def _row_of(t_ns: Times, clip_rows: Index, rows: _Rows) -> Index:
    """The row that holds each time, -1 where none does."""
    ordered = clip_rows[np.argsort(rows.start_ns[clip_rows], kind="stable")]
    place = np.searchsorted(rows.start_ns[ordered], t_ns, side="right") - 1
    row = ordered[np.maximum(place, 0)]
    return np.where((place >= 0) & (t_ns < rows.end_ns[row]), row, -1)


@dataclass(frozen=True, repr=False, eq=False)
class _Rows:
    """The columns of a version's rows that samples need, and which rows are the split's alone."""

    start_ns: Times
    end_ns: Times
    weight: NDArray[np.float64]
    inclusion: NDArray[np.float64]
    own: Flags


def _read_rows(version: DatasetVersion, split: str) -> _Rows:
    table = version.rows
    start_ns, end_ns, weight, inclusion = (
        table.column(name).to_numpy() for name in ("start_ns", "end_ns", "weight", "inclusion_probability")
    )
    splits = table.column("split").to_pylist()
    seconds = list(zip(table.column("drive_id").to_pylist(), start_ns.tolist(), strict=True))
    elsewhere = {second for second, other in zip(seconds, splits, strict=True) if other != split}
    own = [mine == split and second not in elsewhere for second, mine in zip(seconds, splits, strict=True)]
    return _Rows(start_ns, end_ns, weight, inclusion, np.array(own, np.bool_))


def _nothing(
    version: DatasetVersion, split: str, dropped: Mapping[str, int], skipped: Mapping[str, str]
) -> SampleError:
    counts = [f"{count} frames: {why}" for why, count in dropped.items() if count]
    if skipped:
        counts.append(f"{len(skipped)} clips cannot be read, the first: {next(iter(skipped.values()))}")
    return SampleError(
        f"no sample in the {split} split of {version.name} ({'; '.join(counts) or 'no row of that split'})",
        "frames at which a human is known to drive",
        "add drives with human control, or look at the split with: swerve curate versions",
    )
