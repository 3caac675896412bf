"""Who drove, and with which pedals, from the raw CAN of the two cars of comma2k19.

The Toyota RAV4 2017 of chunks 1 and 2, and the Honda Civic 2016 of chunks 3 to 10; told by the messages that are heard,
whichever bus they are on. What a signal means is what openpilot takes it for (opendbc 0.3.1, car/*/carstate.py):

- engaged: the car's cruise control is active; while openpilot is in the car it then steers and follows.
- the driver's hand on the wheel: a torque above openpilot's threshold in the sensor's own unit. The RAV4's own flag for
  it comes late, at a torque too high (carstate.py).
- frames with a wrong checksum are damaged and left out; the RAV4's brake message has none.
- the Civic's brake switch counts when two frames in a row have it: it has been seen to flicker.

Not taken: the Civic's gas pedal as a fraction, since the DBC gives it no scale; brake pressures, for the same reason.
The RAV4's values were compared with a real segment; of the Civic none was at hand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from edge.formats.can import CanLog, Heard, dbc
from trigger.signals import ControlSource
from trigger.telemetry import Times, Values, latest
from trigger.vehicle import VehicleProfile

Frames = NDArray[np.uint8]
Signals = dict[str, tuple[Times, Values]]
Read = Callable[[str], Heard]
"""A message's name to its frames."""
RAV4_TORQUE, CIVIC_TORQUE = 100.0, 1200.0
"""STEER_THRESHOLD of car/toyota/values.py and car/honda/values.py."""
HELD_S = 1.0
"""Torque that was measured longer ago says nothing; it comes 50 times a second."""


def _rav4(read: Read) -> Signals:
    cruise, gas, brake, wheel = (read(m) for m in ("PCM_CRUISE", "GAS_PEDAL", "BRAKE_MODULE", "STEER_TORQUE_SENSOR"))
    driver = _Driver(
        cruise.t_ns,
        engaged=cruise["CRUISE_ACTIVE"],
        gas_pressed=1.0 - cruise["GAS_RELEASED"],
        hand=(wheel.t_ns, _beyond(wheel["STEER_TORQUE_DRIVER"], RAV4_TORQUE)),
    )
    pedals: Signals = {
        "gas_fraction": (gas.t_ns, gas["GAS_PEDAL"] / 100.0),
        "brake_pressed": (brake.t_ns, brake["BRAKE_PRESSED"]),
    }
    return driver.signals() | pedals


def _civic(read: Read) -> Signals:
    engine, wheel = read("POWERTRAIN_DATA"), read("STEER_STATUS")
    switch = engine["BRAKE_SWITCH"]
    switched = np.minimum(switch, np.append(0.0, switch[:-1]))
    driver = _Driver(
        engine.t_ns,
        engaged=engine["ACC_STATUS"],
        gas_pressed=(engine["PEDAL_GAS"] > 0).astype(np.float64),
        hand=(wheel.t_ns, _beyond(wheel["STEER_TORQUE_SENSOR"], CIVIC_TORQUE)),
    )
    return driver.signals() | {"brake_pressed": (engine.t_ns, np.maximum(engine["BRAKE_PRESSED"], switched))}


def _beyond(torque: Values, threshold: float) -> Values:
    return (np.abs(torque) > threshold).astype(np.float64)


@dataclass(frozen=True)
class _Driver:
    """What car and driver do at t_ns (N,), and when the driver's hand was felt on the wheel."""

    t_ns: Times
    engaged: Values
    gas_pressed: Values
    hand: tuple[Times, Values]

    def signals(self) -> Signals:
        return {
            "engaged": (self.t_ns, self.engaged),
            "gas_pressed": (self.t_ns, self.gas_pressed),
            "steering_pressed": self.hand,
            "control_source_speed": (self.t_ns, self._source(self.gas_pressed)),
            "control_source_steering": (self.t_ns, self._source(latest(self.hand, self.t_ns, HELD_S))),
        }

    def _source(self, acting: Values) -> Values:
        """Human when not engaged, shared when the driver acts beside the system, else system."""
        beside = np.where(acting > 0.5, float(ControlSource.SHARED), float(ControlSource.SYSTEM))
        return np.where(self.engaged > 0.5, beside, float(ControlSource.HUMAN))


@dataclass(frozen=True)
class Car:
    """A car of the dataset.

    Attributes:
        dbc: its file in `edge/formats/dbc/`.
        signals: from its messages to ours.
        checksum: what the signal CHECKSUM must be, (M,), of frames (M, L) of an address.
    """

    name: str
    dbc: str
    vehicle: VehicleProfile
    signals: Callable[[Read], Signals]
    checksum: Callable[[int, Frames], Frames]


def toyota_checksum(address: int, frames: Frames) -> Frames:
    """toyota_checksum of opendbc's car/toyota/toyotacan.py: length, address and all bytes but the last, modulo 256."""
    constant = frames.shape[1] + sum(address.to_bytes(4, "big"))
    return np.asarray(frames[:, :-1].sum(axis=1, dtype=np.int64) + constant & 0xFF, np.uint8)


def honda_checksum(address: int, frames: Frames) -> Frames:
    """honda_checksum of opendbc's car/honda/hondacan.py: all half bytes but the last, and those of the address."""
    halves = sum(int(digit, 16) for digit in f"{address:x}") + (frames >> 4).sum(axis=1, dtype=np.int64)
    return np.asarray(8 - halves - (frames[:, :-1] & 0xF).sum(axis=1, dtype=np.int64) & 0xF, np.uint8)


RAV4 = Car("Toyota RAV4 2017", "toyota_rav4_2017", VehicleProfile(2.65, 16.88), _rav4, toyota_checksum)
CIVIC = Car("Honda Civic 2016", "honda_civic_2016", VehicleProfile(2.70, 15.38), _civic, honda_checksum)
"""Wheelbase and steering ratio as in openpilot's parameters for the cars (car/*/values.py)."""


def who_drove(can: CanLog, lost: list[str]) -> tuple[Car, Signals] | None:
    """The car and its signals; None where it is another car."""
    for car in (RAV4, CIVIC):
        bus = can.bus_of(dbc(car.dbc).values())
        if bus is not None:
            return car, car.signals(partial(_read, can, car, bus, lost))
    return None


def _read(can: CanLog, car: Car, bus: int, lost: list[str], name: str) -> Heard:
    """A message's frames whose checksum is right, where it has one."""
    message = dbc(car.dbc)[name]
    heard = can.heard(bus, message)
    if "CHECKSUM" not in message.signals:
        return heard
    right = heard["CHECKSUM"] == car.checksum(message.address, heard.frames[:, : message.length])
    if bad := int((~right).sum()):
        lost.append(f"CAN {name}: {bad} of {right.size} frames have a wrong checksum")
    return heard.only(right)
