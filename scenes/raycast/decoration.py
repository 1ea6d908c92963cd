"""The room's shell and everything in it that is not furniture: windows, door, rug, pictures."""

import numpy as np

from . import textures
from .catalogue import LAMPSHADE, PILLOW, VASE, WALL_CLOCK, Category
from .layout import ROOM_SIZE_M
from .light import BallLight, Light, PaneLight
from .shapes import box, rectangle, turned
from .surfaces import Material, Mesh, face_normals, joined

WIDTH_M, DEPTH_M, HEIGHT_M = ROOM_SIZE_M
HALF_X, HALF_Y = WIDTH_M / 2, DEPTH_M / 2
WHITE = Material(colour=(0.90, 0.89, 0.86))
NORTH_WINDOW = (-2.65, -0.75, 0.95, 2.30)
"""x from, x to, z from, z to of the opening in the north wall."""
EAST_WINDOW = (0.30, 1.75, 1.15, 2.30)
"""y from, y to, z from, z to of the opening in the east wall."""
PENDANT_M = (0.25, 0.28, 2.02)
LAMP_M = (0.72, -2.22, 0.78)
LIGHTS: tuple[Light, ...] = (
    PaneLight(
        corner_m=(NORTH_WINDOW[0], HALF_Y - 0.02, NORTH_WINDOW[2]),
        edge_u_m=(NORTH_WINDOW[1] - NORTH_WINDOW[0], 0.0, 0.0),
        edge_v_m=(0.0, 0.0, NORTH_WINDOW[3] - NORTH_WINDOW[2]),
        radiance=(11.0, 11.6, 12.2),
    ),
    PaneLight(
        corner_m=(HALF_X - 0.02, EAST_WINDOW[1], EAST_WINDOW[2]),
        edge_u_m=(0.0, EAST_WINDOW[0] - EAST_WINDOW[1], 0.0),
        edge_v_m=(0.0, 0.0, EAST_WINDOW[3] - EAST_WINDOW[2]),
        radiance=(13.0, 12.8, 12.0),
    ),
    BallLight(centre_m=PENDANT_M, radius_m=0.14, intensity=(2.8, 2.4, 1.8)),
    BallLight(centre_m=LAMP_M, radius_m=0.09, intensity=(0.6, 0.48, 0.30)),
)


def shell(seed: int) -> Mesh:
    """Return floor, ceiling and walls, fronts inwards."""
    x, y, z = HALF_X, HALF_Y, HEIGHT_M
    warm, cool = (0.82, 0.76, 0.66), (0.66, 0.74, 0.74)
    long_wall = Material(texture=textures.wall_paper(seed, size_m=(WIDTH_M, z), base=warm))
    short_wall = Material(texture=textures.wall_paper(seed + 1, size_m=(DEPTH_M, z), base=cool))
    wood = Material(texture=textures.wood_floor(seed))
    plaster = Material(texture=textures.ceiling(seed))
    up = (0, 0, z)
    return joined(
        [
            rectangle((-x, -y, 0), (2 * x, 0, 0), (0, 2 * y, 0), wood),
            rectangle((-x, y, z), (2 * x, 0, 0), (0, -2 * y, 0), plaster),
            rectangle((-x, y, 0), (2 * x, 0, 0), up, long_wall),
            rectangle((x, -y, 0), (-2 * x, 0, 0), up, long_wall),
            rectangle((-x, -y, 0), (0, 2 * y, 0), up, short_wall),
            rectangle((x, y, 0), (0, -2 * y, 0), up, short_wall),
        ]
    )


def decoration(seed: int) -> list[Mesh]:
    """Return the parts of the room itself: skirting, windows, door, rug, pictures."""
    x_from, x_to, low, high = NORTH_WINDOW
    y_from, y_to, east_low, east_high = EAST_WINDOW
    rug = Material(texture=textures.rug(seed))
    return [
        *_skirting(),
        *_window((x_from, HALF_Y, low), (x_to - x_from, 0, 0), high - low, (seed, 0)),
        *_window((HALF_X, y_to, east_low), (0, y_from - y_to, 0), east_high - east_low, (seed, 1)),
        *_door(),
        box((-1.25, -0.95, 0.0), (1.75, 1.25, 0.012), rug),
        *_picture((0.05, -HALF_Y, 1.25), (-0.80, 0, 0), 0.60, (seed, 0)),
        *_picture((-0.95, -HALF_Y, 1.25), (-0.80, 0, 0), 0.60, (seed, 1)),
        *_picture((1.95, -HALF_Y, 1.30), (-0.70, 0, 0), 0.90, (seed, 2)),
        *_picture((-HALF_X, 0.35, 1.15), (0, 0.70, 0), 0.95, (seed, 3)),
        *_picture((-HALF_X, 1.40, 1.75), (0, 0.75, 0), 0.55, (seed, 4)),
        *_picture((2.42, HALF_Y, 1.55), (0.45, 0, 0), 0.60, (seed, 5)),
        *_picture((HALF_X, -0.05, 1.55), (0, -0.28, 0), 0.40, (seed, 6)),
    ]


def hung_objects(
    placed: dict[str, Mesh], seed: int
) -> dict[str, tuple[Mesh, Category | None, float]]:
    """Return further objects by name: mesh, category, yaw; some stand on placed furniture."""
    glass = np.array([[0.12, 0.0], [0.16, -0.02], [0.22, -0.10], [0.24, -0.17], [0.0, 0.0]])
    shade = glass[:4] * np.array([1.0, 1.0]) + np.array([0.0, PENDANT_M[2] + 0.10])
    cord = box(
        (PENDANT_M[0] - 0.006, PENDANT_M[1] - 0.006, PENDANT_M[2] + 0.09),
        (PENDANT_M[0] + 0.006, PENDANT_M[1] + 0.006, HEIGHT_M),
        Material(colour=(0.25, 0.25, 0.25)),
    )
    lampshade = turned(shade, Material(colour=(0.98, 0.88, 0.68), glow=3.0)).transformed(
        np.eye(3), np.array([PENDANT_M[0], PENDANT_M[1], 0.0])
    )
    found: dict[str, tuple[Mesh, Category | None, float]] = {
        "lampshade": (joined([lampshade, cord]), LAMPSHADE, 0.0),
        "wall_clock": (_clock(), WALL_CLOCK, 0.0),
    }
    if "bookcase" in placed and (books := _books(placed["bookcase"], seed)):
        found["books"] = (joined(books), None, 0.0)
    if "drawers_cabinet" in placed:
        top_m = placed["drawers_cabinet"].bounds_m()[1, 2]
        found["vase"] = (_vase().transformed(np.eye(3), np.array([2.80, -1.42, top_m])), VASE, 0.0)
    if "sofa" in placed:
        found["pillow"] = (_pillow(seed), PILLOW, 0.0)
    return found


def _skirting() -> list[Mesh]:
    x, y, thick, high = HALF_X, HALF_Y, 0.015, 0.09
    return [
        box((-x, y - thick, 0), (x, y, high), WHITE),
        box((-x, -y, 0), (x, -y + thick, high), WHITE),
        box((-x, -y, 0), (-x + thick, -2.22, high), WHITE),
        box((-x, -1.18, 0), (-x + thick, y, high), WHITE),
        box((x - thick, -y, 0), (x, y, high), WHITE),
    ]


def _window(
    corner_m: tuple[float, float, float],
    along_m: tuple[float, float, float],
    height_m: float,
    which: tuple[int, int],
) -> list[Mesh]:
    """Return a window on a wall: the view, its frame, a sill; ``along`` runs to the right."""
    corner, along = np.array(corner_m), np.array(along_m)
    length = float(np.linalg.norm(along))
    right = along / length
    inward = np.array([right[1], -right[0], 0.0])
    view = Material(texture=textures.outdoors(*which), glow=2.6)
    pane = rectangle(corner + 0.008 * inward, along, (0, 0, height_m), view)

    def bar(left: float, right_end: float, low: float, high: float, deep: float) -> Mesh:
        first = corner + right * left + np.array([0, 0, low])
        last = corner + right * right_end + inward * deep + np.array([0, 0, high])
        return box(np.minimum(first, last), np.maximum(first, last), WHITE)

    bars = [
        bar(-0.06, length + 0.06, -0.06, 0.0, 0.05),
        bar(-0.06, length + 0.06, height_m, height_m + 0.06, 0.05),
        bar(-0.06, 0.0, 0.0, height_m, 0.05),
        bar(length, length + 0.06, 0.0, height_m, 0.05),
        bar(length / 2 - 0.025, length / 2 + 0.025, 0.0, height_m, 0.04),
        bar(0.0, length, height_m * 0.66, height_m * 0.66 + 0.035, 0.035),
        bar(-0.10, length + 0.10, -0.09, -0.06, 0.12),
    ]
    return [pane, *bars]


def _door() -> list[Mesh]:
    x, low_y, high_y = -HALF_X, -2.12, -1.28
    leaf = Material(colour=(0.60, 0.42, 0.28))
    panel = Material(colour=(0.66, 0.48, 0.33))
    parts = [
        box((x, low_y, 0), (x + 0.03, high_y, 2.04), leaf),
        box((x, low_y - 0.09, 0), (x + 0.045, low_y, 2.13), WHITE),
        box((x, high_y, 0), (x + 0.045, high_y + 0.09, 2.13), WHITE),
        box((x, low_y, 2.04), (x + 0.045, high_y, 2.13), WHITE),
        box((x + 0.03, high_y - 0.12, 1.00), (x + 0.07, high_y - 0.05, 1.04), _metal()),
    ]
    for low, high in ((0.15, 0.85), (1.0, 1.9)):
        parts.append(box((x + 0.03, low_y + 0.15, low), (x + 0.04, high_y - 0.15, high), panel))
    return parts


def _metal() -> Material:
    return Material(colour=(0.75, 0.72, 0.62))


def _picture(
    corner_m: tuple[float, float, float],
    along_m: tuple[float, float, float],
    height_m: float,
    which: tuple[int, int],
) -> list[Mesh]:
    """Return a framed painting on a wall; ``along`` runs to the right as one looks at it."""
    corner, along = np.array(corner_m), np.array(along_m)
    right = along / np.linalg.norm(along)
    inward = np.array([right[1], -right[0], 0.0])
    rise = np.array([0, 0, height_m])
    frame_m = 0.035
    first = corner - right * frame_m - np.array([0, 0, frame_m])
    last = corner + along + right * frame_m + rise + np.array([0, 0, frame_m]) + inward * 0.02
    frame = box(
        np.minimum(first, last), np.maximum(first, last), Material(colour=(0.28, 0.20, 0.13))
    )
    canvas = Material(texture=textures.painting(*which))
    return [frame, rectangle(corner + inward * 0.026, along, rise, canvas)]


def _clock() -> Mesh:
    centre, radius = np.array([0.30, HALF_Y - 0.035, 1.95]), 0.17
    face = rectangle(
        centre - [radius, 0, radius],
        (2 * radius, 0, 0),
        (0, 0, 2 * radius),
        Material(texture=textures.clock_face()),
    )
    back = box(
        centre + [-radius, 0.004, -radius],
        centre + [radius, 0.034, radius],
        Material(colour=(0.33, 0.19, 0.10)),
    )
    return joined([face, back])


def _books(bookcase: Mesh, seed: int) -> list[Mesh]:
    """Return rows of books on the shelves of a bookcase that looks south."""
    low, high = bookcase.bounds_m()
    normals = face_normals(bookcase.corners_m)
    first, second, third = np.moveaxis(bookcase.corners_m, 1, 0)
    areas = np.linalg.norm(np.cross(second - first, third - first), axis=-1) / 2
    flat = (normals[:, 2] > 0.99) & (areas > 0.03)
    heights = np.unique(np.round(bookcase.corners_m[flat, 0, 2], 2))
    rows = []
    middle, half = (low[0] + high[0]) / 2, (high[0] - low[0]) / 2 - 0.05
    for shelf, height in enumerate(heights[(heights > 0.02) & (heights < high[2] - 0.25)]):
        for side in (0, 1):
            start = middle - half + side * (half + 0.03)
            length = (half - 0.03) * (0.95 if (shelf + side) % 3 else 0.7)
            spines = Material(texture=textures.book_spines(seed, 2 * shelf + side))
            rows.append(
                box(
                    (start, low[1] + 0.10, height + 0.002),
                    (start + length, high[1] - 0.06, height + 0.19),
                    spines,
                )
            )
    return rows


def _vase() -> Mesh:
    heights = np.linspace(0, 0.30, 25)
    radius = 0.045 + 0.035 * np.sin(np.pi * (heights / 0.30) ** 0.8) - 0.015 * (heights / 0.30) ** 4
    outside = np.column_stack([radius, heights])
    inside = np.column_stack([radius[::-1] - 0.004, np.maximum(heights[::-1], 0.01)])
    bottom = np.array([[0.0, 0.01]])
    glaze = Material(colour=(0.20, 0.42, 0.55))
    return turned(np.concatenate([outside, inside, bottom]), glaze)


def _pillow(seed: int) -> Mesh:
    """Return a cushion leaning on the sofa's back."""
    side = np.linspace(-1, 1, 17)
    u, v = np.meshgrid(side, side)
    bulge = ((1 - u**4) * (1 - v**4)) ** 0.5
    half, thick = 0.22, 0.075
    outline = 1 - 0.06 * (1 - np.abs(u * v) ** 2) * np.maximum(np.abs(u), np.abs(v)) ** 6
    front = np.stack([half * u * outline, thick * bulge, half * v * outline], axis=-1)
    back = front * np.array([1, -1, 1])
    cover = Material(texture=textures.cloth(seed, 0, base=(0.86, 0.66, 0.22)))
    parts = []
    for sheet in (front, back):
        quads = np.stack([sheet[:-1, :-1], sheet[:-1, 1:], sheet[1:, 1:], sheet[1:, :-1]], axis=2)
        uv = np.stack([u, v], axis=-1) / 2 + 0.5
        uvs = np.stack([uv[:-1, :-1], uv[:-1, 1:], uv[1:, 1:], uv[1:, :-1]], axis=2)
        order = [[0, 1, 2], [0, 2, 3]]
        corners = quads.reshape(-1, 4, 3)[:, order].reshape(-1, 3, 3)
        parts.append(
            Mesh(
                corners_m=corners,
                uvs=uvs.reshape(-1, 4, 2)[:, order].reshape(-1, 3, 2),
                normals=np.zeros_like(corners),
                face_material=np.zeros(len(corners), np.int32),
                materials=(cover,),
            ).with_consistent_normals()
        )
    angle = np.deg2rad(-22)
    lean = np.array(
        [[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]]
    )
    return joined(parts).transformed(lean, np.array([-0.05, -2.02, 0.593]))
