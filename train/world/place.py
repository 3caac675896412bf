"""The places of the world: each looks and drives differently, and serves one purpose only.

Rules:
- A place is for the fleet, for the gate's exam or for the final exam, never for two of them; their seeds differ too.
- What happens lies at fixed stations of its road, drawn from the place's seed alone, so two policies sit the same exam.
- `NATURAL` rates make every kind rare (well under 1 % of driven seconds); exams use `STRESS`, where miles are scarce.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Role = Literal["fleet", "gate", "final"]
Colour = tuple[int, int, int]
KINDS = ("pedestrian", "debris", "cut_in", "hard_brake", "sharp_bend")
"""What happens rarely. None of it is ever told to a policy."""


@dataclass(frozen=True)
class Look:
    """Colours (red, green, blue, 0 to 255), and light: 1 in full daylight; `glare`: a low sun stands ahead."""

    ground: Colour
    road: Colour
    line: Colour
    sky: Colour
    block: Colour
    light: float = 1.0
    glare: bool = False


@dataclass(frozen=True)
class Place:
    """A place.

    Attributes:
        limit_mps: speed limit. radius_m: smallest and largest radius of its ordinary bends.
        straight_m: smallest and largest length of its straights.
        traffic_per_km: cars one catches up with, and as many that come the other way.
        block_spacing_m: between houses or trees beside the road.
        origin: latitude and longitude of station 0 in degrees; in the Atlantic, where nobody lives.
    """

    name: str
    role: Role
    seed: int
    look: Look
    limit_mps: float
    radius_m: tuple[float, float]
    straight_m: tuple[float, float]
    traffic_per_km: float
    block_spacing_m: float
    origin: tuple[float, float]


NATURAL: Mapping[str, float] = dict.fromkeys(KINDS, 1 / 12_000)
"""Happenings of a kind per metre: about one in a quarter of an hour."""
STRESS: Mapping[str, float] = {
    "pedestrian": 1 / 700,
    "debris": 1 / 700,
    "cut_in": 1 / 1500,
    "hard_brake": 1 / 1500,
    "sharp_bend": 1 / 1500,
}
CALM: Mapping[str, float] = dict.fromkeys(KINDS, 0.0)

_MEADOW = Look((92, 132, 66), (96, 96, 98), (225, 225, 220), (140, 180, 225), (70, 96, 58))
_DESERT = Look((196, 168, 120), (118, 110, 104), (240, 220, 120), (200, 215, 235), (160, 130, 96))
_TOWN = Look((128, 126, 120), (74, 74, 78), (235, 235, 235), (170, 185, 200), (150, 110, 92))
_SNOW = Look((222, 226, 232), (110, 112, 118), (250, 240, 150), (205, 212, 222), (120, 128, 132))
_NIGHT = Look((60, 78, 52), (74, 74, 80), (240, 240, 235), (18, 22, 40), (66, 62, 60), light=0.45)
_EVENING = Look((116, 108, 70), (90, 86, 84), (230, 215, 190), (238, 176, 120), (92, 74, 60), light=0.85, glare=True)


def _place(
    number: int, name: str, role: Role, look: Look, limit: float, radius: tuple[float, float], traffic: float
) -> Place:
    straight, spacing = ((30.0, 120.0), 18.0) if limit < 13 else ((60.0, 220.0), 32.0)
    return Place(name, role, 1000 + 17 * number, look, limit, radius, straight, traffic, spacing, (0.0, -30.0 + number))


PLACES: Mapping[str, Place] = {
    place.name: place
    for place in (
        _place(0, "meadow", "fleet", _MEADOW, 15.0, (80, 260), 1.2),
        _place(1, "desert", "fleet", _DESERT, 17.0, (110, 300), 0.6),
        _place(2, "town", "fleet", _TOWN, 11.0, (45, 150), 2.0),
        _place(3, "evening", "fleet", _EVENING, 14.0, (70, 240), 1.0),
        _place(4, "night", "fleet", _NIGHT, 13.5, (80, 220), 0.8),
        _place(5, "vale", "gate", _MEADOW, 14.0, (75, 240), 1.2),
        _place(6, "suburb", "gate", _TOWN, 12.0, (55, 170), 1.8),
        _place(7, "dusk", "gate", _NIGHT, 13.0, (80, 220), 0.8),
        _place(8, "heath", "final", _DESERT, 15.5, (90, 280), 0.9),
        _place(9, "borough", "final", _TOWN, 11.5, (50, 160), 1.8),
        _place(10, "winter", "final", _SNOW, 13.0, (80, 230), 1.0),
    )
}


def places(role: Role) -> tuple[Place, ...]:
    """All places that serve a purpose, in their order."""
    return tuple(place for place in PLACES.values() if place.role == role)
