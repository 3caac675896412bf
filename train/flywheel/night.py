"""One night: drive, upload, curate, learn, examine, release. Each step is done once and leaves a JSON file saying what
came of it, so a flywheel that was killed goes on with the step it was in.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from curate.dataset import open_version
from curate.nightly import nightly
from curate.store import open_store
from edge.durable import write_bytes
from edge.manifest import canonical_json
from train.checkpoint import load_policy, policy_folder
from train.errors import FlywheelError
from train.exam import Exam, sit, stints
from train.flywheel.fleet import Trip, drive_all, trips
from train.flywheel.learning import learned, settings_of
from train.flywheel.plan import Plan
from train.flywheel.upload import service, upload
from train.gate import gate
from train.miles import Miles
from train.settings import Settings
from train.world.record import Ridden

STEPS = ("drive", "upload", "curate", "learn", "examine", "release")
SPLIT = "block:0.1"
Facts = dict[str, Any]
Tell = Callable[[str, float], None]
"""Told what is being done, and the share of it that is done."""


@dataclass(frozen=True)
class Night:
    """Night `number`, from 1, of the flywheel in `root`. `policy`: name of the released one, None before there is."""

    root: Path
    plan: Plan
    number: int
    policy: str | None
    tell: Tell

    @property
    def folder(self) -> Path:
        return self.root / "nights" / f"{self.number:04d}"

    @property
    def store(self) -> Path:
        return self.root / "store"

    @property
    def candidate(self) -> str:
        return f"night-{self.number:04d}"

    def turn(self) -> Facts:
        """All steps, each once; what came of them, by step.

        Raises:
            FlywheelError: a step cannot be done. Those of the rooms: nothing to publish, or nothing to learn from.
        """
        return {step: self._once(step, getattr(self, f"_{step}")) for step in STEPS}

    def _once(self, step: str, work: Callable[[], Facts]) -> Facts:
        path = self.folder / f"{step}.json"
        if (known := read_facts(path)) is not None:
            return known
        self.tell(step, 0.0)
        facts = work()
        write_bytes(path, canonical_json(facts) + b"\n")
        return facts

    def _trips(self) -> list[Trip]:
        policy = policy_folder(self.store, self.policy) if self.policy else None
        return trips(self.plan, self.number, self.folder / "drives", policy)

    def _drive(self) -> Facts:
        # Recordings of a run that was cut off are made again: what became of the others is known only whole.
        shutil.rmtree(self.folder / "drives", ignore_errors=True)
        planned = self._trips()
        ridden, lost = drive_all(planned, lambda done, total: self.tell("drive", done / total))
        by_policy = {trip.folder.name for trip in planned if trip.policy}
        engaged = Exam(tuple(r for r in ridden if r.name in by_policy), ())
        hours = sum(r.seconds for r in ridden) / 3600
        return {"hours": hours, "by_policy": engaged.to_json(), "lost": lost}

    def _upload(self) -> Facts:
        cars = [(t.car, t.folder.parent, self.folder / "queues" / t.car) for t in self._trips() if t.folder.exists()]
        recorded = sum(path.stat().st_size for path in (self.folder / "drives").rglob("*") if path.is_file())
        self.store.mkdir(parents=True, exist_ok=True)
        with service(self.store, self.root / "service") as running:
            told = upload(
                cars, self.plan, running.destination_of, lambda done, total: self.tell("upload", done / total)
            )
        return {
            "clips": sum(car.clips for car in told),
            "bytes": sum(car.bytes for car in told),
            "recorded_bytes": recorded,
            "problems": [problem for car in told for problem in car.problems],
        }

    def _curate(self) -> Facts:
        for done_with in ("drives", "queues"):  # the recorder needs its room
            shutil.rmtree(self.folder / done_with, ignore_errors=True)
        night = nightly(open_store(self.store), SPLIT, step=lambda name: self.tell(f"curate: {name}", 0.0))
        refused = [admission.reason for admission in night.admissions if admission.reason]
        return {"version": night.version.name, "refused": refused, **night.version.head["counts"]}

    def _learn(self) -> Facts:
        version = open_version(self.store, self._known("curate")["version"])
        folder = policy_folder(self.store, self.candidate)
        origin = load_policy(policy_folder(self.store, self.policy)) if self.policy else None
        steps = learned(version, folder, self._settings(), lambda p: self.tell("learn", p.share), origin)
        return {"policy": self.candidate, "steps": steps}

    def _settings(self) -> Settings:
        steps = self.plan.steps_a_night if self.policy else self.plan.steps
        return settings_of(self.plan.preset, steps, self.plan.seed, motion=self.plan.motion)

    def _examine(self) -> Facts:
        try:
            return self._judged()
        except FlywheelError as error:  # what cannot be judged is not released, and the next night goes on
            return {"verdict": "refused", "why": str(error), "new": Exam((), ()).to_json()}

    def _judged(self) -> Facts:
        if self.policy is None:
            return {"verdict": "released", "new": self._sat(self.candidate, self.plan.exam_miles).to_json()}
        old = self.policy
        decision = gate(
            lambda who, miles: self._sat(self.candidate if who == "new" else old, miles),
            self.plan.exam_miles,
            self.plan.exam_cap,
        )
        return {**decision.to_json(), "new": self._sat(self.candidate, decision.asked).to_json()}

    def _release(self) -> Facts:
        released = self._known("examine")["verdict"] == "released"
        return {"policy": self.candidate if released else self.policy, "changed": released}

    def _sat(self, name: str, miles: float) -> Exam:
        """The exam of a policy over so many miles; sat once."""
        path = self.root / "exams" / f"{name}-{miles:g}.json"
        if (known := read_facts(path)) is not None:
            stints_ = tuple(
                Ridden(**{**told, "takeovers": list(map(tuple, told["takeovers"]))}) for told in known["stints"]
            )
            return Exam(stints_, tuple(known["lost"]))
        planned = stints(policy_folder(self.store, name), "gate", "stress")
        exam = sit(planned, miles, lambda share, so_far: self.tell(f"examine {name}: {so_far}", share))
        if not exam.stints:
            raise FlywheelError(f"no stint of {name}'s exam was driven: {exam.lost[:1]}", "an exam", "run it again")
        write_bytes(path, canonical_json({"stints": [asdict(r) for r in exam.stints], "lost": list(exam.lost)}) + b"\n")
        return exam

    def _known(self, step: str) -> Facts:
        facts = read_facts(self.folder / f"{step}.json")
        assert facts is not None, step
        return facts


def read_facts(path: Path) -> Facts | None:
    """What a step left; None where it has not been done. Raises FlywheelError where the file is damaged."""
    try:
        return dict(json.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise FlywheelError(
            f"{path} cannot be read: {error}", "what a step left", "remove it: it is done again"
        ) from error


def natural_miles(facts: Facts) -> Miles:
    """Miles and disengagements of the cars that the policy drove."""
    told = facts["drive"]["by_policy"]
    return Miles(told["disengagements"], told["miles"])
