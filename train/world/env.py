"""The world behind the gymnasium interface: pictures in, controls out, a safety driver beside you.

    observation   {camera: (H, W, 3) uint8}, RGB, what the windshield camera sees now
    action        (3,) float32: steering as a share of full lock, + left, -1 to 1; gas and brake, 0 to 1
    reward        metres driven by whoever gives the actions, so 0 while the safety driver drives
    info          takeover   why the safety driver took over in this step, "" where he did not
                  engaged    whether the action was used: False while the safety driver drives
                  expert     (3,) what the expert would have done; for judging, never for training
                  metres     driven with the actions given, since the start; place: its name; t_s

A step is 0.1 s. The same (place, rates, start) and actions give the same bytes. Nothing ends an episode but the end of
the road: after a takeover the safety driver drives on until the car is steady, and hands it back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from train.errors import WorldError
from train.world.car import Controls
from train.world.draw import Lens, Painter, Pixels
from train.world.expert import CAREFUL, Style, drive
from train.world.place import CALM, NATURAL, PLACES, STRESS
from train.world.safety import LAST_MOMENT, Limits, SafetyDriver
from train.world.scene import Scene

STEP_S = 0.1
RATES = {"natural": NATURAL, "stress": STRESS, "calm": CALM}
Action = NDArray[np.float32]
SPEED, FASTEST_MPS = "speed_mps", 100.0
Observation = dict[str, NDArray[Any]]
"""Pictures by the names of their cameras, (H, W, 3) uint8; under `SPEED`, where it is known, (1,) float32 in m/s."""
World = gymnasium.Env[Observation, Action]
"""Whatever keeps to the interface above; others' worlds are in `train.worlds`."""


class DrivingWorld(gymnasium.Env[Observation, Action]):
    """One car in one place."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": round(1 / STEP_S)}  # noqa: RUF012

    def __init__(
        self,
        place: str = "meadow",
        rates: str = "natural",
        start_m: float = 100.0,
        lens: Lens = Lens(),  # noqa: B008
        day: int = 0,
    ) -> None:
        """`day`: whose happenings, see `train.world.road.road_of`. Raises WorldError for a place or rates that are not
        known."""
        if place not in PLACES or rates not in RATES:
            raise WorldError(
                f"the place {place!r} at {rates!r} rates",
                f"one of {', '.join(PLACES)} at {', '.join(RATES)} rates",
                "choose one of them",
            )
        self.place, self.rates, self.start_m, self.lens, self.day = place, rates, start_m, lens, day
        self.style: Style = CAREFUL
        self.limits: Limits = LAST_MOMENT
        self.each_tick: Callable[[], None] = lambda: None
        self.render_mode = "rgb_array"
        self.observation_space = spaces.Dict(  # type: ignore[assignment]
            {
                "front": spaces.Box(0, 255, (lens.height, lens.width, 3), np.uint8),
                SPEED: spaces.Box(0, FASTEST_MPS, (1,), np.float32),
            }
        )
        self.action_space = spaces.Box(
            np.array([-1, 0, 0], np.float32), np.array([1, 1, 1], np.float32), dtype=np.float32
        )
        self._begin(start_m)

    def reset(
        self, *, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Start again; a `seed` chooses where on the road, `options={"start_m": ...}` says it."""
        super().reset(seed=seed)
        start = self.start_m if seed is None else float(self.np_random.uniform(100.0, 0.8 * self.scene.road.length_m))
        self._begin(float((options or {}).get("start_m", start)))
        return self._seen(), self._info("", drive(self.scene, self.style))

    def step(self, action: Action) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        given = Controls(*(float(value) for value in np.asarray(action).ravel()[:3]))
        expert = drive(self.scene, self.style)
        takeover = self._watched(given, expert)
        before = self.scene.ego.station_m
        self.scene.step(given if self.engaged else expert, STEP_S, self.each_tick)
        driven = self.scene.ego.station_m - before if self.engaged else 0.0
        self.metres += driven
        return self._seen(), driven, False, self.scene.ended, self._info(takeover, expert)

    def render(self) -> Pixels:
        return self._seen()["front"]

    def _begin(self, start_m: float) -> None:
        self.scene = Scene(PLACES[self.place], RATES[self.rates], start_m, day=self.day)
        self.safety = SafetyDriver(self.limits)
        self.engaged, self.metres = True, 0.0

    def _watched(self, given: Controls, expert: Controls) -> str:
        """Settle who drives in this step."""
        if not self.engaged:
            if not self.safety.may_hand_back(self.scene, STEP_S):
                return ""
            self.engaged = True  # what is given is used in this very step, and so judged
        reason = self.safety.watch(self.scene, given, expert, STEP_S)
        if reason:
            self.engaged = False
            self.safety.took_over()
            self.scene.clear_collision()
        return reason

    def _seen(self) -> Observation:
        speed = np.array([self.scene.ego.speed_mps], np.float32)
        return {"front": _painter(self.lens).draw(self.scene), SPEED: speed}

    def _info(self, takeover: str, expert: Controls) -> dict[str, Any]:
        return {
            "takeover": takeover,
            "engaged": self.engaged,
            "expert": np.array([expert.steering, expert.gas, expert.brake], np.float32),
            "metres": self.metres,
            "place": self.place,
            "t_s": self.scene.t_s,
        }


@lru_cache(maxsize=4)
def _painter(lens: Lens) -> Painter:
    return Painter(lens)
