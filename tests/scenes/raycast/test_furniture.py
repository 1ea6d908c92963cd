import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from merkwelt.scenes.raycast.catalogue import CATEGORY_OF_MODEL
from merkwelt.scenes.raycast.furniture import open_furniture
from merkwelt.scenes.raycast.obj_file import read_obj
from merkwelt.scenes.raycast.surfaces import face_normals

from .conftest import BOX_MTL, HEADER, write_furniture


def _obj(folder: Path, text: str) -> Path:
    (folder / "box.mtl").write_text(BOX_MTL)
    file = folder / "model.obj"
    file.write_text(text)
    return file


def test_model_gets_the_size_of_the_catalogue(tmp_path):
    with open_furniture(write_furniture(tmp_path, ["a/box"], (100, 50, 200))) as furniture:
        low, high = furniture.mesh("a/box").bounds_m()
    np.testing.assert_allclose(low, [-0.5, -0.25, 0.0], atol=1e-12)
    np.testing.assert_allclose(high, [0.5, 0.25, 2.0], atol=1e-12)


def test_even_scaling_to_a_height_keeps_the_files_proportions(tmp_path):
    with open_furniture(write_furniture(tmp_path, ["a/box"], (100, 50, 200))) as furniture:
        low, high = furniture.mesh("a/box", height_m=1.0).bounds_m()
    np.testing.assert_allclose(high - low, [0.5, 0.5, 1.0])  # The file's box is 2 x 2 x 4.


def test_the_models_front_looks_south(tmp_path):
    write_furniture(tmp_path, ["a/box"], (100, 100, 100))
    front = "mtllib box.mtl\nusemtl paint\nv 0 0 1\nv 1 0 1\nv 1 1 1\nv 0 0 0\nf 1 2 3\nf 1 2 4\n"
    (tmp_path / "a/box.obj").write_text(front)
    with open_furniture(tmp_path) as furniture:
        mesh = furniture.mesh("a/box")
    np.testing.assert_allclose(mesh.normals[0], [[0, -1, 0]] * 3, atol=1e-12)


def test_archive_and_folder_give_the_same(tmp_path):
    folder = write_furniture(tmp_path / "home", ["a/box"], (40, 30, 60))
    archive = tmp_path / "home.tar.xz"
    with tarfile.open(archive, "w:xz") as tar:
        tar.add(folder, arcname="some_name")
    with open_furniture(folder) as one, open_furniture(archive) as other:
        np.testing.assert_array_equal(one.mesh("a/box").corners_m, other.mesh("a/box").corners_m)
        unpacked = other.folder
    assert not unpacked.exists()


def test_missing_furniture_and_models(tmp_path):
    with (
        pytest.raises(FileNotFoundError, match="sweethome3d-furniture"),
        open_furniture(tmp_path / "nowhere"),
    ):
        pass
    (tmp_path / "empty").mkdir()
    with (
        pytest.raises(FileNotFoundError, match=r"expected catalog\.tsv"),
        open_furniture(tmp_path / "empty"),
    ):
        pass
    folder = write_furniture(tmp_path / "home", ["a/box"], (40, 30, 60))
    with open_furniture(folder) as furniture:
        with pytest.raises(FileNotFoundError, match="expected the furniture model 'b/chair'"):
            furniture.mesh("b/chair")
        (folder / "a/box.obj").unlink()
        with pytest.raises(FileNotFoundError, match="model 'a/box' is missing"):
            furniture.mesh("a/box")


def test_catalogue_must_stay_in_its_folder(tmp_path):
    row = "1\tBox\tRoom\t1\t1\t1\tx\t../../secret.obj\t1\t0\t1\n"
    (tmp_path / "catalog.tsv").write_text(HEADER + row)
    with pytest.raises(ValueError, match="outside its folder"), open_furniture(tmp_path):
        pass


def test_catalogue_with_bad_numbers(tmp_path):
    (tmp_path / "catalog.tsv").write_text(HEADER + "1\tBox\tRoom\twide\t1\t1\tx\ta.obj\t1\t0\t1\n")
    with pytest.raises(ValueError, match="expected columns model, width_cm"):
        open_furniture(tmp_path).__enter__()


def test_archive_that_reaches_out_is_refused(tmp_path):
    archive = tmp_path / "bad.tar"
    with tarfile.open(archive, "w") as tar:
        member = tarfile.TarInfo("../escaped.txt")
        member.size = 2
        tar.addfile(member, io.BytesIO(b"hi"))
    with pytest.raises(ValueError, match="expected a tar archive of furniture"):
        open_furniture(archive).__enter__()
    assert not (tmp_path.parent / "escaped.txt").exists()


def test_damaged_archive(tmp_path):
    archive = tmp_path / "bad.tar.xz"
    archive.write_bytes(b"not an archive")
    with pytest.raises(ValueError, match="expected a tar archive of furniture, cannot read"):
        open_furniture(archive).__enter__()


def test_obj_polygons_negative_indices_and_normals(tmp_path):
    text = (
        "mtllib box.mtl\nv 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\n"
        "vn 0 0 -1\nusemtl paint\nf -4/-4/-1 -3/-3/-1 -2/-2/-1 -1/-1/-1\n"
    )
    mesh = read_obj(_obj(tmp_path, text))
    assert mesh.corners_m.shape == (2, 3, 3)
    # The file's normal looks against its winding; the normal wins and the winding is turned.
    np.testing.assert_allclose(face_normals(mesh.corners_m), [[0, 0, -1]] * 2)
    np.testing.assert_allclose(mesh.normals, np.broadcast_to([0, 0, -1.0], (2, 3, 3)))
    np.testing.assert_allclose(mesh.uvs, mesh.corners_m[..., :2])  # Turned along with the corners.
    assert mesh.materials[0].colour == (0.5, 0.25, 0.75)


def test_obj_leaves_out_glass_and_empty_faces(tmp_path):
    text = (
        "mtllib box.mtl\nv 0 0 0\nv 1 0 0\nv 1 1 0\nusemtl glass\nf 1 2 3\n"
        "usemtl paint\nf 1 2 3\nf 1 1 2\n"
    )
    assert len(read_obj(_obj(tmp_path, text)).corners_m) == 1


def test_damaged_obj(tmp_path):
    with pytest.raises(ValueError, match="expected faces in"):
        read_obj(_obj(tmp_path, "v 0 0 0\n"))
    (tmp_path / "alone.obj").write_text("mtllib other.mtl\nv 0 0 0\nf 1 1 1\n")
    with pytest.raises(FileNotFoundError, match=r"needs the material file .*other\.mtl"):
        read_obj(tmp_path / "alone.obj")


def test_texture_named_on_anothers_disk_is_left_out(tmp_path):
    text = "mtllib box.mtl\nv 0 0 0\nv 1 0 0\nv 1 1 0\nusemtl wood\nf 1 2 3\n"
    file = _obj(tmp_path, text)
    (tmp_path / "box.mtl").write_text("newmtl wood\nKd 1 0 0\nmap_Kd C:\\pictures\\wood.jpg\n")
    (material,) = read_obj(file).materials
    assert material.texture is None
    assert material.colour == (1.0, 0.0, 0.0)


def test_categories_stand_in_imagenet_order(shared_data):
    """ILSVRC-2012 classes are sorted by WordNet id, so ids and list positions must agree."""
    labels = (shared_data / "models_tflite/imagenet_labels.txt").read_text().splitlines()
    found = {category.wnid: category.label for category in CATEGORY_OF_MODEL.values()}
    places = [labels.index(found[wnid]) for wnid in sorted(found)]
    assert places == sorted(places)
    assert len(set(places)) == len(places)
