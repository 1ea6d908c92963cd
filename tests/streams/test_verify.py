import pytest
from fake_clips import FakeClips, fake_plan, shards_of, tree
from merkwelt.streams import ClipDataset, verify_dataset
from merkwelt.streams.engine import run_plan
from merkwelt.streams.manifest import finalize

SECOND = "000000004-000000008"


@pytest.fixture
def data(tmp_path):
    run_plan(fake_plan(12), FakeClips(skip={1}), tmp_path)
    return tmp_path


def _flip(path, place=None):
    content = bytearray(path.read_bytes())
    content[len(content) // 3 if place is None else place] ^= 0x10
    path.write_bytes(content)


def _truncate(path):
    path.write_bytes(path.read_bytes()[:-777])


def _lengthen(path):
    path.write_bytes(path.read_bytes() + b"more")


DAMAGE = {
    "truncated": (
        lambda folder: _truncate(folder / f"shards/{SECOND}.tar"),
        rf"^shards/{SECOND}.tar: truncated: \d+ bytes, expected \d+$",
    ),
    "bit-flipped": (
        lambda folder: _flip(folder / f"shards/{SECOND}.tar"),
        rf"^shards/{SECOND}.tar: its bytes changed since it was written \(damaged clips: \[5\]\)$",
    ),
    "bit-flipped header": (
        lambda folder: _flip(folder / f"shards/{SECOND}.tar", 3),
        rf"^shards/{SECOND}.tar: its bytes changed .* \(between the clips\)$",
    ),
    "lost": (
        lambda folder: (folder / f"shards/{SECOND}.tar").unlink(),
        rf"^shards/{SECOND}.tar: missing$",
    ),
    "grown": (
        lambda folder: _lengthen(folder / f"shards/{SECOND}.tar"),
        rf"^shards/{SECOND}.tar: too long",
    ),
    "no receipt": (
        lambda folder: (folder / f"receipts/{SECOND}.json").unlink(),
        rf"^receipts/{SECOND}.json: missing: shard {SECOND} is not committed$",
    ),
    "broken receipt": (
        lambda folder: (folder / f"receipts/{SECOND}.json").write_text('{"clips": [{}]}'),
        rf"^receipts/{SECOND}.json: unreadable: .*is not a receipt",
    ),
    "receipt of another shard": (
        lambda folder: (folder / f"receipts/{SECOND}.json").write_bytes(
            (folder / "receipts/000000000-000000004.json").read_bytes()
        ),
        rf"^receipts/{SECOND}.json: unreadable: .*is the receipt of shard 000000000-000000004",
    ),
    "receipt without a clip": (
        lambda folder: (folder / f"receipts/{SECOND}.json").write_text(
            (folder / f"receipts/{SECOND}.json").read_text().replace('"clip": 6', '"clip": 66')
        ),
        rf"^receipts/{SECOND}.json: lists clips \[4, 5, 7, 66\], expected 4 to 7$",
    ),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_named_and_mended_without_touching_the_rest(data, kind):
    harm, message = DAMAGE[kind]
    before = shards_of(data)
    harm(data)
    found = verify_dataset(data)
    assert not found.ok
    assert len(found.problems) == 1
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(found.problems[0])
    mended = run_plan(fake_plan(12), FakeClips(skip={1}), data)
    assert mended.shards == (SECOND,)
    assert mended.mended == (() if kind == "no receipt" else found.problems)
    assert verify_dataset(data).ok
    assert shards_of(data) == before


def test_whole_data_set_has_no_problems(data):
    heard = []
    found = verify_dataset(data, progress=lambda *told: heard.append(told))
    assert (found.ok, found.clips, found.skipped, found.problems) == (True, 11, 1, ())
    assert heard[-1] == (1.0, "shard 3 of 3")


def test_foreign_files_are_named_and_left(data):
    for name in ("notes.txt", "shards/holiday.tar", "receipts/000000000-000000005.json"):
        (data / name).write_text("mine")
    before = tree(data)
    assert verify_dataset(data).problems == tuple(
        f"{name}: belongs to no shard of this data set"
        for name in ("notes.txt", "shards/holiday.tar", "receipts/000000000-000000005.json")
    )
    assert tree(data) == before


def test_leftovers_are_named_and_removed_by_rendering_again(data):
    (data / f"shards/.partial/{SECOND}.0123").write_text("half")
    (data / "shards/.partial/000000012-000000016.4567").write_text("another's, still at work")
    (data / f"receipts/.{SECOND}.json.89.partial").write_text("half")
    (problem,) = verify_dataset(data).problems
    assert problem.startswith(f"shards/.partial/{SECOND}.0123: left behind")
    run_plan(fake_plan(12), FakeClips(fail=range(12)), data)
    assert [n for n in tree(data) if ".partial" in n] == [
        "shards/.partial/000000012-000000016.4567"
    ]
    assert verify_dataset(data).ok


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda d: (d / "manifest.json").unlink(), "manifest.json: missing: the data set is not"),
        (lambda d: (d / "manifest.json").write_text("{"), "manifest.json: unreadable"),
        (lambda d: (d / "index.parquet").unlink(), "index.parquet: missing"),
        (lambda d: _flip(d / "index.parquet", -2), "index.parquet: unreadable"),
    ],
)
def test_damaged_manifest_and_index_are_named_and_mended(data, harm, message):
    harm(data)
    (problem,) = verify_dataset(data).problems
    assert problem.startswith(message)
    with pytest.raises((FileNotFoundError, ValueError, RuntimeError)):
        ClipDataset(data)
    run_plan(fake_plan(12), FakeClips(), data)
    assert verify_dataset(data).ok


def test_index_of_other_clips_is_noticed(data, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    run_plan(fake_plan(12, seed=4), FakeClips(skip={1}), other)
    (data / "index.parquet").write_bytes((other / "index.parquet").read_bytes())
    assert verify_dataset(data).problems == ("index.parquet: is not what the receipts say",)


def test_finalize_refuses_a_damaged_shard(data):
    _truncate(data / f"shards/{SECOND}.tar")
    with pytest.raises(RuntimeError, match=f"is not whole: shards/{SECOND}.tar: truncated"):
        finalize(data)


def test_folder_without_data_set_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no data set"):
        verify_dataset(tmp_path)
    (tmp_path / "plan.json").write_text("{}")
    with pytest.raises(ValueError, match=r"plan.json is not a plan"):
        verify_dataset(tmp_path)
