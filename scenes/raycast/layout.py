"""Where things stand in the living room: a table of placements in metres and degrees.

The room spans x from -3 to 3 (west to east), y from -2.5 to 2.5 (south to north) and z from 0 to
2.7. At a yaw of 0 the front of a piece looks south (-y); 90 turns it to the east.
"""

from dataclasses import dataclass, field

ROOM_SIZE_M = (6.0, 5.0, 2.7)


@dataclass(frozen=True, kw_only=True)
class Placement:
    """One piece of furniture and where it stands."""

    name: str
    model: str
    """The model's key in the furniture catalogue."""
    x_m: float
    y_m: float
    yaw_deg: float = 0.0
    on: str | None = None
    """What it rests on: the name of an earlier piece, or None for the floor or the rug."""
    tilt_deg: float = 0.0
    """Leaning back about its own left-right axis, before the yaw."""
    height_m: float | None = None
    """Scale the model evenly to this height instead of using the catalogue's size."""
    lift_m: float = 0.0
    """Raised above where it would rest, for pieces hung on a wall."""
    tint: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    """New sRGB colours by the material's name in the model."""
    glow: dict[str, float] = field(default_factory=dict)
    """Glow by the material's name in the model."""


LIVING_ROOM: tuple[Placement, ...] = (
    Placement(
        name="sofa", model="140_winchester_sofa/winchesterSofa", x_m=-0.75, y_m=-1.99, yaw_deg=180
    ),
    Placement(
        name="bedside_table",
        model="004_bedside_table/bedsideTable2",
        x_m=0.72,
        y_m=-2.20,
        yaw_deg=180,
    ),
    Placement(
        name="table_lamp",
        model="015_desk_lamp/desklamp",
        x_m=0.72,
        y_m=-2.22,
        on="bedside_table",
        glow={"Material.002": 2.5},
    ),
    Placement(
        name="armchair",
        model="086_armchair/armchair2",
        x_m=1.50,
        y_m=-1.98,
        yaw_deg=160,
        tint={"None": (0.36, 0.50, 0.52)},
    ),
    Placement(
        name="refrigerator",
        model="128_refrigerator/refrigerator",
        x_m=2.51,
        y_m=-2.03,
        yaw_deg=-90,
    ),
    Placement(
        name="drawers_cabinet",
        model="144_drawers_cabinet/drawersCabinet",
        x_m=2.69,
        y_m=-1.26,
        yaw_deg=-90,
        tint={"cabinetDoor": (0.72, 0.76, 0.66)},
    ),
    Placement(
        name="lower_cabinet",
        model="153_lower_cabinet/lowerCabinet",
        x_m=2.69,
        y_m=-0.66,
        yaw_deg=-90,
        tint={"cabinetDoor": (0.72, 0.76, 0.66)},
    ),
    Placement(name="desk", model="075_desk/desk", x_m=2.72, y_m=1.02, yaw_deg=-90),
    Placement(name="blue_chair", model="031_chair/plasticChair", x_m=2.28, y_m=1.00, yaw_deg=80),
    Placement(name="bookcase", model="006_bookcase/bookcase", x_m=1.85, y_m=2.31),
    Placement(name="shelves", model="039_shelves/shelves", x_m=0.30, y_m=2.29),
    Placement(name="television", model="022_tv/led_tv", x_m=0.30, y_m=2.26, on="shelves"),
    Placement(
        name="electric_guitar",
        model="076_electric_guitar/electricGuitar",
        x_m=1.05,
        y_m=2.20,
        yaw_deg=-8,
    ),
    Placement(
        name="grand_piano", model="030_grand_piano/pianoAQueue", x_m=-2.20, y_m=1.60, yaw_deg=0
    ),
    Placement(
        name="piano_bench", model="159_piano_bench/pianoBench", x_m=-2.20, y_m=0.50, yaw_deg=0
    ),
    Placement(name="cupboard", model="074_cupboard/cupboard", x_m=-2.80, y_m=-0.55, yaw_deg=90),
    Placement(name="dining_table", model="027_oak_table/oakTable", x_m=0.25, y_m=0.28),
    Placement(name="oak_chair", model="026_oak_chair/oakChair", x_m=-0.55, y_m=0.22, yaw_deg=96),
    Placement(name="thonet_chair", model="101_chair/antiqueChair", x_m=0.98, y_m=0.42, yaw_deg=-78),
    Placement(
        name="flowerpot",
        model="077_little_plant/littlePlant",
        x_m=0.34,
        y_m=0.50,
        on="dining_table",
    ),
    Placement(
        name="hot_dog",
        model="147_hot_dog/hotDog",
        x_m=0.10,
        y_m=-0.02,
        yaw_deg=20,
        on="dining_table",
    ),
    Placement(
        name="espresso",
        model="009_coffee_cup/caffe_final",
        x_m=0.47,
        y_m=0.06,
        yaw_deg=40,
        on="dining_table",
    ),
    Placement(
        name="teddy", model="051_teddy_bear/teddyBear", x_m=-1.40, y_m=-1.92, yaw_deg=165, on="sofa"
    ),
    Placement(
        name="racket",
        model="135_tennis_racket/tennisRacket",
        x_m=-0.55,
        y_m=-1.78,
        yaw_deg=62,
        on="sofa",
    ),
    Placement(name="basketball", model="078_basketball/basketball", x_m=-0.98, y_m=1.98),
    Placement(
        name="umbrella",
        model="080_umbrella/umbrellaFolded",
        x_m=-2.68,
        y_m=-2.17,
        yaw_deg=180,
        tilt_deg=13,
    ),
    Placement(name="ashcan", model="115_dustbin/dustbin", x_m=-2.25, y_m=-2.28, height_m=0.42),
    Placement(
        name="purse", model="120_handbag/handbag", x_m=2.66, y_m=0.72, yaw_deg=-70, on="desk"
    ),
    Placement(
        name="bread",
        model="090_bread/bread",
        x_m=2.62,
        y_m=-1.20,
        yaw_deg=-60,
        on="drawers_cabinet",
    ),
    Placement(
        name="milk",
        model="053_milk/tetrapak",
        x_m=2.75,
        y_m=-0.80,
        yaw_deg=-110,
        on="lower_cabinet",
    ),
    Placement(
        name="flowerpot_2",
        model="077_little_plant/littlePlant",
        x_m=1.70,
        y_m=2.31,
        height_m=0.34,
        on="bookcase",
    ),
    Placement(name="boots", model="141_bootie/bootie", x_m=-2.62, y_m=-1.15, yaw_deg=95),
    Placement(
        name="upper_cabinet",
        model="172_upper_cabinet/upperCabinet",
        x_m=2.79,
        y_m=-1.26,
        yaw_deg=-90,
        lift_m=1.45,
        tint={"cabinetDoor": (0.72, 0.76, 0.66)},
    ),
    Placement(
        name="upper_cabinet_2",
        model="172_upper_cabinet/upperCabinet",
        x_m=2.79,
        y_m=-0.66,
        yaw_deg=-90,
        lift_m=1.45,
        tint={"cabinetDoor": (0.72, 0.76, 0.66)},
    ),
)
