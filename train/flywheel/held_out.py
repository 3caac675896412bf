"""The gate where there is no world: candidate and released policy are compared on held-out seconds (`train.open_gate`).

The seconds are those of the night's own version, so the exam grows with the data; what it held once it never gives to
training (`curate.split`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from curate.dataset import DatasetVersion, open_version
from train.checkpoint import SavedPolicy, load_policy, policy_folder
from train.comparison import compare_policies
from train.controls import ControlSpec
from train.errors import EvaluationError
from train.evaluate import evaluate
from train.evaluation.slices import ALL, WHOLE
from train.flywheel.night import Facts, Night, Point
from train.open_gate import decide


@dataclass(frozen=True)
class HeldOut:
    """A `train.flywheel.night.Judge`."""

    columns: tuple[str, ...] = ("steering RMSE", "95 %", "to released", "at most")
    axis: str = "steering RMSE on held-out seconds"
    title: str = "each night has its own seconds; filled: released"

    def examine(self, night: Night) -> Facts:
        version = open_version(night.store, night.known("curate")["version"])
        candidate = load_policy(policy_folder(night.store, night.candidate))
        figure = _steering_error(version, candidate)
        if night.policy is None:
            # The first one is released for want of another.
            return {"verdict": "released", "new": figure}
        released = load_policy(policy_folder(night.store, night.policy))
        found = compare_policies(version, candidate, released, lambda done, total: night.tell("examine", done / total))
        return {**decide(found).to_json(), "new": figure, "notes": list(found.notes)}

    def cells(self, facts: Facts) -> tuple[str, ...]:
        found, told = facts["examine"], facts["examine"].get("new")
        if told is None:
            return "-", "-", "-", "-"
        low, high = told["interval_95"]
        interval = "too few" if low is None else f"{low:.3g} to {high:.3g}"
        ratio = ("-" if (value := found.get(name)) is None else f"{value:.3f}" for name in ("ratio", "at_most"))
        return f"{told['rmse']:.3g} {told['unit']}".rstrip(), interval, *ratio

    def point(self, facts: Facts) -> Point | None:
        told = facts["examine"].get("new")
        if told is None:
            return None
        low, high = told["interval_95"]
        return told["rmse"], told["rmse"] if low is None else low, told["rmse"] if high is None else high


def _steering_error(version: DatasetVersion, saved: SavedPolicy) -> dict[str, Any]:
    """Raises EvaluationError where the policy does not steer, or nobody did in the held-out seconds."""
    controls = saved.config.controls
    steering = ControlSpec(controls).steering
    if steering is None:
        got = f"{saved.name} answers {', '.join(controls)}"
        raise EvaluationError(got, "a policy that steers", "train on drives that tell steering")
    exam, name = evaluate(version, saved), controls[steering]
    (part,) = (p for p in exam.breakdown.slices if (p.control, p.family, p.slice) == (name, WHOLE, ALL))
    rmse = part.rmse
    if rmse.value is None:
        raise EvaluationError(f"no held-out second of {version.name} with steering", "some", "hold out more")
    return {
        "control": name,
        "unit": part.unit,
        "rmse": rmse.value,
        "interval_95": [rmse.low, rmse.high],
        "samples": rmse.n,
        "over": exam.breakdown.blocks,
    }
