"""How a second was driven: how hard the vehicle braked and cornered, and how near it followed.

Measured as the triggers measure (`trigger.measures`), so that a harsh second here is a harsh event there. It says
nothing of whether the driving was good; `curate.driver` does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from trigger import measures
from trigger.baseline import SECOND_NS
from trigger.builtin import G_MPS2
from trigger.measures import LOOKBACK_S, Maker, Measure, Measured, SignalAbsentError
from trigger.telemetry import Recorded, Values
from trigger.vehicle import VehicleProfile

BRAKING_MPS2, HARD_BRAKING_MPS2 = 0.1 * G_MPS2, 0.3 * G_MPS2
TURNING_MPS2, HARD_TURNING_MPS2 = 0.2 * G_MPS2, 0.4 * G_MPS2
FOLLOWING_S, CLOSE_FOLLOWING_S = 3.0, 1.0
"""Limits of Tesla's Safety Score: braking, turning and headway at all, and those that count against the driver."""
STRETCH_S, LOOKAHEAD_S = 300, 1
"""What is measured in one go, so that a clip as long as its drive fits into memory; no filter reaches on further."""


@dataclass(frozen=True)
class Manner:
    """One second; shares are of the samples in it, NaN where a measure has none.

    Attributes:
        braking, hard_braking: share above 0.1 g and above 0.3 g of deceleration.
        turning, hard_turning: share above 0.2 g and above 0.4 g of lateral acceleration.
        following, close_following: share with a headway under 3 s and under 1 s, above 10 m/s.
        longitudinal_mps2, lateral_mps2: greatest size of the acceleration.
    """

    braking: float = np.nan
    hard_braking: float = np.nan
    turning: float = np.nan
    hard_turning: float = np.nan
    following: float = np.nan
    close_following: float = np.nan
    longitudinal_mps2: float = np.nan
    lateral_mps2: float = np.nan


NOT_MEASURED = Manner()


def manners(telemetry: Recorded, vehicle: VehicleProfile, starts_ns: Sequence[int]) -> Iterator[Manner]:
    """One for each second that starts at int ns, in order of time."""
    made = [_made(maker, telemetry, vehicle) for maker in (measures.braking, measures.cornering, measures.closeness)]
    for stretch in _stretches(starts_ns):
        until_ns = stretch[-1] + (1 + LOOKAHEAD_S) * SECOND_NS
        piece = telemetry.between(stretch[0] - round(LOOKBACK_S * SECOND_NS), until_ns)
        told = [measure(piece, stretch[0]) if measure else None for measure in made]
        for start_ns in stretch:
            yield _manner(*(_within(measured, start_ns) for measured in told))


def _made(maker: Maker, telemetry: Recorded, vehicle: VehicleProfile) -> Measure | None:
    try:
        return maker(set(telemetry), vehicle)
    except SignalAbsentError:
        return None


def _stretches(starts_ns: Sequence[int]) -> Iterator[list[int]]:
    """Seconds that lie within one stretch of the recording."""
    stretch: list[int] = []
    for start_ns in starts_ns:
        if stretch and start_ns - stretch[0] >= STRETCH_S * SECOND_NS:
            yield stretch
            stretch = []
        stretch.append(start_ns)
    if stretch:
        yield stretch


def _within(measured: Measured | None, start_ns: int) -> Values:
    """A measure's samples in one second, (K,)."""
    if measured is None:
        return np.empty(0)
    values = measured.values[slice(*np.searchsorted(measured.t_ns, [start_ns, start_ns + SECOND_NS]))]
    return values[np.isfinite(values)]


def _manner(braking: Values, cornering: Values, closeness: Values) -> Manner:
    return Manner(
        braking=_share(braking > BRAKING_MPS2),
        hard_braking=_share(braking > HARD_BRAKING_MPS2),
        turning=_share(cornering > TURNING_MPS2),
        hard_turning=_share(cornering > HARD_TURNING_MPS2),
        following=_share(closeness > 1 / FOLLOWING_S),
        close_following=_share(closeness > 1 / CLOSE_FOLLOWING_S),
        longitudinal_mps2=float(np.abs(braking).max()) if braking.size else np.nan,
        lateral_mps2=float(cornering.max()) if cornering.size else np.nan,
    )


def _share(above: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> float:
    return float(above.mean()) if above.size else np.nan
