"""Data sets in stores that are no folders: memory, ``file://``, and a real HTTP server."""

import pickle
import sys
from pathlib import Path

import pytest
import torch
from fake_clips import FakeClips, fake_plan, tree
from merkwelt.streams import BatchPlaces, ClipDataset, collate, verify_dataset
from merkwelt.streams.engine import run_plan
from merkwelt.streams.store import FolderStore, RemoteStore, open_store
from range_server import serving
from torch.utils.data import DataLoader

CLIPS = 9


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    run_plan(fake_plan(CLIPS), FakeClips(skip={2}), folder)
    return folder


@pytest.fixture
def in_memory(folder):
    import fsspec

    memory = fsspec.filesystem("memory")
    for name, data in tree(folder).items():
        memory.pipe_file(f"/bucket/set/{name}", data)
    yield "memory://bucket/set"
    memory.rm("/bucket", recursive=True)


@pytest.fixture
def server(folder):
    pytest.importorskip("aiohttp")
    with serving(folder.parent) as server:
        yield server


def _assert_same(there, folder):
    here = ClipDataset(folder)
    assert there.clip_ids.tolist() == here.clip_ids.tolist()
    assert there.skipped == here.skipped
    for clip in here.clip_ids.tolist():
        a, b = there.sample(clip), here.sample(clip)
        assert torch.equal(a.video, b.video)
        assert torch.equal(a.depth, b.depth)
        assert a.caption == b.caption
        assert (a.trajectory.gaze_target == b.trajectory.gaze_target).all()


def test_memory_gives_the_same_clips(in_memory, folder):
    data = ClipDataset(in_memory + "/")
    assert isinstance(data.store, RemoteStore)
    assert data.location == in_memory
    _assert_same(data, folder)


def test_file_urls_are_folders(folder):
    data = ClipDataset(f"file://{folder}")
    assert isinstance(data.store, FolderStore)
    assert data.store.folder == folder
    _assert_same(data, folder)
    assert verify_dataset(f"file://{folder}").ok


def test_http_gives_the_same_clips(server, folder):
    _assert_same(ClipDataset(f"{server.url}/{folder.name}"), folder)


def test_a_clip_is_one_request_for_the_bytes_that_are_asked_for(server, folder):
    data = ClipDataset(f"{server.url}/{folder.name}", streams=("video",))
    server.asked.clear()
    data.sample(5)
    _, extents = data._index.extents(data._index.row_of(5), ("left.mkv", "right.mkv"))
    left, right = extents["left.mkv"], extents["right.mkv"]
    (asked,) = server.asked
    assert asked == ("000000004-000000008.tar", right.offset + right.size - left.offset)
    # The members, and one header and padding between them.
    assert asked[1] < left.size + right.size + 1024


@pytest.mark.parametrize(("context", "workers"), [("fork", 2), ("spawn", 1)])
def test_workers_read_from_a_server(server, folder, context, workers):
    """Also after this process has read from it: its connections are of no use to a fork."""
    data = ClipDataset(f"{server.url}/{folder.name}", streams=("video",))
    expected = collate([data[place] for place in range(len(data))])
    loader = DataLoader(
        data,
        batch_sampler=BatchPlaces(len(data), 3, seed=None, epochs=1),
        collate_fn=collate,
        num_workers=workers,
        multiprocessing_context=context,
    )
    batches = list(loader)
    assert torch.equal(torch.cat([batch.video for batch in batches]), expected.video)
    assert data[0].clip == 0


def test_workers_read_from_memory(in_memory, folder):
    loader = ClipDataset(in_memory, streams=("video",)).loader(4, seed=0, epochs=1, workers=2)
    here = ClipDataset(folder)
    for batch in loader:
        for sample in batch.samples:
            assert torch.equal(sample.video, here.sample(sample.clip).video)


def test_pickling_keeps_location_and_options(in_memory):
    store = open_store(in_memory, {"some": "option"})
    again = pickle.loads(pickle.dumps(store))
    assert (again.location, again.options) == (store.location, {"some": "option"})
    assert again.read("plan.json") == store.read("plan.json")
    assert again.read_range("plan.json", 3, 9) == store.read("plan.json")[3:9]


def test_places_without_a_data_set_are_refused(server, in_memory, folder, tmp_path):
    for nothing in ("memory://bucket/other", f"{server.url}/other"):
        with pytest.raises(FileNotFoundError, match=f"{nothing} holds no data set: expected plan"):
            ClipDataset(nothing)
    with pytest.raises(FileNotFoundError, match=r"other does not exist: expected plan\.json in it"):
        ClipDataset(f"file://{tmp_path}/other")
    import fsspec

    fsspec.filesystem("memory").rm("/bucket/set/manifest.json")
    with pytest.raises(FileNotFoundError, match="memory://bucket/set is not finished: it has no m"):
        ClipDataset(in_memory)


def test_missing_shards_are_named(server, folder, tmp_path):
    data = ClipDataset(f"{server.url}/{folder.name}")
    server.folder = tmp_path
    with pytest.raises(RuntimeError, match=r"clip 3: http://.*/shards/000000000-.*tar is missing"):
        data.sample(3)


def test_damaged_objects_are_an_error(in_memory):
    import fsspec

    memory, data = fsspec.filesystem("memory"), ClipDataset(in_memory)
    path = next(p for p in memory.ls("/bucket/set/shards", detail=False) if "000000004-" in p)
    content = bytearray(memory.cat_file(path))
    content[1000] ^= 1
    memory.pipe_file(path, bytes(content))
    with pytest.raises(RuntimeError, match=r"memory://bucket/set/shards/.*left.mkv .* is damaged"):
        data.sample(4)
    memory.pipe_file(path, bytes(content[:2000]))
    with pytest.raises(RuntimeError, match="is damaged"):
        data.sample(7)


def test_a_store_that_fails_is_named(folder):
    pytest.importorskip("aiohttp")
    with serving(folder) as server:
        data = ClipDataset(server.url)
    with pytest.raises(RuntimeError, match=r"cannot read bytes 512 to \d+ of http://127.*\.tar: "):
        data.sample(0)
    with pytest.raises(RuntimeError, match=r"cannot read http://127.*/manifest\.json: "):
        ClipDataset(server.url)


def test_servers_that_send_whole_files_are_refused(folder):
    pytest.importorskip("aiohttp")
    with serving(folder, ranges=False) as server:
        data = ClipDataset(server.url)
        with pytest.raises(RuntimeError, match=r"got \d+: the server does not serve parts of fil"):
            data.sample(0)


def test_missing_packages_are_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    with pytest.raises(ImportError, match="cannot open gs://bucket/set: .*install gcsfs"):
        ClipDataset("gs://bucket/set")


def test_protocols_that_do_not_exist_are_refused():
    with pytest.raises(ValueError, match="cannot open nowhere://x: Protocol not known: nowhere"):
        ClipDataset("nowhere://x")


def test_the_root_of_a_store_is_a_place_too(in_memory):
    assert open_store("memory://").read("bucket/set/plan.json").startswith(b"{")
    assert open_store("file:///").where("etc") == "/etc"


def test_urls_that_were_made_paths_are_refused(tmp_path):
    with pytest.raises(ValueError, match="got a path made of a URL, 's3:/bucket/set'"):
        ClipDataset(Path("s3://bucket/set"))
    with pytest.raises(ValueError, match="expected no storage options for the folder"):
        ClipDataset(tmp_path, storage_options={"key": "secret"})


def test_verify_says_that_it_needs_a_folder(in_memory):
    with pytest.raises(ValueError, match="verify needs a folder on this machine, got memory://buc"):
        verify_dataset(in_memory)
    with pytest.raises(ValueError, match="verify needs a folder .*, got s3:/bucket/set; copy the"):
        verify_dataset(Path("s3://bucket/set"))
