"""The gate in the built-in world: candidate and released policy sit its exam, and miles decide (`train.gate`)."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from edge.durable import write_bytes
from edge.manifest import canonical_json
from train.checkpoint import policy_folder
from train.errors import EvaluationError
from train.exam import Exam, sit, stints
from train.flywheel.night import Facts, Night, Point, read_facts
from train.flywheel.plan import Plan
from train.gate import gate
from train.miles import Miles
from train.world.record import Ridden


@dataclass(frozen=True)
class RoadExam:
    """A `train.flywheel.night.Judge`."""

    plan: Plan
    columns: tuple[str, ...] = ("exam MBD", "95 %")
    axis: str = "miles between disengagements (MBD)"
    title: str = "the gate's exam, stress rates; filled: released"

    def examine(self, night: Night) -> Facts:
        begin, cap = self.plan.exam_miles, self.plan.exam_cap
        if night.policy is None:
            # The first one is released for want of another.
            return {"verdict": "released", "new": _sat(night, night.candidate, begin).to_json()}
        of = {"new": night.candidate, "old": night.policy}
        decision = gate(lambda who, miles: _sat(night, of[who], miles), begin, cap)
        return {**decision.to_json(), "new": _sat(night, night.candidate, decision.asked).to_json()}

    def cells(self, facts: Facts) -> tuple[str, ...]:
        miles = exam_miles(facts)
        if miles is None:
            return "-", "-"
        low, high = miles.interval()
        between = "none" if miles.between is None else f"{miles.between:.3g}"
        return between, f"{low:.3g} to {'any' if high is None else format(high, '.3g')}"

    def point(self, facts: Facts) -> Point | None:
        miles = exam_miles(facts)
        if miles is None:
            return None
        low, high = miles.interval()
        return miles.between or low, low, high


def exam_miles(facts: Facts) -> Miles | None:
    """Of the policy that was trained in the night; None where it was not examined."""
    told = facts["examine"].get("new")
    return Miles(told["disengagements"], told["miles"]) if told else None


def _sat(night: Night, name: str, miles: float) -> Exam:
    """The exam of a policy over so many miles; sat once, but one that lost stints counts for its own night alone."""
    file = f"{name}-{miles:g}.json"
    whole, torn = night.root / "exams" / file, night.folder / "exams" / file
    for path in (whole, torn):
        if (known := read_facts(path)) is not None:
            told = (Ridden(**{**one, "takeovers": list(map(tuple, one["takeovers"]))}) for one in known["stints"])
            return Exam(tuple(told), tuple(known["lost"]))
    planned = stints(policy_folder(night.store, name), "gate", "stress")
    exam = sit(planned, miles, lambda share, so_far: night.tell(f"examine {name}: {so_far}", share))
    if not exam.stints:
        raise EvaluationError(f"no stint of {name}'s exam was driven: {exam.lost[:1]}", "an exam", "run it again")
    facts = {"stints": [asdict(r) for r in exam.stints], "lost": list(exam.lost)}
    write_bytes(torn if exam.lost else whole, canonical_json(facts) + b"\n")
    return exam
