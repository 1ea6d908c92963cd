"""What is drawn into viser's three-dimensional view. Nothing is decided or computed here."""

from collections.abc import Mapping

import numpy as np

from ..render.camera import PinholeCamera
from ..scenes.card import SceneCard
from .backend import ViserObject, possible
from .cloud import Cloud, layer_tops, layers_of
from .contents import ClipContents, FloorBand, gaze_rays
from .shapes import Mesh, bars, box_edges, frustum, frustum_corners, line, wxyz_of

BLUE, VERMILION, GOLD = (33, 102, 172), (196, 80, 27), (214, 158, 0)
PURPLE, GREY, INK = (135, 72, 156), (150, 155, 160), (70, 76, 82)
EYES = (("left", BLUE), ("right", VERMILION))
FRUSTUM_M = (0.36, 0.40)
"""How far the eyes' pictures are drawn from them: at one distance the two would flicker."""
LABEL_SCALE = 0.75
FLOOR_M = 0.03
"""The walkable map floats so far above the floor's points."""
POOR, GOOD = np.array([224, 236, 228]), np.array([15, 128, 104])
GROUPS = (
    "points",
    "boxes",
    "names",
    "floor",
    "path",
    "other paths",
    "eyes",
    "pictures",
    "gaze",
    "cameras",
)
IN_THE_WAY = ("path", "other paths", "eyes", "pictures", "gaze", "cameras")
"""What is not shown to somebody who looks through an eye."""


class Stage:
    """Groups of things that are drawn, each shown or hidden as a whole."""

    def __init__(self, server: ViserObject, card: SceneCard, camera: PinholeCamera) -> None:
        """Begin with nothing drawn, +z up."""
        self._scene, self._card, self._camera = server.scene, card, camera
        self._unit = 1.0
        self._parts: dict[str, list[ViserObject]] = {group: [] for group in GROUPS}
        self._shown: dict[str, bool] = dict.fromkeys(GROUPS, True)
        self._tops = layer_tops(card)
        self._cut = float(self._tops[-1])
        self._inside = False
        self._layer_tops: list[float] = []
        self._eyes: list[ViserObject] = []
        self._scene.set_up_direction("+z")

    def set_unit(self, unit: float) -> None:
        """Draw things as long as suits one metre in a room, in world units."""
        self._unit = unit

    def show(self, shown: Mapping[str, bool]) -> None:
        """Show or hide groups."""
        self._shown.update(shown)
        for group in shown:
            self._apply(group)

    def cut_at(self, height: float) -> None:
        """Hide the points above a height."""
        self._cut = height
        self._apply("points")

    def go_inside(self, inside: bool) -> None:
        """Show all points and nothing that is in the way of an eye, or all again."""
        self._inside = inside
        for group in GROUPS:
            self._apply(group)

    def draw_cloud(self, cloud: Cloud, point_size: float) -> None:
        """Draw the scene's points in layers."""
        self._clear("points")
        self._layer_tops = []
        add = self._scene.add_point_cloud
        # Shaded balls would look like scales on walls.
        flat = possible(add, point_shading="flat")
        for i, layer in enumerate(layers_of(cloud, self._tops)):
            if len(layer):
                handle = add(
                    f"/points/{i}",
                    points=layer.points,
                    colors=layer.colours,
                    point_size=point_size,
                    point_shape="rounded",
                    **flat,
                )
                self._layer_tops.append(float(self._tops[i]))
                self._parts["points"].append(handle)
        self._apply("points")

    def draw_boxes(self) -> None:
        """Draw the listed objects' boxes and names."""
        for group in ("boxes", "names"):
            self._clear(group)
        for i, thing in enumerate(self._card.objects):
            edges = box_edges(thing.box.corners_m(), 0.006 * self._unit)
            self._mesh("boxes", f"/boxes/{i}", edges, INK)
            top = np.add(thing.box.centre_m, (0, 0, thing.box.size_m[2] / 2))
            name = thing.name.replace("_", " ")
            add = self._scene.add_label
            options = possible(add, font_screen_scale=LABEL_SCALE, anchor="bottom-center")
            label = add(f"/names/{i}", name, position=tuple(top), **options)
            self._parts["names"].append(label)
        self._apply("boxes")
        self._apply("names")

    def draw_cameras(self) -> None:
        """Draw where the scene's views were taken from."""
        self._clear("cameras")
        poses = np.asarray(self._card.world_from_view, np.float64).reshape(-1, 4, 4)
        if len(poses):
            local = np.vstack([np.zeros(3), frustum_corners(self._camera, 0.12 * self._unit)])
            corners = np.einsum("nij,kj->nki", poses[:, :3, :3], local) + poses[:, None, :3, 3]
            starts, ends = (
                corners[:, [0, 0, 0, 0, 1, 2, 3, 4]],
                corners[:, [1, 2, 3, 4, 2, 3, 4, 1]],
            )
            self._mesh("cameras", "/cameras", bars(starts, ends, 0.003 * self._unit), GREY)
        self._apply("cameras")

    def draw_floor(self, bands: list[FloorBand]) -> None:
        """Draw the walkable map; the greener, the nearer photographs were taken."""
        self._clear("floor")
        for i, band in enumerate(bands):
            colour = POOR + band.coverage * (GOOD - POOR)
            rgb = tuple(int(c) for c in colour)
            self._mesh("floor", f"/floor/{i}", band.mesh, rgb, opacity=0.4)
        self._apply("floor")

    def draw_path(self, clip: ClipContents) -> None:
        """Draw the chosen clip's way of the head."""
        self._clear("path")
        points = clip.motion.course.world_from_head[:, :3, 3]
        self._mesh("path", "/path", line(points, 0.009 * self._unit), PURPLE)
        self._apply("path")

    def draw_other_path(self, number: int, clip: ClipContents) -> None:
        """Draw the way of the head of a clip beside the chosen one."""
        points = clip.motion.course.world_from_head[:: clip.motion.frame_every, :3, 3]
        self._mesh("other paths", f"/others/{number}", line(points, 0.005 * self._unit), GREY)
        self._apply("other paths")

    def draw_frame(self, clip: ClipContents, frame: int) -> None:
        """Draw eyes and lines of sight; the eyes' pictures follow when they are there."""
        poses = clip.trajectory.world_from_eye[:, frame]
        if len(self._eyes) != len(poses):
            self._draw_eyes(len(poses))
        for handle, pose in zip(self._eyes, poses, strict=True):
            handle.wxyz, handle.position = wxyz_of(pose[:3, :3]), pose[:3, 3]
        self._clear("gaze")
        starts, ends = gaze_rays(clip.trajectory, frame)
        for (name, _), start, end in zip(EYES, starts, ends, strict=False):
            ray = bars(start[None], end[None], 0.005 * self._unit)
            self._mesh("gaze", f"/gaze/{name}", ray, GOLD)
        ball = self._scene.add_icosphere(
            "/gaze/target", radius=0.03 * self._unit, color=GOLD, position=tuple(ends[0])
        )
        self._parts["gaze"].append(ball)
        self._apply("gaze")

    def draw_pictures(self, pictures: np.ndarray | None) -> None:
        """Draw what the eyes see ``[eye, height, width, 3]`` on their image planes, or nothing."""
        self._clear("pictures")
        if pictures is None:
            return
        for (name, _), depth, picture in zip(EYES, FRUSTUM_M, pictures, strict=False):
            corners = frustum_corners(self._camera, depth * self._unit)
            width, height = corners[2, :2] - corners[0, :2]
            handle = self._scene.add_image(
                f"/eyes/{name}/picture",
                picture,
                render_width=float(width),
                render_height=float(height),
                format="jpeg",
                position=(0.0, 0.0, depth * self._unit),
            )
            self._parts["pictures"].append(handle)
        self._apply("pictures")

    def clear_clip(self) -> None:
        """Take away all that belongs to a clip."""
        for group in ("path", "gaze", "pictures", "eyes"):
            self._clear(group)
        self._eyes = []

    def clear_observer(self) -> None:
        """Take away all that belongs to an observer."""
        self.clear_clip()
        for group in ("floor", "other paths"):
            self._clear(group)

    def _draw_eyes(self, count: int) -> None:
        self._clear("pictures")
        self._clear("eyes")
        self._eyes = []
        for (name, colour), depth in list(zip(EYES, FRUSTUM_M, strict=True))[:count]:
            self._eyes.append(self._scene.add_frame(f"/eyes/{name}", show_axes=False))
            edges = frustum(self._camera, depth * self._unit, 0.005 * self._unit)
            self._mesh("eyes", f"/eyes/{name}/edges", edges, colour)
        self._apply("eyes")

    def _mesh(
        self, group: str, name: str, mesh: Mesh, colour: tuple[int, ...], *, opacity: float = 1.0
    ) -> None:
        if mesh.is_empty:
            return
        handle = self._scene.add_mesh_simple(
            name,
            vertices=mesh.vertices,
            faces=mesh.faces,
            color=colour,
            opacity=None if opacity == 1.0 else opacity,
            side="double",
        )
        self._parts[group].append(handle)

    def _clear(self, group: str) -> None:
        for handle in self._parts[group]:
            handle.remove()
        self._parts[group] = []

    def _apply(self, group: str) -> None:
        shown = self._shown[group] and not (self._inside and group in IN_THE_WAY)
        if group == "points":
            for handle, top in zip(self._parts[group], self._layer_tops, strict=True):
                handle.visible = shown and (self._inside or top <= self._cut + 1e-6)
            return
        for handle in self._parts[group]:
            handle.visible = shown
