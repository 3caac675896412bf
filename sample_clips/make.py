"""Three invented drives in the native format: calm, hard_brake, disengagement. `python sample_clips/make.py`

A car drives a winding road. It is a kinematic bicycle steered by a pure-pursuit driver, so picture, steering,
yaw rate and speed agree with one another; nothing abrupt happens outside the events:
- hard_brake: twice a car ahead brakes hard, and so does the driver.
- disengagement: twice the lane keeping steers too little for a bend, drifts, and the driver takes over.

The seed is fixed: every run gives the same telemetry and the same pictures. It does not do tyres, hills,
weather, noise in the telemetry or traffic beyond one car; the road lies in the Atlantic, where nobody lives.
"""

from __future__ import annotations

import argparse
import math
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from edge.manifest import MANIFEST, Manifest
from edge.video.encode import Encoding
from edge.write import encoded, write_drive
from sample_clips.scene import LANE_M, Floats, Road, View, picture, smoothed
from trigger.signals import ControlSource
from trigger.telemetry import Telemetry, Times, Values
from trigger.vehicle import VehicleProfile

T0_NS = 1_700_000_000_000_000_000
DURATION_S = 120.0
STEP_S = 0.01
WHEELBASE_M, STEERING_RATIO = 2.7, 15.0
ORIGIN_LAT_DEG, ORIGIN_LON_DEG, METRES_PER_DEG = 0.0, -30.0, 111_320.0
LANE_CENTRE_M = -LANE_M / 2
BENDS = {"step_m": 0.5, "curvature_per_m": 0.034, "smooth_m": 14.0}
LOOK_AHEAD_M = 9.0
CRUISE_MPS, LATERAL_MPS2, LATERAL_JERK_MPS3 = 13.5, 1.75, 1.4
GAS_MPS2, BRAKE_MPS2, BRAKE_SLACK_MPS2 = 4.0, 9.0, 0.15
"""What a floored pedal gives, and what is asked for before the brake pedal is touched."""
ENCODING = Encoding(crf=27, preset="superfast")
"""The slower presets have x264's macroblock tree, which does not give the same bytes in every run."""
FRONT_M = 3.6
"""From the rear axle to the front bumper."""


@dataclass(frozen=True)
class Moment:
    """The state of the world at one time; a trace holds one array for each field.

    Attributes:
        offset_m, heading_rad: of the rear axle, from the road's centre line, + left; of the car, from east.
        steer_rad: road wheels. force_mps2: what the pedals ask for, + gas. accel_mps2: what comes of it.
        lead_gap_m: from bumper to bumper along the road, NaN where there is no car ahead.
    """

    station_m: float = 0.0
    offset_m: float = LANE_CENTRE_M
    heading_rad: float = 0.0
    speed_mps: float = CRUISE_MPS
    steer_rad: float = 0.0
    force_mps2: float = 0.0
    accel_mps2: float = 0.0
    engaged: bool = False
    lead_gap_m: float = math.nan
    lead_brakes: bool = False


@dataclass(frozen=True)
class Hands:
    """What a script asks of whoever drives, human or system; the defaults are an unhurried driver.

    Attributes:
        steer_gain: share of the needed steering that is given.
        quick: the wheel may be torn round.
        force_mps2: pedals, None = as the road asks. force_rate_mps3: how fast they may move.
    """

    engaged: bool = False
    steer_gain: float = 1.0
    quick: bool = False
    force_mps2: float | None = None
    force_rate_mps3: float = 1.2
    lead_gap_m: float = math.nan
    lead_brakes: bool = False


class Script(Protocol):
    """The plot of a drive; `events_s` fills up as it goes."""

    events_s: list[float]

    def hands(self, t_s: float, now: Moment, road: Road) -> Hands: ...


class Calm:
    """Nothing happens."""

    def __init__(self) -> None:
        self.events_s: list[float] = []

    def hands(self, t_s: float, now: Moment, road: Road) -> Hands:
        return Hands()


class HardBrake:
    """A car ahead is caught up with, brakes from the driver's speed to walking pace, and leaves."""

    APPROACH_S, FAR_M, NEAR_M, REACTION_S, LEAD_STOPS_S = 14.0, 62.0, 15.0, 0.6, 2.5

    def __init__(self) -> None:
        self.events_s: list[float] = []
        self.appears_s = [0.29 * DURATION_S - self.APPROACH_S, 0.81 * DURATION_S - self.APPROACH_S]
        self.since_s = self.gap_m = self.lead_mps = math.nan
        self.foot: Literal["drive", "react", "brake", "release"] = "drive"

    def hands(self, t_s: float, now: Moment, road: Road) -> Hands:
        if math.isnan(self.gap_m) and self.appears_s and t_s >= self.appears_s[0]:
            self.since_s, self.lead_mps = self.appears_s.pop(0), math.nan
        if math.isnan(self.since_s):
            return Hands()
        if math.isnan(self.lead_mps):
            return self._approach(t_s, now, road)
        return self._brake(t_s - self.events_s[-1], now)

    def _approach(self, t_s: float, now: Moment, road: Road) -> Hands:
        share = min(1.0, (t_s - self.since_s) / self.APPROACH_S)
        near_m = self.NEAR_M + 0.8 * math.sin(t_s)
        self.gap_m = self.FAR_M + (near_m - self.FAR_M) * share * share * (3 - 2 * share)
        ahead = np.abs(road.curvature(now.station_m + np.arange(0.0, 21.0, 3.0)))
        if share == 1.0 and now.speed_mps > 9.5 and ahead.max() < 0.018:
            self.lead_mps, self.foot = now.speed_mps, "react"
            self.events_s.append(t_s)
        return Hands(lead_gap_m=self.gap_m)

    def _brake(self, since_s: float, now: Moment) -> Hands:
        stops = since_s < self.LEAD_STOPS_S
        pull_mps2 = 2.2 if not stops else -6.5 if self.lead_mps > 1.5 else 0.0
        self.lead_mps = min(self.lead_mps + pull_mps2 * STEP_S, 17.0)
        self.gap_m += (self.lead_mps - now.speed_mps) * STEP_S
        hands = Hands(lead_gap_m=self.gap_m, lead_brakes=stops)
        if self.gap_m > 68.0:
            self.gap_m = self.since_s = math.nan
        if self.foot == "react" and since_s > self.REACTION_S:
            self.foot = "brake"
        elif self.foot == "brake" and now.speed_mps < 4.5:
            self.foot = "release"
        elif self.foot == "release" and now.force_mps2 > -0.5:
            self.foot = "drive"
        if self.foot == "brake":
            return replace(hands, force_mps2=-6.4, force_rate_mps3=28.0)
        if self.foot == "release":
            return replace(hands, force_mps2=0.0, force_rate_mps3=9.0)
        return hands


class Disengagement:
    """Lane keeping and cruise control; in a bend it gives too little steering, and the driver takes over."""

    COAST_S, AWAY_S, DRIFT_M = 1.5, 19.0, 0.6

    def __init__(self) -> None:
        self.events_s: list[float] = []
        self.fails_s = [0.29 * DURATION_S, 0.80 * DURATION_S]
        self.engages_s = 24.0
        self.engaged = False
        self.failed_s = math.nan

    def hands(self, t_s: float, now: Moment, road: Road) -> Hands:
        if self.engaged:
            return self._system(t_s, now, road)
        since_s = t_s - self.events_s[-1] if self.events_s else math.inf
        if since_s < 4.0:
            brake = Hands(quick=True, force_mps2=-2.2, force_rate_mps3=4.0)
            return brake if since_s < 1.2 else Hands(quick=True, force_rate_mps3=1.8)
        if self.fails_s and t_s > self.engages_s - self.COAST_S:
            self.engaged = t_s > self.engages_s
            return Hands(force_mps2=0.0)
        return Hands()

    def _system(self, t_s: float, now: Moment, road: Road) -> Hands:
        """Drives well until it is due to fail and a bend tightens, then drifts until the driver steps in."""
        near, far = np.abs(road.curvature(now.station_m + np.array([5.0, 13.0])))
        if math.isnan(self.failed_s) and t_s > self.fails_s[0] and 0.015 < near < far and far > 0.024:
            self.failed_s = t_s
        if math.isnan(self.failed_s):
            return Hands(engaged=True)
        if abs(now.offset_m - LANE_CENTRE_M) < self.DRIFT_M:
            return Hands(engaged=True, steer_gain=1 - 0.6 * min(1.0, (t_s - self.failed_s) / 0.8))
        self.engaged, self.failed_s, self.engages_s = False, math.nan, t_s + self.AWAY_S
        self.fails_s.pop(0)
        self.events_s.append(t_s)
        return Hands(force_mps2=0.0, force_rate_mps3=math.inf)


@dataclass(frozen=True)
class Trace:
    """What happened, every `STEP_S`: a field of `Moment` to its values (N,)."""

    values: dict[str, Floats]

    def at(self, name: str, t_s: Floats) -> Floats:
        return np.interp(t_s / STEP_S, np.arange(self.values[name].size), self.values[name])

    def last(self, name: str, t_s: Floats) -> Floats:
        return self.values[name][np.floor(t_s / STEP_S).astype(np.int64)]


def driven(road: Road, script: Script, rng: np.random.Generator) -> Trace:
    """Drive the road for `DURATION_S`."""
    steps = round(DURATION_S / STEP_S) + 2
    whim_m = 0.03 * smoothed(rng.normal(size=steps), 1.2 / STEP_S)
    plan_mps = _speed_plan(road)
    now = _start(road, float(np.interp(0.0, road.station_m, plan_mps)))
    trace = np.empty((steps, len(fields(Moment))))
    for step in range(steps):
        hands = script.hands(step * STEP_S, now, road)
        now = replace(
            now, engaged=hands.engaged, lead_gap_m=hands.lead_gap_m, lead_brakes=hands.lead_brakes,
            force_mps2=_force(now, hands, float(np.interp(now.station_m + 2.0, road.station_m, plan_mps))),
            steer_rad=_steer(road, now, hands, LANE_CENTRE_M + float(whim_m[step])),
        )  # fmt: skip
        trace[step] = [getattr(now, field.name) for field in fields(Moment)]
        now = _moved(road, now)
    return Trace({field.name: trace[:, i] for i, field in enumerate(fields(Moment))})


def _speed_plan(road: Road) -> Floats:
    """Speed along the road: lateral acceleration and jerk stay mild, and so do gas and brake on the way."""
    bend, step_m = road.curvature_per_m, float(road.station_m[1] - road.station_m[0])
    limit = np.minimum(CRUISE_MPS, np.sqrt(LATERAL_MPS2 / np.maximum(np.abs(bend), 1e-6)))
    plan = np.minimum(limit, np.cbrt(LATERAL_JERK_MPS3 / np.maximum(np.abs(np.gradient(bend, step_m)), 1e-6)))
    for i in range(1, plan.size):
        plan[i] = min(plan[i], math.sqrt(plan[i - 1] ** 2 + 2 * 0.9 * step_m))
    for i in range(plan.size - 2, -1, -1):
        plan[i] = min(plan[i], math.sqrt(plan[i + 1] ** 2 + 2 * 1.0 * step_m))
    window = np.hanning(round(8.0 / step_m))
    return np.convolve(plan, window / window.sum(), mode="same")


def _start(road: Road, speed_mps: float) -> Moment:
    heading, bend = float(road.pose(0.0)[2]), float(road.curvature(0.0))
    return Moment(heading_rad=heading, speed_mps=speed_mps, steer_rad=math.atan(WHEELBASE_M * bend))


def _drag_mps2(speed_mps: float) -> float:
    return 0.1 + 0.0012 * speed_mps**2


def _force(now: Moment, hands: Hands, plan_mps: float) -> float:
    wanted = 0.9 * (plan_mps - now.speed_mps) + _drag_mps2(now.speed_mps)
    wanted = min(max(wanted, -1.2), 1.3) if hands.force_mps2 is None else hands.force_mps2
    reach = hands.force_rate_mps3 * STEP_S
    return min(max(wanted, now.force_mps2 - reach), now.force_mps2 + reach)


def _steer(road: Road, now: Moment, hands: Hands, offset_m: float) -> float:
    """Pure pursuit of a point on the lane, through an arm that lags and does not tear the wheel."""
    x, y = road.point(now.station_m + LOOK_AHEAD_M, offset_m)
    own_x, own_y = road.point(now.station_m, now.offset_m)
    bearing = math.atan2(y - own_y, x - own_x) - now.heading_rad
    distance = math.hypot(x - own_x, y - own_y)
    wanted = hands.steer_gain * math.atan(2 * WHEELBASE_M * math.sin(bearing) / distance)
    lag_s, fastest = 0.15, 2.0 * WHEELBASE_M / max(now.speed_mps, 4.0) ** 2
    if hands.quick:
        lag_s, fastest = 0.06, math.radians(250.0) / STEERING_RATIO
    rate = (wanted - now.steer_rad) / lag_s
    return now.steer_rad + min(max(rate, -fastest), fastest) * STEP_S


def _moved(road: Road, now: Moment) -> Moment:
    """One step of the bicycle, told in road coordinates; the engine and the brakes lag by 0.12 s."""
    slant = now.heading_rad - float(road.pose(now.station_m)[2])
    inner = 1 - now.offset_m * float(road.curvature(now.station_m))
    pedals = max(now.force_mps2, 0.0) + min(now.force_mps2 + BRAKE_SLACK_MPS2, 0.0)
    accel = now.accel_mps2 + (pedals - _drag_mps2(now.speed_mps) - now.accel_mps2) * STEP_S / 0.12
    ahead_m = now.speed_mps * STEP_S
    return replace(
        now,
        station_m=now.station_m + ahead_m * math.cos(slant) / inner,
        offset_m=now.offset_m + ahead_m * math.sin(slant),
        heading_rad=now.heading_rad + ahead_m * math.tan(now.steer_rad) / WHEELBASE_M,
        speed_mps=now.speed_mps + accel * STEP_S,
        accel_mps2=accel,
    )


def telemetry(road: Road, trace: Trace, rng: np.random.Generator) -> Telemetry:
    """What the car's messages say of the trace, each message on its own clock."""
    messages = [
        (50.0, _wheels),
        (50.0, _steering),
        (50.0, _pedals),
        (20.0, _status),
        (1.0, lambda trace, t_s: _position(road, trace, t_s)),
    ]
    signals: dict[str, tuple[Times, Values]] = {}
    for rate_hz, message in messages:
        t_ns = clock_ns(rng, rate_hz)
        values = message(trace, (t_ns - T0_NS) / 1e9)
        signals |= {name: (t_ns, column) for name, column in values.items()}
    return Telemetry.merge(signals)


def clock_ns(rng: np.random.Generator, rate_hz: float) -> Times:
    """Times of a message or a camera: even but for a phase and a jitter of half a millisecond."""
    even_s = np.arange(0.0, DURATION_S - 1 / rate_hz, 1 / rate_hz) + rng.uniform(0.2, 0.8) / rate_hz
    jitter_s = np.clip(rng.normal(0.0, 0.0005, even_s.size), -0.002, 0.002)
    return T0_NS + np.rint((even_s + jitter_s) * 1e6).astype(np.int64) * 1000


def _wheels(trace: Trace, t_s: Floats) -> dict[str, Floats]:
    speed, steer = trace.at("speed_mps", t_s), trace.at("steer_rad", t_s)
    return {
        "speed_mps": speed.round(3),
        "accel_long_mps2": trace.at("accel_mps2", t_s).round(3),
        "yaw_rate_dps": np.degrees(speed * np.tan(steer) / WHEELBASE_M).round(3),
    }


def _steering(trace: Trace, t_s: Floats) -> dict[str, Floats]:
    return {"steering_wheel_deg": (STEERING_RATIO * np.degrees(trace.at("steer_rad", t_s))).round(2)}


def _pedals(trace: Trace, t_s: Floats) -> dict[str, Floats]:
    """The driver's feet; under the system they rest."""
    force = np.where(trace.last("engaged", t_s) > 0, 0.0, trace.at("force_mps2", t_s))
    gas = np.clip(force / GAS_MPS2, 0, 1).round(4)
    brake = np.clip(-(force + BRAKE_SLACK_MPS2) / BRAKE_MPS2, 0, 1).round(4)
    return {
        "gas_fraction": gas,
        "brake_fraction": brake,
        "gas_pressed": np.sign(gas),
        "brake_pressed": np.sign(brake),
    }


def _status(trace: Trace, t_s: Floats) -> dict[str, Floats]:
    engaged = trace.last("engaged", t_s)
    source = np.where(engaged > 0, float(ControlSource.SYSTEM), float(ControlSource.HUMAN))
    return {
        "engaged": engaged,
        "control_source_steering": source,
        "control_source_speed": source,
        "lead_distance_m": trace.at("lead_gap_m", t_s).round(2),
    }


def _position(road: Road, trace: Trace, t_s: Floats) -> dict[str, Floats]:
    east_m, north_m = road.point(trace.at("station_m", t_s), trace.at("offset_m", t_s))
    return {
        "lat_deg": (ORIGIN_LAT_DEG + north_m / METRES_PER_DEG).round(7),
        "lon_deg": (ORIGIN_LON_DEG + east_m / METRES_PER_DEG).round(7),
        "heading_deg": ((90.0 - np.degrees(trace.at("heading_rad", t_s))) % 360.0).round(2),
    }


def frames(road: Road, trace: Trace, rng: np.random.Generator) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """The windshield camera, 10 pictures a second, in a light that changes slowly."""
    t_ns = clock_ns(rng, 10.0)
    t_s = (t_ns - T0_NS) / 1e9
    light = 0.95 + 0.1 * np.sin(2 * np.pi * (t_s / 47.0 + rng.uniform()))
    station = trace.at("station_m", t_s)
    columns = (
        t_ns.tolist(), station, trace.at("offset_m", t_s), trace.at("heading_rad", t_s), light,
        station + FRONT_M + trace.at("lead_gap_m", t_s), trace.last("lead_brakes", t_s),
    )  # fmt: skip
    for t, at_m, offset_m, heading_rad, bright, lead_m, lead_brakes in zip(*columns, strict=True):
        image = picture(road, View(at_m, offset_m, heading_rad, bright, lead_m, lead_brakes > 0))
        grain = rng.normal(0.0, 1.0, (*image.shape[:2], 1))
        yield t, np.clip(np.rint(image + grain), 0, 255).astype(np.uint8)


def make(folder: Path, script: Script, seed: int) -> None:
    """Replace `folder` by the drive that the script and the seed give."""
    rng = np.random.default_rng(seed)
    road = Road.winding(rng, length_m=CRUISE_MPS * DURATION_S, **BENDS)
    trace = driven(road, script, rng)
    for_messages, for_camera = rng.spawn(2)
    head = Manifest(
        id=f"sample-{folder.name.replace('_', '-')}",
        recorder="native",
        t0_ns=T0_NS,
        cameras={},
        files={},
        vehicle=VehicleProfile(WHEELBASE_M, STEERING_RATIO),
        engagement="lane keeping and cruise control active",
        consent=True,
        static={"generated_by": "sample_clips/make.py", "seed": seed, "licence": "Apache-2.0"},
    )
    front = encoded(frames(road, trace, for_camera), ENCODING)
    if (folder / MANIFEST).exists():
        shutil.rmtree(folder)
    write_drive(folder, head, telemetry(road, trace, for_messages), {"front": front})
    size = sum(path.stat().st_size for path in folder.iterdir())
    events = ", ".join(f"{t:.1f} s" for t in script.events_s) or "none"
    print(f"{folder}: {DURATION_S:.0f} s, {size / 1e3:.0f} kB, events: {events}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the sample drives.")
    here = Path(__file__).resolve().parent
    parser.add_argument("--out", type=Path, default=here, help="folder to write into")
    out: Path = parser.parse_args().out
    make(out / "calm", Calm(), seed=13)
    make(out / "hard_brake", HardBrake(), seed=22)
    make(out / "disengagement", Disengagement(), seed=16)


if __name__ == "__main__":
    main()
