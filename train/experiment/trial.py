"""An experiment, step by step; each leaves a JSON file, so that it goes on where it was cut off."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import count, product
from pathlib import Path
from typing import Any

from curate.dataset import open_version
from curate.journal import refusals
from curate.nightly import nightly
from curate.store import open_store
from curate.usual import RECIPE
from edge.durable import write_bytes
from edge.manifest import canonical_json
from edge.upload.destination import FolderDestination
from edge.upload.push import push
from train.checkpoint import load_policy, policy_folder
from train.errors import FlywheelError
from train.exam import sit, stints
from train.experiment.choice import Chosen, Taken, choose, drawn, offered
from train.experiment.ordinary import errors_by_drive
from train.experiment.plan import ARMS, Arm, Plan
from train.experiment.pools import clips_in, gather_base, gather_fleet, gather_ordinary, gather_staged
from train.flywheel.learning import learned, settings_of
from train.flywheel.night import read_facts

SPLIT = "block:0.05"
"""The exam is driven; a little is kept for the curves."""
LATER = ("seeds", "ablations", "scaling", "synthetic", "role")
"""Terms that may be asked for when an experiment goes on."""
FORMAT = "swerve-experiment/2"
"""Of a folder: what was begun under other rules is not gone on with. In the first one, seconds were drawn otherwise."""
TOLD = frozenset(
    {"arm", "seed", "labelled_s", "bytes", "miles", "disengagements", "by_place", "by_reason", "lost", "ordinary"}
)
"""What every trial tells."""
OTHER_FOLDER = "begin in another folder"
Tell = Callable[[str, float], None]
Facts = dict[str, Any]


@dataclass(frozen=True)
class Experiment:
    root: Path
    plan: Plan
    tell: Tell

    def run(self) -> dict[str, list[Facts]]:
        """By arm, what came of every seed; also of more seeds than are asked for, where they were tried before.

        Of the arms beyond the first three those are left out for which the fleet did not record enough.
        """
        self.plan.check()
        self._keep_plan()
        self._once("base", self._gather_base)
        first = self._trained("first", Arm("base", 0.0), Chosen((), 0.0, 0), 0)
        self._once("fleet", lambda: self._gather_fleet(first))
        self._once("ordinary", self._gather_ordinary)
        if self.plan.synthetic:
            self._once("staged", self._gather_staged)
        for arm in ARMS.values():
            choose(self.root, self.plan, arm)  # before hours of training
        arms = {name: arm for name, arm in self.plan.arms.items() if name in ARMS or self._enough_for(arm)}
        for seed, (name, arm) in product(range(self.plan.seeds), arms.items()):
            self._trial(name, arm, seed)
        return {name: list(self._tried(name)) for name in arms}

    def met(self) -> Facts:
        """What the second day's cars met, see `train.experiment.pools.Met`."""
        return read_facts(self.root / "fleet.json") or {}

    def lost(self, arms: Mapping[str, Sequence[Facts]]) -> list[str]:
        """Cars, clips and stints that are missing in what came out, and why."""
        steps = (read_facts(self.root / f"{step}.json") or {} for step in ("base", "fleet", "ordinary", "staged"))
        stores = (read_facts(self.root / f"stores/{_plain(name)}.json") or {} for name in arms)
        cars = [f"a car: {why}" for facts in steps for why in facts.get("lost", ())]
        clips = [
            f"a clip, {name}: {why}"
            for name, facts in zip(arms, stores, strict=True)
            for why in facts.get("refused", ())
        ]
        trials = (trial for of_arm in arms.values() for trial in of_arm)
        return cars + clips + [f"a stint, {t['arm']} {t['seed']}: {why}" for t in trials for why in t["lost"]]

    def _keep_plan(self) -> None:
        """More seeds and arms may be asked for later; everything else must stay."""
        given = {**asdict(self.plan), "format": FORMAT}
        if not (self.root / "plan.json").exists() and (self.root / "base.json").exists():
            raise FlywheelError(
                f"{self.root} has results, but no plan.json", "the terms it was begun with", OTHER_FOLDER
            )
        known = self._once("plan", lambda: given)
        terms = {name: value for name, value in given.items() if name not in LATER}
        if other := sorted(name for name, value in terms.items() if known.get(name) != value):
            raise FlywheelError(
                f"{self.root} was begun with another {', '.join(other)}",
                "the terms it was begun with",
                f"give the same ones, or {OTHER_FOLDER}",
            )

    def _enough_for(self, arm: Arm) -> bool:
        try:
            choose(self.root, self.plan, arm)
        except FlywheelError:
            return False
        return True

    def _tried(self, name: str) -> Iterator[Facts]:
        for seed in count():
            path = self.root / f"{self.plan.sitting}/{_plain(name)}-{seed}.json"
            if (facts := read_facts(path)) is None:
                return
            if lacks := sorted(TOLD - facts.keys()):
                raise FlywheelError(
                    f"{path} lacks {', '.join(lacks)}", "what a trial left", "remove it: it is done again"
                )
            yield facts

    def _trial(self, name: str, arm: Arm, seed: int) -> Facts:
        return self._once(f"{self.plan.sitting}/{_plain(name)}-{seed}", lambda: self._examined(name, arm, seed))

    def _examined(self, name: str, arm: Arm, seed: int) -> Facts:
        chosen = choose(self.root, self.plan, arm)
        policy = self._trained(_plain(name), arm, chosen, seed)
        version = self._once("ordinary", self._gather_ordinary)["version"]
        ordinary = errors_by_drive(open_version(self.root / "stores/ordinary", version), load_policy(policy))
        planned = stints(policy, self.plan.role, "stress")  # type: ignore[arg-type]
        exam = sit(planned, self.plan.exam_miles, lambda share, so_far: self.tell(f"{name}, {seed}: {so_far}", share))
        if not exam.stints:
            raise FlywheelError(f"no stint of {policy}'s exam was driven: {exam.lost[:1]}", "an exam", "run it again")
        told = {"clips": len(chosen.taken), "labelled_s": chosen.labelled_s, "bytes": chosen.bytes}
        return {"arm": name, "seed": seed, **told, **exam.to_json(), "ordinary": ordinary}

    def _trained(self, name: str, arm: Arm, chosen: Chosen, seed: int) -> Path:
        """The arm's policy of one seed, from a store of its own."""
        store = self.root / "stores" / name
        base = drawn(self.root, "base", self.plan.base_s)
        version = self._once(
            f"stores/{name}", lambda: self._published(store, (*base.taken, *chosen.taken), arm.recipe)
        )["version"]
        folder = policy_folder(store, f"seed-{seed}")
        settings = settings_of(self.plan.preset, self.plan.steps, seed, arm.mix, kept=not arm.mix)

        def told(progress: Any) -> None:
            self.tell(f"{name}, {seed}: learn", progress.share)

        learned(open_version(store, version), folder, settings, told)
        return folder

    def _published(self, store: Path, clips: Iterable[Taken], recipe: str = RECIPE) -> Facts:
        for taken in clips:
            with offered(taken) as clip:
                push(clip, FolderDestination(store))
        night = nightly(open_store(store), SPLIT, recipe, lambda step: self.tell(f"{store.name}: {step}", 0.0))
        return {"version": night.version.name, "refused": refusals(open_store(store))}

    def _gather_base(self) -> Facts:
        lost = gather_base(self.root, self.plan, lambda done, total: self.tell("humans drive", done / total))
        return {"clips": len(clips_in(self.root, "base")), "lost": lost}

    def _gather_fleet(self, policy: Path) -> Facts:
        tell = self.tell
        met = gather_fleet(self.root, self.plan, policy, lambda done, total: tell("the fleet drives", done / total))
        clips = {pool: len(clips_in(self.root, pool)) for pool in ("random", "events", "all")}
        return {**clips, "met": met.events, "miles": met.miles, "lost": met.lost}

    def _gather_ordinary(self) -> Facts:
        lost = gather_ordinary(self.root, self.plan, lambda done, total: self.tell("humans drive again", done / total))
        published = self._published(self.root / "stores/ordinary", map(Taken, clips_in(self.root, "ordinary")))
        return {**published, "lost": lost}

    def _gather_staged(self) -> Facts:
        lost = gather_staged(self.root, self.plan, lambda done, total: self.tell("staged drives", done / total))
        return {"clips": len(clips_in(self.root, "staged")), "lost": lost}

    def _once(self, step: str, work: Callable[[], Facts]) -> Facts:
        path = self.root / f"{step}.json"
        if (known := read_facts(path)) is None:
            known = work()
            write_bytes(path, canonical_json(known) + b"\n")
        return known


def _plain(name: str) -> str:
    return name.replace(", ", "-").replace(" ", "-")
