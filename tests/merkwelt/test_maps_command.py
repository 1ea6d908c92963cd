import numpy as np
import pytest
from merkwelt.alignment import read_maps
from merkwelt.alignment.maps.clicks_csv import write_clicks_csv
from merkwelt.alignment.maps.read_trials import read_trials
from merkwelt.alignment.maps.trials import Trial, Trials

from merkwelt.cli import main


@pytest.fixture
def clicks(tmp_path):
    """A study of three people on two images, beside its pictures."""
    import cv2

    folder = tmp_path / "study"
    generator = np.random.default_rng(0)
    names = ("CO3D_ClickMe2/cup/one.png", "CO3D_ClickMe2/bowl/two.png")
    trials = tuple(
        Trial(image=name, subject=who, points_px=generator.uniform(5, 35, (6, 2)))
        for name in names
        for who in ("ann", "bo", "cy")
    )
    for name in names:
        (folder / "images" / name).parent.mkdir(parents=True)
        picture = generator.integers(0, 255, (40, 60, 3)).astype(np.uint8)
        cv2.imwrite(str(folder / "images" / name), picture)
    sizes = {str(name): (60, 40) for name in names}
    write_clicks_csv(Trials(trials=trials, image_sizes_px=sizes), folder / "clicks.csv")
    return folder / "clicks.csv"


def _run(*words) -> int:
    return main(["maps", *map(str, words)])


def _said(capsys) -> str:
    said = capsys.readouterr()
    return " ".join((said.out + said.err).split())


@pytest.mark.parametrize(
    ("target", "options"),
    [
        ("maps.npz", ()),
        ("shards", ("--to", "tfrecord-raw")),
        ("maps.tfrecords", ("--to", "tfrecord-raw")),
        ("folder", ("--to", "folder")),
        ("maps.h5", ()),
    ],
)
def test_maps_survive_every_exact_form(clicks, tmp_path, target, options):
    if target.endswith("h5"):
        pytest.importorskip("h5py")
    assert _run("convert", clicks, tmp_path / target, "--recipe", "gaussian:9", *options) == 0
    expected = tmp_path / "expected.npz"
    assert _run("convert", clicks, expected, "--recipe", "gaussian:9") == 0
    found, maps = read_maps(tmp_path / target, clicks.parent / "images"), read_maps(expected)
    order = [found.names.index(name) for name in maps.names]
    np.testing.assert_array_equal(found.maps[order], maps.maps)
    np.testing.assert_array_equal(found.images[order], maps.images)
    assert [found.labels[place] for place in order] == ["cup", "bowl"]
    assert found.splits == ("val", "val")
    assert found.kind == "clicks of 3 people each, maps by gaussian9"
    assert found.source == "clicks.csv"


def test_trials_survive_their_forms(clicks, tmp_path, capsys):
    images = clicks.parent / "images"
    assert _run("convert", clicks, tmp_path / "own.npz") == 0
    assert _run("convert", tmp_path / "own.npz", tmp_path / "again.csv") == 0
    assert (tmp_path / "again.csv").read_bytes() == clicks.read_bytes()
    assert _run("convert", clicks, tmp_path / "dump.npz", "--to", "dump", "--limit", "1") == 0
    assert "dump.npz: 3 trials on 1 images, as dump" in _said(capsys)
    assert len(read_trials(tmp_path / "dump.npz", images)) == 3


def test_show_tells_and_draws(clicks, tmp_path, capsys):
    import cv2

    assert _run("show", clicks, "--out", tmp_path / "sheet.png", "--recipe", "fel2022") == 0
    said = _said(capsys)
    assert "form: clicks csv kind: clicks of 3 people each, maps by fel2022" in said
    assert "images: 2 of 224 x 224 px categories: cup 1, bowl 1 splits: val 2" in said
    assert "trials: 6 of clicks, on images of 60 x 40 px 2" in said
    assert "people per image: 3 points per trial: 6" in said
    sheet = cv2.imread(str(tmp_path / "sheet.png"))
    assert sheet is not None
    assert sheet.shape[1] >= 800
    assert _run("show", clicks, "--out", tmp_path / "sheet.png") == 2


def test_what_is_left_out_is_told(clicks, tmp_path, capsys):
    assert _run("convert", clicks, tmp_path / "a.csv", "--filter", "co3d-val") == 0
    assert "left out: image seen by fewer than 6 people: 6 trials" in _said(capsys)
    shard = tmp_path / "val-0.tfrecords"
    assert _run("convert", clicks, shard) == 0
    shard.write_bytes(shard.read_bytes()[:-10])
    assert _run("show", shard) == 2
    assert "val-0.tfrecords: record 1 is cut off" in _said(capsys)
    assert _run("show", shard, "--skip-damaged") == 0
    assert "images: 1 of" in (said := _said(capsys))
    assert "left out: val-0 record 1 and after: " in said
    assert _run("show", shard, "--skip-damaged", "--published", "--batch", "2") == 2
    assert "found none; 2 were left out" in _said(capsys)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("maps.xyz",), "expected a target that ends in .npz"),
        (("maps.npz", "--to", "csv"), "a target that ends in .csv for --to csv"),
        (("maps.npz", "--recipe", "box"), "recipe co3d2025, fel2022 or gaussian:SD, got 'box'"),
        (("maps.npz", "--recipe", "gaussian:x"), "gaussian:SD with a number above 0"),
        (("maps.npz", "--recipe", "gaussian:-1"), "a number above 0"),
        (("maps.csv", "--recipe", "fel2022"), "leave out --recipe and --size"),
        (("maps.npz", "--images", "none"), "expected a folder of pictures at none"),
        (("maps.npz", "--limit", "0"), "a limit of at least 1 image"),
        (("maps.npz", "--size", "0"), "a size of at least 1 px"),
        (("study",), "study exists; choose another name"),
    ],
)
def test_bad_input_is_one_message_and_writes_nothing(clicks, tmp_path, capsys, words, message):
    target, *options = words
    extra = ("--to", "folder") if target == "study" else ()
    assert _run("convert", clicks, tmp_path / target, *options, *extra) == 2
    assert message in _said(capsys)
    assert [path.name for path in tmp_path.iterdir()] == ["study"]


def test_a_filter_of_trials_is_refused_for_stored_maps(clicks, tmp_path, capsys):
    assert _run("convert", clicks, tmp_path / "a.tfrecords") == 0
    assert _run("convert", clicks, tmp_path / "a.npz") == 0
    for source in ("a.tfrecords", "a.npz"):
        for target in ("b.npz", "b.tfrecords"):
            words = ("convert", tmp_path / source, tmp_path / target, "--filter", "co3d-val")
            assert _run(*words) == 2
            assert "leave out the filter (chosen, --filter)" in _said(capsys)
            assert not (tmp_path / target).exists()


def test_averaged_maps_are_no_trials(clicks, tmp_path, capsys):
    assert _run("convert", clicks, tmp_path / "a.tfrecords") == 0
    assert _run("convert", tmp_path / "a.tfrecords", tmp_path / "a.csv") == 2
    assert "holds averaged maps" in _said(capsys)
