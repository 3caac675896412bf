"""A policy as a folder: `weights.safetensors` and `policy.json`, whole or absent.

    policy.json    format "swerve-policy/2", config (architecture, views, window, horizon, controls, mean and std of
                   the labels), sha256 of the weights and of config, and about: dataset digest, settings, results

No pickle: nothing that is loaded can run code. A folder that is damaged, or is not one of ours, is refused before a
single weight is used. The format before is read too (`train.former`). It does not sign policies or keep optimizer
states: what an interrupted training goes on from is `train.resume`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from edge.durable import new_folder
from edge.manifest import canonical_json
from train import former
from train.curves import CURVES_JSON
from train.errors import PolicyError, TrainError
from train.policies.config import PolicyConfig
from train.policies.policy import Policy

FORMAT = "swerve-policy/2"
WEIGHTS, HEAD = "weights.safetensors", "policy.json"
MAX_HEAD_BYTES = 16 * 1024 * 1024
AGAIN = "train it again with: swerve train fit, or name another folder"


@dataclass(frozen=True, repr=False, eq=False)
class SavedPolicy:
    """A policy that was read back. `about` is what was known of its training."""

    folder: Path
    policy: Policy
    about: Mapping[str, Any]

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def config(self) -> PolicyConfig:
        return self.policy.config

    def curves(self) -> list[dict[str, Any]]:
        """The points of `train.curves`; empty where the file is gone or damaged, for it is only looked at."""
        try:
            return list(json.loads((self.folder / CURVES_JSON).read_bytes())["points"])
        except (OSError, ValueError, KeyError, TypeError):
            return []


def save_policy(
    folder: Path, policy: Policy, about: Mapping[str, Any], extra: Mapping[str, bytes] = MappingProxyType({})
) -> None:
    """Write a new policy folder at once.

    Args:
        about: JSON; at least "dataset" (the digest) and "settings". extra: further files, name to content.

    Raises:
        PolicyError: the folder exists.
    """
    refuse_existing(folder)
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in policy.state_dict().items()}
    weights = save(tensors)
    config = policy.config.to_json()
    head = {
        "format": FORMAT,
        "config": config,
        "config_sha256": _digest(_text(config)),
        "sha256": _digest(weights),
        "about": dict(about),
    }
    with new_folder(folder) as temporary:
        for name, content in extra.items():
            (temporary / name).write_bytes(content)
        (temporary / WEIGHTS).write_bytes(weights)
        (temporary / HEAD).write_bytes(canonical_json(head) + b"\n")


def load_policy(folder: Path) -> SavedPolicy:
    """Read a policy, ready to predict.

    Raises:
        PolicyError: missing, damaged, or not a swerve policy.
    """
    head = _read_head(folder)
    try:
        weights = (folder / WEIGHTS).read_bytes()
    except OSError as error:
        raise PolicyError(f"{folder / WEIGHTS} cannot be read: {error.strerror}", "its weights", AGAIN) from error
    if _digest(weights) != head.get("sha256"):
        raise PolicyError(
            f"{folder / WEIGHTS} ({len(weights)} bytes) is not what was saved", f"the sha256 in {HEAD}", AGAIN
        )
    config_digest = _digest(_text(head.get("config")))
    if head.get("config_sha256") != config_digest:
        raise PolicyError(f"the config in {folder / HEAD} is not what was saved", "its sha256", AGAIN)
    try:
        policy = _build(head, load(weights))
    except (SafetensorError, RuntimeError, KeyError, TypeError, ValueError, AttributeError, TrainError) as error:
        raise PolicyError(f"{folder} is damaged: {_first_line(error)}", "weights that fit the config", AGAIN) from error
    return SavedPolicy(folder, policy.eval(), head.get("about", {}))


def policy_folder(store: Path, name: str) -> Path:
    """Where a store keeps a policy. Raises PolicyError for a name that would leave the folder."""
    if not name or name.startswith(".") or Path(name).name != name or "\0" in name:
        raise PolicyError(f"a policy called {name!r}", "a plain folder name", "choose another with --name")
    return store / "policies" / name


def find_policy(store: Path, given: Path | None) -> Path:
    """The folder of a policy: a path, or the name of one of the store; the newest of the store unless given."""
    if given is None:
        return newest_policy(store)
    named = store / "policies" / given
    return named if not given.exists() and named.is_dir() else given


def newest_policy(store: Path) -> Path:
    """The policy saved last. Raises PolicyError where there is none."""
    found = sorted((store / "policies").glob(f"[!.]*/{HEAD}"), key=lambda path: (path.stat().st_mtime_ns, path))
    if not found:
        raise PolicyError(f"{store} holds no policy", "at least one", f"run: swerve train fit --store {store}")
    return found[-1].parent


def refuse_existing(folder: Path) -> None:
    if folder.exists():
        raise PolicyError(f"{folder} exists", "a new folder", "choose another --name, or remove it")


def _read_head(folder: Path) -> dict[str, Any]:
    path = folder / HEAD
    try:
        with path.open("rb") as file:
            head = json.loads(file.read(MAX_HEAD_BYTES))
    except OSError as error:
        raise PolicyError(f"{path} cannot be read: {error.strerror}", "a policy folder", AGAIN) from error
    except (ValueError, RecursionError) as error:
        raise PolicyError(f"{path} is damaged: {_first_line(error)}", "JSON", AGAIN) from error
    found = head.get("format") if isinstance(head, dict) else None
    if found not in (FORMAT, former.FORMAT):
        raise PolicyError(f"{path} has the format {found!r}", f"{FORMAT!r} or {former.FORMAT!r}", AGAIN)
    return dict(head)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _text(config: Any) -> bytes:
    # Sorted as in canonical_json, but a damaged config may hold Infinity, which must not raise here.
    return json.dumps(config, sort_keys=True).encode()


def _build(head: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Policy:
    old = head["format"] == former.FORMAT
    policy = Policy(former.config_of(head["config"]) if old else PolicyConfig.from_json(head["config"]))
    policy.load_state_dict(former.weights_of(tensors) if old else dict(tensors))
    return policy


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [repr(error)])[0]
