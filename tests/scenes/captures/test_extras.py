import json

import pytest
from merkwelt.scenes.captures import read_capture, read_extras

GOOD = {
    "version": 1,
    "metres_per_unit": 0.5,
    "licence": "CC0-1.0",
    "source": "ray cast",
    "floor_height": 0.0,
    "bounds": [[0, 0, 0], [5, 4, 2.5]],
    "objects": [
        {
            "name": "sofa",
            "wnid": "n04344873",
            "label": "studio couch",
            "box": {"centre_m": [1, 2, 0.5], "size_m": [2, 1, 1], "yaw_rad": 0.25},
        },
        {"name": "box", "box": {"centre_m": [1, 1, 1], "size_m": [1, 1, 1]}},
    ],
}


def _write(folder, **changes):
    data = {key: value for key, value in {**GOOD, **changes}.items() if value != "drop"}
    (folder / "capture.json").write_text(json.dumps(data))


def test_everything_is_read(capture_folder):
    _write(capture_folder)
    extras = read_capture(capture_folder).extras
    assert extras is not None
    assert (extras.metres_per_unit, extras.licence, extras.floor_height) == (0.5, "CC0-1.0", 0.0)
    assert extras.bounds == ((0, 0, 0), (5, 4, 2.5))
    sofa, box = extras.objects
    assert (sofa.name, sofa.wnid, sofa.label) == ("sofa", "n04344873", "studio couch")
    assert (sofa.box.centre_m, sofa.box.yaw_rad) == ((1, 2, 0.5), 0.25)
    assert (box.wnid, box.box.yaw_rad) == (None, 0.0)


def test_only_the_version_is_needed(tmp_path):
    assert read_extras(tmp_path) is None
    (tmp_path / "capture.json").write_text('{"version": 1}')
    extras = read_extras(tmp_path)
    assert extras is not None
    assert (extras.metres_per_unit, extras.licence, extras.objects) == (None, "unknown", ())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 2}, "expected version 1, found 2"),
        ({"version": "drop"}, "expected version 1, found None"),
        ({"metres": 1}, r"unknown entries \['metres'\]"),
        ({"metres_per_unit": 0}, "expected metres_per_unit to be positive, found 0"),
        ({"metres_per_unit": "1"}, "expected a finite number in metres_per_unit, found '1'"),
        ({"licence": 3}, "expected licence to be text, found 3"),
        ({"bounds": [[0, 0, 0]]}, "expected bounds to be two corners"),
        ({"bounds": [[0, 0, 0], [1, 0, 1]]}, "expected the first corner of bounds below"),
        ({"bounds": [[0, 0], [1, 1, 1]]}, "expected three numbers in bounds"),
        ({"objects": [3]}, "expected each of objects to be a JSON object, found 3"),
        ({"objects": [{"name": "x", "size": 1}]}, r"object 'x' has unknown entries \['size'\]"),
        ({"objects": [{"name": "x"}]}, "entry 'box' is missing"),
        (
            {"objects": [{"name": "x", "box": {"centre_m": [0, 0, 0], "size_m": [0, 1, 1]}}]},
            "expected a finite box of positive size",
        ),
    ],
)
def test_entries_that_cannot_be_meant(tmp_path, changes, message):
    _write(tmp_path, **changes)
    with pytest.raises(ValueError, match=rf"(?s)capture\.json: .*{message}"):
        read_extras(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]"])
def test_files_that_are_no_json_object(tmp_path, text):
    (tmp_path / "capture.json").write_text(text)
    with pytest.raises(ValueError, match=r"capture\.json"):
        read_extras(tmp_path)
