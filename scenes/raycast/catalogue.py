"""Which furniture models are honest examples of ImageNet-1k categories.

WordNet ids and labels as in the ILSVRC-2012 list. A model that is merely related to a category (a
kitchen chair, a briefcase, a cupboard) is left out: it gets no category.
"""

from typing import NamedTuple


class Category(NamedTuple):
    """An ImageNet-1k category."""

    wnid: str
    label: str


STUDIO_COUCH = Category("n04344873", "studio couch, day bed")
DINING_TABLE = Category("n03201208", "dining table, board")
DESK = Category("n03179701", "desk")
TABLE_LAMP = Category("n04380533", "table lamp")
LAMPSHADE = Category("n03637318", "lampshade, lamp shade")
PILLOW = Category("n03938244", "pillow")
VASE = Category("n04522168", "vase")
WALL_CLOCK = Category("n04548280", "wall clock")

CATEGORY_OF_MODEL: dict[str, Category] = {
    "006_bookcase/bookcase": Category("n02870880", "bookcase"),
    "009_coffee_cup/caffe_final": Category("n07920052", "espresso"),
    "015_desk_lamp/desklamp": TABLE_LAMP,
    "022_tv/led_tv": Category("n04404412", "television, television system"),
    "027_oak_table/oakTable": DINING_TABLE,
    "030_grand_piano/pianoAQueue": Category("n03452741", "grand piano, grand"),
    "048_table_with_tablecloth/tableWithTablecloth": DINING_TABLE,
    "051_teddy_bear/teddyBear": Category("n04399382", "teddy, teddy bear"),
    "075_desk/desk": DESK,
    "076_electric_guitar/electricGuitar": Category("n03272010", "electric guitar"),
    "077_little_plant/littlePlant": Category("n03991062", "pot, flowerpot"),
    "078_basketball/basketball": Category("n02802426", "basketball"),
    "080_umbrella/umbrellaFolded": Category("n04507155", "umbrella"),
    "103_bench/bench": Category("n03891251", "park bench"),
    "112_couch/couch2": STUDIO_COUCH,
    "115_dustbin/dustbin": Category(
        "n02747177",
        "ashcan, trash can, garbage can, wastebin, ash bin, ash-bin, ashbin, dustbin, "
        "trash barrel, trash bin",
    ),
    "120_handbag/handbag": Category("n04026417", "purse"),
    "128_refrigerator/refrigerator": Category("n04070727", "refrigerator, icebox"),
    "132_sofa/sofa2": STUDIO_COUCH,
    "134_table/table": DINING_TABLE,
    "135_tennis_racket/tennisRacket": Category("n04039381", "racket, racquet"),
    "138_wheelbarrow/wheelbarrow": Category(
        "n02797295", "barrow, garden cart, lawn cart, wheelbarrow"
    ),
    "140_winchester_sofa/winchesterSofa": STUDIO_COUCH,
    "147_hot_dog/hotDog": Category("n07697537", "hotdog, hot dog, red hot"),
    "152_desk/lbDesk": DESK,
}
