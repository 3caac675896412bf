"""The safety driver: when would a human have taken over, and when may the policy drive again?

A takeover is counted when
    bad controls    what the policy gives is not a number or out of range
    collision       the car touches somebody (counted, though a human would have come earlier)
    obstacle        the deceleration needed to stay clear passes 6.5 m/s^2 and the policy does not brake for it, or
                    somebody is less than 0.35 s ahead; what merely lies there may also be driven round, and counts
                    only once that would need more than 3.5 m/s^2 to the side
    off lane        the car is more than 1.35 m off its lane's middle
    stalled         it has stood for 6 s although the expert would have driven
    crawling        it has gone at less than 0.4 of the limit for 12 s although the expert would have sped up
    speeding        it is faster than 1.25 times the limit
    needless brake  it brakes with more than 3 m/s^2 for 1 s where the expert would not brake at all

The limits are those with which the expert itself drives without a takeover. They are an exam's: the last moment.
Whoever sits beside a policy on a fleet's roads does not wait for it (`EARLY`): he takes over when he would have braked
hard himself, for somebody who only walks towards the lane too, and shows how it is done with room to spare.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from train.world.actors import Actor, Bystander, Debris, Oncoming
from train.world.car import WIDTH_M, Controls
from train.world.expert import acceleration
from train.world.scene import Scene

BRAKES_MPS2 = -2.5
"""What counts as braking for it."""
STALL_S, STALL_MPS = 6.0, 0.3
CRAWL_S, CRAWL_SHARE = 12.0, 0.4
SPEEDING_SHARE = 1.25
NEEDLESS_MPS2, NEEDLESS_S = -3.0, 1.0
HOLD_S = 4.0
"""How long a human keeps the wheel at least."""
STEADY_M, STEADY_RAD = 0.35, 0.06
"""The car is handed back within these of the lane's middle and direction."""
BY_BRAKE, BY_GAS = ("obstacle", "collision", "speeding"), ("stalled", "crawling")
"""Reasons for which a human uses the brake, or the gas; else he uses the wheel."""


@dataclass(frozen=True)
class Limits:
    """How far a policy may go.

    Attributes:
        needed_mps2: deceleration to stay clear of what is ahead. close_s: to somebody ahead.
        round_mps2: to the side, round what lies there; 3.5 is about what a driver asks of the tyres in an evasive
            manoeuvre that is still under control. off_lane_m: from the lane's middle.
        own_mps2: how hard the human would brake himself by then, where the policy does not.
        stall_s, crawl_s: standing, or crawling, for nothing.
    """

    needed_mps2: float = 6.5
    close_s: float = 0.35
    round_mps2: float = 3.5
    off_lane_m: float = 1.35
    own_mps2: float = math.inf
    stall_s: float = STALL_S
    crawl_s: float = CRAWL_S


LAST_MOMENT = Limits()
EARLY = Limits(round_mps2=0.8, off_lane_m=1.1, own_mps2=3.2, stall_s=2.0, crawl_s=6.0)


@dataclass
class SafetyDriver:
    """Watches one drive."""

    limits: Limits = LAST_MOMENT
    stalled_s: float = 0.0
    crawled_s: float = 0.0
    needless_s: float = 0.0
    held_s: float = 0.0

    def watch(self, scene: Scene, given: Controls, expert: Controls, seconds: float) -> str:
        """Why a human takes over now, "" where the policy may go on."""
        if given.problem():
            return "bad controls"
        if scene.collided:
            return "collision"
        late = -acceleration(expert) > self.limits.own_mps2 and acceleration(given) > BRAKES_MPS2
        if late or self._obstacle(scene, given):
            return "obstacle"
        if abs(scene.ego.off_lane_m) > self.limits.off_lane_m:
            return "off lane"
        stands = scene.ego.speed_mps < STALL_MPS and acceleration(expert) > 0.3
        self.stalled_s = self.stalled_s + seconds if stands else 0.0
        needless = acceleration(given) < NEEDLESS_MPS2 and acceleration(expert) > -0.3
        self.needless_s = self.needless_s + seconds if needless else 0.0
        limit = scene.road.place.limit_mps
        crawls = scene.ego.speed_mps < CRAWL_SHARE * limit and acceleration(expert) > 0.3
        self.crawled_s = self.crawled_s + seconds if crawls else 0.0
        if self.stalled_s > self.limits.stall_s:
            return "stalled"
        if self.crawled_s > self.limits.crawl_s:
            return "crawling"
        if scene.ego.speed_mps > SPEEDING_SHARE * limit:
            return "speeding"
        return "needless brake" if self.needless_s > NEEDLESS_S else ""

    def took_over(self) -> None:
        self.stalled_s = self.crawled_s = self.needless_s = self.held_s = 0.0

    def may_hand_back(self, scene: Scene, seconds: float) -> bool:
        """Told each step while the human drives."""
        self.held_s += seconds
        steady = abs(scene.ego.off_lane_m) < STEADY_M and abs(scene.ego.heading_rad) < STEADY_RAD
        clear = not any(gap < 25.0 for gap, _ in scene.in_path())
        return self.held_s >= HOLD_S and steady and clear and scene.ego.speed_mps > 2.0

    def _obstacle(self, scene: Scene, given: Controls) -> bool:
        speed, limits = scene.ego.speed_mps, self.limits
        for gap, other in scene.in_path(margin_m=0.0):
            if isinstance(other, Bystander | Oncoming):
                continue
            closing = speed - max(other.along_mps, 0.0)
            if closing <= 0.3 or (isinstance(other, Debris) and _passes(scene, gap, other, limits.round_mps2)):
                continue
            if gap < limits.close_s * closing:
                return True
            if closing**2 / (2 * max(gap, 0.1)) > limits.needed_mps2 and acceleration(given) > BRAKES_MPS2:
                return True
        return False


def _passes(scene: Scene, gap_m: float, other: Actor, round_mps2: float) -> bool:
    """Can the car still get past on the side it is nearer to?"""
    ego = scene.ego
    until_s = max(gap_m, 0.0) / max(ego.speed_mps, 0.1)
    missing = (WIDTH_M + other.width_m) / 2 - abs(ego.offset_m - other.offset_m)
    side = 1.0 if ego.offset_m > other.offset_m else -1.0
    missing -= side * ego.speed_mps * math.sin(ego.heading_rad) * until_s
    return missing <= 0.5 * round_mps2 * until_s**2
