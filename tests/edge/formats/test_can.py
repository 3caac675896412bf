"""A DBC's signals in raw frames: both byte orders, signs, scales, and lost zeros at the end of a frame."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.formats.can import CanLog, CanMessage, CanSignal, dbc


def motorola(start, length):
    """Places of a signal's bits in a DBC's own numbers, highest first: down a byte, then on to the next one."""
    bits = [start]
    while len(bits) < length:
        bits.append(bits[-1] - 1 if bits[-1] % 8 else bits[-1] + 15)
    return bits


@given(st.integers(0, 63), st.integers(1, 24), st.booleans(), st.booleans(), st.integers(0, 2**64 - 1))
def test_bits_are_counted_as_a_dbc_counts_them(start, length, little, signed, content):
    places = list(range(start, start + length))[::-1] if little else motorola(start, length)
    if max(places) > 63:
        return
    frame = content.to_bytes(8, "little")
    bits = [content >> place & 1 for place in places]
    number = int("".join(map(str, bits)), 2) - (bits[0] << length if signed else 0)
    signal = CanSignal(start, length, little, signed, 0.5, -3.0)
    assert signal.read(np.frombuffer(frame, np.uint8)[None]).tolist() == [number * 0.5 - 3.0]


@pytest.mark.parametrize(
    ("message", "signal", "frame", "value"),
    [
        ("GAS_PEDAL", "GAS_PEDAL", "0014df14bbca3a91", 29.0),  # a RAV4 on the road, and what its recorder made of it
        ("STEER_TORQUE_SENSOR", "STEER_TORQUE_DRIVER", "08fffb0000001884", -5.0),
        ("PCM_CRUISE", "CRUISE_ACTIVE", "2100000000000000", 1.0),
    ],
)
def test_frames_of_a_car(message, signal, frame, value):
    known = dbc("toyota_rav4_2017")[message]
    log = CanLog(*np.array([[7], [0], [known.address]]), np.array([bytes.fromhex(frame).rstrip(b"\0")], "S8"))
    heard = log.heard(0, known)
    assert (heard.t_ns.tolist(), heard[signal].tolist()) == ([7], [value])


def test_the_bus_is_the_one_on_which_all_messages_are_heard():
    both = [CanMessage(address, 8, {}) for address in (5, 6)]
    log = CanLog(np.arange(5), np.array([0, 1, 1, 128, 128]), np.array([5, 5, 6, 5, 6]), np.array([b"x"] * 5, "S8"))
    assert log.bus_of(both) == 1
    assert log.bus_of([*both, CanMessage(7, 8, {})]) is None
