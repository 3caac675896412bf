"""Does a policy drive as far where it has never been? The exam in new places beside one in the places of its fleet.

The interval is exact for these places, with disengagements that come independently of one another
(`train.miles.ratio_interval`). Places differ in how hard they are, for everybody: a ratio below 1 says that this policy
came less far in those of the exam, and not yet that it is for their being new.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from train.miles import Miles, ratio_interval


@dataclass(frozen=True)
class Consistency:
    """Miles in places that its fleet drives, and in others."""

    seen: Miles
    unseen: Miles

    @property
    def ratio(self) -> float | None:
        """Of miles between disengagements, unseen to seen; None where one of them had none."""
        unseen, seen = self.unseen.between, self.seen.between
        return unseen / seen if unseen is not None and seen else None

    def __str__(self) -> str:
        low, high = ratio_interval(self.unseen, self.seen)
        ratio = "not known" if self.ratio is None else f"{self.ratio:.3g}"
        to = f"{low:.3g} to {'any' if high is None else format(high, '.3g')}"
        less, further = high is not None and high < 1.0, low > 1.0
        verdict = "less far" if less else "further" if further else "as far, or no difference can be told"
        return (
            f"in the fleet's places {self.seen}; ratio of new to seen {ratio} (95 % {to}): where it is new, {verdict}"
        )

    def to_json(self) -> dict[str, Any]:
        interval = list(ratio_interval(self.unseen, self.seen))
        return {"seen": self.seen.to_json(), "ratio_unseen_to_seen": self.ratio, "interval_95": interval}
