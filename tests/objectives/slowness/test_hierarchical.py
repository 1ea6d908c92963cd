import numpy as np
import pytest
from merkwelt.objectives import fit_sfa
from merkwelt.objectives.slowness.hierarchical import (
    HierarchicalFeatures,
    fit_hierarchical_sfa,
)
from merkwelt.objectives.slowness.hierarchy_config import (
    HierarchyConfig,
    LayerConfig,
    NodeConfig,
    panorama_hierarchy,
)

from .oracles import correlation, monomials


def _blobs(clips=4, frames=120, size=12, channels=None):
    """Return video of a bright blob that wanders, with fast flicker, and where the blob is."""
    rng = np.random.default_rng(0)
    steps = rng.normal(0, 0.4, size=(clips, frames, 2)).cumsum(axis=1)
    place = size / 2 + (size / 2 - 2) * np.sin(steps / 3 + rng.normal(size=(clips, 1, 2)))
    grid = np.arange(size) + 0.5
    distance = np.square(grid[:, None] - place[..., None, None, 1]) + np.square(
        grid[None, :] - place[..., None, None, 0]
    )
    video = np.exp(-distance / 8) * rng.uniform(0.7, 1, size=(clips, frames, 1, 1))
    if channels is not None:
        video = video[:, :, None] * np.linspace(0.5, 1, channels)[:, None, None]
    return video + 0.01 * rng.normal(size=video.shape), place


def _config(*, shared=True, noise_variance=0.0):
    node = NodeConfig(inputs=6, outputs=5, noise_variance=noise_variance)
    return HierarchyConfig(
        layers=(
            LayerConfig(patch_rowcol=(6, 6), stride_rowcol=(3, 3), node=node, shared=shared),
            LayerConfig(patch_rowcol=(2, 3), stride_rowcol=(1, 1), node=node, shared=shared),
        ),
        top=NodeConfig(inputs=8, outputs=4),
        covariance="total",
    )


def _reference_node(patches, node, tolerance=1e-7):
    """Return what a node makes of clips of patches: each step as its own formula has it."""
    first = fit_sfa(patches, outputs=node.inputs, covariance="total", rank_tolerance=tolerance)
    expanded = [monomials(first(clip), 2) for clip in patches]
    second = fit_sfa(expanded, outputs=node.outputs, covariance="total", rank_tolerance=tolerance)
    return [second(clip) for clip in expanded]


def test_a_hierarchy_is_its_nodes_one_after_the_other():
    video, _ = _blobs(channels=2)
    config = HierarchyConfig(
        layers=(_config(shared=False).layers[0],), top=_config().top, covariance="total"
    )
    fit = fit_hierarchical_sfa(video, config)
    got = fit(video)
    below = []
    for row in (0, 3, 6):
        for column in (0, 3, 6):
            patch = video[:, :, :, row : row + 6, column : column + 6]
            # Pixels in any order: a node's features do not depend on it.
            below.append(
                _reference_node(patch.reshape(*patch.shape[:2], -1), config.layers[0].node)
            )
    joined = [np.concatenate([place[i] for place in below], axis=1) for i in range(len(video))]
    expected = np.stack(_reference_node(joined, config.top))
    assert got.shape == (4, 120, 4)
    for i in range(4):
        # Layers hand on float32.
        assert correlation(got[..., i].ravel(), expected[..., i].ravel()) > 1 - 1e-5


@pytest.mark.parametrize("shared", [True, False])
def test_top_features_tell_where_the_blob_is(shared):
    video, place = _blobs(clips=8, frames=200)
    fit = fit_hierarchical_sfa(video.astype(np.float32), _config(shared=shared))
    features = fit(video)
    assert np.all(np.diff(fit.delta) >= 0)
    unit = features.reshape(-1, 4)
    np.testing.assert_allclose(unit.T @ unit / len(unit), np.eye(4), atol=1e-3)
    design = np.column_stack([np.ones(len(unit)), unit])
    for axis in range(2):
        target = place[..., axis].ravel()
        found = design @ np.linalg.lstsq(design, target, rcond=None)[0]
        assert correlation(found, target) > 0.9
    # The flicker of the pixels is fast; what is found is far slower.
    pixels = np.square(np.diff(video, axis=1)).mean() / video.var(axis=(0, 1)).mean()
    assert fit.delta[0] < 0.3 * pixels


def test_the_panorama_has_ratlabs_nodes():
    config = panorama_hierarchy()
    assert config.grids(40, 320) == [(9, 63), (2, 8)]
    assert [layer.node.outputs for layer in config.layers] == [32, 32]
    assert config.layers[0].node.noise_variance == 0.05
    with pytest.raises(ValueError, match=r"to cover \(35, 55\) rows and columns exactly"):
        config.grids(35, 55)


def test_noise_slows_nothing():
    video, _ = _blobs()
    plain = fit_hierarchical_sfa(video, _config())
    noisy = fit_hierarchical_sfa(video, _config(noise_variance=0.05))
    assert noisy.layers[0][0].delta[0] > plain.layers[0][0].delta[0]


def test_masked_frames_do_not_count():
    video, _ = _blobs()
    flashing = video.copy()
    flashing[:, 50:53] = 20
    pairs = np.ones((4, 119), dtype=bool)
    pairs[:, 49:53] = False
    fit = fit_hierarchical_sfa(flashing, _config(), valid_pairs=pairs)
    other = flashing.copy()
    other[:, 50:53] = -7
    again = fit_hierarchical_sfa(other, _config(), valid_pairs=pairs)
    np.testing.assert_allclose(again.delta, fit.delta, rtol=1e-6)


@pytest.mark.parametrize("shared", [True, False])
def test_saved_hierarchies_are_the_hierarchies(tmp_path, shared):
    video, _ = _blobs()
    fit = fit_hierarchical_sfa(video, _config(shared=shared, noise_variance=0.01))
    fit.save(tmp_path / "map.safetensors")
    again = HierarchicalFeatures.load(tmp_path / "map.safetensors")
    assert again.config == fit.config
    np.testing.assert_array_equal(again(video), fit(video))
    assert again.eta_hz(10.0).shape == (4,)


def test_wrong_hierarchies_are_refused():
    video, _ = _blobs()
    with pytest.raises(ValueError, match="at least one layer"):
        HierarchyConfig(layers=())
    with pytest.raises(ValueError, match="patches and strides of at least 1"):
        LayerConfig(patch_rowcol=(0, 4), stride_rowcol=(2, 2))
    with pytest.raises(ValueError, match="at least 1 input, output and degree"):
        NodeConfig(outputs=0)
    with pytest.raises(ValueError, match="noise variance"):
        NodeConfig(noise_variance=-1.0)
    with pytest.raises(ValueError, match="to cover"):
        fit_hierarchical_sfa(video[:, :, :11], _config())
    with pytest.raises(ValueError, match=r"clips of \[clip, time, height, width\]"):
        fit_hierarchical_sfa(video[0], _config())
    with pytest.raises(ValueError, match="as fitted to"):
        fit_hierarchical_sfa(video, _config())(video[:, :, :9])
