"""A scene of nuScenes' CAN bus expansion."""

import json

import numpy as np

T0_US = 1_532_402_927_656_536
SECONDS = 20


def messages(rate_hz, make, seconds=SECONDS):
    """`make(t_s)` gives a message's fields."""
    times = np.arange(0, seconds, 1 / rate_hz)
    return [{"utime": T0_US + round(t * 1e6)} | make(t) for t in times.tolist()]


def turning(t_s):
    """Yaw rate of the drive, rad/s: left for 10 s, then right."""
    return 0.2 if t_s < 10 else -0.1


def pose(t):
    return {
        "vel": [8.0, 0.0, 0.0],
        "rotation_rate": [0.01, -0.02, turning(t)],
        "accel": [0.1, 0.2, 9.8],
        "pos": [1, 2, 0],
    }


def monitor(t):
    moved = {"throttle": 250, "brake": 3, "brake_switch": 1 + int(t) // 8, "vehicle_speed": 28.8}
    return moved | {"left_signal": int(t < 5), "right_signal": 0, "yaw_rate": 1.0, "steering": 3.0}


def write_scene(folder, scene="scene-0061", seconds=SECONDS, **kinds):
    folder.mkdir(exist_ok=True)
    wheel = messages(100, lambda t: {"value": turning(t) * 10 + 0.01 * np.sin(t)}, seconds)
    files = {"steeranglefeedback": wheel, "pose": messages(50, pose, seconds)}
    files |= {"vehicle_monitor": messages(2, monitor, seconds), "meta": {"POSE": {}}, "route": [[1.0, 2.0]]} | kinds
    for kind, content in files.items():
        if content is not None:
            (folder / f"{scene}_{kind}.json").write_text(json.dumps(content))
    return folder
