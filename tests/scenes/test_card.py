import json

import numpy as np
import pytest
from merkwelt.scenes import OrientedBox, SceneCard, SceneObject


def _card(**changes):
    box = OrientedBox(centre_m=(1.0, 2.0, 0.5), size_m=(2.0, 1.0, 1.0), yaw_rad=0.4)
    sofa = SceneObject(name="sofa", box=box, wnid="n04344873", label="studio couch")
    values = {
        "name": "room",
        "licence": "CC0-1.0",
        "source": "here",
        "field_kind": "analytic",
        "metres_per_unit": 1.0,
        "objects": (sofa,),
        "quality": {"held_out_psnr_db": 27.5},
    }
    return SceneCard(**{**values, **changes})


def test_a_card_survives_json():
    card = _card(floor_height=0.0, held_out=("a.png",))
    assert SceneCard.from_json(card.to_json()) == card


def test_a_box_contains_its_corners_and_its_centre_only_within_its_faces():
    box = _card().objects[0].box
    assert box.contains(box.corners_m(), margin_m=1e-9).all()
    outward = np.asarray(box.centre_m) + 1.01 * (box.corners_m() - np.asarray(box.centre_m))
    assert not box.contains(outward).any()
    assert box.contains(np.asarray(box.centre_m)[None]).all()


def test_a_turned_box_is_turned_counter_clockwise():
    box = OrientedBox(centre_m=(0.0, 0.0, 0.0), size_m=(2.0, 0.2, 1.0), yaw_rad=np.pi / 2)
    assert box.contains(np.array([0.0, 0.9, 0.0]))
    assert not box.contains(np.array([0.9, 0.0, 0.0]))


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf")])
def test_scales_that_cannot_be_are_refused(scale):
    with pytest.raises(ValueError, match="metres_per_unit"):
        _card(metres_per_unit=scale)


def test_stereo_needs_a_scale_and_the_message_says_how():
    with pytest.raises(ValueError, match=r"'room' has no metric scale.*--metres-per-unit"):
        _card(metres_per_unit=None).require_metric("stereo")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not a scene card"),
        ("[]", "not a scene card"),
        ('{"version": 99}', "expected card version 1, found 99"),
        (json.dumps({**json.loads(_card().to_json()), "colour": 1}), "unknown entries"),
    ],
)
def test_damaged_cards_are_named(text, message):
    with pytest.raises(ValueError, match=message):
        SceneCard.from_json(text, where="x/scene.json")


@pytest.mark.parametrize("name", ["", "a/b", ".hidden"])
def test_names_that_cannot_be_folders_are_refused(name):
    with pytest.raises(ValueError, match="scene name"):
        _card(name=name)
