"""A privileged driver: it knows the road and everybody on it. What it does is the label; what it knows is not.

Steering: curvature of the road ahead plus critically damped feedback to the wished place in the lane. Speed: the least
of the Intelligent Driver Model (Treiber, Hennecke and Helbing 2000) towards everything in the way, of what the bends
ahead and what lies in the lane allow, and of the limit.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from train.world.actors import Actor, Bystander, CutIn, Debris, Oncoming, Pedestrian
from train.world.car import BRAKE_MPS2, DRAG_PER_S, GAS_MPS2, WIDTH_M, Controls, steering_for
from train.world.road import LANE_OFFSET_M
from train.world.scene import Scene

CLEARANCE_M = 0.35
"""To the side of what is passed."""
STANDSTILL_GAP_M = 3.0
FAR_M = 110.0
SEES_S = 3.2
"""How long before it what lies in the lane is slowed for and steered clear of."""
SQUEEZES_MPS = 7.0
"""How fast, at most, one goes past it with so little to the side."""
SETTLES = 3.0
"""Reaches in which four fifths of a step to the side are done, critically damped: 1 - (1 + 3) e^-3."""
SWERVES_MPS2 = 3.0
"""What a swerve may ask for to the side."""


@dataclass(frozen=True)
class Style:
    """How somebody drives.

    Attributes:
        pace: share of the speed limit. headway_s: to the car ahead. lateral_mps2: what bends may ask for.
        gas_mps2, brake_mps2: what is used in comfort. settle_s: time in which the lane is found again.
    """

    pace: float = 0.95
    headway_s: float = 1.6
    lateral_mps2: float = 2.2
    gas_mps2: float = 1.6
    brake_mps2: float = 2.2
    settle_s: float = 1.1


CAREFUL = Style()
HURRIED = Style(pace=1.08, headway_s=1.0, lateral_mps2=3.2, gas_mps2=2.8, brake_mps2=3.4, settle_s=0.8)
RELAXED = Style(pace=0.85, headway_s=2.2, lateral_mps2=1.7, gas_mps2=1.2, brake_mps2=1.8, settle_s=1.4)


def drive(scene: Scene, style: Style = CAREFUL) -> Controls:
    """What the expert does now."""
    lying = (_for_debris(scene, gap) for gap, _ in _lies_ahead(scene))
    others = (_for_obstacle(scene, style, *each) for each in _obstacles(scene))
    accel = min([_for_road(scene, style), *lying, *others])
    gas, brake = pedals(accel + DRAG_PER_S * scene.ego.speed_mps)
    return Controls(_steering(scene, style), gas, brake)


def pedals(accel_mps2: float) -> tuple[float, float]:
    """(gas, brake) that give an acceleration; a foot rests on neither pedal for the little that rolling gives."""
    if accel_mps2 >= 0:
        return min(accel_mps2 / GAS_MPS2, 1.0), 0.0
    return 0.0, min(max(-accel_mps2 - 0.1, 0.0) / BRAKE_MPS2, 1.0)


def acceleration(controls: Controls) -> float:
    """What controls ask for, in m/s^2."""
    return GAS_MPS2 * controls.gas - BRAKE_MPS2 * controls.brake


def _steering(scene: Scene, style: Style) -> float:
    ego, road = scene.ego, scene.road
    aside_m, gap_m = _wished_place(scene)
    aside_m -= ego.offset_m
    least = ego.speed_mps * math.sqrt(abs(aside_m) / SWERVES_MPS2)
    reach = max(4.0, min(style.settle_s * ego.speed_mps, max(gap_m / SETTLES, least)))
    ahead = road.curvature(ego.station_m + 0.25 * ego.speed_mps)
    wished = ahead + aside_m / reach**2 - 2.0 * math.sin(ego.heading_rad) / reach
    return min(max(steering_for(wished), -1.0), 1.0)


def _wished_place(scene: Scene) -> tuple[float, float]:
    """The lane's middle, or beside what lies in it, from the centre line; and in how many metres to be there."""
    for gap, other in _lies_ahead(scene):
        side = 1.0 if other.offset_m < LANE_OFFSET_M else -1.0
        return other.offset_m + side * ((WIDTH_M + other.width_m) / 2 + CLEARANCE_M), gap if gap > 0 else math.inf
    return LANE_OFFSET_M, math.inf


def _lies_ahead(scene: Scene) -> Iterator[tuple[float, Debris]]:
    """Gap to the front bumper in m, and what lies there, until it is passed."""
    for other in scene.others:
        gap = other.back_m - scene.ego.front_m
        if isinstance(other, Debris) and -(other.length_m + 5.5) < gap < SEES_S * scene.ego.speed_mps + 4.0:
            yield gap, other


def _for_road(scene: Scene, style: Style) -> float:
    """Towards the limit, and slow enough in time for the bends ahead."""
    ego, road = scene.ego, scene.road
    speed, wished = ego.speed_mps, road.place.limit_mps * style.pace
    allowed = wished
    for ahead in range(0, 80, 4):
        bend = math.sqrt(style.lateral_mps2 / max(abs(road.curvature(ego.station_m + ahead)), 1e-4))
        allowed = min(allowed, math.sqrt(bend**2 + 2 * 0.7 * style.brake_mps2 * max(ahead - 0.3 * speed, 0)))
    if speed > allowed:
        return max(-style.brake_mps2 * 1.4, 1.6 * (allowed - speed))
    return style.gas_mps2 * (1 - (speed / max(allowed, 0.1)) ** 4)


def _for_debris(scene: Scene, gap_m: float) -> float:
    """Slow enough by then to squeeze past; beside it at last, gently slower."""
    own = scene.ego.speed_mps
    if own <= SQUEEZES_MPS:
        return 0.8 * (SQUEEZES_MPS - own)
    return max(-BRAKE_MPS2, -(own**2 - SQUEEZES_MPS**2) / (2 * max(gap_m - 2.0, 0.5)) if gap_m > 0 else -1.0)


def _obstacles(scene: Scene) -> Iterator[tuple[float, float]]:
    """(gap to the front bumper in m, its speed in m/s) of all that is or will be in the way."""
    for other in scene.others:
        gap = other.back_m - scene.ego.front_m
        if -1.0 < gap < FAR_M and _in_the_way(other, gap, scene):
            yield gap, max(other.along_mps, 0.0)


def _in_the_way(other: Actor, gap_m: float, scene: Scene) -> bool:
    if isinstance(other, Debris | Oncoming | Bystander):
        return False
    if isinstance(other, Pedestrian):
        leaving = (other.offset_m - LANE_OFFSET_M) * other.across_to > (WIDTH_M + other.width_m) / 2 + 0.5
        return other.walks and not leaving
    if isinstance(other, CutIn):
        return other.pulls and other.offset_m > LANE_OFFSET_M - 3.2
    return abs(other.offset_m - LANE_OFFSET_M) < (WIDTH_M + other.width_m) / 2 + 0.2


def _for_obstacle(scene: Scene, style: Style, gap_m: float, speed_mps: float) -> float:
    """The Intelligent Driver Model towards one obstacle; what it needs at least to stop in time where that is more."""
    own = scene.ego.speed_mps
    room = max(gap_m - STANDSTILL_GAP_M, 0.3)
    closing = own - speed_mps
    dynamic = own * closing / (2 * math.sqrt(style.gas_mps2 * style.brake_mps2))
    wished = STANDSTILL_GAP_M + max(0.0, own * style.headway_s + dynamic)
    idm = style.gas_mps2 * (1 - (own / max(scene.road.place.limit_mps, 1.0)) ** 4 - (wished / max(gap_m, 0.3)) ** 2)
    needed = -(closing**2) / (2 * room) if closing > 0 else 0.0
    calm = max(idm, -style.brake_mps2)
    return max(-BRAKE_MPS2, min(calm, 1.15 * needed if needed < -style.brake_mps2 else calm))
