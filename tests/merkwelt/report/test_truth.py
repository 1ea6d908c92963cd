"""Pictures of ground truth: the right colour in the right place."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from merkwelt.render.truth.quantities import Fate, Target, Truth

from merkwelt.report import ClipPlayer, FigureBlock, Report, figure_png, truth_figure, truth_section
from merkwelt.report.stereo import NO_DEPTH
from merkwelt.report.truth_pictures import (
    DISPARITY_COLOURS,
    MASK_COLOURS,
    colour_fates,
    colour_flow,
    colour_ids,
    colour_scale,
    flow_wheel,
    truth_pictures,
)


@pytest.fixture
def knowing(clip):
    eyes, frames, _, height, width = clip.video.shape
    shape = (eyes, frames, height, width)
    generator = torch.Generator().manual_seed(1)
    masks = torch.full((eyes, frames, 3, height, width), Fate.VISIBLE, dtype=torch.uint8)
    masks[:, :, Target.OTHER_EYE, :, :5] = Fate.HIDDEN
    truth = Truth(
        flow_forward=torch.randn((eyes, frames, 2, height, width), generator=generator),
        disparity=1 + torch.rand(shape, generator=generator),
        masks=masks,
        ids=torch.randint(-1, 2, shape, generator=generator),
        confidence=torch.rand(shape, generator=generator),
        objects=("sofa", "rug_2"),
    )
    return replace(clip, truth=truth)


def _hue(rgb):
    import colorsys

    return colorsys.rgb_to_hsv(*(np.asarray(rgb, float) / 255))[0]


def test_flow_is_white_when_still_and_turns_through_the_hues():
    flow = np.zeros((2, 1, 5))
    flow[:, 0] = [[0, 3, 0, -3, np.nan], [0, 0, 3, 0, 0]]
    rgb = colour_flow(flow, longest_px=3.0)[0]
    assert rgb[0].tolist() == [255, 255, 255]
    assert rgb[1].tolist() == [255, 0, 0]  # To the right: red.
    assert _hue(rgb[2]) == pytest.approx(0.25, abs=0.01)  # Downwards: a quarter of the circle on.
    assert _hue(rgb[3]) == pytest.approx(0.5, abs=0.01)
    assert tuple(rgb[4]) == NO_DEPTH
    half = colour_flow(flow / 2, longest_px=3.0)[0]
    assert half[1].tolist() == [255, 128, 128]


def test_the_wheel_has_a_colour_where_its_flow_leads():
    wheel = flow_wheel(101)
    assert wheel[50, 50].min() > 245
    assert wheel[0, 0].tolist() == [255, 255, 255]
    for x, y in ((40, 0), (0, 40), (-30, 20)):
        expected = colour_flow(np.array([x, y], float).reshape(2, 1, 1), longest_px=50.0)[0, 0]
        assert np.abs(wheel[50 + y, 50 + x].astype(int) - expected).max() <= 2


def test_scale_runs_from_dark_to_bright_and_leaves_gaps_grey():
    rgb = colour_scale(np.array([1.0, 2.0, 3.0, 9.0, np.nan]), 1.0, 3.0, DISPARITY_COLOURS)
    brightness = rgb.astype(int).sum(axis=-1)
    assert brightness[0] < brightness[1] < brightness[2] == brightness[3]
    assert tuple(rgb[4]) == NO_DEPTH


def test_fates_lie_over_the_pale_picture():
    picture = np.full((1, 4, 3), 100, np.uint8)
    fates = np.array([[Fate.UNKNOWN, Fate.VISIBLE, Fate.HIDDEN, Fate.OUTSIDE]], np.uint8)
    rgb = colour_fates(fates, picture)[0]
    assert tuple(rgb[0]) == NO_DEPTH
    assert len(set(rgb[1].tolist())) == 1
    hexes = ["#" + "".join(f"{v:02x}" for v in rgb[i]) for i in (2, 3)]
    assert hexes == [MASK_COLOURS[Fate.HIDDEN], MASK_COLOURS[Fate.OUTSIDE]]


def test_every_object_has_its_own_colour_and_the_background_none():
    ids = np.arange(-1, 40)[None]
    rgb = colour_ids(ids, np.full((1, 41, 3), 128, np.uint8))[0].astype(int)
    assert np.ptp(rgb[0]) == 0
    distance = np.abs(rgb[:, None] - rgb[None]).sum(-1) + 999 * np.eye(41, dtype=int)
    assert distance.min() >= 5
    assert (distance[1:-1, 2:].diagonal() > 60).all()  # Neighbours in the list differ clearly.


def test_section_shows_what_the_clip_holds(knowing):
    section = truth_section(knowing)
    player = next(block for block in section.blocks if isinstance(block, ClipPlayer))
    assert [panel.name for panel in player.panels] == [
        "The picture",
        "Flow to the next frame",
        "Disparity",
        "Seen in the other eye",
        "Seen in the next frame",
        "Seen in the previous frame",
        "Objects",
        "Confidence",
    ]
    hidden = np.array([int(MASK_COLOURS[Fate.HIDDEN][i : i + 2], 16) for i in (1, 3, 5)])
    seen = player.panels[3].frames[0]
    assert (seen[:, :5] == hidden).all()
    assert not (seen[:, 5:] == hidden).all(-1).any()
    assert "full colour" in player.caption
    assert any(isinstance(block, FigureBlock) for block in section.blocks)
    assert "Disparity" in Report(title="a", sections=(section,)).to_html()


def test_saccades_do_not_wash_out_the_flow_of_other_frames(knowing):
    flow = torch.ones_like(knowing.truth.flow_forward)
    flow[:, 5] = 500.0
    flow[:, -1] = torch.nan
    leaping = replace(knowing, truth=Truth(flow_forward=flow))
    shown = truth_pictures(leaping, eye=0, frames=np.arange(flow.shape[1]))[0]
    assert "full colour: 1.4 px" in shown.note
    assert shown.rgb[0].min() == 0
    assert tuple(shown.rgb[-1, 0, 0]) == NO_DEPTH
    nowhere = replace(knowing, truth=Truth(flow_forward=flow * torch.nan))
    assert (truth_pictures(nowhere, eye=1, frames=np.array([0]))[0].rgb == NO_DEPTH).all()


def test_section_of_a_clip_without_truth_says_so(clip):
    section = truth_section(clip)
    assert section.blocks == ()
    assert "no ground truth" in section.lead


def test_figure_has_the_left_eye_above_the_right(knowing):
    figure = truth_figure(knowing, frame=2)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles.index("left eye") < titles.index("right eye")
    assert titles.count("Disparity") == 2
    shown = figure.axes[titles.index("right eye")].images[0].get_array()
    np.testing.assert_array_equal(shown, knowing.video[1, 2].permute(1, 2, 0).numpy())
    assert figure_png(figure, dots_per_inch=40)[:4] == b"\x89PNG"
