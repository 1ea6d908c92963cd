import re
from dataclasses import replace
from typing import get_args

import pytest
import torch
from merkwelt.objectives import PredictionConfig, SlownessConfig
from merkwelt.video_models import StereoCNNConfig

from merkwelt.encoders import ENCODER_PRESETS
from merkwelt.names import EncoderName, RecipeName
from merkwelt.recipes import RECIPES, predictive_coding, recipe, slow_features
from merkwelt.training import OptimiserConfig
from merkwelt.training.config_file import differences, from_plain, to_plain, with_overrides
from merkwelt.training.experiment import build


def test_recipes_have_their_names():
    assert set(RECIPES) == set(get_args(RecipeName))
    assert set(ENCODER_PRESETS) == set(get_args(EncoderName))
    assert recipe("sfa") == slow_features()
    assert recipe("predict") == predictive_coding()
    assert isinstance(slow_features().objective, SlownessConfig)
    assert isinstance(predictive_coding().objective, PredictionConfig)
    with pytest.raises(ValueError, match=re.escape(f"out of {sorted(RECIPES)}, got 'wish'")):
        recipe("wish")


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_a_recipe_survives_its_file(name):
    assert from_plain(to_plain(recipe(name))) == recipe(name)


def test_the_same_seed_builds_the_same_network():
    first, second = build(slow_features()), build(slow_features())
    for one, other in zip(first, second, strict=True):
        for name, each in one.state_dict().items():
            assert torch.equal(each, other.state_dict()[name])
    other_seed, _ = build(replace(slow_features(), seed=1))
    weight = "retina.conv.weight"
    assert not torch.equal(first[0].state_dict()[weight], other_seed.state_dict()[weight])


def test_recipes_of_one_encoder_start_from_the_same_weights():
    small = [make() for make in RECIPES.values() if make().encoder == StereoCNNConfig()]
    assert {"sfa", "predict"} <= {each.name for each in small}
    weights = [build(each)[0].state_dict()["retina.conv.weight"] for each in small]
    assert all(torch.equal(each, weights[0]) for each in weights)


def test_networks_are_small():
    for make in RECIPES.values():
        encoder, objective = build(make())
        count = sum(p.numel() for module in (encoder, objective) for p in module.parameters())
        assert count < 500_000


def test_configurations_name_what_is_wrong():
    with pytest.raises(ValueError, match="kind out of .* got 'Wish'"):
        from_plain({"kind": "Wish"})
    with pytest.raises(ValueError, match="SlownessConfig has no field speed"):
        from_plain({"kind": "SlownessConfig", "speed": 1})
    with pytest.raises(ValueError, match="cannot override 'steps.x': steps has no fields"):
        with_overrides({"steps": 1}, {"steps.x": 2})
    there = to_plain(replace(slow_features(), steps=3))
    assert differences(there, to_plain(slow_features())) == ["steps: 3 there, 200 now"]


def test_settings_outside_their_range_are_refused():
    with pytest.raises(ValueError, match="at least 1 for steps, batch_size"):
        replace(slow_features(), steps=0, batch_size=0)
    with pytest.raises(ValueError, match="held-out share"):
        replace(slow_features(), held_out_share=1.0)
    with pytest.raises(ValueError, match="crop share"):
        replace(slow_features(), crop_share=0.0)
    with pytest.raises(ValueError, match="at least 1 px"):
        replace(slow_features(), image_size_px=0)
    with pytest.raises(ValueError, match="learning_rate and clip_norm above 0"):
        OptimiserConfig(learning_rate=0)
    with pytest.raises(ValueError, match="warmup_steps of at least 0"):
        OptimiserConfig(warmup_steps=-1)
