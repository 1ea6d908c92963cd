"""Ray is started once for the module, as the engine starts it, in a few seconds."""

import importlib.util
import os
import signal
import sys
import threading

import pytest
from fake_clips import FakeClips, fake_plan, shards_of, tree
from merkwelt.render.observer.presets import load_observer
from merkwelt.render.render_clip import ClipSettings
from merkwelt.scenes.analytic import analytic_room
from merkwelt.scenes.scene import save_scene
from merkwelt.streams import Storage, make_plan, render_dataset, verify_dataset
from merkwelt.streams.engine import run_plan
from merkwelt.streams.ray_actor import RayWorker
from merkwelt.streams.ray_start import ray_at
from merkwelt.streams.scene_clips import SceneClips

# Not imported here: how Ray is to behave is said before it is imported.
if importlib.util.find_spec("ray") is None:
    pytest.skip("the extra 'cluster' is not installed", allow_module_level=True)


class KilledOnce(FakeClips):
    """The worker that is to make clip 5 is killed, the first time only."""

    def __init__(self, mark, **options):
        super().__init__(**options)
        self.mark = mark

    def __call__(self, plan, clip):
        if clip == 5 and not self.mark.exists():
            self.mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(plan, clip)


@pytest.fixture(scope="module")
def ray():
    with ray_at(None, 4) as place:
        yield place.ray


@pytest.fixture
def room_plan():
    room, settings = analytic_room(), ClipSettings(frames=2, size=8)
    plan = make_plan(
        [room], load_observer("adult"), settings, clips=6, storage=Storage(shard_clips=2)
    )
    return plan, {room.card.name: room}


def _quiet(capfd):
    said = capfd.readouterr()
    return said.out == said.err == ""


def test_nothing_at_the_address_is_one_clear_error(tmp_path):
    with pytest.raises(ConnectionError, match="no Ray cluster could be joined at 127.0.0.1:1: "):
        run_plan(fake_plan(), FakeClips(), tmp_path, engine="ray", address="127.0.0.1:1")


def test_missing_ray_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ImportError, match=r"pip install 'merkwelt\[cluster\]', or use the engine"):
        run_plan(fake_plan(), FakeClips(), tmp_path, engine="ray")


def test_nothing_to_do_does_not_start_ray(tmp_path, monkeypatch):
    run_plan(fake_plan(), FakeClips(), tmp_path)
    monkeypatch.setitem(sys.modules, "ray", None)
    assert run_plan(fake_plan(), FakeClips(), tmp_path, engine="ray").is_complete


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_actors_change_nothing_but_time(ray, tmp_path, workers, capfd):
    plan = fake_plan(17, scenes=("hall", "garden"))
    run_plan(plan, FakeClips(skip={3}), tmp_path / "one")
    heard = []
    done = run_plan(
        plan,
        FakeClips(skip={3}),
        tmp_path / "ray",
        workers=workers,
        engine="ray",
        progress=lambda *told: heard.append(told),
    )
    assert done.is_complete
    assert done.shards == tuple(shard.name for shard in plan.shards())
    assert heard[-1] == (1.0, "clip 17 of 17")
    assert shards_of(tmp_path / "ray") == shards_of(tmp_path / "one")
    assert verify_dataset(tmp_path / "ray").ok
    assert not [name for name in tree(tmp_path / "ray") if ".partial" in name]
    assert _quiet(capfd)


def test_room_in_actors_and_processes_is_the_same_to_the_bit(ray, tmp_path, room_plan):
    plan, scenes = room_plan
    for workers in (1, 2):
        render_dataset(plan, scenes, tmp_path / f"local{workers}", workers=workers)
    render_dataset(plan, scenes, tmp_path / "ray2", workers=2, engine="ray")
    alone = shards_of(tmp_path / "local1")
    assert len(alone) == 3
    for place in ("local2", "ray2"):
        assert shards_of(tmp_path / place) == alone


def test_failure_names_the_clip_and_stops_the_others(ray, tmp_path):
    message = "clip 6 of scene 'hall' could not be made: ZeroDivisionError: the lens fell off"
    make_clip = FakeClips(fail={6}, delay_s=0.05)
    with pytest.raises(RuntimeError, match=message):
        run_plan(fake_plan(200), make_clip, tmp_path, workers=2, engine="ray")
    assert not [name for name in tree(tmp_path) if ".partial" in name]
    assert len(shards_of(tmp_path)) < 25
    assert run_plan(fake_plan(200), FakeClips(), tmp_path).is_complete
    assert verify_dataset(tmp_path).ok


def test_shard_of_a_killed_actor_is_rendered_by_another(ray, tmp_path, capfd):
    plan = fake_plan(12)
    make_clip = KilledOnce(tmp_path / "killed")
    done = run_plan(plan, make_clip, tmp_path / "data", workers=2, engine="ray")
    assert make_clip.mark.exists()
    assert done.is_complete
    run_plan(plan, FakeClips(), tmp_path / "alone")
    assert shards_of(tmp_path / "data") == shards_of(tmp_path / "alone")
    assert verify_dataset(tmp_path / "data").ok
    assert not [name for name in tree(tmp_path / "data") if ".partial" in name]
    assert _quiet(capfd)


def test_clip_that_kills_every_actor_is_given_up(ray, tmp_path):
    message = "3 Ray workers died when they were to render shard 000000004-000000008"
    with pytest.raises(RuntimeError, match=message):
        run_plan(fake_plan(12), FakeClips(kill={5}), tmp_path, workers=3, engine="ray")
    assert run_plan(fake_plan(12), FakeClips(), tmp_path).is_complete
    assert verify_dataset(tmp_path).ok


def test_interrupt_ends_all_work_and_resumes(ray, tmp_path):
    def interrupt(share, _message):
        if share > 0:
            raise KeyboardInterrupt

    make_clip = FakeClips(delay_s=0.05)
    with pytest.raises(KeyboardInterrupt):
        run_plan(fake_plan(200), make_clip, tmp_path, workers=2, engine="ray", progress=interrupt)
    assert not [name for name in tree(tmp_path) if ".partial" in name]
    assert len(shards_of(tmp_path)) < 25
    assert run_plan(fake_plan(200), FakeClips(), tmp_path).is_complete
    assert verify_dataset(tmp_path).ok


def test_node_that_lacks_something_says_which_and_what(tmp_path, room_plan):
    """As an actor on another node meets it: without this machine's module paths."""
    import pickle

    plan, scenes = room_plan
    (tmp_path / "data/shards/.partial").mkdir(parents=True)
    node = os.uname().nodename
    lost = pickle.dumps(SceneClips(dict.fromkeys(scenes, tmp_path / "nowhere")))

    def worker(plan=plan, pickled=lost):
        return RayWorker(plan, pickled, tmp_path / "data", "sign.1", 1, paths=None)

    with pytest.raises(ValueError, match=f"node {node}: .* not the data set's folder here; every"):
        worker().ready()
    (tmp_path / "data/shards/.partial/sign.1").touch()
    with pytest.raises(ValueError, match=f"node {node}: scene '.*' is not here: expected its"):
        worker().ready()
    with pytest.raises(ValueError, match="rendered by merkwelt 0.1.0-other, found merkwelt"):
        worker(plan=_of_another_version(plan)).ready()
    for name, room in scenes.items():
        save_scene(room, tmp_path / name)
    found = pickle.dumps(SceneClips({name: tmp_path / name for name in scenes}))
    assert worker(pickled=found).ready()


def _of_another_version(plan):
    from dataclasses import replace

    return replace(plan, code_version="0.1.0-other")


def test_stopped_worker_ends_at_its_next_clip(tmp_path):
    import pickle

    plan = fake_plan(40, shard_clips=40)
    for place in ("shards/.partial", "receipts"):
        (tmp_path / place).mkdir(parents=True)
    (tmp_path / "shards/.partial/sign.1").touch()
    pickled = pickle.dumps(FakeClips(delay_s=0.05))
    worker = RayWorker(plan, pickled, tmp_path, "sign.1", 1, paths=tuple(sys.path))
    assert worker.ready()
    threading.Timer(0.2, worker.stop).start()
    with pytest.raises(RuntimeError, match="stopped with the other workers"):
        worker.render(plan.shards()[0])
    assert 1 <= worker.count()[1] < 40
    assert sorted(p.name for p in tmp_path.rglob("*") if p.is_file()) == ["sign.1"]
