import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from merkwelt.alignment import read_maps


def _members(**changes) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(0)
    members = {
        "image": generator.integers(0, 255, (3, 9, 8, 3)).astype(np.uint8),
        "heatmap_u8": generator.integers(0, 255, (3, 9, 8)).astype(np.uint8),
        "name": np.array(["one", "two", "three"]),
        "category": np.array(["cup", "cup", "tv"]),
        "w2c": np.zeros((3, 4, 4)),
    }
    members.update(changes)
    return {key: value for key, value in members.items() if value is not None}


def _write(folder: Path, **changes) -> Path:
    path = folder / "maps.npz"
    np.savez(path, **_members(**changes))
    return path


class _Trap:
    """Makes a folder when unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def test_reads_what_was_written(tmp_path):
    maps = read_maps(_write(tmp_path))
    np.testing.assert_array_equal(maps.images, _members()["image"])
    np.testing.assert_array_equal(maps.maps, _members()["heatmap_u8"])
    assert maps.maps.dtype == np.float32
    assert maps.names == ("one", "two", "three")
    assert maps.labels == ("cup", "cup", "tv")
    assert maps.are_human
    assert len(maps) == 3


def test_reads_the_real_pairs(shared_data):
    maps = read_maps(str(shared_data / "clickme" / "clickme2_co3d_29.npz"))
    assert maps.images.shape == (29, 225, 226, 3)
    assert maps.kind == "ClickMe 2.0 click maps"
    assert maps.labels[24] == "toyplane"
    assert "research use" in maps.licence


def test_float_maps_are_read(tmp_path):
    floats = np.random.default_rng(0).random((3, 9, 8))
    maps = read_maps(_write(tmp_path, heatmap_u8=None, heatmap=floats))
    np.testing.assert_allclose(maps.maps, floats, rtol=1e-6)


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing is there"):
        read_maps(tmp_path / "absent.npz")


def test_other_forms_are_named(tmp_path):
    (tmp_path / "maps.txt").write_text("no maps")
    with pytest.raises(ValueError, match=r"got a file that ends in '\.txt'"):
        read_maps(tmp_path / "maps.txt")
    with pytest.raises(ValueError, match="got a folder"):
        read_maps(tmp_path)


@pytest.mark.parametrize("content", [b"", b"not an archive", pickle.dumps({"image": 1})])
def test_files_that_are_no_archive(tmp_path, content):
    path = tmp_path / "maps.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"expected an \.npz archive"):
        read_maps(path)


def test_truncated_archive(tmp_path):
    path = _write(tmp_path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ValueError, match="damaged, incomplete"):
        read_maps(path)


def test_damaged_member(tmp_path):
    path = _write(tmp_path)
    content = bytearray(path.read_bytes())
    content[300] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(ValueError, match="damaged, incomplete"):
        read_maps(path)


def test_member_that_is_no_array(tmp_path):
    path = _write(tmp_path, name=None)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("name.npy", b"plain text")
    with pytest.raises(ValueError, match="member 'name'"):
        read_maps(path)


def test_missing_members_are_named(tmp_path):
    with pytest.raises(ValueError, match="category, heatmap_u8 missing"):
        read_maps(_write(tmp_path, heatmap_u8=None, category=None))


@pytest.mark.parametrize("member", ["image", "heatmap_u8", "name"])
def test_pickles_are_refused_and_never_run(tmp_path, member):
    sprung = tmp_path / "sprung"
    trap = np.array([_Trap(sprung)] * 3, dtype=object)
    with pytest.raises(ValueError, match=f"refused to read member '{member}'.*run code"):
        read_maps(_write(tmp_path, **{member: trap}))
    assert not sprung.exists()


def test_undefined_values_are_named(tmp_path):
    heatmap = np.ones((3, 9, 8))
    heatmap[1, 2, 3] = np.nan
    heatmap[2, 0, 0] = -1
    path = _write(tmp_path, heatmap_u8=None, heatmap=heatmap)
    with pytest.raises(ValueError, match=r"in 2 of 3 maps \(two, three\)"):
        read_maps(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image": np.zeros((3, 9, 8, 3))}, "expected uint8 images"),
        ({"heatmap_u8": np.zeros((3, 8, 9), np.uint8)}, "one map of the size of its image"),
        ({"name": np.array(["one", "one", "two"])}, "3 different names"),
        ({"heatmap_u8": np.full((3, 9, 8), "x")}, "numbers as map values"),
        ({"category": np.array(["cup"])}, "as many images, maps, names and labels"),
    ],
)
def test_members_that_do_not_fit_are_refused(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        read_maps(_write(tmp_path, **changes))


def test_empty_file_of_maps(tmp_path):
    empty = {key: value[:0] for key, value in _members().items()}
    with pytest.raises(ValueError, match="at least one image"):
        read_maps(_write(tmp_path, **empty))
