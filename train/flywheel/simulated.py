"""The drives of a night in the built-in world: a fleet drives, and each car's own agent uploads within its budget.

Nights follow one another within minutes, so each has queues of its own, with a night's bytes.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass

from edge.night.terms import Terms
from train.checkpoint import policy_folder
from train.exam import Exam
from train.flywheel.fleet import Trip, drive_all, trips
from train.flywheel.night import Facts, Night
from train.flywheel.plan import Plan
from train.flywheel.upload import service, upload
from train.miles import Miles


@dataclass(frozen=True)
class Simulated:
    """A `train.flywheel.night.Drives`."""

    plan: Plan
    split: str = "block:0.1"
    columns: tuple[str, ...] = ("driven h", "fleet MBD")

    def ready(self, night: Night) -> bool:
        return True

    def drive(self, night: Night) -> Facts:
        # Recordings of a run that was cut off are made again: what became of the others is known only whole.
        shutil.rmtree(night.folder / "drives", ignore_errors=True)
        planned = self._trips(night)
        ridden, lost = drive_all(planned, lambda done, total: night.tell("drive", done / total))
        by_policy = {trip.folder.name for trip in planned if trip.policy}
        engaged = Exam(tuple(r for r in ridden if r.name in by_policy), ())
        hours = sum(r.seconds for r in ridden) / 3600
        return {"hours": hours, "by_policy": engaged.to_json(), "lost": lost}

    def upload(self, night: Night) -> Facts:
        queues = night.folder / "queues"
        cars = [(t.car, t.folder.parent, queues / t.car) for t in self._trips(night) if t.folder.exists()]
        recorded = sum(path.stat().st_size for path in (night.folder / "drives").rglob("*") if path.is_file())
        terms = Terms(bytes_a_night=self.plan.bytes_a_night, baseline=self.plan.baseline, reserve=0)
        with service(night.store, night.root / "service") as running:
            told = upload(cars, terms, running.destination_of, lambda done, total: night.tell("upload", done / total))
        return {
            "clips": sum(car.clips for car in told),
            "bytes": sum(car.bytes for car in told),
            "recorded_bytes": recorded,
            "problems": [problem for car in told for problem in car.problems],
        }

    def clear(self, night: Night) -> None:
        for done_with in ("drives", "queues"):  # the recorder needs its room
            shutil.rmtree(night.folder / done_with, ignore_errors=True)

    def cells(self, facts: Facts) -> tuple[str, ...]:
        driven, told = facts["drive"]["hours"], facts["drive"]["by_policy"]
        miles = Miles(told["disengagements"], told["miles"])
        return f"{driven:.2f}", str(miles) if miles.miles else "-"

    def _trips(self, night: Night) -> list[Trip]:
        policy = policy_folder(night.store, night.policy) if night.policy else None
        return trips(self.plan, night.number, night.folder / "drives", policy)
