"""Two policies on the same exam: which is better, by how much, where, and can that be told at all.

- Samples are those that both policies have (by clip and time), controls those that both answer; the present step.
- `train.compare` is asked of every slice (`train.evaluation.slices`). All samples are the question; the slices are
  further ones, and their p values are corrected for how many there are (Holm), so that many slices do not make a find.

It is open loop, as every exam here: which policy drives better is not told.

Shapes: S samples, A controls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curate.dataset import DatasetVersion
from train.checkpoint import SavedPolicy
from train.compare import BETTER, SAME, TOO_FEW, UNTOLD, WORSE, Ratio, compare, verdict
from train.controls import ControlSpec
from train.errors import EvaluationError
from train.evaluate import exam_of
from train.evaluation.answers import predict
from train.evaluation.blocks import Blocks, blocks_of
from train.evaluation.rare import find_rare
from train.evaluation.signflip import holm
from train.evaluation.slices import ALL, WHOLE, Slice, find_slices
from train.samples import SampleSet
from train.seen import seen_by

Floats = NDArray[np.float64]
Index = NDArray[np.int64]
Advance = Callable[[int, int], None]


@dataclass(frozen=True)
class Line:
    """One control in one slice. `p` is corrected where it is not of all samples; `verdict` says it in words."""

    control: str
    unit: str
    family: str
    slice: str
    ratio: Ratio
    p: float | None
    verdict: str


@dataclass(frozen=True)
class Comparison:
    """`a` is the candidate, `b` the baseline.

    Attributes:
        only_a, only_b: samples that the other one lacks. notes: what the comparison suffers from, in words.
    """

    a: str
    b: str
    version: str
    dataset: str
    samples: int
    only_a: int
    only_b: int
    blocks: str
    notes: tuple[str, ...]
    lines: tuple[Line, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def compare_policies(
    version: DatasetVersion,
    a: SavedPolicy,
    b: SavedPolicy,
    advance: Advance = lambda done, total: None,
    opening: Advance = lambda done, total: None,
) -> Comparison:
    """Compare two policies on the eval split of `version`.

    Raises:
        EvaluationError: no control or no sample in common. SampleError: the eval split has no sample for one of them.
    """
    names = _controls_of_both(a, b)
    exams = [exam_of(version, saved, opening) for saved in (a, b)]
    first, second = (_only(exam, own) for exam, own in zip(exams, common(*exams), strict=True))
    if not len(first):
        raise EvaluationError(
            f"{a.name} and {b.name} have no sample of {version.name} in common",
            "frames of the same camera",
            "compare policies that look through the same first camera",
        )
    total = 2 * len(first)
    of_a = _answers(a, first, names, lambda done: advance(done, total))
    of_b = _answers(b, second, names, lambda done: advance(len(first) + done, total))
    label = first.controls_now[:, [first.spec.names.index(name) for name in names]].astype(np.float64)
    blocks = blocks_of(version, first)
    slices = find_slices(version, first, find_rare(version, first)[1])
    return Comparison(
        a=a.name,
        b=b.name,
        version=version.name,
        dataset=version.digest,
        samples=len(first),
        only_a=len(exams[0]) - len(first),
        only_b=len(exams[1]) - len(first),
        blocks=blocks.words,
        notes=(*_unfair(version, a, first.row), *_unfair(version, b, first.row), *_left_out(exams)),
        lines=lines(ControlSpec(names), of_a, of_b, label, slices, blocks),
    )


def _controls_of_both(a: SavedPolicy, b: SavedPolicy) -> tuple[str, ...]:
    names = tuple(name for name in a.config.controls if name in b.config.controls)
    if not names:
        raise EvaluationError(
            f"{a.name} answers {', '.join(a.config.controls)}, {b.name} {', '.join(b.config.controls)}",
            "a control that both answer",
            "compare policies of the same controls",
        )
    return names


def _only(samples: SampleSet, own: Index) -> SampleSet:
    """Some of the samples, in the order given."""
    arrays = ("clip", "frame", "row", "t_ns", "controls", "speed_mps", "command")
    return replace(samples, **{name: getattr(samples, name)[own] for name in arrays})


def common(first: SampleSet, second: SampleSet) -> tuple[Index, Index]:
    """Samples of the same clip and time, as indices into either, in the order of the first."""
    place = {key: index for index, key in enumerate(_keys(second))}
    pairs = [(index, place[key]) for index, key in enumerate(_keys(first)) if key in place]
    found = np.array(pairs, np.int64).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def lines(
    spec: ControlSpec, of_a: Floats, of_b: Floats, label: Floats, slices: Sequence[Slice], blocks: Blocks
) -> tuple[Line, ...]:
    """Each control in each slice; answers and labels are (S, A)."""
    found = [compare(of_a, of_b, label, blocks.of, part.weight) for part in slices]
    made = []
    for place, name in enumerate(spec.names):
        ratios = [ratio[place] for ratio in found]
        asked = [(part.family, part.name) == (WHOLE, ALL) for part in slices]
        others = holm([None if first else ratio.p for first, ratio in zip(asked, ratios, strict=True)])
        corrected = [ratio.p if first else other for first, ratio, other in zip(asked, ratios, others, strict=True)]
        made += [
            Line(name, spec.unit(name), part.family, part.name, ratio, p, verdict(ratio, p))
            for part, ratio, p in zip(slices, ratios, corrected, strict=True)
        ]
    return tuple(made)


def in_words(found: Comparison) -> list[str]:
    """The result of each control on all samples, and the slices that stand out from no difference."""
    told = []
    for line in (each for each in found.lines if (each.family, each.slice) == (WHOLE, ALL)):
        others = [each for each in found.lines if each.control == line.control and each is not line]
        told.append(f"{line.control}: {_sentence(found, line)}")
        for word in (BETTER, WORSE):
            where = [f"{each.family} {each.slice}" for each in others if each.verdict == word]
            if where:
                told.append(f"{line.control}: {found.a} is {word} in: {', '.join(where)}")
    return told


def _sentence(found: Comparison, line: Line) -> str:
    ratio = line.ratio
    if line.verdict == SAME:
        return f"{found.a} and {found.b} err the same"
    if line.verdict == TOO_FEW:
        return f"too few blocks to tell ({ratio.blocks})"
    if ratio.value is None:
        return f"{found.b} makes no error at all"
    size = f"RMSE ratio {ratio.value**0.5:.3f}"
    if ratio.low is not None and ratio.high is not None:
        size += f", 95 % interval {ratio.low**0.5:.3f} to {ratio.high**0.5:.3f}"
    size += f"; p = {line.p:.2g}"
    if line.verdict == UNTOLD:
        return f"no difference between {found.a} and {found.b} can be told ({size})"
    return f"{found.a} errs {'less' if line.verdict == 'better' else 'more'} than {found.b} ({size})"


def _unfair(version: DatasetVersion, saved: SavedPolicy, row: Index) -> Iterator[str]:
    rows = version.rows.take(np.unique(row))
    seconds = list(zip(rows.column("drive_id").to_pylist(), rows.column("start_ns").to_pylist(), strict=True))
    told = seen_by(version.store, saved.about).say(seconds)
    if any(told):
        yield f"{saved.name} was trained on {sum(map(bool, told))} of the {len(told)} seconds compared"
    if None in told:
        yield f"whether {saved.name} was trained on {told.count(None)} of the {len(told)} seconds is not known"


def _left_out(exams: Sequence[SampleSet]) -> Iterator[str]:
    skipped = {clip: why for exam in exams for clip, why in exam.skipped.items()}
    yield from (f"clip {clip[:12]} left out: {why}" for clip, why in skipped.items())


def _answers(saved: SavedPolicy, exam: SampleSet, names: Sequence[str], advance: Callable[[int], None]) -> Floats:
    """(S, A): what the policy says of the present, for the controls named."""
    return predict(saved.policy, exam, advance=advance).now[:, [exam.spec.names.index(name) for name in names]]


def _keys(samples: SampleSet) -> list[tuple[str, int]]:
    return [(samples.clips[clip].clip_id, t) for clip, t in zip(samples.clip, samples.t_ns.tolist(), strict=True)]
