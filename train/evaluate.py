"""Examine a policy on the eval split, next to what it must beat, on exactly the same samples.

Slices:
- `all`       every eval sample.
- `rare`      samples of a second with an event other than "baseline", or whose rarity factor lies above the 90th
              percentile of the eval rows. Where more than a tenth share the greatest factor, rarity says nothing
              and only events count; the numbers of seconds by either reason are given.
- `ordinary`  the rest.
- `natural`   all, each second weighted by 1 / inclusion probability: what the error would be on everything that was
              driven, had it all been kept.

Beside the policy stand: the mean of the training labels; the human-labelled control one second ago (where there is
none the sample is left out, and the policy is measured on the same remainder); other people's predictions for the
same frames; and, asked for, the policy itself on black frames and on frames of other samples, which shows whether it
looks at the road at all.

Every figure is open loop: the policy never drives, so a small error here is needed and not enough.

Shapes: S samples, A controls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from curate.dataset import DatasetVersion
from train.checkpoint import SavedPolicy
from train.controls import ControlSpec, labels
from train.errors import EvaluationError
from train.figures import Figures, figures
from train.order import generator, spread
from train.policy import Policy
from train.reference import Reference
from train.samples import SampleSet, collect, open_clips

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Advance = Callable[[int, int], None]

HORIZON_S = 1.0
"""How old the control is that persistence repeats, in seconds."""
RARE_PERCENTILE = 90.0
BATCH = 64
SLICES = ("all", "rare", "ordinary", "natural")


@dataclass(frozen=True, repr=False, eq=False)
class Contender:
    """Someone's answers: (S, A) in the units of the controls, NaN where there is none."""

    name: str
    kind: str
    predicted: Floats


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        kind: policy, baseline, reference or ablation.
        figures: of `who`. policy: of the policy on the samples that `who` answers.
        missing: labelled samples that `who` does not answer.
    """

    who: str
    kind: str
    control: str
    unit: str
    slice: str
    figures: Figures
    policy: Figures
    missing: int


@dataclass(frozen=True)
class Rarity:
    """Which eval seconds count as rare, and by which reason."""

    seconds: int
    rare_seconds: int
    by_event: int
    by_rarity: int
    rarity_above: float


@dataclass(frozen=True, repr=False, eq=False)
class Evaluation:
    """Everything the exam found. `same_dataset` is False when the policy was trained on another version."""

    saved: SavedPolicy
    version: DatasetVersion
    samples: SampleSet
    contenders: tuple[Contender, ...]
    rows: tuple[Row, ...]
    rarity: Rarity
    rare: Flags

    @property
    def predicted(self) -> Floats:
        return self.contenders[0].predicted

    @property
    def same_dataset(self) -> bool:
        return bool(self.saved.about.get("dataset") == self.version.digest)

    def to_json(self) -> dict[str, Any]:
        return {
            "policy": str(self.saved.folder),
            "dataset": self.version.digest,
            "version": self.version.name,
            "trained_on_this_dataset": self.same_dataset,
            "controls": list(self.samples.spec.names),
            "samples": len(self.samples),
            "clips": len(self.samples.clips),
            "dropped": dict(self.samples.dropped),
            "skipped": dict(self.samples.skipped),
            "rare": asdict(self.rarity),
            "horizon_s": HORIZON_S,
            "rows": [asdict(row) for row in self.rows],
        }


def evaluate(
    version: DatasetVersion,
    saved: SavedPolicy,
    references: Sequence[Reference] = (),
    ablate: bool = False,
    advance: Advance = lambda done, total: None,
    opening: Advance = lambda done, total: None,
) -> Evaluation:
    """Examine `saved` on the eval split of `version`.

    Args:
        advance: told how many predictions are done, of how many. opening: the same of clips, before that.

    Raises:
        SampleError: the eval split has no sample. EvaluationError: references where there is no steering in degrees.
    """
    config = saved.config
    clips, skipped = open_clips(version, config.view, opening)
    exam = collect(version, "eval", clips, config.window, ControlSpec(config.controls), skipped)
    others = [_as_contender(reference, exam) for reference in references]
    passes = ("", "black frames", "shuffled frames") if ablate else ("",)
    total = len(exam) * len(passes)
    answers = [
        predict(saved.policy, exam, how, lambda done, p=place: advance(p * len(exam) + done, total))  # type: ignore[misc]
        for place, how in enumerate(passes)
    ]
    contenders = (
        Contender(saved.name, "policy", answers[0]),
        Contender("training mean", "baseline", np.tile(np.array(config.mean), (len(exam), 1))),
        Contender(f"{HORIZON_S:g} s ago", "baseline", _persistence(exam)),
        *others,
        *(Contender(how, "ablation", answer) for how, answer in zip(passes[1:], answers[1:], strict=True)),
    )
    rarity, rare = find_rare(version, exam)
    return Evaluation(saved, version, exam, contenders, _table(exam, contenders, rare), rarity, rare)


def predict(
    policy: Policy, samples: SampleSet, how: str = "", advance: Callable[[int], None] = lambda done: None
) -> Floats:
    """The policy's answers, (S, A) in the units of the controls.

    Args:
        how: "" for the frames as they are, "black frames", or "shuffled frames" (those of other samples).
    """
    source = np.arange(len(samples))
    if how == "shuffled frames":
        source = generator("shuffled frames", len(samples), 0).permutation(source)
    answers: list[Tensor] = []
    with torch.inference_mode():
        for start in range(0, len(samples), BATCH):
            frames = samples.batch(source[start : start + BATCH]).frames
            frames = torch.zeros_like(frames) if how == "black frames" else frames
            answers.append(policy.to_units(policy(frames)))
            advance(min(start + BATCH, len(samples)))
    return torch.cat(answers).numpy().astype(np.float64)


def find_rare(version: DatasetVersion, samples: SampleSet) -> tuple[Rarity, Flags]:
    """Which samples lie in a rare second, (S,) bool, and the account of it over the seconds examined."""
    factor = version.rows.column("rarity_factor").to_numpy()
    events = version.rows.column("events").to_pylist()
    eval_rows = np.array(version.rows.column("split").to_pylist(), dtype=object) == "eval"
    above = float(np.percentile(factor[eval_rows], RARE_PERCENTILE))
    by_event = np.array([bool(set(kinds or ()) - {"baseline"}) for kinds in events])
    by_rarity = factor > above
    seconds = np.unique(samples.row)
    rare = by_event | by_rarity
    total, events_only, rarity_only = (int(flags[seconds].sum()) for flags in (rare, by_event, by_rarity))
    account = Rarity(int(seconds.size), total, events_only, rarity_only, above)
    return account, np.asarray(rare[samples.row], np.bool_)


def _persistence(samples: SampleSet) -> Floats:
    """What the human did one second before each sample; another driver's control is no answer."""
    answers = np.full(samples.controls.shape, np.nan)
    before = samples.t_ns - round(HORIZON_S * 1e9)
    for number, clip in enumerate(samples.clips):
        own = samples.clip == number
        answers[own] = labels(clip.drive.telemetry, samples.spec, before[own])
    return answers


def _as_contender(reference: Reference, samples: SampleSet) -> Contender:
    steering = samples.spec.steering
    if steering is None or samples.spec.unit(samples.spec.names[steering]) != "deg":
        raise EvaluationError(
            f"the reference {reference.name} beside a policy of {', '.join(samples.spec.names)}",
            "a policy that steers in degrees",
            "leave --reference out",
        )
    answers = np.full(samples.controls.shape, np.nan)
    answers[:, steering] = np.rad2deg(reference.at(samples.t_ns))
    return Contender(reference.name, "reference", answers)


def _table(samples: SampleSet, contenders: Sequence[Contender], rare: Flags) -> tuple[Row, ...]:
    importance = spread(samples.row, 1.0 / samples.inclusion)
    slices: Mapping[str, tuple[Flags, Floats | None]] = {
        "all": (np.ones(len(samples), np.bool_), None),
        "rare": (rare, None),
        "ordinary": (~rare, None),
        "natural": (np.ones(len(samples), np.bool_), importance),
    }
    rows = [
        _row(samples, contender, contenders[0], control, part, *slices[part])
        for contender in contenders
        for control in range(len(samples.spec.names))
        for part in SLICES
    ]
    # A reference that steers has no line for the pedals.
    return tuple(row for row in rows if row.figures.n or row.kind != "reference")


def _row(
    samples: SampleSet, who: Contender, policy: Contender, control: int, part: str, chosen: Flags, weight: Floats | None
) -> Row:
    name = samples.spec.names[control]
    unit = samples.spec.unit(name)
    label = samples.controls[chosen, control].astype(np.float64)
    answer = who.predicted[chosen, control]
    weight = None if weight is None else weight[chosen]
    own = np.where(np.isnan(answer), np.nan, policy.predicted[chosen, control])
    missing = int((~np.isnan(label) & np.isnan(answer)).sum())
    return Row(
        who=who.name,
        kind=who.kind,
        control=name,
        unit=unit,
        slice=part,
        figures=figures(answer, label, unit, weight),
        policy=figures(own, label, unit, weight),
        missing=missing,
    )
