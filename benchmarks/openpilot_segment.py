"""A minute of an openpilot log, written with the real schema.

The kinds that make up most of a real one, at their rates (openpilot's `cereal/services.py`); those of which no
field is read are smaller than real ones.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from openpilot_logging.cereal import log as schema

EVENT = schema.Event
START_S = 5_000.0
EMPTY_100_HZ = ("carOutput", "accelerometer", "gyroscope")
EMPTY_20_HZ = ("roadCameraState", "wideRoadCameraState", "driverCameraState", "cameraOdometry", "longitudinalPlan")
ENCODERS = ("roadEncodeIdx", "wideRoadEncodeIdx", "qRoadEncodeIdx", "driverEncodeIdx")


def minute(seconds: int = 60) -> bytes:
    """All messages, one after another; the driver engages after 10 s and brakes after 40."""
    return b"".join(message.to_bytes() for i in range(seconds * 100) for message in _at(i)) + _told(seconds)


def _at(i: int) -> Iterator[Any]:
    t_s = START_S + i / 100
    on, braking = 1000 <= i < 4000, 4000 <= i < 4100
    yield _event(
        t_s,
        "carState",
        vEgo=15 + math.sin(t_s / 9),
        aEgo=-4.0 if braking else 0.1 * math.cos(t_s / 9),
        steeringAngleDeg=10 * math.sin(t_s / 3),
        gas=0.0 if on else 0.2,
        brakePressed=braking,
    )
    yield _frames(t_s + 0.001, "can", 12)
    yield _frames(t_s + 0.002, "sendcan", 3)
    yield _event(t_s + 0.003, "controlsState", curvature=0.1)
    yield _event(t_s + 0.003, "selfdriveState", enabled=on, active=on)
    yield _event(t_s + 0.004, "carControl", enabled=on, latActive=on, longActive=on)
    yield from (_event(t_s + 0.005, kind) for kind in EMPTY_100_HZ)
    if i % 5 == 0:
        yield from _at_20_hz(t_s, i // 5)
    if i % 10 == 0:
        yield _event(t_s, "gpsLocationExternal", latitude=37 + i * 1e-6, longitude=-122.0, hasFix=True, speed=15.0)
    if i % 100 == 0:
        yield _disabling(t_s, braking)


def _at_20_hz(t_s: float, number: int) -> Iterator[Any]:
    radar = _event(t_s, "radarState")
    lead = radar.radarState.leadOne
    lead.status, lead.dRel, lead.vRel = True, 30.0 + math.sin(t_s), -1.0
    pose = _event(t_s, "livePose")
    turning = pose.livePose.angularVelocityDevice
    turning.z, turning.valid = -0.05 * math.sin(t_s / 3), True
    model = _event(t_s, "modelV2")
    for lane in model.modelV2.init("laneLines", 4):
        lane.x, lane.y = (np.linspace(0, 100 + part, 33).tolist() for part in range(2))
    yield from (radar, pose, model)
    stamps = {"timestampSof": round(t_s * 1e9) - 10_000_000, "timestampEof": round(t_s * 1e9)}
    yield from (_event(t_s, kind, segmentId=number, **stamps) for kind in ENCODERS)
    yield from (_event(t_s, kind) for kind in EMPTY_20_HZ)


def _event(t_s: float, kind: str, **fields: object) -> Any:
    message = EVENT.new_message()
    message.logMonoTime = round(t_s * 1e9)
    body = message.init(kind)
    for name, value in fields.items():
        setattr(body, name, value)
    return message


def _frames(t_s: float, kind: str, count: int) -> Any:
    message = EVENT.new_message()
    message.logMonoTime = round(t_s * 1e9)
    for address, frame in enumerate(message.init(kind, count)):
        frame.address, frame.dat = 0x100 + address, bytes(8)
    return message


def _disabling(t_s: float, braking: bool) -> Any:
    message = EVENT.new_message()
    message.logMonoTime = round(t_s * 1e9)
    if braking:
        (pressed,) = message.init("onroadEvents", 1)
        pressed.name, pressed.userDisable = "pedalPressed", True
    else:
        message.init("onroadEvents", 0)
    return message


def _told(seconds: int) -> bytes:
    told = (
        _event(START_S, "carParams", wheelbase=2.7, steerRatio=13.5, carFingerprint="A CAR"),
        _event(START_S - 1, "initData", version="0.9.8"),
        _event(START_S + seconds - 0.001, "sentinel", type="endOfSegment"),
    )
    return b"".join(message.to_bytes() for message in told)
