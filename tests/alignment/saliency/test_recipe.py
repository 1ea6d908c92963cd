import json

import pytest
import torch
from merkwelt.alignment import (
    ClassLogit,
    FeatureNorm,
    GradCam,
    IntegratedGradients,
    LossOfEachClip,
    ObjectiveLoss,
    ProbeLogit,
    Readout,
    SaliencyGaussian,
    SaliencyRecipe,
    SmoothGrad,
)

RECIPES = [
    SaliencyRecipe(),
    SaliencyRecipe(target=FeatureNorm(centred=True)),
    SaliencyRecipe(target=ClassLogit()),
    SaliencyRecipe(target=ProbeLogit(weight=torch.eye(2))),
    SaliencyRecipe(target=ProbeLogit(weight=torch.eye(2), classes=(0, 1))),
    SaliencyRecipe(target=ObjectiveLoss(loss=lambda e, c: c, loss_name="slowness")),
    SaliencyRecipe(
        target=ObjectiveLoss(loss=LossOfEachClip(objective=print), loss_name="prediction error")
    ),
    SaliencyRecipe(method=SmoothGrad()),
    SaliencyRecipe(method=SmoothGrad(noise_sd=0.1)),
    SaliencyRecipe(method=IntegratedGradients()),
    SaliencyRecipe(method=GradCam()),
    SaliencyRecipe(method=GradCam(layer="stage2")),
    SaliencyRecipe(channels="abs-mean"),
    SaliencyRecipe(channels="signed-mean"),
    SaliencyRecipe(frames="still image"),
    SaliencyRecipe(frames="last frame"),
    SaliencyRecipe(frames=3),
    SaliencyRecipe(blur="disc blur twice"),
    SaliencyRecipe(blur="Gaussian of Fel 2022"),
    SaliencyRecipe(blur=SaliencyGaussian(sd_px=4.0)),
    SaliencyRecipe(blur=SaliencyGaussian(sd_px=8.0)),
    SaliencyRecipe(clip_frames=16),
]


def test_names_tell_recipes_apart():
    assert len({recipe.name for recipe in RECIPES}) == len(RECIPES)


def test_names_in_full():
    assert SaliencyRecipe().name == (
        "gradient of feature norm of pooled features at the last step; abs-max; "
        "mean of frames, still clip of 8 frames; no blur"
    )
    recipe = SaliencyRecipe(
        target=ProbeLogit(weight=torch.eye(2), readout=Readout(layer="deep")),
        method=GradCam(layer="deep"),
        frames=3,
        blur=SaliencyGaussian(sd_px=4.0),
    )
    assert recipe.name == (
        "Grad-CAM at deep of linear-probe logit of the probe's own class from deep at the last "
        "step; frame 3, still clip of 8 frames; Gaussian blur SD 4 px at 224 px"
    )


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_recipes_are_plain_data(recipe):
    data = json.loads(json.dumps(recipe.to_dict()))
    assert data["name"] == recipe.name
    assert data["target"]["type"] == type(recipe.target).__name__
    assert data["method"]["type"] == type(recipe.method).__name__


def test_plain_data_keeps_every_setting():
    recipe = SaliencyRecipe(target=FeatureNorm(readout=Readout(layer="deep")), method=SmoothGrad())
    assert recipe.to_dict() == {
        "name": recipe.name,
        "target": {
            "type": "FeatureNorm",
            "readout": {"layer": "deep", "time": "last"},
            "centred": False,
        },
        "method": {"type": "SmoothGrad", "samples": 16, "noise_sd": 0.2},
        "channels": "abs-max",
        "frames": "mean of frames",
        "blur": "no blur",
        "clip_frames": 8,
    }


def test_a_probes_weights_stand_for_themselves_by_hash():
    def weights(scale: float) -> str:
        recipe = SaliencyRecipe(target=ProbeLogit(weight=scale * torch.eye(2)))
        return recipe.to_dict()["target"]["weight"]

    assert weights(1.0).startswith("float32 [2, 2], sha256 ")
    assert weights(1.0) == weights(1.0) != weights(2.0)


def test_frames_that_no_clip_has_are_refused():
    with pytest.raises(ValueError, match="from 0 and below clip_frames = 8, got 8"):
        SaliencyRecipe(frames=8)
    with pytest.raises(ValueError, match="got -1"):
        SaliencyRecipe(frames=-1)
