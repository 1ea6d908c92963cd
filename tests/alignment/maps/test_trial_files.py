"""Readers and writers of what single people did."""

import os
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from merkwelt.alignment.maps.clickme2_dump import write_clickme2_dump
from merkwelt.alignment.maps.clicks_csv import parse_clicks, write_clicks_csv
from merkwelt.alignment.maps.fixations import write_fixations_csv
from merkwelt.alignment.maps.pictures import find_picture
from merkwelt.alignment.maps.read_trials import read_trials
from merkwelt.alignment.maps.trials import Trial, Trials

from .map_files import assert_same_trials, some_trials, write_pictures


@pytest.fixture
def pictures(tmp_path):
    return write_pictures(tmp_path / "pictures", some_trials())


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ('{"(1,2)","(3.5,-4)"}', [[1, 2], [3.5, -4]]),
        ("[(1, 2), (3.5, -4)]", [[1, 2], [3.5, -4]]),
        ("[( 1 ,2 )]", [[1, 2]]),
        ("[(1e-05, 2.)]", [[1e-5, 2]]),
        ("{}", []),
        ("[]", []),
    ],
)
def test_both_dialects_by_hand(text, points):
    np.testing.assert_array_equal(parse_clicks(text), np.reshape(points, (-1, 2)))


@pytest.mark.parametrize(
    "text", ["", "(1,2)", "[(1,2)", "[1, 2]", "[(1,2,3)]", "[(a,b)]", "[(nan,1)]"]
)
def test_other_text_is_refused(text):
    with pytest.raises(ValueError, match="expected"):
        parse_clicks(text)


NUMBERS = st.floats(-1e4, 1e4, allow_nan=False)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(NUMBERS, NUMBERS), max_size=4),
    st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=6),
)
def test_clicks_come_back_to_the_bit(tmp_path_factory, points, subject):
    trial = Trial(image="a.png", points_px=np.reshape(points, (-1, 2)), subject=subject)
    path = tmp_path_factory.mktemp("csv") / "clicks.csv"
    write_clicks_csv(Trials(trials=(trial,), image_sizes_px={"a.png": (9, 9)}), path)
    from merkwelt.alignment.maps.clicks_csv import read_clicks_csv

    (found,) = read_clicks_csv(path, lambda name: (9, 9)).trials
    np.testing.assert_array_equal(found.points_px, trial.points_px)
    assert found.subject == subject


def test_csv_keeps_everything(tmp_path, pictures):
    write_clicks_csv(some_trials(), tmp_path / "clicks.csv")
    assert_same_trials(read_trials(tmp_path / "clicks.csv", pictures), some_trials())


def test_dump_keeps_all_but_durations(tmp_path, pictures):
    write_clickme2_dump(some_trials(), tmp_path / "dump.npz")
    expected = tuple(replace(trial, duration_ms=None) for trial in some_trials().trials)
    found = read_trials(tmp_path / "dump.npz", pictures)
    assert_same_trials(found, replace(some_trials(), trials=expected))


def _objects(*values):
    array = np.empty(len(values), object)
    array[:] = values
    return array


def _dump(path, **changes):
    members = {
        "file_pointer": _objects("a.png", "a.png", np.array(["a.png"])),
        "clickmap_x": _objects(3, [1, 2.5], []),
        "clickmap_y": _objects(np.float32(4), np.array([5, 6]), np.zeros(0)),
        "user_id": _objects("ann", 7, b"bo"),
        "user_catch_trial": _objects(1.0, [], None),
        "is_mobile": _objects(True, [False], []),
    }
    np.savez(path, allow_pickle=True, **{**members, **changes})
    return path


def _sizes(folder):
    path = folder / "sizes.npy"
    np.save(path, np.array({"a.png": (10, 20)}), allow_pickle=True)
    return path


def test_dump_entries_are_numbers_sequences_or_empty(tmp_path):
    found = read_trials(_dump(tmp_path / "d.npz"), sizes=_sizes(tmp_path))
    assert [trial.points_px.tolist() for trial in found.trials] == [
        [[3, 4]],
        [[1, 5], [2.5, 6]],
        [],
    ]
    assert [trial.subject for trial in found.trials] == ["ann", "7", "bo"]
    assert [trial.catch_score for trial in found.trials] == [1.0, None, None]
    assert [trial.is_mobile for trial in found.trials] == [True, False, None]
    assert found.image_sizes_px == {"a.png": (10, 20)}


class _Trap:
    def __init__(self, folder) -> None:
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"clickmap_y": _objects([1], [2], [])}, r"trial 1: expected as many x as y.*2 and 1"),
        ({"user_id": _objects("ann", "bo")}, "as many entries in every member"),
        ({"user_id": _objects("ann", [], "bo")}, "trial 1: expected an image and a user"),
        ({"file_pointer": _objects(["a", "b"], "a", "a")}, "trial 0: expected one value"),
        ({"clickmap_x": _objects(np.nan, [1, 2], [])}, r"trial 0: expected finite points"),
    ],
)
def test_bad_dumps(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        read_trials(_dump(tmp_path / "d.npz", **changes), sizes=_sizes(tmp_path))


def test_a_dump_with_code_is_refused_and_not_run(tmp_path):
    sprung = tmp_path / "sprung"
    path = _dump(tmp_path / "d.npz", user_id=_objects("ann", "bo", _Trap(sprung)))
    with pytest.raises(ValueError, match=r"member 'user_id' of .*names .*mkdir.*could run code"):
        read_trials(path, sizes=_sizes(tmp_path))
    assert not sprung.exists()


def test_fixations_come_back_in_their_order(tmp_path, pictures):
    trials = some_trials(trials=some_trials().trials[:1])
    path = tmp_path / "fixations.csv"
    write_fixations_csv(trials, path)
    head, *lines = path.read_text().splitlines()
    path.write_text("\n".join([head, *lines[::-1]]))
    found = read_trials(path, pictures)
    assert found.kind == "fixations"
    np.testing.assert_array_equal(found.trials[0].points_px, trials.trials[0].points_px)
    np.testing.assert_array_equal(found.trials[0].duration_ms, trials.trials[0].duration_ms)


def test_mouse_traces_are_row_and_column_from_one(tmp_path, pictures):
    path = tmp_path / "mouse.npz"
    np.savez(
        path,
        coord=np.array([[1, 48], [40, 2], [7, 8]], np.int16),
        subj=np.array([5, 6, 5]),
        image=np.array(["CO3D_ClickMe2/cup/cup_1"]),
        offset=np.array([0, 3]),
    )
    found = read_trials(path, pictures)
    assert [trial.points_px.tolist() for trial in found.trials] == [
        [[47.5, 0.5], [7.5, 6.5]],
        [[1.5, 39.5]],
    ]
    assert found.image_sizes_px == {"CO3D_ClickMe2/cup/cup_1": (48, 40)}


def test_salicon_files(tmp_path):
    from scipy.io import savemat

    people = np.zeros(2, dtype=[("fixations", object), ("location", object)])
    people["fixations"] = _objects(np.array([[1, 2], [640, 480]]), np.zeros((0, 2)))
    savemat(
        tmp_path / "one.mat", {"image": "one", "resolution": [[480, 640]], "gaze": people[:, None]}
    )
    found = read_trials(tmp_path)
    assert found.trials[0].points_px.tolist() == [[0.5, 1.5], [639.5, 479.5]]
    assert len(found.trials[1].points_px) == 0
    assert found.image_sizes_px == {"one": (640, 480)}
    (tmp_path / "two.mat").write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"SALICON's image, resolution and gaze.*two\.mat"):
        read_trials(tmp_path)


def test_real_forms(shared_data):
    folder = shared_data / "clickme"
    clicks = read_trials(folder / "bubbleview_osie" / "clicks.csv")
    people = [len({t.subject for t in own}) for own in clicks.by_image().values()]
    assert (len(clicks), len(people), min(people), max(people)) == (2975, 51, 54, 63)
    fixations = read_trials(folder / "osie" / "fixations.csv")
    assert (len(fixations.by_image()), fixations.image_sizes_px["1004.jpg"]) == (51, (800, 600))
    assert fixations.trials[0].duration_ms is not None
    mouse = read_trials(folder / "osie" / "mouse.npz")
    inside = [((t.points_px > 0) & (t.points_px < (800, 600))).all() for t in mouse.trials]
    assert all(inside)
    assert sum(len(t.points_px) for t in mouse.trials) == 630259


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("image_path,clicks\na,[]\n", "missing user_id"),
        ("image_path,clicks,user_id\na,[(1)],x\n", r"line 2: expected nothing but pairs"),
        ("image_path,clicks,user_id\n,[],x\n", r"line 2: expected image_path and user_id"),
        ("image_path,clicks,user_id,is_mobile\na,[],x,so\n", "true or false in is_mobile"),
        ("image_path,clicks,user_id\na,[],x,\n", "FileNotFound"),
        ("image_path,clicks,user_id\na,'" + "1" * 200_000 + "',x\n", "cannot be read"),
        ("image,subject,order,x,y,duration_ms\na,1,0,left,2,3\n", "line 2: expected numbers in"),
    ],
)
def test_bad_csv(tmp_path, content, message):
    path = tmp_path / "bad.csv"
    path.write_text(content)
    (tmp_path / "images").mkdir()
    kind, match = (
        (FileNotFoundError, "picture a in") if message == "FileNotFound" else (ValueError, message)
    )
    with pytest.raises(kind, match=match):
        read_trials(path)


def test_fixations_that_are_no_text_name_the_file(tmp_path):
    path = tmp_path / "bad.csv"
    path.write_bytes(b"image,subject,order,x,y,duration_ms\na,1,0,1,2,3\n\xff\xfe,1,0,1,2,3\n")
    with pytest.raises(ValueError, match=r"comma-separated text in .*bad\.csv"):
        read_trials(path, sizes=None, images=tmp_path)


def test_pictures_are_needed_for_sizes(tmp_path):
    write_clicks_csv(some_trials(), tmp_path / "clicks.csv")
    with pytest.raises(ValueError, match=r"give the folder of the pictures \(images, --images\)"):
        read_trials(tmp_path / "clicks.csv")


def test_names_never_leave_the_folder(tmp_path):
    (tmp_path / "secret.png").write_bytes(b"x")
    (tmp_path / "images").mkdir()
    for name in ("../secret.png", str(tmp_path / "secret.png"), "a/../../secret.png"):
        with pytest.raises(FileNotFoundError, match="expected the picture"):
            find_picture(tmp_path / "images", name)


def test_trials_that_are_none():
    with pytest.raises(ValueError, match="finite points in the trial of bo on a"):
        Trial(image="a", subject="bo", points_px=np.array([[1, np.inf]]))
    with pytest.raises(ValueError, match="a duration for each of 1 points"):
        Trial(image="a", subject="bo", points_px=np.ones((1, 2)), duration_ms=np.ones(2))
    trial = Trial(image="a", subject="bo", points_px=np.ones((1, 2)))
    with pytest.raises(ValueError, match=r"missing \['a'\]"):
        Trials(trials=(trial,), image_sizes_px={})
    with pytest.raises(ValueError, match="width and height of a above 0"):
        Trials(trials=(trial,), image_sizes_px={"a": (0, 3)})
