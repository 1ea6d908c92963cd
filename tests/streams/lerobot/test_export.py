"""The written files, field by field, against the format of LeRobotDataset v3.0.

The expected schema is written down here from LeRobot's documentation and its readers (0.4 to 0.6);
nothing of the exporter is used to state it.
"""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from export_data import CAMERAS, CLIPS, FRAMES, RATE_HZ, SIZE, make_data, rows_of, videos_of
from merkwelt.streams import ClipDataset
from merkwelt.streams.lerobot import LeRobotSettings, export_lerobot
from merkwelt.streams.lerobot.coding import encode_playable

STATE = [
    *["head_x_m", "head_y_m", "head_z_m", "head_qw", "head_qx", "head_qy", "head_qz"],
    *["left_eye_x_m", "left_eye_y_m", "left_eye_z_m"],
    *["left_eye_qw", "left_eye_qx", "left_eye_qy", "left_eye_qz"],
    *["right_eye_x_m", "right_eye_y_m", "right_eye_z_m"],
    *["right_eye_qw", "right_eye_qx", "right_eye_qy", "right_eye_qz"],
    *["gaze_x_m", "gaze_y_m", "gaze_z_m", "saccade", "blink", "gait_phase_rad"],
]
ACTION = [
    *["head_velocity_x_m_s", "head_velocity_y_m_s", "head_velocity_z_m_s"],
    *["head_rotation_x_rad_s", "head_rotation_y_rad_s", "head_rotation_z_rad_s"],
    *["left_eye_rotation_x_rad_s", "left_eye_rotation_y_rad_s", "left_eye_rotation_z_rad_s"],
    *["right_eye_rotation_x_rad_s", "right_eye_rotation_y_rad_s", "right_eye_rotation_z_rad_s"],
]
ONE = {"shape": [1], "names": None}
NUMBERS = {
    "observation.state": {"dtype": "float32", "shape": [27], "names": STATE},
    "action": {"dtype": "float32", "shape": [12], "names": ACTION},
    "fixation_id": {"dtype": "int64", **ONE},
    "timestamp": {"dtype": "float32", **ONE},
    "frame_index": {"dtype": "int64", **ONE},
    "episode_index": {"dtype": "int64", **ONE},
    "index": {"dtype": "int64", **ONE},
    "task_index": {"dtype": "int64", **ONE},
}
CAMERA = {
    "dtype": "video",
    "shape": [SIZE, SIZE, 3],
    "names": ["height", "width", "channels"],
    "info": {
        "video.height": SIZE,
        "video.width": SIZE,
        "video.codec": "h264",
        "video.pix_fmt": "gbrp",
        "video.fps": RATE_HZ,
        "video.channels": 3,
        "has_audio": False,
        "is_depth_map": False,
    },
}
INFO = {
    "codebase_version": "v3.0",
    "robot_type": "adult",
    "total_episodes": CLIPS,
    "total_frames": CLIPS * FRAMES,
    "total_tasks": 3,
    "chunks_size": 1000,
    "data_files_size_in_mb": 100,
    "video_files_size_in_mb": 200,
    "fps": RATE_HZ,
    "splits": {"train": f"0:{CLIPS}"},
    "data_path": "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
    "video_path": "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4",
    "features": {camera: CAMERA for camera in CAMERAS} | NUMBERS,
}
STATS = ["min", "max", "mean", "std", "count", "q01", "q10", "q50", "q90", "q99"]


def test_files_lie_where_the_format_says(exported):
    found = {str(path.relative_to(exported)) for path in exported.rglob("*") if path.is_file()}
    file = "chunk-000/file-000"
    assert found == {
        "meta/info.json",
        "meta/stats.json",
        "meta/tasks.parquet",
        "meta/merkwelt.json",
        f"meta/episodes/{file}.parquet",
        f"data/{file}.parquet",
        *(f"videos/{camera}/{file}.mp4" for camera in CAMERAS),
    }


def test_info_is_the_written_schema(exported):
    assert json.loads((exported / "meta/info.json").read_text()) == INFO


def test_rows_have_the_features_types(exported):
    schema = pq.read_schema(exported / "data/chunk-000/file-000.parquet")
    expected = {
        name: pa.list_(pa.float32(), feature["shape"][0])
        if feature["shape"] != [1]
        else pa.type_for_alias(feature["dtype"].replace("32", ""))
        if feature["dtype"] == "float32"
        else pa.int64()
        for name, feature in NUMBERS.items()
    }
    assert dict(zip(schema.names, schema.types, strict=True)) == expected


def test_rows_count_frames_episodes_and_tasks(exported):
    rows = rows_of(exported, "data/*/*.parquet")
    assert [row["index"] for row in rows] == list(range(CLIPS * FRAMES))
    assert [row["episode_index"] for row in rows] == [
        e for e in range(CLIPS) for _ in range(FRAMES)
    ]
    assert [row["frame_index"] for row in rows] == list(range(FRAMES)) * CLIPS
    # Task 0 comes back in the fourth episode.
    assert [row["task_index"] for row in rows[::FRAMES]] == [0, 1, 2, 0]
    for row in rows:
        assert row["timestamp"] == np.float32(row["frame_index"] / RATE_HZ)


def test_tasks_are_a_data_frame_by_task(exported):
    table = pq.read_table(exported / "meta/tasks.parquet")
    assert table.to_pydict() == {
        "task_index": [0, 1, 2],
        "__index_level_0__": ["task 0", "task 1", "task 2"],
    }
    assert json.loads(table.schema.metadata[b"pandas"])["index_columns"] == ["__index_level_0__"]


def test_episodes_say_where_they_lie(exported, data):
    rows = rows_of(exported, "meta/episodes/*/*.parquet")
    clips = ClipDataset(data)
    for number, row in enumerate(rows):
        place = {
            "episode_index": number,
            "tasks": [f"task {number % 3}"],
            "length": FRAMES,
            "data/chunk_index": 0,
            "data/file_index": 0,
            "dataset_from_index": number * FRAMES,
            "dataset_to_index": (number + 1) * FRAMES,
            "meta/episodes/chunk_index": 0,
            "meta/episodes/file_index": 0,
            "clip": clips.clip_ids[number],
            "scene": "hall",
        }
        for camera in CAMERAS:
            place |= {
                f"videos/{camera}/chunk_index": 0,
                f"videos/{camera}/file_index": 0,
                f"videos/{camera}/from_timestamp": number * FRAMES / RATE_HZ,
                f"videos/{camera}/to_timestamp": (number + 1) * FRAMES / RATE_HZ,
            }
        stats = {f"stats/{key}/{name}" for key in INFO["features"] for name in STATS}
        assert {key: row[key] for key in row if key not in stats} == place
        assert set(row) == {*place, *stats}
    assert len(rows) == CLIPS


def test_statistics_are_numpys(exported, data):
    stats = json.loads((exported / "meta/stats.json").read_text())
    episodes = rows_of(exported, "meta/episodes/*/*.parquet")
    frames = rows_of(exported, "data/*/*.parquet")
    assert set(stats) == set(INFO["features"])
    for key in INFO["features"]:
        if key in CAMERAS:
            values = videos_of(data, CAMERAS.index(key)) / 255
            per_channel = values.transpose(2, 0, 1, 3, 4).reshape(3, CLIPS, -1)
        else:
            values = np.array([np.atleast_1d(row[key]) for row in frames], np.float64)
            per_channel = values.T.reshape(values.shape[1], CLIPS, FRAMES)
        _assert_statistics(stats[key], per_channel.reshape(len(per_channel), -1), CLIPS * FRAMES)
        for number, row in enumerate(episodes):
            of_episode = {name: row[f"stats/{key}/{name}"] for name in STATS}
            _assert_statistics(of_episode, per_channel[:, number], FRAMES)


def _assert_statistics(found, columns, count):
    """Compare statistics with numpy's over columns ``[column, value]``."""
    quantiles = {f"q{round(100 * q):02d}": q for q in (0.01, 0.1, 0.5, 0.9, 0.99)}
    expected = {
        "min": columns.min(1),
        "max": columns.max(1),
        "mean": columns.mean(1),
        "std": columns.std(1),
        **{name: np.quantile(columns, q, axis=1) for name, q in quantiles.items()},
    }
    assert found["count"] == [count]
    assert set(found) == {*expected, "count"}
    for name, values in expected.items():
        shape = np.shape(found[name])
        assert shape in ((len(columns),), (3, 1, 1))
        # Sums in another order: a few roundings of float64.
        np.testing.assert_allclose(np.ravel(found[name]), values, rtol=1e-9, atol=1e-12)


def test_same_data_give_same_bytes(exported, data, tmp_path):
    export_lerobot(data, tmp_path / "again")
    for path in exported.rglob("*"):
        if path.is_file():
            again = tmp_path / "again" / path.relative_to(exported)
            assert again.read_bytes() == path.read_bytes(), path


def test_provenance_is_kept(exported, data):
    kept = json.loads((exported / "meta/merkwelt.json").read_text())
    clips = ClipDataset(data)
    assert kept["plan"] == clips.plan.id
    assert kept["licences"] == {"hall": "unknown"}


def test_one_eye_of_unknown_scale(tmp_path):
    data = make_data(tmp_path / "data", eyes=1)
    export_lerobot(data, tmp_path / "out")
    features = json.loads((tmp_path / "out/meta/info.json").read_text())["features"]
    assert [key for key in features if "images" in key] == [CAMERAS[0]]
    assert features["observation.state"]["names"][:3] == [
        "head_x_units",
        "head_y_units",
        "head_z_units",
    ]
    assert len(features["observation.state"]["names"]) == 20
    with pytest.raises(ValueError, match="the scale of these one-eyed clips is not known"):
        export_lerobot(data, tmp_path / "deep", LeRobotSettings(streams=("video", "depth")))


def test_what_cannot_be_exported_is_refused(data, tmp_path):
    (tmp_path / "there").mkdir()
    with pytest.raises(FileExistsError, match="there exists; choose another folder"):
        export_lerobot(data, tmp_path / "there")
    with pytest.raises(ValueError, match="expected streams 'video' or 'video depth', got 'flow'"):
        LeRobotSettings(streams=("flow",))
    with pytest.raises(ValueError, match="files of at least 1 MB"):
        LeRobotSettings(video_files_size_in_mb=0)
    with pytest.raises(ValueError, match="even width and height for 4:2:0, got 16 x 15"):
        encode_playable(torch.zeros(1, 3, 15, 16, dtype=torch.uint8), frame_rate_hz=10)
    flat = make_data(tmp_path / "flat", depth=False)
    with pytest.raises(ValueError, match="holds no depth"):
        export_lerobot(flat, tmp_path / "out", LeRobotSettings(streams=("video", "depth")))
    assert {path.name for path in tmp_path.iterdir()} == {"there", "flat"}


def test_nothing_is_left_of_an_export_that_fails(data, tmp_path, monkeypatch):
    seen = []

    def progress(done, _note):
        seen.append(done)
        if done > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_lerobot(data, tmp_path / "out", progress=progress)
    assert seen == [0.25, 0.5, 0.75]
    assert not list(tmp_path.iterdir())


def test_broken_rate_is_refused(data, tmp_path, monkeypatch):
    monkeypatch.setattr("merkwelt.streams.plan.Plan.frame_rate_hz", 12.5)
    with pytest.raises(ValueError, match=r"whole frames in a second, and this data set has 12\.5"):
        export_lerobot(data, tmp_path / "out")
