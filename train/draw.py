"""Drawing on pictures: steering wheels, pedal bars, banners. Used by the video and by the report's worst moments.

All sizes are given in parts of the picture's width, so that 320 and 1920 pixels look alike. Colours are red, green,
blue. Text is OpenCV's own font, which has Latin letters only.

Shapes: a picture is (H, W, 3) uint8 and is drawn on in place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from train.frames import Pixels

Colour = tuple[int, int, int]
HUMAN: Colour = (52, 211, 100)
SYSTEM: Colour = (165, 172, 184)
UNKNOWN: Colour = (62, 66, 74)
POLICY: Colour = (255, 150, 40)
WHITE: Colour = (245, 247, 250)
INK: Colour = (16, 20, 28)
ALERT: Colour = (220, 60, 60)
FULL_TURN = {"steering_wheel_deg": 1.0, "steering_tire_deg": 15.0, "steering_normalised": 90.0}
"""Degrees that the drawn wheel turns for one unit of each steering signal."""
PEDAL_NAMES = {"gas_fraction": "gas", "brake_fraction": "brake"}
FONT = cv2.FONT_HERSHEY_SIMPLEX
SHIFT = 4
"""OpenCV draws at 1/16 of a pixel when points carry this many binary places."""


@dataclass(frozen=True)
class Dial:
    """A control to show: its value in its unit, None where it is not known, and its colour."""

    value: float | None
    colour: Colour
    caption: str


def shade(picture: Pixels, x0: int, y0: int, x1: int, y1: int, amount: float = 0.62) -> None:
    """Darken a rectangle so that what is drawn on it can be read over any scene."""
    part = picture[max(y0, 0) : y1, max(x0, 0) : x1]
    part[:] = (part * (1.0 - amount) + np.array(INK) * amount).astype(np.uint8)


def wheel(picture: Pixels, centre: tuple[float, float], radius: float, dial: Dial, signal: str) -> None:
    """A steering wheel turned to `dial.value`, + left; grey and still without one."""
    turn = np.deg2rad((dial.value or 0.0) * FULL_TURN.get(signal, 1.0))
    colour = UNKNOWN if dial.value is None else dial.colour
    thick = max(1, round(radius * 0.13))
    _circle(picture, centre, radius, INK, thick + max(2, thick // 2))
    _circle(picture, centre, radius, colour, thick)
    for spoke in (np.pi / 2, np.pi + 0.12, -0.12):
        angle = spoke - turn
        end = (centre[0] + radius * np.cos(angle), centre[1] + radius * np.sin(angle))
        _line(picture, centre, end, colour, max(1, round(thick * 0.8)))
    _circle(picture, centre, radius * 0.2, colour, -1)
    # A mark at twelve o'clock makes small turns visible.
    top = -np.pi / 2 - turn
    mark = (centre[0] + radius * np.cos(top), centre[1] + radius * np.sin(top))
    _circle(picture, mark, max(1.5, radius * 0.11), WHITE, -1)
    shown = "-" if dial.value is None else _number(dial.value, signal)
    text(picture, shown, (centre[0], centre[1] + radius * 1.5), radius * 0.42, WHITE, middle=True)
    text(picture, dial.caption, (centre[0], centre[1] - radius * 1.28), radius * 0.34, dial.colour, middle=True)


def bars(
    picture: Pixels, corner: tuple[float, float], size: tuple[float, float], name: str, dials: Sequence[Dial]
) -> None:
    """One pedal as upright bars side by side, 0 at the bottom and 1 at the top."""
    (x, y), (width, height) = corner, size
    each = width / max(len(dials), 1)
    for place, dial in enumerate(dials):
        left, right = round(x + place * each + each * 0.12), round(x + (place + 1) * each - each * 0.12)
        cv2.rectangle(picture, (left, round(y)), (right, round(y + height)), (70, 76, 88), 1, cv2.LINE_AA)
        if dial.value is not None:
            top = round(y + height * (1.0 - min(max(dial.value, 0.0), 1.0)))
            cv2.rectangle(picture, (left, top), (right, round(y + height)), dial.colour, -1)
    text(picture, name, (x + width / 2, y + height + width * 0.42), width * 0.34, WHITE, middle=True)


def panel(picture: Pixels, dials: Mapping[str, Sequence[Dial]]) -> None:
    """A dark strip along the bottom: wheels in the middle, pedals beside them, one dial for each side.

    Args:
        dials: control name to what each side does with it.
    """
    height, width = picture.shape[:2]
    radius = width * 0.052
    strip = round(radius * 3.5)
    shade(picture, 0, height - strip, width, height)
    for name, sides in dials.items():
        if name not in PEDAL_NAMES:
            for place, dial in enumerate(sides):
                wheel(picture, (width * (0.40 + 0.20 * place), height - strip * 0.53), radius, dial, name)
    for place, name in enumerate(name for name in dials if name in PEDAL_NAMES):
        corner = (width * (0.80 + 0.09 * place), height - strip * 0.86)
        bars(picture, corner, (width * 0.055, strip * 0.56), PEDAL_NAMES[name], dials[name])


def banner(picture: Pixels, words: str) -> None:
    """A red label at the top centre."""
    height, width = picture.shape[:2]
    size = width * 0.026
    wide, tall = _extent(words, size)
    x, y = (width - wide) / 2, height * 0.035
    pad = size * 0.6
    corners = (round(x - pad), round(y)), (round(x + wide + pad), round(y + tall + 1.2 * pad))
    cv2.rectangle(picture, *corners, ALERT, -1, cv2.LINE_AA)
    text(picture, words, (width / 2, y + tall + 0.55 * pad), size, WHITE, middle=True)


def text(
    picture: Pixels, words: str, at: tuple[float, float], size: float, colour: Colour, middle: bool = False
) -> None:
    """Words with their baseline at `at`; `size` is about the height of a line in pixels."""
    scale, thick = size / 30.0, max(1, round(size / 14))
    wide, _ = _extent(words, size)
    where = (round(at[0] - wide / 2 if middle else at[0]), round(at[1]))
    # A shadow of the same weight: some builds of OpenCV set bolder letters wider, so an outline would not fit.
    shadow = (where[0] + thick, where[1] + thick)
    cv2.putText(picture, words, shadow, FONT, scale, INK, thick, cv2.LINE_AA)
    cv2.putText(picture, words, where, FONT, scale, colour, thick, cv2.LINE_AA)


def _extent(words: str, size: float) -> tuple[int, int]:
    (wide, tall), _ = cv2.getTextSize(words, FONT, size / 30.0, max(1, round(size / 14)))
    return int(wide), int(tall)


def _number(value: float, signal: str) -> str:
    return f"{value:+.2f}" if signal == "steering_normalised" else f"{value:+.1f} deg"


def _circle(picture: Pixels, centre: tuple[float, float], radius: float, colour: Colour, thick: int) -> None:
    middle = (round(centre[0] * 2**SHIFT), round(centre[1] * 2**SHIFT))
    cv2.circle(picture, middle, round(radius * 2**SHIFT), colour, thick, cv2.LINE_AA, SHIFT)


def _line(picture: Pixels, start: tuple[float, float], end: tuple[float, float], colour: Colour, thick: int) -> None:
    ends = [(round(x * 2**SHIFT), round(y * 2**SHIFT)) for x, y in (start, end)]
    cv2.line(picture, ends[0], ends[1], colour, thick, cv2.LINE_AA, SHIFT)
