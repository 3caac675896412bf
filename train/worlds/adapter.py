"""Any gymnasium environment with pixels as a world to be driven in: the interface of `train.world.env`.

Beside what the environment's rules say, a human takes over where the controls are none (not a number, out of range;
they never reach the environment) and where the car has not come on for `stall_s`. With an expert he drives until
nothing was wrong for 4 s, and hands the car back; without one the drive ends there, for nobody is left who could.

The trade-off: what needs knowledge of others (an obstacle, braking for nothing) is judged only where the rules do so.
Drives in it are counted, not recorded: most environments do not know what a recorder would have to write.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from train.errors import WorldError
from train.world.car import Controls
from train.world.draw import Pixels
from train.world.env import STEP_S, Action, Observation
from train.world.safety import HOLD_S, STALL_MPS
from train.worlds.registry import rules_of
from train.worlds.rules import Moment, Rules


def make(env_id: str) -> tuple[Rules, gymnasium.Env[Any, Any]]:
    """An environment and its rules. Its own limit of steps is off: how long a drive lasts is the exam's business.

    Raises:
        WorldError: not known, not installed, or its steps do not fit into ours.
    """
    rules = rules_of(env_id)
    steps = STEP_S / rules.step_s
    if round(steps) < 1 or abs(steps - round(steps)) > 1e-6:
        raise WorldError(
            f"a step of {env_id} lasts {rules.step_s} s", f"a whole number of them in {STEP_S} s", "set another rate"
        )
    try:
        env = gymnasium.make(env_id, max_episode_steps=-1, disable_env_checker=True, **rules.options)
    except (gymnasium.error.Error, ImportError) as error:
        raise WorldError(f"{env_id} cannot be made: {error}", "an installed environment", "install it") from error
    return rules, env


class GymWorld(gymnasium.Env[Observation, Action]):
    """One car in a foreign environment. Raises WorldError wherever the environment fails."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": round(1 / STEP_S)}  # noqa: RUF012

    def __init__(self, env_id: str, seed: int = 0) -> None:
        """`seed`: of every reset that is not told another."""
        self.place, self.seed = env_id, seed
        self.rules, self._env = make(env_id)
        self._steps = round(STEP_S / self.rules.step_s)
        self.render_mode = "rgb_array"
        self.action_space = spaces.Box(
            np.array([-1, 0, 0], np.float32), np.array([1, 1, 1], np.float32), dtype=np.float32
        )
        self._begin(seed)
        self.observation_space = spaces.Dict(  # type: ignore[assignment]
            {"front": spaces.Box(0, 255, self.render().shape, np.uint8)}
        )

    def reset(
        self, *, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        super().reset(seed=seed)
        self._begin(self.seed if seed is None else seed)
        return self._seen(), self._info("")

    def step(self, action: Action) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        given = Controls(*(float(value) for value in np.asarray(action).ravel()[:3]))
        takeover = self._watched(given)
        before = self.metres
        controls = given if self.engaged else self.rules.expert(self._moment)
        if controls:
            self._advance(controls)
        else:
            self.t_s += STEP_S
        if self.engaged and self._moment.terminated:
            takeover = self.rules.takeover(self._moment)
        ended = self._moment.terminated or controls is None
        return self._seen(), self.metres - before, ended, self._truncated, self._info(takeover)

    def render(self) -> Pixels:
        return self._seen()["front"]

    def close(self) -> None:
        self._env.close()

    def _begin(self, seed: int) -> None:
        try:
            observed, info = self._env.reset(seed=seed)
        except Exception as error:
            raise self._died(error) from error
        self._moment, self._truncated = Moment(self._env.unwrapped, observed, False, info), False
        self.engaged, self.metres, self.t_s = True, 0.0, 0.0
        self._stalled_s = self._quiet_s = 0.0

    def _watched(self, given: Controls) -> str:
        """Settle who drives in this step."""
        wrong = self.rules.takeover(self._moment)
        if not self.engaged:
            self._quiet_s = 0.0 if wrong else self._quiet_s + STEP_S
            if self._quiet_s < HOLD_S:
                return ""
            self.engaged = True
        stands = self.rules.speed_mps(self._moment) < STALL_MPS
        self._stalled_s = self._stalled_s + STEP_S if stands else 0.0
        stalled = "stalled" if self._stalled_s > self.rules.stall_s else ""
        reason = "bad controls" if given.problem() else wrong or stalled
        if reason:
            self.engaged, self._stalled_s, self._quiet_s = False, 0.0, 0.0
        return reason

    def _advance(self, controls: Controls) -> None:
        action = self.rules.action(controls)
        for _ in range(self._steps):
            try:
                observed, _, terminated, self._truncated, info = self._env.step(action)
            except Exception as error:
                raise self._died(error) from error
            self._moment = Moment(self._env.unwrapped, observed, bool(terminated), info)
            self.t_s += self.rules.step_s
            self.metres += self.rules.speed_mps(self._moment) * self.rules.step_s if self.engaged else 0.0
            if terminated or self._truncated:
                return

    def _seen(self) -> Observation:
        picture = np.asarray(self.rules.picture(self._moment))
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
            raise WorldError(
                f"{self.place} shows {picture.dtype} of shape {picture.shape}",
                "(H, W, 3) uint8, red, green, blue",
                "return that from `picture` of its rules",
            )
        return {"front": picture}

    def _info(self, takeover: str) -> dict[str, Any]:
        expert = self.rules.expert(self._moment)
        return {
            "takeover": takeover,
            "engaged": self.engaged,
            "expert": None if expert is None else np.array([expert.steering, expert.gas, expert.brake], np.float32),
            "metres": self.metres,
            "place": self.place,
            "t_s": self.t_s,
        }

    def _died(self, error: Exception) -> WorldError:
        # Foreign code may raise anything; whatever it is, this world is over and the others are not.
        return WorldError(f"{self.place} died: {error!r}", "a world that steps", "report it to its authors")
