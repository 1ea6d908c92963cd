import math
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from merkwelt.objectives import SelfMotion, SelfMotionConfig, probe_shapes
from merkwelt.objectives.self_motion.quantities import QUANTITIES, directions, quantities_of
from merkwelt.objectives.self_motion.readout import MapReadout, pairs_read
from merkwelt.objectives.self_motion.settings import mineault2021
from torch import nn

RATE_HZ = 10.0


class TellsAll(nn.Module):
    """An encoder whose map is the first row of pixels: clips can say their own motion."""

    eyes, causal = 1, True

    def forward(self, clips):
        said = clips[:, 0, :, 0, :1, :6].permute(0, 3, 1, 2).unsqueeze(-1)
        pooled = said[..., 0, 0].transpose(1, 2)
        return SimpleNamespace(maps={"said": said}, pooled=pooled)


def _clips(*, batch=4, frames=5, seed=0):
    """Return clips whose frame t + 1 shows the motion from frame t on."""
    generator = torch.Generator().manual_seed(seed)
    translation = 0.1 * torch.randn(batch, frames - 1, 3, generator=generator)
    translation[..., 2] += 0.2
    rotation = 0.05 * torch.randn(batch, frames - 1, 3, generator=generator)
    clips = torch.zeros(batch, 1, frames, 3, 16, 16)
    clips[:, 0, 1:, 0, 0, :6] = torch.cat([translation, rotation], dim=-1)
    truth = {
        "translation_m": translation,
        "rotation_rad": rotation,
        "frame_rate_hz": torch.tensor(RATE_HZ),
    }
    return clips, truth


def _objective(**config):
    encoder = TellsAll()
    shapes = probe_shapes(encoder, eyes=1, size_px=16)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return encoder, SelfMotion(SelfMotionConfig(grid=1, **config), shapes)


def test_quantities_by_hand():
    translation = torch.tensor([[[0.0, 0.0, 0.3], [0.1, -0.1, 0.1], [-0.2, 0.0, 0.0]]])
    rotation = torch.tensor([[[0.01, 0.02, 0.5], [0.0, -0.03, 0.0], [0.0, 0.0, 0.0]]])
    truth = {
        "translation_m": translation,
        "rotation_rad": rotation,
        "frame_rate_hz": torch.tensor(10.0),
    }
    found = quantities_of(truth, [0, 1, 2], QUANTITIES)
    quarter = math.pi / 4
    expected = {
        "heading_azimuth": [0.0, quarter, -2 * quarter],
        "heading_elevation": [0.0, math.atan(1 / math.sqrt(2)), 0.0],
        "yaw_rate": [0.2, -0.3, 0.0],
        "pitch_rate": [0.1, 0.0, 0.0],
        "speed": [3.0, math.sqrt(3), 2.0],
    }
    for name, values in expected.items():
        torch.testing.assert_close(found[name][0], torch.tensor(values))
    told = directions(found["heading_azimuth"], found["heading_elevation"])
    torch.testing.assert_close(told, translation / translation.norm(dim=-1, keepdim=True))


def test_a_readout_that_says_nothing_is_at_chance():
    encoder, objective = _objective(smoothing_bins=0.0)
    nn.init.zeros_(objective.readout.layers[-1].weight)
    nn.init.zeros_(objective.readout.layers[-1].bias)
    clips, truth = _clips()
    loss, measures = objective(encoder, clips, truth)
    assert float(loss.detach()) == pytest.approx(math.log(72), rel=1e-6)
    assert float(measures["speed_cross_entropy"]) == pytest.approx(4.277, abs=1e-3)


def test_the_loss_is_that_of_a_loop_over_pairs():
    encoder, objective = _objective()
    clips, truth = _clips()
    truth["translation_m"][0, 1] = 0.0
    loss, _ = objective(encoder, clips, truth)
    with torch.no_grad():
        logits, pairs = objective.predict(encoder(clips).maps)
    assert pairs == [0, 1, 2, 3]
    values = quantities_of(truth, pairs, QUANTITIES)
    per_quantity = []
    for name, bins in objective.bins.items():
        errors = []
        for clip in range(4):
            for pair in range(4):
                if name.startswith("heading") and (clip, pair) == (0, 1):
                    continue  # It stands still: there is no heading.
                goal = bins.targets(values[name][clip, pair], smoothing_bins=1.0)
                shares = logits[name][clip, pair].softmax(dim=-1)
                errors.append(float(-(goal * shares.log()).sum()))
        per_quantity.append(sum(errors) / len(errors))
    assert float(loss.detach()) == pytest.approx(sum(per_quantity) / 5, rel=1e-5)


def test_a_step_tells_the_last_motion_that_it_has_seen():
    assert pairs_read(5, 1, middle_only=False) == ([1, 2, 3, 4], [0, 1, 2, 3])
    assert pairs_read(5, 1, middle_only=True) == ([2], [1])
    assert pairs_read(2, 1, middle_only=True) == ([1], [0])
    # Steps of two frames: 0-1, 2-3, 4-5.
    assert pairs_read(3, 2, middle_only=False) == ([0, 1, 2], [0, 2, 4])
    assert pairs_read(1, 4, middle_only=True) == ([0], [2])
    with pytest.raises(ValueError, match="at least 2 frames"):
        pairs_read(1, 1, middle_only=False)


def test_the_center_decoder_reads_the_middle_of_the_map():
    readout = MapReadout(3, 7, central_share=0.5, grid=1, hidden=0)
    features = torch.rand(2, 3, 4, 8, 12, generator=torch.Generator().manual_seed(0))
    middle = features[..., 2:6, 3:9].mean(dim=(3, 4)).transpose(1, 2)
    torch.testing.assert_close(readout(features), readout.layers[0](middle))
    features[..., :2, :] = 9.0
    torch.testing.assert_close(readout(features), readout.layers[0](middle))


def test_masked_pairs_do_not_count():
    encoder, objective = _objective(mask_pairs=True, quantities=("yaw_rate",))
    clips, truth = _clips()
    pairs = torch.ones(4, 4, dtype=torch.bool)
    pairs[:, 2] = False
    loss, _ = objective(encoder, clips, {**truth, "valid_pairs": pairs})
    truth["rotation_rad"][:, 2] = 1.0
    again, _ = objective(encoder, clips, {**truth, "valid_pairs": pairs})
    assert float(loss.detach()) == float(again.detach())
    counted, _ = _objective(quantities=("yaw_rate",))[1](encoder, clips, truth)
    assert float(counted.detach()) != float(loss.detach())


def test_standing_still_has_no_heading_and_no_loss():
    encoder, objective = _objective(quantities=("heading_azimuth",))
    clips, truth = _clips()
    truth["translation_m"].zero_()
    loss, _ = objective(encoder, clips, truth)
    loss.backward()
    assert float(loss.detach()) == 0
    measures = objective.evaluate(encoder, [(clips, truth)], [(clips, truth)])
    assert math.isnan(measures["heading_azimuth_error_deg"])


def test_it_learns_what_the_pixels_say():
    """Trained on clips that say their motion, it tells that of others; its floor does not move."""
    encoder, objective = _objective()
    clips, truth = _clips(batch=64)
    held_out = _clips(batch=32, seed=1)
    before = objective.evaluate(encoder, [(clips, truth)], [held_out])
    optimiser = torch.optim.Adam(objective.parameters(), lr=1e-2)
    for _ in range(120):
        loss, _ = objective(encoder, clips, truth)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    after = objective.evaluate(encoder, [(clips, truth)], [held_out])
    floor = "heading_error_deg_of_mean_direction"
    assert after[floor] == before[floor]
    assert after["heading_error_deg"] < 0.5 * after[floor] < 0.5 * 90
    assert after["heading_error_median_deg"] < after["heading_error_median_deg_of_mean_direction"]
    assert after["yaw_rate_r2"] > 0.25 > before["yaw_rate_r2"]
    assert after["speed_error_m_s"] < 0.9 * after["speed_error_m_s_of_mean"]
    assert after["cross_entropy"] < after["cross_entropy_of_chance"] - 0.5
    assert before["cross_entropy"] > 4


def test_the_floor_is_the_error_of_the_training_clips_mean_direction():
    encoder, objective = _objective()
    training, held_out = _clips(seed=2), _clips(seed=3)
    measures = objective.evaluate(encoder, [training], [held_out])
    directions_seen = torch.nn.functional.normalize(
        training[1]["translation_m"].flatten(0, 1), dim=1
    )
    mean = directions_seen.mean(dim=0)
    true = torch.nn.functional.normalize(held_out[1]["translation_m"].flatten(0, 1), dim=1)
    cosines = (true @ mean / mean.norm()).clamp(-1, 1)
    expected = cosines.acos().rad2deg().mean()
    assert measures["heading_error_deg_of_mean_direction"] == pytest.approx(
        float(expected), rel=1e-4
    )
    speeds = [part[1]["translation_m"].norm(dim=-1) * RATE_HZ for part in (training, held_out)]
    expected = (speeds[1] - speeds[0].mean()).abs().mean()
    assert measures["speed_error_m_s_of_mean"] == pytest.approx(float(expected), rel=1e-5)


def test_settings_of_the_paper():
    config = mineault2021()
    bins = config.bins()
    assert all(each.count == 72 for each in bins.values())
    # Degrees a second on a circle of 360: a turn of 2.5 degrees a second to either side.
    turns = bins["yaw_rate"].classes(torch.tensor([2.5, -2.5]).deg2rad())
    assert turns.tolist() == [36, 35]
    assert (bins["speed"].low, bins["speed"].high) == (0, 3)
    shapes = replace(probe_shapes(TellsAll(), eyes=1, size_px=16), map_channels={"said": 32})
    decoder = SelfMotion(config, shapes).readout.layers
    assert [tuple(each.weight.shape) for each in decoder] == [(5 * 72, 32)]


def test_what_is_not_known_is_said():
    encoder, objective = _objective()
    clips, truth = _clips()
    without = {name: each for name, each in truth.items() if name != "translation_m"}
    with pytest.raises(ValueError, match="without translation_m; clips of scenes without metric"):
        objective(encoder, clips, without)
    turns = _objective(quantities=("yaw_rate", "pitch_rate"))[1]
    assert torch.isfinite(turns(encoder, clips, without)[0])
    with pytest.raises(ValueError, match="without rotation_rad; videos without poses"):
        turns(encoder, clips, {"frame_rate_hz": torch.tensor(10.0)})
    with pytest.raises(ValueError, match="known frame_rate_hz"):
        turns(encoder, clips, {"rotation_rad": truth["rotation_rad"]})
    with pytest.raises(ValueError, match="at least one batch each"):
        objective.evaluate(encoder, [], [(clips, truth)])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"quantities": ()}, "quantities out of"),
        ({"quantities": ("speed", "speed")}, "each once"),
        ({"classes": 1}, "classes >= 2"),
        ({"central_share": 0.0}, "central_share"),
        ({"smoothing_bins": -1.0}, "smoothing_bins"),
        ({"fastest_m_s": 0.0}, "fastest_m_s above 0"),
    ],
)
def test_settings_outside_their_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        SelfMotionConfig(**settings)
