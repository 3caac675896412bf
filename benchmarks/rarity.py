"""Is what curation calls rare what a policy gets wrong? Asked of clips the policy never saw, without its own say.

    python benchmarks/rarity.py [--cars 64] [--minutes 8] [--steps 900] [--work FOLDER]
    python benchmarks/rarity.py --store STORE

Humans of different manners drive the built-in world at natural rates; their drives are scanned and cut as on the car
(each second drawn with probability 0.03), admitted, weighed and split by place; a tiny policy learns from the training
part, drawn as it was driven, and is scored. Or all of that is in a store already: the newest table in `scores/`, and
the version it was made on.

Told is `curate.surprise.error_ratio`, mean error of the rarest 5 % of the exam's clips over that of all of them, with
the 95 % interval of 1,000 bootstraps over drives: for the rarity, for each of its factors alone, and for the rarity
among clips that hold no event.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from curate.dataset import DatasetVersion, open_version
from curate.nightly import nightly
from curate.rarity import clip_rarity
from curate.store import open_store
from curate.surprise import VERSION, error_ratio, newest_scores
from curate.weights.factors import Weights
from edge.cut import cut
from edge.drive import open_drive
from edge.scan import scan
from edge.upload.destination import FolderDestination
from edge.upload.push import push
from trigger.baseline import KIND as BASELINE

BASELINE_RATE = 0.03
SPLIT = "place:0.4"
RARE = ("kind", "rarity", "driver")
RESAMPLED = 1000


def made_store(folder: Path, cars: int, minutes: float, steps: int) -> Path:
    """A store with a version of driven clips, and the scores of a policy that learned from its training part."""
    from train.checkpoint import load_policy
    from train.fit import fit
    from train.flywheel.fleet import drive_all, trips
    from train.flywheel.plan import Plan
    from train.score import score, scores_path, write_scores
    from train.settings import Settings

    store = folder / "store"
    planned = trips(Plan(fleet=cars, minutes=minutes, rates="natural", seed=7), 1, folder / "drives", None)
    drive_all(planned, lambda done, total: print(f"\rdriven {done} of {total}", end="", flush=True))
    for trip in planned:
        for written in cut(scan(open_drive(trip.folder), BASELINE_RATE), folder / "clips"):
            push(written.folder, FolderDestination(store), consent=True)
    version = nightly(open_store(store), SPLIT).version
    policy = store / "policies" / "tiny"
    fit(version, Settings(preset="tiny", steps=steps, mix=0.0), lambda _: None, policy)
    write_scores(scores_path(store, "tiny"), score(version, load_policy(policy)))
    print()
    return store


class Judged:
    """Clips of the exam: their errors, drives and factors."""

    def __init__(self, version: DatasetVersion, table: Path) -> None:
        told = pq.read_table(table, columns=["clip_id", "start_ns", "error", "trained_on"]).to_pylist()
        unseen = {(row["clip_id"], row["start_ns"]): row["error"] for row in told if row["trained_on"] is False}
        rows = [row for row in version.rows.to_pylist() if row["split"] == "eval"]
        errors = defaultdict(list)
        for row in rows:
            if (row["clip_id"], row["start_ns"]) in unseen:
                errors[row["clip_id"]].append(unseen[row["clip_id"], row["start_ns"]])
        self.rows = [row for row in rows if row["clip_id"] in errors]
        self.error = {clip: float(np.mean(own)) for clip, own in errors.items()}
        self.drive = {row["clip_id"]: row["drive_id"] for row in self.rows}
        self.eventful = {row["clip_id"] for row in self.rows if set(row["events"]) - {BASELINE}}

    def rarity(self, factors: Collection[str]) -> dict[str, float]:
        columns = {name: np.array([row[f"{name}_factor"] for row in self.rows]) for name in factors}
        return clip_rarity([row["clip_id"] for row in self.rows], Weights.of(len(self.rows), **columns))

    def show(self, name: str, rarity: Mapping[str, float]) -> None:
        errors = {clip: self.error[clip] for clip in rarity}
        low, high = np.nanpercentile(self.resampled(rarity), [2.5, 97.5])
        print(f"{name:28s} {len(rarity):5d} clips  {error_ratio(rarity, errors):6.2f} ({low:.2f} to {high:.2f})")

    def resampled(self, rarity: Mapping[str, float]) -> list[float]:
        """The ratio of fleets of as many drives, drawn from these."""
        of_drive = defaultdict(list)
        for clip in rarity:
            of_drive[self.drive[clip]].append(clip)
        rng, drives, found = np.random.default_rng(0), sorted(of_drive), []
        for _ in range(RESAMPLED):
            drawn = [(k, clip) for k, i in enumerate(rng.integers(len(drives), size=len(drives)))
                     for clip in of_drive[drives[i]]]  # fmt: skip
            names = [f"{clip}#{k}" for k, clip in drawn]
            rare, off = ([told[clip] for _, clip in drawn] for told in (rarity, self.error))
            found.append(error_ratio(dict(zip(names, rare, strict=True)), dict(zip(names, off, strict=True))))
        return found


def judge(store: Path) -> None:
    table = newest_scores(store)
    if table is None:
        raise SystemExit(f"{store} has no scores: run swerve train score")
    judged = Judged(open_version(store, pq.read_schema(table).metadata[VERSION].decode()), table)
    rarity = judged.rarity(RARE)
    print(f"{len(set(judged.drive.values()))} drives, {len(judged.eventful)} clips with an event")
    judged.show("rarity", rarity)
    for name in RARE:
        judged.show(f"  {name} alone", judged.rarity([name]))
    judged.show("  of clips without an event", {c: value for c, value in rarity.items() if c not in judged.eventful})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", type=Path)
    parser.add_argument("--cars", type=int, default=64)
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--steps", type=int, default=900)
    parser.add_argument("--work", type=Path, default=Path.cwd(), help="where the store is made, and removed again")
    told = parser.parse_args()
    if told.store:
        return judge(told.store)
    with tempfile.TemporaryDirectory(dir=told.work) as name:
        judge(made_store(Path(name), told.cars, told.minutes, told.steps))


if __name__ == "__main__":
    main()
