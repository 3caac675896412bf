"""A small environment of its own for tests: a straight lane, seen from the car as three stripes, and its rules.

It is also what docs/worlds.md shows: an environment, then what its numbers mean.
"""

import gymnasium
import numpy as np
from gymnasium import spaces

from train.world.car import Controls
from train.worlds.registry import plug_in
from train.worlds.rules import Rules


class Lane(gymnasium.Env):
    """Steps of 0.05 s. Action: turn in rad/s, + right, and acceleration in m/s^2. A wall stands at `end_m`."""

    def __init__(self, end_m=1e9, kind=np.uint8, dies_at_m=np.inf):
        self.action_space = spaces.Box(-5, 5, (2,), np.float64)
        self.observation_space = spaces.Box(0, 255, (24, 32, 3), np.uint8)
        self.end_m, self.kind, self.dies_at_m = end_m, kind, dies_at_m

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.x_m, self.speed, self.heading, self.actions = 0.0, 5.0, 0.0, []
        self.y_m = float(self.np_random.uniform(-0.5, 0.5))
        return self._seen(), {}

    def step(self, action):
        self.actions.append(np.array(action))
        turn_right, accel = action
        self.heading -= turn_right * 0.05
        self.speed = max(0.0, self.speed + accel * 0.05)
        self.x_m += self.speed * np.cos(self.heading) * 0.05
        self.y_m += self.speed * np.sin(self.heading) * 0.05
        if self.x_m > self.dies_at_m:
            raise AttributeError("no such vehicle")
        return self._seen(), 0.0, self.x_m >= self.end_m, False, {}

    def _seen(self):
        picture = np.zeros((24, 32, 3), self.kind)
        picture[:, np.clip(int(16 + 8 * self.y_m) + np.array([-9, 0, 9]), 0, 31)] = 255
        return picture


class Alone(Rules):
    """No expert: a takeover ends the drive."""

    step_s = 0.05

    def action(self, controls):
        return np.array([-controls.steering, 4 * controls.gas - 8 * controls.brake])

    def speed_mps(self, moment):
        return moment.env.speed * np.cos(moment.env.heading)

    def takeover(self, moment):
        if abs(moment.env.y_m) > 1.5:
            return "off lane"
        return "collision" if moment.terminated else ""


class Coarse(Alone):
    step_s = 0.03


class Taught(Alone):
    """With an expert, who brings the car back."""

    def expert(self, moment):
        env = moment.env
        steering = float(np.clip(-0.3 * env.y_m - 2.0 * env.heading, -1, 1))
        return Controls(steering, float(env.speed < 5) * 0.3, float(env.speed > 7) * 0.3)


def known(name, rules, **options):
    gymnasium.register(name, Lane, kwargs=options, max_episode_steps=20)
    plug_in(name, rules)


known("Alone-v0", Alone)
known("Taught-v0", Taught)
known("Walled-v0", Alone, end_m=3.0)
known("Dying-v0", Taught, dies_at_m=3.0)
known("Float-v0", Alone, kind=np.float32)
known("Coarse-v0", Coarse)
plug_in("Missing-v0", Alone)
gymnasium.register("Unruled-v0", Lane)
