"""A comma2k19 segment, with the raw CAN of one of its cars."""

import numpy as np

from edge.formats.can import dbc
from edge.formats.comma2k19_can import CIVIC, RAV4
from makers.video import write_hevc

START_S = 5_000.0
HZ = 50
"""Frames of each CAN message in a second."""


def can_frame(car, name, **values):
    """A frame of a message, what is not named 0, with the car's checksum. Motorola signals only."""
    message, word = dbc(car.dbc)[name], 0
    for key, value in values.items():
        signal = message.signals[key]
        number = round((value - signal.offset) / signal.scale) % (1 << signal.length)
        word |= number << 64 - (signal.start // 8 * 8 + 7 - signal.start % 8) - signal.length
    data = bytearray(word.to_bytes(8, "big")[: message.length])
    if "CHECKSUM" in message.signals:
        data[-1] |= int(car.checksum(message.address, np.frombuffer(bytes(data), np.uint8)[None])[0])
    return message.address, bytes(data)


def rav4(t_s, engaged=False, gas=0.0, brake=False, torque=0):
    return [
        can_frame(RAV4, "PCM_CRUISE", CRUISE_ACTIVE=engaged, GAS_RELEASED=gas == 0),
        can_frame(RAV4, "GAS_PEDAL", GAS_PEDAL=gas, ETQREAL=round(t_s) % 7),
        can_frame(RAV4, "BRAKE_MODULE", BRAKE_PRESSED=brake),
        can_frame(RAV4, "STEER_TORQUE_SENSOR", STEER_TORQUE_DRIVER=torque),
    ]


def civic(t_s, engaged=False, gas=0, brake=False, switch=False, torque=0):
    engine = {"ACC_STATUS": engaged, "PEDAL_GAS": gas, "BRAKE_PRESSED": brake, "BRAKE_SWITCH": switch}
    return [
        can_frame(CIVIC, "POWERTRAIN_DATA", COUNTER=round(t_s) % 4, **engine),
        can_frame(CIVIC, "STEER_STATUS", STEER_TORQUE_SENSOR=torque),
    ]


def write_can(folder, frames, bus=0, start_s=START_S):
    """`frames[i]`: addresses and bytes received i / HZ s after the start."""
    rows = [(start_s + i / HZ, address, data) for i, step in enumerate(frames) for address, data in step]
    t, address, data = zip(*rows, strict=True)
    save(folder / "processed_log/CAN/raw_can", t=np.array(t), src=np.full(len(rows), bus), address=np.array(address))
    save(folder / "processed_log/CAN/raw_can", data=np.array(data, "S8"))
    return folder


def write_segment(folder, n=300, start_s=START_S, video=False):
    """`n` samples at 100 Hz of what needs no CAN, and 3 s of video."""
    if video:
        write_hevc(folder / "video.hevc", range(round(start_s), round(start_s) + 60))
        save(folder / "global_pose", frame_times=start_s + np.arange(60) / 20)
    for name, values in {
        "CAN/speed": np.full((n, 1), 10.0),
        "CAN/steering_angle": np.sin(np.arange(n) / 30),
        "IMU/gyro": np.zeros((n, 3)),
    }.items():
        save(folder / "processed_log" / name, t=start_s + np.arange(n) / 100, value=values)
    return folder


def save(folder, **arrays):
    """Arrays as .npy files without an ending."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in arrays.items():
        with (folder / name).open("wb") as file:
            np.save(file, array)
