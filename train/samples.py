"""Samples of one split of a dataset version: a window of frames, and what a human did at its last one.

Rules:
- A sample ends at a frame time t and belongs to the row (the second) that holds t; its frames are those of
  `train.window`.
- No frame of an exam is ever trained on: every frame of the window must lie in a row of the sample's own split,
  and no second of it may stand in another split in any clip of that drive. Nor is a label: a step of the horizon
  that lies in a second which is not the split's own is masked.
- A frame at which no human moved any control is not a sample; it may still be context in a window.

The trade-off: the index of all samples is held in memory (about 60 bytes each), pictures stay on disk. It does not
shuffle (`train.order`) or augment (`train.augment`).

Shapes: B samples, V cameras, T frames of a window, C colours, H rows, W columns, K steps of the horizon, A controls,
N frames of a clip, S samples.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from curate.dataset import DatasetVersion
from train.beside import frames_beside
from train.clips import SourceClip
from train.controls import ControlSpec, find_controls, labels_ahead
from train.errors import SampleError
from train.horizon import Horizon
from train.perspective import Geometry
from train.rows import Index, SplitRows, rows_of_split
from train.senses import speed_and_command
from train.window import Window, window_frames
from trigger.telemetry import Times


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
        geometry: of each sample's cameras, None where it is not known of all of them; (B,).
    """

    frames: torch.Tensor
    controls: torch.Tensor
    weight: torch.Tensor
    clip_ids: tuple[str, ...]
    speed_mps: torch.Tensor
    command: torch.Tensor
    geometry: tuple[tuple[Geometry, ...] | None, ...]
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
        return np.asarray(self._windows(np.array([index]), camera)[0], np.uint8)

    def sample(self, index: int) -> Sample:
        # T H W C -> T C H W
        frames = torch.from_numpy(self.pixels(index)).permute(0, 3, 1, 2)
        clip = self.clips[self.clip[index]].clip_id
        controls = torch.from_numpy(self.controls[index])
        return Sample(frames, controls, float(self.row_weight[self.row[index]]), clip, int(self.t_ns[index]))

    def batch(self, indices: Sequence[int] | Index) -> Batch:
        picked = np.asarray(indices, np.int64)
        clips = [self.clips[clip] for clip in self.clip[picked]]
        stacked = [torch.from_numpy(self._windows(picked, camera)) for camera in range(self.frame.shape[1])]
        # B T H W C -> B T C H W, views
        frames, *others = (windows.permute(0, 1, 4, 2, 3) for windows in stacked)
        return Batch(
            frames=frames,
            others=tuple(others),
            controls=torch.from_numpy(self.controls[picked]),
            weight=torch.from_numpy(self.row_weight[self.row[picked]].astype(np.float32)),
            clip_ids=tuple(clip.clip_id for clip in clips),
            geometry=tuple(clip.geometry for clip in clips),
            speed_mps=torch.from_numpy(self.speed_mps[picked]),
            command=torch.from_numpy(self.command[picked]),
        )

    def _windows(self, picked: Index, camera: int) -> NDArray[np.uint8]:
        """(B, T, H, W, C) of one camera."""
        views = [self.clips[clip].cameras[camera] for clip in self.clip[picked]]
        windows = np.empty((len(picked), self.frame.shape[2], *views[0].shape), np.uint8)
        for view, frame, place in zip(views, self.frame[picked, camera], windows, strict=True):
            view.take(frame, place)
        return windows


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
    rows = rows_of_split(version, split)
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


def _clip_samples(
    number: int,
    clip: SourceClip,
    rows: SplitRows,
    window: Window,
    horizon: Horizon,
    spec: ControlSpec,
    dropped: Counter[str],
) -> dict[str, NDArray[Any]]:
    t_ns = clip.frames.t_ns
    row, mine = rows.row_of(t_ns, clip.rows), rows.owns(t_ns, clip.rows)
    frame, whole = window_frames(t_ns, window)
    pure = mine[frame].all(axis=1)
    frames = [frame]
    for other in clip.others:
        beside, found = frames_beside(t_ns[frame], other.t_ns, window.tolerance_ns)
        whole &= found
        pure &= rows.owns(other.t_ns, clip.rows)[beside].all(axis=1)
        frames.append(beside)
    controls = labels_ahead(clip.drive.telemetry, spec, t_ns, horizon)
    controls[~rows.owns(horizon.times(t_ns), clip.rows)] = np.nan
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
