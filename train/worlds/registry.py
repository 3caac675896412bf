"""Which environments can be driven: gymnasium's id to our rules."""

from __future__ import annotations

import importlib

from train.errors import WorldError
from train.worlds.car_racing import CarRacing
from train.worlds.rules import Rules

_KNOWN: dict[str, type[Rules]] = {"CarRacing-v3": CarRacing}


def plug_in(env_id: str, rules: type[Rules]) -> None:
    """Make an environment drivable, under the id it is registered with at gymnasium."""
    _KNOWN[env_id] = rules


def rules_of(env_id: str) -> Rules:
    """The rules of an environment. As in gymnasium, `module:ENV_ID` imports the module first, which plugs it in.

    Raises:
        WorldError: no such module, or no rules under this id.
    """
    module, _, name = env_id.rpartition(":")
    if module:
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise WorldError(
                f"the module of {env_id} cannot be imported: {error}",
                "a module that registers the environment and plugs it in",
                "install it, or name its folder in PYTHONPATH",
            ) from error
    if name not in _KNOWN:
        raise WorldError(
            f"no rules for the environment {name!r}",
            f"one of {', '.join(sorted(_KNOWN))}",
            "say what its numbers mean and when a human takes over, as docs/worlds.md shows",
        )
    return _KNOWN[name]()
