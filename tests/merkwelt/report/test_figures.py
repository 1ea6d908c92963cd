"""Plots: not blank, right numbers in right places, untouched by the user's settings."""

import json
from dataclasses import replace

import cv2
import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from merkwelt.report import figure_png, plan_plot, timeline_plot, trajectory_plot, walkable_of
from merkwelt.report.curves import (
    Curve,
    CurvePanel,
    Floor,
    curve_plot,
    number,
    read_metrics,
    running_mean,
)
from merkwelt.report.encode import figure_svg
from merkwelt.report.labels import round_length, spread
from merkwelt.report.scores import ScoreRow, score_plot


def pixels(figure):
    data = np.frombuffer(figure_png(figure, dots_per_inch=80), np.uint8)
    return cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1].astype(int)


def has_colour(image, hexadecimal):
    wanted = [int(hexadecimal[i : i + 2], 16) for i in (1, 3, 5)]
    return bool((np.abs(image - wanted).max(axis=-1) <= 6).any())


def texts(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_trajectory_plot_shows_path_gaze_and_names(trajectory, card, walkable):
    figure = trajectory_plot(trajectory, card, walkable)
    image = pixels(figure)
    assert has_colour(image, "#2166ac")
    assert has_colour(image, "#f0eee9")
    drawn = texts(figure)
    assert {"sofa", "rug 2", "0.0 s", "1.1 s", "1 m"} <= set(drawn)


def test_plan_puts_boxes_and_cells_where_they_are(card, walkable):
    axes = plan_plot(card, walkable).axes[0]
    assert axes.get_aspect() == 1.0
    outlines = [patch.get_xy() for patch in axes.patches if hasattr(patch, "get_closed")]
    sofa = max(outlines, key=lambda xy: np.ptp(xy[:, 0]))
    np.testing.assert_allclose([sofa[:, 0].min(), sofa[:, 0].max()], [0.2, 2.2])
    np.testing.assert_allclose([sofa[:, 1].min(), sofa[:, 1].max()], [3.75, 4.65])
    fill = axes.collections[0].get_paths()[0].get_extents()
    np.testing.assert_allclose(
        [fill.x0, fill.y0, fill.x1, fill.y1], [0.5, 0.5, 5.5, 4.5], atol=1e-9
    )


def test_names_stay_inside_the_plan(card):
    low, high = np.asarray(card.bounds)[:, :2]
    corner = replace(
        card.objects[0],
        name="an_object_of_a_long_name",
        box=replace(
            card.objects[0].box,
            centre_m=(high[0] - 0.1, low[1] + 0.1, 0.1),
            size_m=(0.2, 0.2, 0.2),
        ),
    )
    figure = plan_plot(replace(card, objects=(corner,)))
    axes = figure.axes[0]
    FigureCanvasAgg(figure).draw()  # Lays the text out.
    (name,) = [text for text in axes.texts if text.get_text().startswith("an object")]
    shown = name.get_window_extent()
    assert shown.x0 >= 0
    assert shown.x1 <= figure.bbox.x1


def test_plan_of_a_scene_without_scale_or_objects(card):
    bare = replace(card, objects=(), metres_per_unit=None)
    assert texts(plan_plot(bare)) == ["1 unit"]


def test_one_still_frame_is_a_place(trajectory, card):
    arrays = {
        name: values[:, :1] if name == "world_from_eye" else values[:1]
        for name, values in trajectory.to_arrays().items()
    }
    still = type(trajectory).from_arrays(arrays)
    assert "standing" in texts(trajectory_plot(still, card))
    assert np.ptp(pixels(timeline_plot(still))) > 100


def test_timeline_gives_gaze_in_degrees(trajectory):
    yaw, elevation = timeline_plot(trajectory).axes[1].lines[:2]
    np.testing.assert_allclose(yaw.get_ydata(), 0, atol=1e-9)
    np.testing.assert_allclose(elevation.get_ydata(), 0, atol=1e-9)
    turned = trajectory.world_from_eye.copy()
    turned[:, -1, :3, 2] = [0, 1, 0]
    line = timeline_plot(replace(trajectory, world_from_eye=turned)).axes[1].lines[0]
    assert line.get_ydata()[-1] == pytest.approx(90)


def test_walkable_of_transposes_the_ground():
    from merkwelt.render.navigation.ground import Ground
    from merkwelt.render.navigation.navigation import Navigation

    reachable = np.zeros((4, 3), dtype=bool)
    reachable[3, 0] = True
    ground = Ground(
        origin_xy_m=np.array([1.05, 2.05]),
        cell_m=0.1,
        clearance_m=np.ones((4, 3)),
        reachable=reachable,
        coverage=np.ones((4, 3)),
        floor_height_m=0.0,
    )
    free, origin, cell_m = walkable_of(Navigation(ground=ground))
    assert free.shape == (3, 4)
    assert free[0, 3]
    assert origin == pytest.approx((1.0, 2.0))
    assert cell_m == 0.1
    assert walkable_of(None) is None
    assert walkable_of(Navigation()) is None


def panel(values, *floors):
    curve = Curve(name="train", steps=np.arange(len(values)), values=np.asarray(values, float))
    return CurvePanel(title="error", curves=(curve,), floors=floors)


def test_curve_plot_labels_ends_and_floors():
    figure = curve_plot(panel([4, 3, 2, 1], Floor(name="copy last frame", value=2.5)))
    assert texts(figure) == ["train  1", "copy last frame  2.5"]
    dashed = [line for line in figure.axes[0].lines if line.get_linestyle() == "--"]
    assert [line.get_ydata()[0] for line in dashed] == [2.5]
    assert has_colour(pixels(figure), "#2166ac")


def test_curve_plot_turns_logarithmic_and_survives_odd_values():
    assert curve_plot(panel([100, 10, 1])).axes[0].get_yscale() == "log"
    assert curve_plot(panel([100, 10, -1])).axes[0].get_yscale() == "linear"
    assert texts(curve_plot(panel([np.nan, np.nan]))) == ["nothing measured"]
    for values in ([1.0], [2.0, np.nan, 1.0], np.r_[np.nan, np.ones(99)], [0.0, 0.0]):
        assert np.ptp(pixels(curve_plot(panel(values, Floor(name="f", value=np.nan))))) > 100


def test_running_mean_against_a_loop():
    values = np.random.default_rng(0).standard_normal(30)
    values[7] = np.nan
    expected = [np.nanmean(values[max(0, i - 3) : i + 4]) for i in range(30)]
    np.testing.assert_allclose(running_mean(values, 3), expected)


def test_read_metrics(tmp_path):
    path = tmp_path / "metrics.jsonl"
    lines = [{"step": 1, "loss": 2.0, "note": "a"}, {"step": 2, "loss": 1.0, "ok": True, "rank": 3}]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"step": 3, "lo')
    metrics = read_metrics(path)
    assert set(metrics) == {"loss", "rank"}
    np.testing.assert_array_equal(metrics["loss"].steps, [1, 2])
    np.testing.assert_array_equal(metrics["loss"].values, [2, 1])
    path.write_text('{"step": 1}\n[1]\n')
    with pytest.raises(ValueError, match="line 2: expected a JSON object with a step"):
        read_metrics(path)


def test_score_plot_places_dots_intervals_and_chance():
    rows = (
        ScoreRow(name="model", value=0.3, low=0.2, high=0.4),
        ScoreRow(name="floor", value=-0.1, is_floor=True),
        ScoreRow(name="broken", value=float("nan")),
    )
    figure = score_plot(rows, label="Spearman", ceiling=("people", 0.6))
    axes = figure.axes[0]
    assert {"0.300", "\N{MINUS SIGN}0.100", "undefined", "people  0.6"} <= set(texts(figure))
    drawn = [tuple(line.get_xdata()) for line in axes.lines]
    assert (0.2, 0.4) in drawn
    assert (0.3,) in drawn
    low, high = axes.get_xlim()
    assert low < -0.1
    assert high > 0.6
    assert np.ptp(pixels(figure)) > 100
    banded = score_plot(rows, label="", ceiling=("people", 0.6), ceiling_band=(0.5, 0.7))
    assert len(banded.axes[0].patches) == len(axes.patches) + 1
    unknown = score_plot(rows, label="", ceiling_band=(float("nan"), float("nan")))
    assert len(unknown.axes[0].patches) == len(axes.patches)
    with pytest.raises(ValueError, match="at least one score"):
        score_plot((), label="")


def test_names_are_text_and_no_formula_or_markup(card):
    names = ("$x^2$", "a $5 lamp", "<b>&amp;")
    objects = tuple(
        replace(
            card.objects[0], name=name, box=replace(card.objects[0].box, centre_m=(1.0, n, 0.4))
        )
        for n, name in enumerate(names)
    )
    drawing = figure_svg(plan_plot(replace(card, objects=objects)), identity="a")
    assert "$x^2$" in drawing
    assert "&lt;b&gt;&amp;amp;" in drawing


def test_users_settings_neither_matter_nor_change(card):
    plain = figure_svg(plan_plot(card), identity="a")
    with mpl.rc_context({"font.size": 30, "svg.fonttype": "path", "lines.linewidth": 9}):
        assert figure_svg(plan_plot(card), identity="a") == plain
        assert mpl.rcParams["font.size"] == 30
        assert mpl.rcParams["svg.fonttype"] == "path"


def test_svg_is_the_same_each_time_and_takes_no_size_of_its_own():
    figure = curve_plot(panel([3, 2, 1]))
    first = figure_svg(figure, identity="a")
    assert figure_svg(figure, identity="a") == first
    head = first[: first.index(">")]
    assert "viewBox" in head
    assert "width" not in head
    assert "http" not in first


def test_spread_keeps_order_and_gap():
    rng = np.random.default_rng(0)
    for _ in range(20):
        wanted = rng.random(7)
        places = spread(wanted, 0.1)
        assert (np.diff(np.sort(places)) >= 0.1 - 1e-9).all()
        np.testing.assert_array_equal(np.argsort(places), np.argsort(wanted))
        assert places.mean() == pytest.approx(wanted.mean())
    np.testing.assert_allclose(spread([0.0, 0.5, 1.0], 0.1), [0.0, 0.5, 1.0])
    np.testing.assert_allclose(spread([0.5, 0.5], 0.2), [0.4, 0.6])
    assert spread([], 0.1).shape == (0,)


@pytest.mark.parametrize(("length", "expected"), [(1.3, 1), (0.07, 0.05), (2, 2), (49, 20)])
def test_round_length(length, expected):
    assert round_length(length) == pytest.approx(expected)


def test_round_length_refuses_none():
    with pytest.raises(ValueError, match="positive length"):
        round_length(0)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.12345, "0.123"), (-2.5, "\N{MINUS SIGN}2.5"), (12345, "12,345"), (1e-5, None)],
)
def test_number(value, text):
    assert number(value) == (text or "1.00e\N{MINUS SIGN}05")
