"""What a camera behind the windshield sees, drawn by panda3d's software renderer: no display, no GPU.

Everything is flat-coloured boxes and strips, for what matters is that the same scene gives the same bytes, fast. The
light of a place is in its colours; there are no shadows, no fog and no lamps. A low sun is a bright disc, and takes
contrast from the whole picture while the car drives towards it.

Shapes: H rows, W columns, V vertices, C colours (red, green, blue).
"""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from panda3d.core import (
    Camera,
    FrameBufferProperties,
    Geom,
    GeomNode,
    GeomTriangles,
    GeomVertexData,
    GeomVertexFormat,
    GraphicsEngine,
    GraphicsOutput,
    GraphicsPipe,
    GraphicsPipeSelection,
    NodePath,
    PerspectiveLens,
    Texture,
    WindowProperties,
    load_prc_file_data,
)

from edge.video.geometry import CameraGeometry
from train.world.actors import Actor
from train.world.place import Colour, Look
from train.world.road import LANE_M, Road
from train.world.scene import Scene

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]
VERTEX = np.dtype([("at", "<f4", 3), ("colour", "u1", 4)])
CHUNK_M, STEP_M = 48, 4
"""Road is built in chunks of this length, with a cross-section every step."""
BEHIND_M, AHEAD_M = 12.0, 170.0
CHUNKS_KEPT = 64
EYE_FORWARD_M, EYE_UP_M = 1.9, 1.3
"""Where the camera is, from the rear axle."""
PITCH_DEG = -3.0
SUN_HEADING_RAD, SUN_UP_RAD = math.pi * 0.5, 0.09
FACES = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (1, 5, 7, 3))
SHADES = (0.72, 0.6, 0.8, 0.66, 1.0)
"""Of a box's back, front, right, left and top: light comes from above."""


@dataclass(frozen=True)
class Lens:
    """Size in pixels, horizontal and vertical field of view in degrees."""

    width: int = 128
    height: int = 96
    across_deg: float = 75.0
    upright_deg: float = 58.0

    @property
    def geometry(self) -> CameraGeometry:
        """Square to the car but for the pitch."""
        fx = self.width / 2 / math.tan(math.radians(self.across_deg) / 2)
        fy = self.height / 2 / math.tan(math.radians(self.upright_deg) / 2)
        down = math.radians(-PITCH_DEG)
        cos, sin = math.cos(down), math.sin(down)
        return CameraGeometry(
            ((fx, 0.0, self.width / 2), (0.0, fy, self.height / 2), (0.0, 0.0, 1.0)),
            (
                (0.0, -sin, cos, EYE_FORWARD_M),
                (-1.0, 0.0, 0.0, 0.0),
                (0.0, -cos, -sin, EYE_UP_M),
                (0.0, 0.0, 0.0, 1.0),
            ),
        )


class Painter:
    """Draws scenes, one after the other, in one picture's memory. Make one a process."""

    def __init__(self, lens: Lens = Lens()) -> None:
        load_prc_file_data("", "load-display p3tinydisplay\naudio-library-name null")
        self.lens = lens
        self._engine = GraphicsEngine.get_global_ptr()
        pipe = GraphicsPipeSelection.get_global_ptr().make_pipe("TinyOffscreenGraphicsPipe", "p3tinydisplay")
        size = WindowProperties.size(lens.width, lens.height)
        buffer = FrameBufferProperties()
        buffer.set_rgb_color(True)
        buffer.set_depth_bits(24)
        self._output = self._engine.make_output(pipe, "eye", 0, buffer, size, GraphicsPipe.BF_refuse_window)
        self._texture = Texture()
        self._output.add_render_texture(self._texture, GraphicsOutput.RTM_copy_ram)
        self._world = NodePath("world")
        optics = PerspectiveLens()
        optics.set_fov(lens.across_deg, lens.upright_deg)
        optics.set_near_far(0.4, 400.0)
        self._camera = self._world.attach_new_node(Camera("eye", optics))
        self._output.make_display_region().set_camera(self._camera)
        self._chunks: OrderedDict[tuple[int, int], Any] = OrderedDict()
        self._boxes: dict[tuple[type[Actor], str, float], list[Any]] = {}
        self._grounds: dict[str, Any] = {}
        self._shown: list[Any] = []

    def draw(self, scene: Scene) -> Pixels:
        """(H, W, C) uint8."""
        place, road, ego = scene.road.place, scene.road, scene.ego
        for node in self._shown:
            node.stash()
        x, y, heading = road.pose(ego.station_m, ego.offset_m)
        heading += ego.heading_rad
        self._shown = [self._ground(place.name, place.look, x, y), *self._road(road, ego.station_m)]
        self._shown += self._actors(scene)
        eye_x, eye_y = x + EYE_FORWARD_M * math.cos(heading), y + EYE_FORWARD_M * math.sin(heading)
        self._camera.set_pos(eye_x, eye_y, EYE_UP_M)
        self._camera.set_hpr(math.degrees(heading) - 90.0, PITCH_DEG, 0.0)
        sky = _lit(place.look.sky, 1.0)
        self._output.set_clear_color((*(c / 255 for c in sky), 1.0))
        self._engine.render_frame()
        flat = np.frombuffer(self._texture.get_ram_image_as("RGB"), np.uint8)
        pixels = flat.reshape(self.lens.height, self.lens.width, 3)[::-1]
        return _glare(pixels, heading, self.lens) if place.look.glare else pixels.copy()

    def _road(self, road: Road, station_m: float) -> list[Any]:
        first = int(max(station_m - BEHIND_M, 0.0)) // CHUNK_M
        last = int(min(station_m + AHEAD_M, road.length_m - CHUNK_M)) // CHUNK_M
        nodes = []
        for number in range(first, last + 1):
            key = (id(road), number)
            node = self._chunks.pop(key, None) or self._attach(_chunk(road, number))
            self._chunks[key] = node
            node.unstash()
            nodes.append(node)
        while len(self._chunks) > CHUNKS_KEPT:
            self._chunks.popitem(last=False)[1].remove_node()
        return nodes

    def _actors(self, scene: Scene) -> list[Any]:
        used: dict[tuple[type[Actor], str, float], int] = {}
        nodes = []
        for other in scene.others:
            key = (type(other), "brakes" if other.braking else "", scene.road.place.look.light)
            number = used.get(key, 0)
            used[key] = number + 1
            pool = self._boxes.setdefault(key, [])
            if number == len(pool):
                pool.append(self._attach(_figure(other, scene.road.place.look.light)))
            node = pool[number]
            x, y, heading = scene.road.pose(other.station_m, other.offset_m)
            node.set_pos(x, y, 0.0)
            node.set_h(math.degrees(heading))
            node.unstash()
            nodes.append(node)
        return nodes

    def _ground(self, name: str, look: Look, x: float, y: float) -> Any:
        if name not in self._grounds:
            size, low = 380.0, -0.25
            corners = np.array([(-size, -size, low), (size, -size, low), (size, size, low), (-size, size, low)])
            self._grounds[name] = self._attach(_mesh([_quad(corners, _lit(look.ground, look.light))]))
        node = self._grounds[name]
        node.set_pos(x, y, 0.0)
        node.unstash()
        return node

    def _attach(self, mesh: Any) -> Any:
        node = self._world.attach_new_node(mesh)
        node.set_two_sided(True)
        node.stash()
        return node


def _chunk(road: Road, number: int) -> Any:
    """One chunk of road with its shoulders, lines, and what stands beside it."""
    place, look = road.place, road.place.look
    start = number * CHUNK_M
    stations = np.arange(start, start + CHUNK_M + 1, STEP_M)
    # Towards the end a line needs no cross-section beyond the road.
    stations = np.minimum(stations, int(road.length_m))
    parts = [
        _strip(road, stations, -9.0, 9.0, -0.05, _lit(look.ground, look.light * 0.92)),
        _strip(road, stations, -LANE_M - 0.5, LANE_M + 0.5, 0.0, _lit(look.road, look.light)),
        _strip(road, stations, -LANE_M, -LANE_M + 0.18, 0.02, _lit(look.line, look.light)),
        _strip(road, stations, LANE_M - 0.18, LANE_M, 0.02, _lit(look.line, look.light)),
    ]
    for dash in range(start, start + CHUNK_M, 12):
        parts.append(_strip(road, np.array([dash, dash + 4]), -0.09, 0.09, 0.02, _lit(look.line, look.light)))
    chance = np.random.Generator(np.random.PCG64([place.seed, 4, number]))
    for _ in range(chance.poisson(2 * CHUNK_M / place.block_spacing_m)):
        parts.append(_block(road, start + chance.uniform(0, CHUNK_M), chance))
    return _mesh(parts)


def _strip(road: Road, stations: NDArray[np.int64], right_m: float, left_m: float, up_m: float, colour: Colour) -> Any:
    """A strip along the road between two offsets, (V,) vertices."""
    x, y, heading = road.x_m[stations], road.y_m[stations], road.heading_rad[stations]
    sides = [
        np.stack([x - o * np.sin(heading), y + o * np.cos(heading), np.full(x.size, up_m)], 1)
        for o in (right_m, left_m)
    ]
    corners = np.stack([sides[0][:-1], sides[0][1:], sides[1][1:], sides[1][:-1]], 1)
    return _quad(corners, colour)


def _block(road: Road, station_m: float, chance: np.random.Generator) -> Any:
    side = 1.0 if chance.random() < 0.5 else -1.0
    away, long, wide, tall = (float(chance.uniform(*span)) for span in ((11, 26), (2, 9), (2, 7), (1.5, 7)))
    x, y, heading = road.pose(station_m, side * (away + wide / 2))
    look = road.place.look
    tint = float(chance.uniform(0.75, 1.2))
    vertices = _box(long, wide, tall, _lit(look.block, look.light * tint))
    turn = np.array([[math.cos(heading), math.sin(heading), 0], [-math.sin(heading), math.cos(heading), 0], [0, 0, 1]])
    vertices["at"] = vertices["at"] @ turn + np.array([x, y, 0.0])
    return vertices


def _figure(actor: Actor, light: float) -> Any:
    """A box the size of the actor; a car has lamps at the back that tell when it brakes, and a cabin."""
    # Paint and clothes shine a little where the ground does not.
    parts = [_box(actor.length_m, actor.width_m, actor.height_m, _lit(actor.colour, 0.4 + 0.6 * light))]
    if actor.length_m > 2.0:
        lamp = (255, 60, 50) if actor.braking else (90, 20, 20)
        for side in (-1.0, 1.0):
            lamps = _box(0.1, 0.35, 0.25, lamp)
            lamps["at"] += np.array([-actor.length_m / 2 - 0.05, side * (actor.width_m / 2 - 0.25), 0.7])
            parts.append(lamps)
    return _mesh(parts)


def _box(length_m: float, width_m: float, height_m: float, colour: Colour) -> Any:
    """(V,) vertices of a box on the ground around the origin, without its floor."""
    half = np.array([length_m / 2, width_m / 2])
    corners = np.array([(i * half[0], j * half[1], k * height_m) for i in (-1, 1) for j in (-1, 1) for k in (0, 1)])
    return np.concatenate(
        [_quad(corners[list(face)], _lit(colour, shade)) for face, shade in zip(FACES, SHADES, strict=True)]
    )


def _quad(corners: Floats, colour: Colour) -> Any:
    """(V,) vertices of triangles for quads (..., 4, 3), each given as its corners in turn."""
    triangles = corners.reshape(-1, 4, 3)[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3)
    vertices = np.zeros(len(triangles), VERTEX)
    vertices["at"], vertices["colour"] = triangles, (*colour, 255)
    return vertices


def _mesh(parts: list[Any]) -> Any:
    vertices = np.concatenate(parts)
    data = GeomVertexData("mesh", GeomVertexFormat.get_v3c4(), Geom.UH_static)
    data.unclean_set_num_rows(len(vertices))
    memoryview(data.modify_array(0)).cast("B")[:] = vertices.tobytes()
    triangles = GeomTriangles(Geom.UH_static)
    triangles.add_next_vertices(len(vertices))
    geom = Geom(data)
    geom.add_primitive(triangles)
    node = GeomNode("mesh")
    node.add_geom(geom)
    return node


def _lit(colour: Colour, light: float) -> Colour:
    red, green, blue = (min(int(part * light), 255) for part in colour)
    return red, green, blue


def _glare(pixels: Pixels, heading_rad: float, lens: Lens) -> Pixels:
    """A sun that stands low in one direction: a disc where it is in view, and a veil over everything near to it."""
    turn = math.remainder(SUN_HEADING_RAD - heading_rad, 2 * math.pi)
    toward = max(0.0, math.cos(turn)) ** 4
    rows, columns = np.mgrid[0 : lens.height, 0 : lens.width]
    focal = lens.width / 2 / math.tan(math.radians(lens.across_deg) / 2)
    column = lens.width / 2 - focal * math.tan(turn) if abs(turn) < 1.2 else -1e3
    row = lens.height / 2 - focal * math.tan(SUN_UP_RAD - math.radians(PITCH_DEG))
    near = np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * (0.12 * lens.width) ** 2))
    veil = 60.0 * toward + 235.0 * near * (toward > 0)
    return np.asarray(np.minimum(pixels * (1 - 0.3 * toward) + veil[..., None], 255.0), np.uint8)
