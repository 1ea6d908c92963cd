"""Synthetic furniture: every piece of the living room as a plain box of a plausible size."""

from pathlib import Path

import numpy as np
import pytest
from merkwelt.scenes.card import OrientedBox, SceneObject
from merkwelt.scenes.raycast.layout import LIVING_ROOM
from merkwelt.scenes.raycast.paint import Paint, pack_paint
from merkwelt.scenes.raycast.room import FurnishedRoom
from merkwelt.scenes.raycast.shapes import box, rectangle
from merkwelt.scenes.raycast.surfaces import Material, joined
from merkwelt.scenes.raycast.views import RoomCamera

HEADER = "id\tname\troom\twidth_cm\tdepth_cm\theight_cm\tauthor\tmodel\tfaces\ttextures\tbytes\n"
BOX_OBJ = """mtllib box.mtl
v -1 0 -1
v 1 0 -1
v 1 0 1
v -1 0 1
v -1 4 -1
v 1 4 -1
v 1 4 1
v -1 4 1
usemtl paint
f 1 2 3 4
f 8 7 6 5
f 1 5 6 2
f 2 6 7 3
f 3 7 8 4
f 4 8 5 1
"""
BOX_MTL = "newmtl paint\nKd 0.5 0.25 0.75\nd 1.0\nnewmtl glass\nKd 1 1 1\nd 0.2\n"


SUPPORTS_CM = {
    "027_oak_table/oakTable": (124.0, 124.0, 74.0),
    "140_winchester_sofa/winchesterSofa": (232.0, 94.0, 45.0),
    "075_desk/desk": (139.0, 54.0, 75.0),
    "144_drawers_cabinet/drawersCabinet": (60.0, 61.0, 88.0),
    "153_lower_cabinet/lowerCabinet": (60.0, 61.0, 88.0),
}


def write_furniture(folder: Path, keys: list[str], sizes_cm: tuple[float, float, float]) -> Path:
    rows = []
    for number, key in enumerate(keys):
        file = folder / f"{key}.obj"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(BOX_OBJ)
        (file.parent / "box.mtl").write_text(BOX_MTL)
        width, depth, height = SUPPORTS_CM.get(key, sizes_cm)
        rows.append(
            f"{number}\tBox\tRoom\t{width}\t{depth}\t{height}\tnobody\t{key}.obj\t12\t0\t1\n"
        )
    (folder / "catalog.tsv").write_text(HEADER + "".join(rows))
    return folder


@pytest.fixture(scope="session")
def box_furniture(tmp_path_factory) -> Path:
    """A folder with a box for every model of the living room."""
    keys = sorted({placement.model for placement in LIVING_ROOM})
    return write_furniture(tmp_path_factory.mktemp("furniture"), keys, (40.0, 30.0, 60.0))


@pytest.fixture(scope="session")
def wall_room() -> tuple[FurnishedRoom, Paint]:
    """A wall 10 x 10 m at x = 4 that looks towards -x, and a cube of 1 m before it at x = 2..3."""
    wall = rectangle((4, 5, -5), (0, -10, 0), (0, 0, 10), Material(colour=(0.5, 0.5, 0.5)))
    cube = box((2.0, -0.5, 0.0), (3.0, 0.5, 1.0), Material(colour=(0.8, 0.2, 0.2)))
    mesh = joined([wall, cube])
    thing = SceneObject(
        name="cube", box=OrientedBox(centre_m=(2.5, 0.0, 0.5), size_m=(1.0, 1.0, 1.0))
    )
    room = FurnishedRoom(
        mesh=mesh,
        face_object=np.array([0] * len(wall.corners_m) + [1] * len(cube.corners_m), np.uint8),
        objects=(thing,),
        lights=(),
        bounds_m=np.array([[0.0, -5, -5], [4.0, 5, 5]]),
    )
    return room, pack_paint(mesh)


@pytest.fixture(scope="session")
def wall_camera(wall_room) -> RoomCamera:
    room, paint = wall_room
    return RoomCamera(room.mesh, room.face_object, paint)
