"""An experiment, step by step; each leaves a JSON file, so that it goes on where it was cut off."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from curate.dataset import open_version
from curate.nightly import nightly
from curate.store import open_store
from edge.durable import write_bytes
from edge.manifest import canonical_json
from edge.upload.destination import FolderDestination
from edge.upload.push import push
from train.checkpoint import policy_folder
from train.errors import FlywheelError
from train.exam import sit, stints
from train.experiment.choice import Chosen, choose, within
from train.experiment.plan import Arm, Plan
from train.experiment.pools import clips_in, gather_base, gather_fleet
from train.flywheel.learning import learned, settings_of
from train.flywheel.night import read_facts

SPLIT = "block:0.05"
"""The exam is driven; a little is kept for the curves."""
Tell = Callable[[str, float], None]
Facts = dict[str, Any]


@dataclass(frozen=True)
class Experiment:
    root: Path
    plan: Plan
    tell: Tell

    def run(self) -> dict[str, list[Facts]]:
        """By arm, what came of every seed."""
        self.plan.check()
        self._keep_plan()
        self._once("base", self._gather_base)
        first = self._trained("first", Arm("base", 0.0), Chosen((), 0.0, 0), 0)
        self._once("fleet", lambda: self._gather_fleet(first))
        return {
            name: [self._trial(name, arm, seed) for seed in range(self.plan.seeds)]
            for name, arm in self.plan.arms.items()
        }

    def _keep_plan(self) -> None:
        """More seeds and ablations may be asked for later; everything else must stay."""
        known = self._once("plan", lambda: asdict(self.plan))
        terms = {name: value for name, value in asdict(self.plan).items() if name not in ("seeds", "ablations")}
        if other := sorted(name for name, value in terms.items() if known.get(name) != value):
            raise FlywheelError(
                f"{self.root} was begun with another {', '.join(other)}",
                "the terms it was begun with",
                "give the same ones, or another folder",
            )

    def _trial(self, name: str, arm: Arm, seed: int) -> Facts:
        return self._once(f"trials/{_plain(name)}-{seed}", lambda: self._examined(name, arm, seed))

    def _examined(self, name: str, arm: Arm, seed: int) -> Facts:
        chosen = choose(self.root, self.plan, arm)
        policy = self._trained(_plain(name), arm, chosen, seed)
        planned = stints(policy, self.plan.role, "stress")  # type: ignore[arg-type]
        exam = sit(planned, self.plan.exam_miles, lambda share, so_far: self.tell(f"{name}, {seed}: {so_far}", share))
        told = {"clips": len(chosen.clips), "labelled_s": chosen.labelled_s, "bytes": chosen.bytes}
        return {"arm": name, "seed": seed, **told, **exam.to_json()}

    def _trained(self, name: str, arm: Arm, chosen: Chosen, seed: int) -> Path:
        """The arm's policy of one seed, from a store of its own."""
        store = self.root / "stores" / name
        base = within(clips_in(self.root, "base"), self.plan.base_s)
        version = self._once(f"stores/{name}", lambda: self._published(store, (*base.clips, *chosen.clips)))["version"]
        folder = policy_folder(store, f"seed-{seed}")
        settings = settings_of(self.plan.preset, self.plan.steps, seed, arm.mix)

        def told(progress: Any) -> None:
            self.tell(f"{name}, {seed}: learn", progress.share)

        learned(open_version(store, version), folder, settings, told)
        return folder

    def _published(self, store: Path, clips: Iterable[Path]) -> Facts:
        for clip in clips:
            push(clip, FolderDestination(store))
        night = nightly(open_store(store), SPLIT, step=lambda step: self.tell(f"{store.name}: {step}", 0.0))
        if refused := [admission.reason for admission in night.admissions if admission.reason]:
            raise FlywheelError(f"{len(refused)} clips were refused: {refused[0]}", "all of an arm's", "look at them")
        return {"version": night.version.name}

    def _gather_base(self) -> Facts:
        gather_base(self.root, self.plan, lambda done, total: self.tell("humans drive", done / total))
        return {"clips": len(clips_in(self.root, "base"))}

    def _gather_fleet(self, policy: Path) -> Facts:
        gather_fleet(self.root, self.plan, policy, lambda done, total: self.tell("the fleet drives", done / total))
        return {pool: len(clips_in(self.root, pool)) for pool in ("random", "events", "all")}

    def _once(self, step: str, work: Callable[[], Facts]) -> Facts:
        path = self.root / f"{step}.json"
        if (known := read_facts(path)) is None:
            known = work()
            write_bytes(path, canonical_json(known) + b"\n")
        return known


def _plain(name: str) -> str:
    return name.replace(", ", "-").replace(" ", "-")
