"""PredNet beats copying the last frame on unseen clips, of a real drive and rendered."""

import torch
from merkwelt.objectives import PredNetErrors, PredNetErrorsConfig, probe_shapes
from merkwelt.render.observer.presets import load_observer
from merkwelt.render.render_clip import ClipSettings
from merkwelt.scenes.analytic import analytic_room
from merkwelt.streams import ClipCut, make_plan, open_clips, render_one
from merkwelt.video_models import PredNet, PredNetConfig


def _held_out_report(training, held_out, *, steps, crop_px, seed=0):
    """Return held-out measures of a tiny PredNet after so many steps on random cuts."""
    eyes, size = training.shape[1], training.shape[-1]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoder = PredNet(PredNetConfig(eyes=eyes, widths=(8, 16)))
    objective = PredNetErrors(PredNetErrorsConfig(), probe_shapes(encoder, eyes=eyes))
    optimiser = torch.optim.Adam(encoder.parameters(), lr=5e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    draw = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        top, left = torch.randint(size - crop_px + 1, (2,), generator=draw).tolist()
        batch = training[torch.randint(len(training), (4,), generator=draw)]
        batch = batch[..., top : top + crop_px, left : left + crop_px]
        loss, _ = objective(encoder, batch, {})
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(encoder.parameters(), 1.0)
        optimiser.step()
        schedule.step()
    return objective.evaluate(encoder.eval(), [(training, {})], [(held_out, {})])


def test_on_a_real_drive(shared_data):
    folder = shared_data / "noncommercial" / "stereo_video_kitti"
    cut = ClipCut(frames=6, size_px=64, stride_frames=1, picture_rate_hz=10)
    clips = open_clips(folder, cut=cut, streams=("video",))
    video = torch.stack([clips.sample(int(each)).video for each in clips.clip_ids]).float() / 255
    # Clips begin one frame apart. Those trained on end at frame 22, where no other begins yet.
    report = _held_out_report(video[:18], video[23:], steps=150, crop_px=32)
    assert report["skill"] > 0.05
    assert report["mse"] < report["copy_last_mse"] < report["mean_image_mse"]


def test_on_rendered_clips():
    room = analytic_room()
    settings = ClipSettings(frames=6, size=32, depth=False)
    plan = make_plan([room], load_observer("mineault2021"), settings, clips=24)
    clips = [render_one(plan, {room.card.name: room}, clip) for clip in range(24)]
    video = torch.stack([clip.video for clip in clips]).float() / 255
    report = _held_out_report(video[:18], video[18:], steps=150, crop_px=32)
    assert report["skill"] > 0.05
    assert report["mse"] < report["mean_image_mse"]
