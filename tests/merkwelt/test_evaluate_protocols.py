"""``merkwelt evaluate --protocol``: whole protocols by name, with ceilings from single people."""

import csv
import json
from pathlib import Path

import pytest

from merkwelt.cli import main

IMAGES, PEOPLE = 3, 6


@pytest.fixture(scope="module")
def clicks(shared_data, tmp_path_factory) -> Path:
    """Clicks of six people on each of three real pictures."""
    source = shared_data / "clickme" / "bubbleview_osie"
    folder = tmp_path_factory.mktemp("clicks")
    with (source / "clicks.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    names = list(dict.fromkeys(row["image_path"] for row in rows))[:IMAGES]
    kept = [row for n in names for row in [r for r in rows if r["image_path"] == n][:PEOPLE]]
    with (folder / "clicks.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(kept)
    (folder / "images").symlink_to((source / "images").resolve())
    return folder / "clicks.csv"


@pytest.mark.parametrize(
    ("protocol", "blur", "metrics", "halves"),
    [
        ("merkwelt", "disc blur twice", ["Spearman", "ROC AUC", "IoU"], "plain"),
        (
            "fel2022",
            "no blur",
            ["Spearman", "Spearman at 1/4", "Spearman at 1/16", "Dice", "IoU"],
            "plain",
        ),
        (
            "co3d2025",
            "disc blur twice",
            ["Spearman", "IoU curve", "rank order", "rank Pearson", "rank cosine"],
            "bootstrap-filled",
        ),
    ],
)
def test_a_protocol_says_all_of_it(
    shared_data, clicks, tmp_path, capsys, protocol, blur, metrics, halves
):
    model = shared_data / "models_tflite" / "mobilenet_v1_0.25_128_quant.tflite"
    out = tmp_path / "scores"
    words = ["evaluate", str(model), "--maps", str(clicks), "--out", str(out)]
    assert main([*words, "--protocol", protocol]) == 0
    printed = capsys.readouterr().out
    assert "over split-half ceiling" in printed
    assert "floor-corrected" in printed
    results = json.loads((out / "results.json").read_text())
    assert results["version"] == 2
    assert [metric["name"] for metric in results["metrics"]] == metrics
    assert results["recipe"]["name"].endswith(blur)
    assert results["settings"]["whole_image"] == (protocol == "fel2022")
    assert results["settings"]["ceilings"]["halves"] == halves
    half = results["metrics"][0]["ceilings"][0]
    assert half["measured"]
    assert halves in half["source"]
    assert f"{PEOPLE} people" in half["source"]
    assert half["interval"]["count"] == IMAGES
    assert 0.1 < half["value"] < 0.95
    assert half["over_ceiling"]["mean"] == pytest.approx(
        results["metrics"][0]["score"]["mean"] / half["value"]
    )
    report = (out / "report.html").read_text()
    assert "split-half ceiling" in report
    assert "floor-corrected" in report


def test_protocols_need_human_maps(shared_data, tmp_path, capsys):
    model = shared_data / "models_tflite" / "mobilenet_v1_0.25_128_quant.tflite"
    words = ["evaluate", str(model), "--out", str(tmp_path / "scores"), "--protocol", "fel2022"]
    assert main(words) != 0
    message = " ".join(capsys.readouterr().err.split())
    assert "compares with human maps" in message
    assert not (tmp_path / "scores").exists()
