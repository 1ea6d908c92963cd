"""Forms with one file for each image, our own form, and processed HDF5."""

import os
import zipfile
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from merkwelt.alignment import read_maps
from merkwelt.alignment.maps.clickme1_records import write_tfrecords
from merkwelt.alignment.maps.from_trials import maps_of_trials
from merkwelt.alignment.maps.making import co3d2025, count_map
from merkwelt.alignment.maps.npz import write_portable_npz
from merkwelt.alignment.maps.npz_files import write_npz_files
from merkwelt.alignment.maps.pairs import pairs_of
from merkwelt.alignment.maps.read_maps import ReadOptions
from merkwelt.alignment.maps.read_trials import read_trials

from .map_files import assert_same_trials, smooth_pair, some_maps, some_trials, write_pictures


def test_npz_files_come_back_exactly(tmp_path):
    pairs = [
        smooth_pair(0),
        smooth_pair(1, name="a/b:c", heatmap=smooth_pair(1).heatmap / 3, split="train"),
        smooth_pair(2, class_id=None, label="cup", split=None),
    ]
    assert write_npz_files(pairs, tmp_path / "out") == 3
    maps = read_maps(tmp_path / "out")
    assert maps.names == ("picture 2", "a/b:c", "picture 0")
    assert maps.labels == ("cup", "ImageNet class 1", "ImageNet class 0")
    assert maps.splits == ("", "train", "val")
    assert maps.classes is None, "one image has none"
    np.testing.assert_array_equal(maps.maps[1], pairs[1].heatmap)
    np.testing.assert_array_equal(maps.images[0], pairs[2].image)


@pytest.mark.parametrize("split", ["..", "../out of here", "/absolute", "a/b", "."])
@pytest.mark.parametrize("write", [write_npz_files, write_tfrecords])
def test_splits_never_leave_the_folder(tmp_path, write, split):
    """A split is what a file says it is."""
    assert write([smooth_pair(0, split=split)], tmp_path / "below" / "pairs") == 1
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 1
    assert files[0].is_relative_to(tmp_path / "below" / "pairs")
    assert read_maps(tmp_path / "below" / "pairs").splits == (split,)


def test_a_zip_of_npz_files(tmp_path):
    write_npz_files([smooth_pair(i) for i in range(3)], tmp_path / "out")
    path = tmp_path / "clickme_val.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in (tmp_path / "out").rglob("*.npz"):
            archive.write(file, file.name)
        archive.writestr("broken.npz", b"nothing")
    with pytest.raises(ValueError, match=r"clickme_val\.zip, broken\.npz"):
        read_maps(path)
    maps = read_maps(path, options=ReadOptions(damaged="skip"))
    assert maps.classes == (0, 1, 2)
    assert maps.splits == ("val",) * 3
    assert list(maps.left_out) == ["broken.npz"]


def test_float_images_of_old_files(tmp_path):
    image = np.array([[[0, 51, 255]]] * 2, np.float32).repeat(2, axis=1)
    for name, scale in (("a", 1), ("b", 255)):
        np.savez(tmp_path / f"{name}.npz", image=image / scale, heatmap=np.eye(2), label=5)
    maps = read_maps(tmp_path)
    np.testing.assert_array_equal(maps.images, np.stack([image, image]))
    assert maps.classes == (5, 5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"heatmap": np.full((2, 2), np.nan)}, "finite map values of at least 0 in a"),
        ({"heatmap": np.eye(3)}, "a map of the size of its image in a"),
        ({"image": np.full((2, 2, 3), 300.0)}, "picture values in 0..255, got 300 to 300"),
        ({"image": np.full((2, 2, 3), np.nan)}, "picture values in 0..255"),
        ({"label": np.array([1, 2])}, "a.npz"),
        ({"label": np.array({"a": 1})}, "refused to read member 'label'"),
    ],
)
def test_bad_files_of_pairs(tmp_path, changes, message):
    members = {"image": np.zeros((2, 2, 3), np.uint8), "heatmap": np.eye(2), "label": np.array(1)}
    np.savez(tmp_path / "a.npz", allow_pickle=True, **{**members, **changes})
    with pytest.raises(ValueError, match=message):
        read_maps(tmp_path)


class _Trap:
    def __init__(self, folder) -> None:
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def test_pseudo_clickme(tmp_path):
    image = torch.randint(0, 255, (3, 6, 6), dtype=torch.uint8)
    heatmap = torch.randint(0, 255, (1, 6, 6), dtype=torch.uint8)
    (tmp_path / "train").mkdir()
    torch.save({"image": image, "heatmap": heatmap, "label": 7}, tmp_path / "train/x.pth")
    maps = read_maps(tmp_path)
    np.testing.assert_array_equal(maps.images[0], image.permute(1, 2, 0))
    np.testing.assert_array_equal(maps.maps[0], heatmap[0].float())
    assert (maps.classes, maps.splits, maps.kind) == ((7,), ("train",), "Pseudo_ClickMe maps")


def test_pth_files_run_nothing(tmp_path):
    sprung = tmp_path / "sprung"
    torch.save({"image": _Trap(sprung)}, tmp_path / "x.pth")
    (tmp_path / "y.pth").write_bytes(b"nothing")
    for name in ("x", "y"):
        with pytest.raises(ValueError, match=rf"{name}\.pth, read without running code"):
            read_maps(tmp_path / f"{name}.pth")
    assert not sprung.exists()


def test_npy_maps_find_their_pictures(tmp_path):
    pictures = write_pictures(tmp_path / "images", some_trials())
    people = np.random.default_rng(0).random((3, 20, 24)).astype(np.float32)
    (tmp_path / "maps").mkdir()
    np.save(tmp_path / "maps/CO3D_ClickMe2_cup_cup_1.png.npy", people)
    maps = read_maps(tmp_path / "maps", pictures)
    assert maps.names == ("CO3D_ClickMe2/cup/cup_1.png",)
    assert maps.labels == ("cup",)
    assert maps.images.shape == (1, 20, 24, 3)
    np.testing.assert_allclose(maps.maps[0], people.mean(0), rtol=1e-6)
    np.save(tmp_path / "maps/other.npy", people)
    with pytest.raises(FileNotFoundError, match="whose path with _ for / is other"):
        read_maps(tmp_path / "maps", pictures)


def test_pictures_are_needed(tmp_path):
    (tmp_path / "maps").mkdir()
    np.save(tmp_path / "maps/a.npy", np.ones((3, 3)))
    with pytest.raises(ValueError, match=r"holds no pictures: give their folder"):
        read_maps(tmp_path / "maps")
    with pytest.raises(FileNotFoundError, match="expected a folder of pictures"):
        read_maps(tmp_path / "maps", tmp_path / "none")


def _assert_same(found, expected):
    for field in ("images", "maps"):
        np.testing.assert_array_equal(getattr(found, field), getattr(expected, field))
    for field in ("camera_from_world", "intrinsics_px", "scale"):
        if expected.cameras is not None:
            np.testing.assert_array_equal(
                getattr(found.cameras, field), getattr(expected.cameras, field)
            )
    told = ("names", "labels", "kind", "are_human", "source", "licence", "recipe", "splits")
    for field in (*told, "classes", "left_out"):
        assert getattr(found, field) == getattr(expected, field)
    if expected.trials is None:
        assert found.trials is None
    else:
        assert_same_trials(found.trials, expected.trials)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"trials": None, "recipe": None, "splits": None, "classes": None, "cameras": None},
        {"are_human": False, "left_out": {}},
    ],
    ids=["everything", "little", "no left-outs"],
)
def test_our_own_form_keeps_everything(tmp_path, changes):
    maps = some_maps(**changes)
    write_portable_npz(maps, tmp_path / "own.npz")
    _assert_same(read_maps(tmp_path / "own.npz"), maps)
    with np.load(tmp_path / "own.npz", allow_pickle=False) as stored:
        assert all(stored[name].dtype != object for name in stored.files)


WORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=6)


@settings(max_examples=25, deadline=None)
@given(st.lists(WORDS, min_size=3, max_size=3, unique=True), WORDS, st.floats(0, 1, width=32))
def test_our_own_form_keeps_any_words(tmp_path_factory, names, words, value):
    maps = some_maps(
        names=tuple(names), labels=(words,) * 3, source=words, maps=np.full((3, 9, 8), value, "f4")
    )
    path = tmp_path_factory.mktemp("own") / "own.npz"
    write_portable_npz(maps, path)
    _assert_same(read_maps(path), maps)


def test_damaged_own_form(tmp_path):
    path = tmp_path / "own.npz"
    write_portable_npz(some_maps(), path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    with pytest.raises(ValueError, match="damaged, incomplete"):
        read_maps(path)
    with _stored(whole, tmp_path) as stored:
        members = {name: stored[name] for name in stored.files}
    for changes, message in (
        ({"format": np.array("merkwelt human maps 9")}, "expected 'merkwelt human maps 1'"),
        ({"trial_offset": members["trial_offset"][::-1]}, "rising offsets for the trials"),
        ({"recipe": np.array("{}")}, "expected a map recipe in"),
        ({"stray": np.array(1)}, None),
        ({"members": np.array(["image"])}, "expected the members that .* lists, but"),
        ({"split": np.array(["val"])}, "one split for each of 3 images"),
        ({"heatmap": np.full((3, 9, 8), np.nan, "f4")}, "NaN, infinity or negative"),
    ):
        np.savez(path, **{**members, **changes})
        if message is None:
            _assert_same(read_maps(path), some_maps())
            continue
        with pytest.raises(ValueError, match=message):
            read_maps(path)


def test_a_changed_byte_gives_a_clear_error_or_changes_nothing(tmp_path):
    path = tmp_path / "own.npz"
    maps = some_maps()
    write_portable_npz(maps, path)
    whole = path.read_bytes()
    for place in range(7, len(whole), 97):
        changed = bytearray(whole)
        changed[place] ^= 0x55
        path.write_bytes(changed)
        try:
            found = read_maps(path)
        except ValueError:
            continue
        _assert_same(found, maps)


def _stored(content: bytes, folder):
    (folder / "copy.npz").write_bytes(content)
    return np.load(folder / "copy.npz", allow_pickle=False)


def test_real_pairs_have_splits_and_cameras_in_their_own_pixels(shared_data):
    maps = read_maps(shared_data / "clickme" / "clickme2_co3d_29.npz")
    assert maps.splits == ("val",) * 9 + ("train",) * 10 + ("constancy",) * 10
    assert maps.cameras is not None
    assert np.isnan(maps.cameras.scale).tolist() == [True] * 19 + [False] * 10
    # The principal point stays in the middle of pictures of 226 x 225 px.
    np.testing.assert_allclose(
        maps.cameras.intrinsics_px[19:, :2, 2], [[113, 112.5]] * 10, atol=1e-9
    )
    half = read_maps(
        shared_data / "clickme" / "clickme2_co3d_29.npz", options=ReadOptions(size_px=112, limit=20)
    )
    assert half.images.shape == (20, 112, 112, 3)
    assert half.cameras is not None
    np.testing.assert_allclose(half.cameras.intrinsics_px[19, :2, 2], [56, 56], atol=1e-9)


def test_processed_hdf5(tmp_path):
    pytest.importorskip("h5py")
    from merkwelt.alignment.maps.hdf5 import write_hdf5

    pictures = write_pictures(tmp_path / "images", some_trials())
    maps = maps_of_trials(some_trials(), pictures, co3d2025())
    path = tmp_path / "maps.h5"
    write_hdf5(maps, path)
    found = read_maps(path)
    assert found.names == maps.names
    np.testing.assert_array_equal(found.maps, maps.maps)
    trials = read_trials(path).by_image()["CO3D_ClickMe2/cup/cup_1.png"]
    own = some_trials().by_image()["CO3D_ClickMe2/cup/cup_1.png"]
    for again, trial in zip(trials, own, strict=True):
        np.testing.assert_array_equal(
            count_map(again, (256, 256), co3d2025()), count_map(trial, (48, 40), co3d2025())
        )


def test_hdf5_of_others(tmp_path):
    h5py = pytest.importorskip("h5py")
    pictures = write_pictures(tmp_path / "images", some_trials())
    path = tmp_path / "maps.hdf5"
    with h5py.File(path, "w") as file:
        file["clickmaps/imagenet_val_one.png/clickmap"] = np.ones((2, 30, 30))
        file["clickmaps/broken/other"] = 1
    with pytest.raises(ValueError, match=r"broken: expected a clickmap, found \['other'\]"):
        read_maps(path, pictures)
    maps = read_maps(path, pictures, options=ReadOptions(damaged="skip"))
    assert maps.names == ("imagenet_val_one.png",)
    assert list(maps.left_out) == ["broken"]
    with pytest.raises(ValueError, match="averaged maps alone"):
        read_trials(path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ValueError, match="expected an HDF5 file at"):
        read_maps(path, pictures)


def test_without_h5py_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    (tmp_path / "maps.h5").write_bytes(b"")
    with pytest.raises(ImportError, match=r"merkwelt\[hdf5\]"):
        read_trials(tmp_path / "maps.h5")


def test_pairs_of_a_collection_count_clicks():
    pairs = list(pairs_of(some_maps()))
    assert [pair.click_count for pair in pairs] == [7, 0, None]
    assert [pair.split for pair in pairs] == ["val", None, "train"]


def test_pictures_keep_their_colours(tmp_path):
    from merkwelt.alignment.maps.pictures import read_picture

    red = np.zeros((4, 4, 3), np.uint8)
    red[..., 2] = 200
    cv2.imwrite(str(tmp_path / "red.png"), red)
    assert read_picture(tmp_path / "red.png")[0, 0].tolist() == [200, 0, 0]
    (tmp_path / "bad.png").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"a picture at .*bad\.png"):
        read_picture(tmp_path / "bad.png")


def test_collections_refuse_what_does_not_fit():
    with pytest.raises(ValueError, match="one class for each of 3 images, got 1"):
        some_maps(classes=(1,))
    cameras = some_maps().cameras
    assert cameras is not None
    with pytest.raises(ValueError, match=r"cameras \[n, 4, 4\]"):
        replace(cameras, scale=np.zeros(2))
