"""Examine a policy on the eval split, next to what it must beat, on exactly the same samples.

Slices of the table are those of the family `whole` (`train.evaluation.slices`); `Evaluation.breakdown` goes through
all slices and steps of the horizon, with intervals.

Beside the policy stand: the mean of the training labels; the human-labelled control one second ago (where there is
none the sample is left out, and the policy is measured on the same remainder); other people's predictions for the
same frames; and, asked for, the policy itself on black frames and on frames of other samples, which shows whether it
looks at the road at all.

Every figure is open loop: the policy never drives, so a small error here is needed and not enough.

Shapes: S samples, K steps of the horizon, A controls.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curate.dataset import DatasetVersion
from train.checkpoint import SavedPolicy
from train.clips import open_clips
from train.controls import ControlSpec, labels
from train.errors import EvaluationError
from train.evaluation.answers import BLACK, SHUFFLED, Answers, predict
from train.evaluation.blocks import blocks_of
from train.evaluation.bootstrap import RESAMPLES
from train.evaluation.breakdown import Breakdown, breakdown
from train.evaluation.rare import Rarity, find_rare
from train.evaluation.slices import WHOLE, Slice, find_slices
from train.figures import Figures, figures
from train.reference import Reference
from train.samples import SampleSet, collect

Floats = NDArray[np.float64]
Advance = Callable[[int, int], None]

HORIZON_S = 1.0
"""How old the control is that persistence repeats, in seconds."""


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


@dataclass(frozen=True, repr=False, eq=False)
class Evaluation:
    """Everything the exam found.

    `answers` are the policy's at every step of its horizon; the table is about the present. `same_dataset` is False
    when the policy was trained on another version.
    """

    saved: SavedPolicy
    version: DatasetVersion
    samples: SampleSet
    answers: Answers
    contenders: tuple[Contender, ...]
    rows: tuple[Row, ...]
    rarity: Rarity
    breakdown: Breakdown

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
            "intervals": {"over": self.breakdown.blocks, "level": 0.95, "resamples": RESAMPLES},
            "slices": [asdict(part) for part in self.breakdown.slices],
            "steps": [asdict(step) for step in self.breakdown.steps],
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
    exam = exam_of(version, saved, opening)
    others = [_as_contender(reference, exam) for reference in references]
    passes = ("", BLACK, SHUFFLED) if ablate else ("",)
    total = len(exam) * len(passes)
    answers = [
        predict(saved.policy, exam, how, lambda done, p=place: advance(p * len(exam) + done, total))  # type: ignore[misc]
        for place, how in enumerate(passes)
    ]
    contenders = (
        Contender(saved.name, "policy", answers[0].now),
        Contender("training mean", "baseline", np.tile(np.array(saved.config.mean), (len(exam), 1))),
        Contender(f"{HORIZON_S:g} s ago", "baseline", _persistence(exam)),
        *others,
        *(Contender(how, "ablation", answer.now) for how, answer in zip(passes[1:], answers[1:], strict=True)),
    )
    rarity, rare = find_rare(version, exam)
    slices = find_slices(version, exam, rare)
    parts = breakdown(exam, answers[0], slices, blocks_of(version, exam))
    return Evaluation(saved, version, exam, answers[0], contenders, _table(exam, contenders, slices), rarity, parts)


def exam_of(version: DatasetVersion, saved: SavedPolicy, opening: Advance = lambda done, total: None) -> SampleSet:
    """The samples of the eval split as the policy sees them. Raises SampleError where there is none."""
    config = saved.config
    clips, skipped = open_clips(version, config.view, opening, others=config.others)
    return collect(version, "eval", clips, config.window, ControlSpec(config.controls), skipped, config.horizon)


def _persistence(samples: SampleSet) -> Floats:
    """What the human did one second before each sample; another driver's control is no answer."""
    answers = np.full(samples.controls_now.shape, np.nan)
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
    answers = np.full(samples.controls_now.shape, np.nan)
    answers[:, steering] = np.rad2deg(reference.at(samples.t_ns))
    return Contender(reference.name, "reference", answers)


def _table(samples: SampleSet, contenders: Sequence[Contender], slices: Sequence[Slice]) -> tuple[Row, ...]:
    rows = [
        _row(samples, contender, contenders[0], control, part)
        for contender in contenders
        for control in range(len(samples.spec.names))
        for part in slices
        if part.family == WHOLE
    ]
    # A reference that steers has no line for the pedals.
    return tuple(row for row in rows if row.figures.n or row.kind != "reference")


def _row(samples: SampleSet, who: Contender, policy: Contender, control: int, part: Slice) -> Row:
    chosen = part.weight > 0
    name = samples.spec.names[control]
    unit = samples.spec.unit(name)
    label = samples.controls_now[chosen, control].astype(np.float64)
    answer = who.predicted[chosen, control]
    weight = part.weight[chosen]
    own = np.where(np.isnan(answer), np.nan, policy.predicted[chosen, control])
    missing = int((~np.isnan(label) & np.isnan(answer)).sum())
    return Row(
        who=who.name,
        kind=who.kind,
        control=name,
        unit=unit,
        slice=part.name,
        figures=figures(answer, label, unit, weight),
        policy=figures(own, label, unit, weight),
        missing=missing,
    )
