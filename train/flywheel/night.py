"""One night: drive, upload, curate, learn, examine, release. Each step is done once and leaves a JSON file saying what
came of it, so a flywheel that was killed goes on with the step it was in.

Where drives come from and how a candidate is examined differ from flywheel to flywheel (`Drives`, `Judge`); all else
is the same. A night of which nothing can be published, learned or judged releases nothing, and the next one goes on.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from curate.dataset import open_version
from curate.errors import DatasetError
from curate.nightly import nightly
from curate.store import open_store
from edge.durable import write_bytes
from edge.manifest import canonical_json
from edge.upload.destination import INBOX
from train.checkpoint import load_policy, policy_folder
from train.errors import EvaluationError, FitError, FlywheelError, PolicyError, SampleError
from train.flywheel.learning import learned, settings_of
from train.flywheel.plan import AnyPlan

STEPS = ("drive", "upload", "curate", "learn", "examine", "release")
Facts = dict[str, Any]
Tell = Callable[[str, float], None]
"""Told what is being done, and the share of it that is done."""
Point = tuple[float, float, float | None]
"""A figure and its interval; None: unbounded above."""


class Drives(Protocol):
    """Where the drives of a night come from, and how their clips reach the store.

    Attributes:
        split: which of their seconds are the exam, see `curate.split`.
        columns: what the table says of them; `cells` gives it, for the facts of a night.
    """

    @property
    def split(self) -> str: ...

    @property
    def columns(self) -> tuple[str, ...]: ...

    def ready(self, night: Night) -> bool:
        """Whether there is anything for a night that has not begun."""

    def drive(self, night: Night) -> Facts: ...

    def upload(self, night: Night) -> Facts:
        """At least "clips", "bytes", "recorded_bytes" and "problems", in words."""

    def clear(self, night: Night) -> None:
        """The night's clips are in the store: what is not needed any more goes."""

    def cells(self, facts: Facts) -> tuple[str, ...]: ...


class Judge(Protocol):
    """How a candidate is examined, and whether it may replace the released policy.

    Attributes:
        columns: what the table says of an exam; `cells` gives it, for the facts of a night.
        axis, title: of the picture; `point` gives what is drawn.
    """

    @property
    def columns(self) -> tuple[str, ...]: ...

    @property
    def axis(self) -> str: ...

    @property
    def title(self) -> str: ...

    def examine(self, night: Night) -> Facts:
        """At least "verdict", "released" where the candidate is to be.

        Raises:
            EvaluationError, SampleError, PolicyError: it cannot be judged.
        """

    def cells(self, facts: Facts) -> tuple[str, ...]: ...

    def point(self, facts: Facts) -> Point | None: ...


@dataclass(frozen=True)
class Night:
    """Night `number`, from 1, of the flywheel in `root`. `policy`: name of the released one, None before there is."""

    root: Path
    plan: AnyPlan
    drives: Drives
    judge: Judge
    number: int
    policy: str | None
    tell: Tell

    @property
    def folder(self) -> Path:
        return night_folder(self.root, self.number)

    @property
    def store(self) -> Path:
        return self.root / "store"

    @property
    def candidate(self) -> str:
        return f"night-{self.number:04d}"

    @property
    def begun(self) -> bool:
        return (self.folder / "drive.json").exists()

    def turn(self) -> Facts:
        """All steps, each once; what came of them, by step.

        Raises:
            FlywheelError: a step cannot be done. Those of the rooms.
        """
        return {step: self._once(step, getattr(self, f"_{step}")) for step in STEPS}

    def known(self, step: str) -> Facts:
        """What came of a step that was done."""
        facts = read_facts(self.folder / f"{step}.json")
        assert facts is not None, step
        return facts

    def _once(self, step: str, work: Callable[[], Facts]) -> Facts:
        path = self.folder / f"{step}.json"
        if (known := read_facts(path)) is not None:
            return known
        self.tell(step, 0.0)
        facts = work()
        write_bytes(path, canonical_json(facts) + b"\n")
        return facts

    def _drive(self) -> Facts:
        return self.drives.drive(self)

    def _upload(self) -> Facts:
        (self.store / INBOX).mkdir(parents=True, exist_ok=True)
        return self.drives.upload(self)

    def _curate(self) -> Facts:
        self.drives.clear(self)
        try:
            night = nightly(
                open_store(self.store), self.drives.split, step=lambda name: self.tell(f"curate: {name}", 0)
            )
        except DatasetError as error:
            return {"version": None, "seconds": 0, "refused": [], "why": str(error)}
        refused = [admission.reason for admission in night.admissions if admission.reason]
        return {"version": night.version.name, "refused": refused, **night.version.head["counts"]}

    def _learn(self) -> Facts:
        published = self.known("curate")
        if published["version"] is None:
            return {"policy": None, "steps": 0, "why": published["why"]}
        version = open_version(self.store, published["version"])
        folder = policy_folder(self.store, self.candidate)
        origin = load_policy(policy_folder(self.store, self.policy)) if self.policy else None
        plan = self.plan
        steps = plan.steps_a_night if origin else plan.steps
        settings = settings_of(plan.preset, steps, plan.seed, motion=plan.motion)
        try:
            taken = learned(version, folder, settings, lambda p: self.tell("learn", p.share), origin)
        except (SampleError, FitError) as error:
            return {"policy": None, "steps": 0, "why": str(error)}
        return {"policy": self.candidate, "steps": taken}

    def _examine(self) -> Facts:
        taught = self.known("learn")
        if taught["policy"] is None:
            return {"verdict": "refused", "why": taught["why"]}
        try:
            return self.judge.examine(self)
        except (EvaluationError, SampleError, PolicyError) as error:  # what cannot be judged; not what can be mended
            return {"verdict": "refused", "why": str(error)}

    def _release(self) -> Facts:
        released = self.known("examine")["verdict"] == "released"
        return {"policy": self.candidate if released else self.policy, "changed": released}


def night_folder(root: Path, number: int) -> Path:
    return root / "nights" / f"{number:04d}"


def read_facts(path: Path) -> Facts | None:
    """What a step left; None where it has not been done. Raises FlywheelError where the file is damaged."""
    try:
        facts = json.loads(path.read_bytes())
        if not (isinstance(facts, dict) and facts):
            raise ValueError("no facts in it")
        return facts
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise FlywheelError(
            f"{path} cannot be read: {error}", "what a step left", "remove it: it is done again"
        ) from error
