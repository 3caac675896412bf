"""Everything needed to build a policy and to read its outputs; plain enough to be kept as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from train.errors import PolicyError
from train.frames import View
from train.horizon import Horizon
from train.policies.backbone import Backbone
from train.policies.recurrent import Recurrent
from train.policies.stacked import Stacked
from train.policies.trunk import Net
from train.policies.twopaths import TwoPaths
from train.senses import Senses
from train.window import Window

NETS: Mapping[str, type[Any]] = {net.KIND: net for net in (TwoPaths, Backbone, Recurrent, Stacked)}


@dataclass(frozen=True)
class PolicyConfig:
    """A policy before it has weights.

    Attributes:
        view: of the first camera; others: of further cameras, each by name, whose features are put beside.
        net: the trunk of each camera. senses: inputs beside pictures.
        hidden: width of the head. dropout: before and inside the head.
        controls: names in the order of the outputs. mean, std: of their labels, in their units.
    """

    preset: str
    view: View
    window: Window
    net: Net = field(default_factory=TwoPaths)
    horizon: Horizon = field(default_factory=Horizon)
    others: tuple[View, ...] = ()
    senses: Senses = field(default_factory=Senses)
    hidden: int = 64
    dropout: float = 0.3
    controls: tuple[str, ...] = ()
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()

    @property
    def views(self) -> tuple[View, ...]:
        return (self.view, *self.others)

    def check(self) -> None:
        """Raises PolicyError where no policy can be built of it."""
        sizes = {len(self.controls), len(self.mean), len(self.std)}
        problems = {
            "no controls": not self.controls,
            "controls, mean and std of different lengths": len(sizes) != 1,
            "a spread that is not positive": not all(s > 0 for s in self.std),
            "further cameras without a name": not all(view.camera for view in self.others),
            "one camera twice": len({view.camera for view in self.views}) < len(self.views),
        }
        wrong = [what for what, is_so in problems.items() if is_so]
        if wrong:
            raise PolicyError(
                f"a policy with {' and '.join(wrong)}",
                "a whole configuration",
                "start from one of train.policies.presets",
            )

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"net": {"kind": self.net.KIND} | asdict(self.net)}  # type: ignore[call-overload]

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> PolicyConfig:
        """Raises KeyError, TypeError, ValueError or a TrainError for what `to_json` did not write."""
        parts = dict(data)
        net = dict(parts.pop("net"))
        return PolicyConfig(
            view=View(**parts.pop("view")),
            window=Window(**parts.pop("window")),
            net=NETS[net.pop("kind")](**_tuples(net)),
            horizon=Horizon(**parts.pop("horizon")),
            others=tuple(View(**view) for view in parts.pop("others")),
            senses=Senses(**parts.pop("senses")),
            **_tuples(parts),
        )


def _tuples(parts: Mapping[str, Any]) -> dict[str, Any]:
    """JSON knows lists only."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in parts.items()}
