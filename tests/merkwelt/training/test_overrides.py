import json

import pytest

from merkwelt.recipes import recipe
from merkwelt.training import load_experiment, train
from merkwelt.training.config_file import from_plain, to_plain
from merkwelt.training.field_types import described, fitting
from merkwelt.training.overrides import overridden, parse_overrides

from .drifting import drifting_clips, small_experiment


def _changed(*texts):
    return overridden(recipe("sfa"), parse_overrides(texts))


def test_values_are_json_and_nothing_is_run():
    texts = ["a.b=3e-4", "c=null", "d=true", "e=[1, 2]", "f=bf16", "g=NaN", "h=__import__('os')"]
    assert parse_overrides(texts) == {
        "a.b": 3e-4,
        "c": None,
        "d": True,
        "e": [1, 2],
        "f": "bf16",
        "g": "NaN",
        "h": "__import__('os')",
    }
    with pytest.raises(
        ValueError, match="settings such as optimiser.learning_rate=3e-4, got 'ema'"
    ):
        parse_overrides(["ema"])
    with pytest.raises(ValueError, match="each setting once, got 'ema' twice"):
        parse_overrides(["ema=0.9", "ema=0.99"])


def test_settings_are_changed_by_name():
    changed = _changed(
        "optimiser.learning_rate=3e-4", "encoder.eyes=1", "encoder.widths=[8,8,8,16]", "ema=0.99"
    )
    assert changed.optimiser.learning_rate == 3e-4
    assert (changed.encoder.eyes, changed.encoder.widths) == (1, (8, 8, 8, 16))
    assert changed.ema == 0.99
    whole = _changed("crop_share=1").crop_share
    assert (whole, type(whole)) == (1.0, float)


def test_another_kind_comes_with_its_defaults():
    changed = _changed("objective.width=8", "objective.kind=PredictionConfig")
    expected = recipe("predict").objective
    assert type(changed.objective) is type(expected)
    assert (changed.objective.width, changed.objective.feature_weight) == (
        8,
        expected.feature_weight,
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("optimiser.rate=1", "cannot override 'optimiser.rate': there is .*'learning_rate'"),
        ("speed=1", "cannot override 'speed': there is .*'batch_size'"),
        ("steps.more=1", "cannot override 'steps.more': steps has no fields"),
        ("encoder.kind=Wish", "of a kind out of .*'StereoCNNConfig'.* got 'Wish'"),
        ("encoder.kind=OptimiserConfig", "Experiment.encoder to be .*StereoCNNConfig.* got Optim"),
        ("encoder.eyes=true", "StereoCNNConfig.eyes to be a whole number, got True"),
        ("encoder.eyes=1.5", "StereoCNNConfig.eyes to be a whole number, got 1.5"),
        ("ema=fast", "Experiment.ema to be a number or null, got 'fast'"),
        ("precision=fp8", "Experiment.precision to be one of 'float32', 'bf16', got 'fp8'"),
        ("encoder.widths=[1,2]", r"widths to be a list of 4, each a whole number, got \[1, 2\]"),
        ("mask_saccades=1", "Experiment.mask_saccades to be true or false, got 1"),
        ("optimiser.learning_rate=-1", "learning_rate and clip_norm above 0"),
        ("optimiser=null", "Experiment.optimiser to be OptimiserConfig, got None"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_would(text, said):
    with pytest.raises(ValueError, match=said):
        _changed(text)


def test_types_in_words():
    assert described(tuple[int, ...]) == "a list, each a whole number"
    assert described(tuple[int, str]) == "a list of 2: a whole number, text"
    assert fitting((1, 2), tuple[float, ...], "x") == (1.0, 2.0)
    with pytest.raises(ValueError, match="expected x to be text"):
        fitting(None, str, "x")


def test_a_missing_field_without_default_is_named():
    with pytest.raises(ValueError, match="Experiment needs objective"):
        from_plain({"kind": "Experiment", "name": "sfa"})


def test_a_run_of_an_older_version_is_gone_on_with_and_takes_new_settings(tmp_path):
    experiment, run = small_experiment("sfa", steps=2), tmp_path / "run"
    train(experiment, drifting_clips(), run, device="cpu")
    config = json.loads((run / "config.json").read_text())
    for name in ("precision", "compile", "ema", "diagnose_every"):
        assert config["experiment"].pop(name, "missing") != "missing"
    (run / "config.json").write_text(json.dumps(config))
    assert train(experiment, drifting_clips(), run, device="cpu").steps == 2
    assert load_experiment(run, {"precision": "bf16"}).precision == "bf16"
    assert to_plain(load_experiment(run)) == to_plain(experiment)
