"""Drawings as inline SVG: how values fall, and where seconds lie. Colours come from the page's style."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, floor, log10, radians, sqrt

import numpy as np
from numpy.typing import NDArray

from trigger.region import EARTH_M

Floats = NDArray[np.float64]
WIDTH, HEIGHT = 320, 110
BINS = 40
MAP_WIDTH, MAP_HEIGHT, MARGIN = 660, 420, 24


def histogram(title: str, values: Floats, before: Floats | None = None) -> str:
    """Shares of values in bins from 0 to the largest, as bars; those of another set as a line over them."""
    top = max([float(v.max()) for v in (values, before) if v is not None and v.size] or [0.0]) or 1.0
    drawn = [_shares(v, top) for v in (values, before) if v is not None and v.size]
    if not drawn:
        return ""
    highest = max(float(shares.max()) for shares in drawn)
    bar = WIDTH / BINS
    heights = [(shares / highest * HEIGHT).tolist() for shares in drawn]
    bars = "".join(
        f'<rect x="{k * bar:.1f}" y="{HEIGHT - h:.1f}" width="{bar - 1:.1f}" height="{h:.1f}"/>'
        for k, h in enumerate(heights[0])
        if h
    )
    line = ""
    if len(heights) > 1:
        steps = " ".join(
            f"{k * bar:.1f},{HEIGHT - h:.1f} {(k + 1) * bar:.1f},{HEIGHT - h:.1f}" for k, h in enumerate(heights[1])
        )
        line = f'<polyline points="{steps}"/>'
    label = f"{title}: median {np.median(values):.2f}, largest {values.max():.2f}" if values.size else title
    axis = f'<text x="0" y="{HEIGHT + 14}">0</text><text x="{WIDTH}" y="{HEIGHT + 14}" class="end">{top:.3g}</text>'
    body = f'<svg viewBox="0 0 {WIDTH} {HEIGHT + 18}" role="img" aria-label="{label}">{bars}{line}{axis}</svg>'
    return f"<figure><figcaption>{label}</figcaption>{body}</figure>"


def _shares(values: Floats, top: float) -> Floats:
    counts, _ = np.histogram(values, BINS, (0.0, top))
    return counts / values.size


@dataclass(frozen=True)
class Spot:
    """Seconds at a place; `part` is the split that most of them are in."""

    lat_deg: float
    lon_deg: float
    seconds: int
    part: str


def coverage(spots: Sequence[Spot]) -> str:
    """A map without a ground: north is up, both axes in one scale, areas in proportion to seconds."""
    if not spots:
        return ""
    lat = np.array([spot.lat_deg for spot in spots])
    lon = np.unwrap(np.array([spot.lon_deg for spot in spots]), period=360.0)
    shrink = cos(radians(float(lat.mean())))
    east, north = (lon - lon.mean()) * shrink, lat - lat.mean()
    per_deg = min(
        (MAP_WIDTH - 2 * MARGIN) / max(np.ptp(east), 0.02), (MAP_HEIGHT - 2 * MARGIN) / max(np.ptp(north), 0.02)
    )
    x = MAP_WIDTH / 2 + (east - (east.min() + east.max()) / 2) * per_deg
    y = MAP_HEIGHT / 2 - (north - (north.min() + north.max()) / 2) * per_deg
    most = max(spot.seconds for spot in spots)
    dots = "".join(
        f'<circle class="{spot.part}" cx="{at_x:.1f}" cy="{at_y:.1f}" r="{2 + 8 * sqrt(spot.seconds / most):.1f}"/>'
        for spot, at_x, at_y in zip(spots, x.tolist(), y.tolist(), strict=True)
    )
    label = f"{len(spots)} places between {lat.min():.3f} and {lat.max():.3f} degrees north"
    size = f'viewBox="0 0 {MAP_WIDTH} {MAP_HEIGHT}"'
    return f'<svg class="map" {size} role="img" aria-label="{label}">{dots}{_scale_bar(per_deg)}</svg>'


def _scale_bar(per_deg: float) -> str:
    """A round length of about a fifth of the map."""
    km_per_px = radians(1.0) * EARTH_M / 1000 / per_deg
    wanted = MAP_WIDTH / 5 * km_per_px
    power = 10.0 ** floor(log10(wanted))
    km = max(step * power for step in (1, 2, 5) if step * power <= wanted)
    y = MAP_HEIGHT - 8
    line = f'<path d="M8 {y}h{km / km_per_px:.1f}"/>'
    return f'{line}<text x="8" y="{y - 6}">{km:g} km</text>'
