"""The written pictures: every frame at its time, as LeRobot's readers look it up."""

import io
import json

import av
import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from export_data import CAMERAS, CLIPS, FRAMES, RATE_HZ, SIZE, make_data, rows_of, videos_of
from merkwelt.streams import ClipDataset
from merkwelt.streams.lerobot import LeRobotSettings, export_lerobot
from merkwelt.streams.lerobot.videos import VideoFiles


def decoded_at(path, time_s):
    """Return the frame of a file at a time as LeRobot looks it up, uint8 ``[3, height, width]``.

    Seeks to the key frame before, decodes on, and takes the frame nearest to the time, which must
    be within LeRobot's tolerance of 0.1 ms.
    """
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        container.seek(round(time_s / stream.time_base), stream=stream)
        for frame in container.decode(stream):
            if abs(float(frame.pts * stream.time_base) - time_s) < 1e-4:
                return frame.to_ndarray(format="rgb24").transpose(2, 0, 1)
    raise AssertionError(f"no frame at {time_s} s")


def pictures_of(folder, camera):
    """Return every episode's frames ``[episode, time, 3, height, width]``, at their timestamps."""
    info = json.loads((folder / "meta/info.json").read_text())
    episodes = []
    for row in rows_of(folder, "meta/episodes/*/*.parquet"):
        path = folder / info["video_path"].format(
            video_key=camera,
            chunk_index=row[f"videos/{camera}/chunk_index"],
            file_index=row[f"videos/{camera}/file_index"],
        )
        start = row[f"videos/{camera}/from_timestamp"]
        times = [start + float(np.float32(n / info["fps"])) for n in range(row["length"])]
        episodes.append([decoded_at(path, time_s) for time_s in times])
    return np.array(episodes)


@pytest.mark.parametrize("eye", [0, 1])
def test_every_pixel_is_the_clips(exported, data, eye):
    np.testing.assert_array_equal(pictures_of(exported, CAMERAS[eye]), videos_of(data, eye))


def test_average_rate_is_exact(exported):
    # torchcodec finds a frame as time times average rate.
    for camera in CAMERAS:
        with av.open(str(exported / f"videos/{camera}/chunk-000/file-000.mp4")) as container:
            stream = container.streams.video[0]
            assert stream.average_rate == RATE_HZ
            assert stream.frames == CLIPS * FRAMES
            assert stream.duration * stream.time_base == CLIPS * FRAMES / RATE_HZ


def test_compact_videos_are_copied_too(tmp_path):
    data = make_data(tmp_path / "data", profile="compact")
    export_lerobot(data, tmp_path / "out")
    info = json.loads((tmp_path / "out/meta/info.json").read_text())
    assert info["features"][CAMERAS[0]]["info"]["video.pix_fmt"] == "yuvj444p"
    back = pictures_of(tmp_path / "out", CAMERAS[0]).astype(float)
    # FFmpeg's integer conversion to RGB and ours may differ by its rounding, up to 2 levels.
    assert np.abs(back - videos_of(data, 0)).max() <= 2


def test_files_go_on_in_the_next_when_they_are_full(data, tmp_path, monkeypatch):
    # A limit is in MB: what a MB is must shrink for these few frames to fill one.
    monkeypatch.setattr("merkwelt.streams.lerobot.videos.BYTES_PER_MB", 6000)
    monkeypatch.setattr("merkwelt.streams.lerobot.tables.BYTES_PER_MB", 2500)
    settings = LeRobotSettings(chunks_size=2, data_files_size_in_mb=1, video_files_size_in_mb=2)
    export_lerobot(data, tmp_path / "out", settings)
    rows = rows_of(tmp_path / "out", "meta/episodes/*/*.parquet")
    for kind in ("data", f"videos/{CAMERAS[0]}", "meta/episodes"):
        places = [(row[f"{kind}/chunk_index"], row[f"{kind}/file_index"]) for row in rows]
        assert places == sorted(places)
        assert {place[1] for place in places} == {0, 1}
        assert len(set(places)) > 1
        if kind != "meta/episodes":
            continue
        for row, (chunk, file) in zip(rows, places, strict=True):
            path = tmp_path / f"out/meta/episodes/chunk-{chunk:03d}/file-{file:03d}.parquet"
            assert row["episode_index"] in pq.read_table(path)["episode_index"].to_pylist()
    for row in rows:
        path = "out/data/chunk-{:03d}/file-{:03d}.parquet".format(
            row["data/chunk_index"], row["data/file_index"]
        )
        held = pq.read_table(tmp_path / path)["episode_index"].to_pylist()
        assert held.count(row["episode_index"]) == FRAMES
    starts = [row[f"videos/{CAMERAS[0]}/from_timestamp"] for row in rows]
    assert starts.count(0.0) > 1
    np.testing.assert_array_equal(pictures_of(tmp_path / "out", CAMERAS[0]), videos_of(data, 0))


def test_another_header_begins_another_file(tmp_path):
    def video(coder):
        buffer = io.BytesIO()
        with av.open(buffer, "w", format="matroska") as container:
            stream = container.add_stream("libx264rgb", rate=10, options={"qp": "0", **coder})
            stream.width, stream.height, stream.pix_fmt = 16, 16, "rgb24"
            for level in range(3):
                image = np.full((16, 16, 3), 50 * level, np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
            container.mux(stream.encode(None))
        return buffer.getvalue()

    with VideoFiles(tmp_path, "eye", LeRobotSettings(), 10) as files:
        spans = [files.add(video(c)) for c in ({}, {}, {"coder": "0"}, {})]
    assert [span.place.file for span in spans] == [0, 0, 1, 2]
    assert [span.from_s for span in spans] == [0, 0.3, 0, 0]


def test_depth_reads_as_lerobot_reads_it(data, tmp_path):
    out = tmp_path / "out"
    export_lerobot(data, out, LeRobotSettings(streams=("video", "depth")))
    features = json.loads((out / "meta/info.json").read_text())["features"]
    clips = ClipDataset(data, streams=("depth",))
    for eye, camera in enumerate(CAMERAS):
        feature = features[f"{camera}_depth"]
        info = feature["info"]
        assert feature["shape"] == [SIZE, SIZE, 1]
        assert (info["video.codec"], info["video.pix_fmt"]) == ("hevc", "gray12le")
        assert info["is_depth_map"] is True
        with av.open(str(out / f"videos/{camera}_depth/chunk-000/file-000.mp4")) as container:
            codes = np.stack([f.to_ndarray(format="gray12le") for f in container.decode(video=0)])
        # The formula of LeRobot's reader, from the parameters in info.json.
        low, high, shift = (info[f"video.{name}"] for name in ("depth_min", "depth_max", "shift"))
        share = codes.astype(np.float64) / 4095
        log_low, log_high = np.log(low + shift), np.log(high + shift)
        read_m = np.exp(share * (log_high - log_low) + log_low) - shift
        depth = torch.cat([clips.sample(int(clip)).depth[eye] for clip in clips.clip_ids]).numpy()
        known = np.isfinite(depth) & (depth > 0)
        # Half a step of 4096 over four decades: 1.13e-3.
        np.testing.assert_allclose(read_m[known], depth[known], rtol=1.13e-3)
        np.testing.assert_allclose(read_m[depth == 0], 0.01)
        np.testing.assert_allclose(read_m[np.isinf(depth)], 100)
        stats = json.loads((out / "meta/stats.json").read_text())[f"{camera}_depth"]
        np.testing.assert_allclose(np.ravel(stats["mean"]), read_m.mean(), rtol=1e-9)
        np.testing.assert_allclose(np.ravel(stats["q90"]), np.quantile(read_m, 0.9), rtol=1e-9)


def test_depth_that_an_encoder_changes_is_no_export(data, tmp_path, monkeypatch):
    lossy = ("libx265", "gray12le", {"x265-params": "crf=40:log-level=none"})
    monkeypatch.setattr("merkwelt.streams.lerobot.coding.HEVC_12", lossy)
    with pytest.raises(RuntimeError, match="the HEVC encoder changed .* codes of depth"):
        export_lerobot(data, tmp_path / "out", LeRobotSettings(streams=("video", "depth")))
    assert not list(tmp_path.iterdir())


def test_playable_is_what_browsers_play(data, tmp_path):
    out = tmp_path / "out"
    export_lerobot(data, out, LeRobotSettings(pictures="playable"))
    with av.open(str(out / f"videos/{CAMERAS[0]}/chunk-000/file-000.mp4")) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.profile == "High"
        assert stream.codec_context.pix_fmt == "yuv420p"
        frame = next(container.decode(stream))
        assert (int(frame.color_range), int(frame.colorspace)) == (1, 6)
    luma = np.array([0.299, 0.587, 0.114])
    error = np.tensordot(
        pictures_of(out, CAMERAS[0]) - videos_of(data, 0).astype(float), luma, axes=(2, 0)
    )
    # White noise is the hardest picture there is; crf 16 keeps its luma within a few levels, and
    # a frame at another's place would be off by the noise itself, 30 levels.
    assert np.sqrt((error**2).mean()) < 8
