"""A winding road and what a windshield camera sees of it.

Frames of reference, metres, ISO 8855 (x forward, y left):
- road: station along the centre line, offset from it, + left; right-hand traffic.
- camera: depth ahead of the lens, left of it; the lens looks along the car, `AHEAD_M` before the rear axle.

The ground is drawn by looking up, for every pixel below the horizon, the road coordinates of the point it
shows; what stands upright is a stack of flat shapes, drawn from far to near. Edges are softened by the share
of a pixel that they cover. It does not do pitch, roll, hills, shadows or hidden surfaces of the ground.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Image = NDArray[np.floating[Any]]
Points = tuple[Floats, Floats]
Colour = tuple[int, int, int]

WIDTH_PX, HEIGHT_PX = 160, 96
HORIZON_PX = 0.45 * HEIGHT_PX
FOCAL_PX = 85.0
CAMERA_HEIGHT_M = 1.35
AHEAD_M = 1.6
"""From the rear axle to the lens."""
LANE_M = 3.5
"""Width of one of the two lanes."""
VISIBLE_M = 70.0

SKY_HIGH, SKY_LOW, HILL = (112, 152, 206), (206, 220, 232), (118, 140, 140)
GRASS, ASPHALT, PAINT, DASH = (84, 122, 58), (88, 88, 92), (232, 232, 226), (236, 206, 96)
POST, TRUNK, CROWN = (238, 238, 238), (74, 56, 40), (38, 80, 34)
BODY, GLASS, TYRE, LAMP_ON, LAMP_OFF = (44, 62, 118), (24, 28, 36), (18, 18, 18), (255, 36, 24), (110, 18, 18)


@dataclass(frozen=True)
class Road:
    """A centre line without end, as far as anyone drives.

    Attributes:
        station_m, x_m, y_m, heading_rad, curvature_per_m: (N,) along the line, on an even grid; + left.
        post_station_m, post_offset_m, post_height_m: (P,) what stands beside it; above 1.5 m it is a tree.
    """

    station_m: Floats
    x_m: Floats
    y_m: Floats
    heading_rad: Floats
    curvature_per_m: Floats
    post_station_m: Floats
    post_offset_m: Floats
    post_height_m: Floats

    @staticmethod
    def winding(
        rng: np.random.Generator, length_m: float, step_m: float, curvature_per_m: float, smooth_m: float
    ) -> Road:
        """Curvature is noise of some `smooth_m` to three times that, kept within +-`curvature_per_m`."""
        station = np.arange(-100.0, length_m + 200.0, step_m)
        noise = rng.normal(size=station.size)
        bends = smoothed(noise, smooth_m / step_m) - smoothed(noise, 3 * smooth_m / step_m) / math.sqrt(3)
        curvature = curvature_per_m * np.tanh(bends)
        heading = np.cumsum(curvature) * step_m
        posts = np.cumsum(rng.uniform(4.0, 11.0, int(length_m / 6))) - 50.0
        side = rng.choice([-1.0, 1.0], posts.size)
        tree = rng.random(posts.size) < 0.5
        return Road(
            station_m=station,
            x_m=np.cumsum(np.cos(heading)) * step_m,
            y_m=np.cumsum(np.sin(heading)) * step_m,
            heading_rad=heading,
            curvature_per_m=curvature,
            post_station_m=posts,
            post_offset_m=side * np.where(tree, rng.uniform(8.0, 15.0, posts.size), 4.8),
            post_height_m=np.where(tree, rng.uniform(4.0, 7.0, posts.size), 1.1),
        )

    def pose(self, station_m: Floats | float) -> tuple[Floats, Floats, Floats]:
        """x, y and heading of the centre line."""
        x = np.interp(station_m, self.station_m, self.x_m)
        y = np.interp(station_m, self.station_m, self.y_m)
        heading = np.interp(station_m, self.station_m, self.heading_rad)
        return np.asarray(x), np.asarray(y), np.asarray(heading)

    def point(self, station_m: Floats | float, offset_m: Floats | float) -> Points:
        """x, y of a point beside the centre line."""
        x, y, heading = self.pose(station_m)
        return x - offset_m * np.sin(heading), y + offset_m * np.cos(heading)

    def curvature(self, station_m: Floats | float) -> Floats:
        return np.asarray(np.interp(station_m, self.station_m, self.curvature_per_m))


@dataclass(frozen=True)
class View:
    """Where the rear axle is, how bright the day, and who drives ahead.

    Attributes:
        light: 1.0 = the colours above.
        lead_station_m: rear of the car ahead, NaN = none; it keeps to the middle of the right lane.
    """

    station_m: float
    offset_m: float
    heading_rad: float
    light: float
    lead_station_m: float
    lead_brakes: bool


@dataclass(frozen=True)
class Shape:
    """A flat shape that faces the camera: bottom centre, size, colour; an ellipse where `round`."""

    depth_m: float
    left_m: float
    bottom_m: float
    width_m: float
    height_m: float
    colour: Colour
    round: bool = False


def smoothed(noise: Floats, sigma: float) -> Floats:
    """Noise behind a Gaussian window of `sigma` samples, brought to mean 0 and standard deviation 1."""
    reach = np.arange(-round(4 * sigma), round(4 * sigma) + 1)
    soft = np.convolve(noise, np.exp(-0.5 * (reach / sigma) ** 2), mode="same")
    return np.asarray((soft - soft.mean()) / soft.std())


def picture(road: Road, view: View) -> NDArray[np.uint8]:
    """(HEIGHT_PX, WIDTH_PX, 3) RGB."""
    image = np.concatenate([_sky(view), _ground(road, view)])
    for shape in sorted(_shapes(road, view), key=lambda s: -s.depth_m):
        _draw(image, shape)
    return np.clip(image * view.light + 0.5, 0, 255).astype(np.uint8)


_ROWS = np.arange(HEIGHT_PX, dtype=np.float32)[:, None] + 0.5
_COLUMNS = np.arange(WIDTH_PX, dtype=np.float32)[None, :] + 0.5
_TOP = int(HORIZON_PX)
_RIGHT = (_COLUMNS - WIDTH_PX / 2) / FOCAL_PX
_DEPTH_M = CAMERA_HEIGHT_M * FOCAL_PX / (_ROWS[_TOP:] - HORIZON_PX)
_POINTS_M = np.stack(np.broadcast_arrays(_DEPTH_M, -_DEPTH_M * _RIGHT), axis=-1).reshape(-1, 2)
_LOOKED_UP_M = np.concatenate([np.arange(-2.0, 20.0, 1.0), np.arange(20.0, VISIBLE_M, 2.0)])


def _sky(view: View) -> Image:
    share = np.clip(_ROWS[:_TOP] / HORIZON_PX, 0, 1)
    sky = _blend(_rgb(SKY_HIGH), SKY_LOW, np.broadcast_to(share, (_TOP, WIDTH_PX)))
    azimuth = view.heading_rad - np.arctan(_RIGHT)
    ridge_px = 4 + 1.6 * np.sin(3 * azimuth) + 1.3 * np.sin(8 * azimuth + 1) + 0.8 * np.sin(19 * azimuth + 2)
    return _blend(sky, HILL, np.clip(ridge_px - (HORIZON_PX - _ROWS[:_TOP]) + 0.5, 0, 1))


def _ground(road: Road, view: View) -> Image:
    station, offset, slant = _road_coordinates(road, view)
    depth = np.repeat(_DEPTH_M[:, 0], WIDTH_PX)
    wide, deep = depth / FOCAL_PX, depth**2 / (FOCAL_PX * CAMERA_HEIGHT_M)
    cos, sin, right = np.cos(slant), np.sin(slant), np.tile(_RIGHT[0], _DEPTH_M.size)
    across = wide * np.abs(cos) + deep * np.abs(sin + right * cos)
    along = wide * np.abs(sin) + deep * np.abs(cos - right * sin)
    mottle = _wave(station, 9.0, along) + _wave(offset + 0.4 * station, 5.0, across + 0.4 * along)
    ground = _rgb(GRASS) * (1 + 0.07 * mottle)[:, None]
    ground = _blend(ground, ASPHALT, _band(offset, LANE_M + 0.4, across))
    ground = _blend(ground, PAINT, _band(np.abs(offset) - LANE_M, 0.09, across))
    ground = _blend(ground, DASH, _band(offset, 0.09, across) * _dashes(station, along))
    ground = _blend(ground, SKY_LOW, np.clip((depth - 30) / 90, 0, 0.8))
    return ground.reshape(-1, WIDTH_PX, 3)


def _road_coordinates(road: Road, view: View) -> tuple[Image, Image, Image]:
    """Station, offset and the road's direction relative to the camera, for each of the ground's pixels."""
    stations = view.station_m + _LOOKED_UP_M
    depth, left = _seen(view, road, stations, 0.0)
    line = np.stack([depth, left], axis=-1).astype(np.float32)
    nearest = np.argmin((line**2).sum(1) - 2 * (_POINTS_M @ line.T), axis=1)
    slant = (road.pose(stations)[2] - view.heading_rad).astype(np.float32)[nearest]
    cos, sin = np.cos(slant), np.sin(slant)
    ahead, beside = (_POINTS_M - line[nearest]).T
    along = ahead * cos + beside * sin
    bend = road.curvature(stations).astype(np.float32)[nearest]
    across = beside * cos - ahead * sin - bend * along**2 / 2
    return stations.astype(np.float32)[nearest] + along, across, slant


def _seen(view: View, road: Road, station_m: Floats | float, offset_m: Floats | float) -> Points:
    """Depth and left, in the camera's frame, of points beside the road."""
    x, y = road.point(station_m, offset_m)
    own_x, own_y = road.point(view.station_m, view.offset_m)
    cos, sin = np.cos(view.heading_rad), np.sin(view.heading_rad)
    return (x - own_x) * cos + (y - own_y) * sin - AHEAD_M, (y - own_y) * cos - (x - own_x) * sin


def _shapes(road: Road, view: View) -> Iterator[Shape]:
    near = np.abs(road.post_station_m - view.station_m - VISIBLE_M / 2) < VISIBLE_M / 2
    heights = road.post_height_m[near]
    depths, lefts = _seen(view, road, road.post_station_m[near], road.post_offset_m[near])
    for depth, left, height in zip(depths.tolist(), lefts.tolist(), heights.tolist(), strict=True):
        if depth > 2.5:
            post = Shape(depth, left, 0, 0.14, height, POST)
            yield from _tree(depth, left, height) if height > 1.5 else [post]
    if not np.isnan(view.lead_station_m):
        at, beside = _seen(view, road, view.lead_station_m, -LANE_M / 2)
        if at > 1.0:
            yield from _car(float(at), float(beside), view.lead_brakes)


def _tree(depth_m: float, left_m: float, height_m: float) -> Iterator[Shape]:
    yield Shape(depth_m, left_m, 0, 0.35, height_m / 2, TRUNK)
    yield Shape(depth_m, left_m, 0.3 * height_m, 0.55 * height_m, 0.7 * height_m, CROWN, round=True)


def _car(depth_m: float, left_m: float, brakes: bool) -> Iterator[Shape]:
    """Its rear, 1.8 m wide and 1.5 m high."""
    yield Shape(depth_m, left_m, 0, 1.8, 0.35, TYRE)
    yield Shape(depth_m, left_m, 0.25, 1.8, 0.75, BODY)
    yield Shape(depth_m, left_m, 1.0, 1.45, 0.5, BODY)
    yield Shape(depth_m, left_m, 1.02, 1.25, 0.38, GLASS)
    for side in (-0.68, 0.68):
        yield Shape(depth_m, left_m + side, 0.58, 0.44, 0.34, LAMP_ON if brakes else LAMP_OFF)


def _draw(image: Image, shape: Shape) -> None:
    scale = FOCAL_PX / shape.depth_m
    wide, high = shape.width_m * scale, shape.height_m * scale
    column = WIDTH_PX / 2 - shape.left_m * scale
    row = HORIZON_PX + (CAMERA_HEIGHT_M - shape.bottom_m) * scale - high / 2
    rows = slice(max(0, int(row - high / 2 - 1)), max(0, int(row + high / 2 + 2)))
    columns = slice(max(0, int(column - wide / 2 - 1)), max(0, int(column + wide / 2 + 2)))
    down, aside = _ROWS[rows] - row, _COLUMNS[:, columns] - column
    if shape.round:
        radius = np.hypot(down / (high / 2), aside / (wide / 2))
        cover = np.clip((1 - radius) * min(wide, high) / 2 + 0.5, 0, 1)
    else:
        cover = _band(down, high / 2, 1.0) * _band(aside, wide / 2, 1.0)
    haze = float(np.clip((shape.depth_m - 45) / 25, 0, 1))
    image[rows, columns] = _blend(image[rows, columns], shape.colour, cover * (1 - haze))


def _rgb(colour: Colour) -> Image:
    return np.array(colour, np.float32)


def _blend(under: Image, colour: Colour, share: Image) -> Image:
    return under + (_rgb(colour) - under) * share[..., None].astype(np.float32)


def _band(distance: Image, half: float, footprint: Image | float) -> Image:
    """Share of a footprint, `distance` from the middle of a band, that lies in the band."""
    covered = np.minimum(distance + footprint / 2, half) - np.maximum(distance - footprint / 2, -half)
    return np.asarray(np.clip(covered / footprint, 0, 1), np.float32)


def _dashes(station: Image, footprint: Image, length_m: float = 3.0, period_m: float = 9.0) -> Image:
    def painted(at: Image) -> Image:
        return np.asarray(np.floor(at / period_m) * length_m + np.minimum(at % period_m, length_m))

    return (painted(station + footprint / 2) - painted(station - footprint / 2)) / footprint


def _wave(at: Image, period_m: float, footprint: Image) -> Image:
    """A sine that fades where its period is not much larger than a pixel's footprint."""
    return np.asarray(np.sin(2 * np.pi / period_m * at) * np.exp(-((2 * footprint / period_m) ** 2)))
