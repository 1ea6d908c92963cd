"""The sixteen photographs that are named by their ImageNet label, as a model sees them."""

from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest
import torch
from merkwelt.alignment import HumanMaps, ScoredModel
from merkwelt.alignment.prepare import prepare_by


def _prepared_photos(folder: Path, model: ScoredModel) -> tuple[list[str], torch.Tensor]:
    """Return the names and the images in [0, 1] at the model's own size."""
    wanted = model.preparation
    paths = sorted((folder / "images_cc" / "images").glob("*.jpg"))
    images = [_prepared(imageio.imread(path)[..., :3], wanted) for path in paths]
    return [path.stem.replace("_", " ") for path in paths], torch.stack(images)


def _prepared(picture: np.ndarray, wanted) -> torch.Tensor:
    one = HumanMaps(
        images=picture[None],
        maps=np.zeros((1, *picture.shape[:2]), np.float32),
        names=("photo",),
        labels=("",),
        kind="none",
        are_human=False,
        source="",
        licence="",
    )
    return prepare_by(one, wanted).images[0]


def _ranks_of_truth(folder: Path, model: ScoredModel) -> list[int]:
    """Return the place of each photograph's own label among the model's answers, 0 for the best."""
    names, images = _prepared_photos(folder, model)
    assert model.classes is not None
    with torch.no_grad():
        logits = model.encoder(images[:, None, None]).pooled[:, 0]
    ranks = []
    for name, row in zip(names, logits, strict=True):
        order = [model.classes[int(each)].lower() for each in row.argsort(descending=True)]
        ranks.append(next(i for i, words in enumerate(order) if name in words.split(", ")))
    return ranks


@pytest.fixture
def prepared_photos():
    return _prepared_photos


@pytest.fixture
def ranks_of_truth():
    return _ranks_of_truth
