"""One training to be done: what it begins from, and how likely each sample is to be drawn.

Shapes: S samples, A controls.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from curate.dataset import DatasetVersion
from train.crew import Crew
from train.finetune import is_fresh
from train.order import Floats, generator, probabilities
from train.policies.backbone import BackboneTrunk
from train.policies.config import PolicyConfig
from train.policies.policy import Policy, copy_of
from train.resume import State
from train.samples import SampleSet
from train.settings import Settings
from train.shares import key_frames, with_share


@dataclass(frozen=True, repr=False, eq=False)
class Job:
    """One training to be done, or to be gone on with.

    Attributes:
        config: its controls are empty where the samples are to say them.
        origin: of a fine-tuning: name, version and dataset of the policy it begins from. begin: that policy.
        state: of a training that was cut off. whole: see `train.fit.fit`.
    """

    version: DatasetVersion
    settings: Settings
    folder: Path
    config: PolicyConfig
    origin: Mapping[str, str] | None = None
    begin: Policy | None = None
    state: State | None = None
    whole: bool = False


def begin(job: Job, config: PolicyConfig, crew: Crew) -> tuple[Policy, list[str]]:
    """The policy before its first step, and what is to be said of it; sets torch's chance for this process."""
    digest, seed = job.version.digest, job.settings.seed
    torch.manual_seed(int(generator(digest, seed, -1).integers(1 << 62)))
    notes = []
    if job.begin is None:
        policy = Policy(config)
        fresh = [trunk for trunk in policy.trunks if isinstance(trunk, BackboneTrunk) and job.state is None]
        notes = list(dict.fromkeys(trunk.start_pretrained() for trunk in fresh))
    else:
        policy = copy_of(job.begin)
    if crew.rank:
        # All begin with the same weights; dropout is each one's own.
        torch.manual_seed(int(generator(digest, seed, -1 - 2 * crew.size - crew.rank).integers(1 << 62)))
    return policy, notes


def draws(job: Job, train: SampleSet) -> Floats:
    """(S,): how likely each sample is to be drawn."""
    settings = job.settings
    inclusion = np.ones_like(train.inclusion) if settings.kept else train.inclusion
    p = probabilities(train.row, train.row_weight, inclusion, settings.mix)
    if settings.keys:
        p = with_share(p, key_frames(train.controls_now, train.t_ns, train.clip), settings.keys)
    if job.origin:
        fresh = is_fresh(train, job.origin["version"], job.origin["dataset"], job.version)
        p = with_share(p, fresh, settings.fresh)
    return p


def for_labels(config: PolicyConfig, train: SampleSet) -> PolicyConfig:
    """Put the controls and their mean and spread into the configuration."""
    mean, std = np.nanmean(train.controls_now, axis=0), np.nanstd(train.controls_now, axis=0)
    # A control that never moved has no spread; 1 keeps its error in its own unit.
    std = np.where(std > 1e-6, std, 1.0)
    return replace(config, controls=train.spec.names, mean=tuple(mean.tolist()), std=tuple(std.tolist()))
