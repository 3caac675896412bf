"""Expressions: a condition over signals with units, checked before it is ever evaluated.

    speed_mps > kmh(72) and rate(brake_fraction) > 3

`parse` is the only way in. The text is read by Python's parser, checked against a white list with its units and its
cost, and turned into a tree of numpy operators; nothing of it is ever executed. See `trigger.language`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from trigger.language.check import check
from trigger.language.operators import severity
from trigger.language.piece import EVER_NS, Node, Piece
from trigger.language.syntax import Source
from trigger.measures import Measured
from trigger.telemetry import Telemetry


@dataclass(frozen=True)
class Expression:
    """A checked expression.

    Attributes:
        text: as it was written.
        root: the tree that evaluates it.
    """

    text: str
    root: Node = field(repr=False)

    @property
    def signals(self) -> frozenset[str]:
        """Names of all signals it reads."""
        return self.root.signals

    @property
    def lookback_s(self) -> float:
        """Its value at t depends on the samples in [t - lookback_s, t] alone, to the last bit; in s."""
        return self.root.lookback_s

    def evaluate(self, telemetry: Telemetry, memo: dict[str, Any], since_ns: int = EVER_NS) -> Measured:
        """Its severity at every sample of a signal it reads.

        Args:
            telemetry: a piece that begins `lookback_s` before the first time of interest; a signal it lacks is unknown.
            memo: a dictionary, empty at first, with which expressions share what they have in common. It serves one
                piece and one `since_ns`, and begins anew with another.
            since_ns: first time of interest, int ns; what lies before is neither computed, where that can be, nor told.

        Returns:
            Values (N,): 0 where false, NaN where unknown, finite and 1 or more where true.
        """
        piece = memo.get("piece")
        if piece is None or piece.telemetry is not telemetry or piece.since_ns != since_ns:
            piece = memo["piece"] = Piece(telemetry, since_ns)
        with np.errstate(all="ignore"):
            condition = piece.evaluate_whole(self.root)
            return Measured(condition.clock.t_ns, severity(condition.values), self.text)


def parse(text: str) -> Expression:
    """Check an expression. Raises ExpressionError, which names the place."""
    return Expression(text, check(Source(text)))
