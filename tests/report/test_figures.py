"""Figures: each file is named after the function that draws it, says its units, is readable, and is the same on every run.

Small sizes are drawn here, full ones with ADLAB_EFFORT=2.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from shares import but_slow
from table import EFFORT

import adlab
from adlab.differences.stencils import scheme
from adlab.plots import canvas
from adlab.plots.canvas import new_axes
from adlab.report.figures import (
    cost,
    error_against_step as steps,
    fits,
    graphs,
    measure,
    plane,
    precision,
    solvers,
    swell,
    taylor,
)
from adlab.report.figures.catalogue import FIGURES, draw_all, figure_of

HALF_PAGE = 3.5  # inches
CHEAP = "forward_or_reverse"


@pytest.fixture(scope="module", autouse=True)
def small_sizes() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        if EFFORT == 1:
            patch.setattr(swell, "DEPTHS", {"logistic": range(2, 6), "chain": range(1, 5)})
            patch.setattr(swell, "FACTORS", [3, 6, 12])
            patch.setattr(taylor, "ORDERS", range(1, 5))
            patch.setattr(plane, "POINTS", 9)
            patch.setattr(cost, "SIZES", (2, 4, 8))
            patch.setattr(cost, "SHAPES", (1, 2, 4))
            patch.setattr(precision, "DRAWS", 1)
            patch.setattr(precision, "COMPONENTS", 3)
            rows = precision.feynman() if (precision.corpora() / "feynman.jsonl").exists() else []
            patch.setattr(precision, "feynman", lambda: rows[:5])
        yield


DEAR = ["work_and_precision", "gradient_cost", "measured_branches", "richardson_extrapolation", "central_differences",
        "correct_digits_over_the_plane", "one_sided_differences", "error_against_step_size", "complex_step",
        "curse_of_unrolling", "taylor_coefficients", "adjoints_through_layers", "digits_of_nist_fits"]  # fmt: skip


@pytest.fixture(scope="module", params=but_slow(FIGURES, DEAR), ids=lambda draw: draw.__name__)
def drawn(request: Any, small_sizes: None) -> tuple[Any, Any, tuple[list[Text], Any]]:
    """The function, what it returns, and the texts that it draws."""
    of_corpora = (precision.digits_over_the_feynman_corpus, fits.digits_of_nist_fits)
    if request.param in of_corpora and not (precision.corpora() / "feynman.jsonl").exists():
        pytest.skip("the corpora are not part of the project; not found beside it")
    if request.param is fits.digits_of_nist_fits and not find_spec("scipy"):
        pytest.skip("a fit needs SciPy")
    with rc_context(canvas.STYLE):
        found = request.param()
    return request.param, found, texts(figure_of(found))


def texts(figure: Any) -> tuple[list[Text], Any]:
    """Every text that is really drawn (a tick beyond the axes is not), and the renderer."""
    found: list[Text] = []
    draw = Text.draw
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Text, "draw", lambda self, *given: (found.append(self), draw(self, *given)))
        figure_canvas = FigureCanvasAgg(figure)
        figure_canvas.draw()
    return [text for text in dict.fromkeys(found) if text.get_visible() and text.get_text().strip()], figure_canvas.get_renderer()


def is_graph(draw: Any) -> bool:
    return draw.__module__ == graphs.__name__


# --- what every figure is -------------------------------------------------------------------------------------------


def test_every_figure_has_a_caption_and_every_axis_a_name(drawn: Any) -> None:
    draw, found, _ = drawn
    assert len(" ".join(draw.__doc__.split())) > 80
    if is_graph(draw):
        return  # a graph has no axes
    shown = [ax for ax in np.ravel(found) if ax.axison]
    assert shown
    assert any(ax.get_xlabel() for ax in shown)
    assert any(ax.get_ylabel() for ax in shown)
    assert all(ax.get_title() for ax in shown)


def test_no_text_overlaps_another_and_none_leaves_the_figure(drawn: Any) -> None:
    draw, found, (shown, renderer) = drawn
    figure = figure_of(found)
    assert shown
    boxes = {text: text.get_window_extent(renderer) for text in shown}
    slack = 1.5  # pixels at 100 dpi: boxes of text hold its leading too
    for one, other in combinations(boxes, 2):
        a, b = boxes[one], boxes[other]
        across, along = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        assert min(across, along) < slack, (draw.__name__, one.get_text(), other.get_text())
    for text, box in boxes.items():
        assert box.x0 > -slack, text.get_text()
        assert box.y0 > -slack, text.get_text()
        assert box.x1 < figure.bbox.width + slack, text.get_text()
        assert box.y1 < figure.bbox.height + slack, text.get_text()


def test_no_legend_covers_what_is_measured(drawn: Any) -> None:
    draw, found, (_, renderer) = drawn
    for ax in np.ravel(found):
        for legend in [ax.get_legend()] if ax.get_legend() else []:
            assert not covered(ax, legend.get_window_extent(renderer)), draw.__name__


@pytest.mark.slow
def test_the_legend_of_steps_covers_nothing_on_any_axes() -> None:
    for size in ((4.8, 3.6), (3.5, 3.0), (8.0, 4.0)):
        ax = Figure(figsize=size, layout="constrained").add_subplot()
        adlab.steps("exp(x)", 1.0).plot(ax)
        legend, renderer = ax.get_legend(), texts(ax.figure)[1]
        box = legend.get_window_extent(renderer)
        assert not covered(ax, box)
        assert (box.x0, box.y1) >= (0, 0)
        assert box.x1 <= ax.figure.bbox.width


def covered(ax: Any, box: Any) -> list[str]:
    """The lines and points that go through a box, by their labels."""
    paths = [(line, line.get_transform().transform_path(line.get_path())) for line in ax.lines]
    return [line.get_label() for line, path in paths if path.intersects_bbox(box, filled=False)]


def test_text_is_at_least_six_points_high_on_half_a_page(drawn: Any) -> None:
    draw, found, (shown, _) = drawn
    if draw is graphs.worked_example_program:
        return  # two graphs side by side: for a whole page
    width = figure_of(found).get_figwidth()
    smallest = min(text.get_fontsize() for text in shown)
    assert width <= canvas.WIDE
    assert smallest * min(1.0, HALF_PAGE / width) >= 6.0
    assert is_graph(draw) or smallest >= canvas.SMALL


def test_a_figure_is_drawn_on_the_axes_given() -> None:
    ax = new_axes()
    assert cost.forward_or_reverse(ax) is ax
    spots = canvas.panels(None, 2, 2)
    assert plane.correct_digits_over_the_plane(spots)[0] is spots[0]


@pytest.mark.slow
def test_drawing_twice_gives_the_same_bytes(tmp_path: Any) -> None:
    for run, name in [(run, name) for run in ("first", "second") for name in (CHEAP, "correct_digits_over_the_plane")]:
        list(draw_all(tmp_path / run, only=name))
    written = sorted(path.name for path in (tmp_path / "first").iterdir())
    assert len(written) == 4
    for name in written:
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes(), name


def test_no_file_holds_a_date(tmp_path: Any) -> None:
    for path in draw_all(tmp_path, only=CHEAP):
        held = path.read_bytes()
        assert b"tEXt" not in held[:1000]
        assert b"dc:date" not in held


def test_drawing_sets_no_global_style(tmp_path: Any) -> None:
    import matplotlib

    before = dict(matplotlib.rcParams)
    list(draw_all(tmp_path, only=CHEAP))
    assert dict(matplotlib.rcParams) == before


def test_an_unknown_figure_is_refused_with_the_known_ones(tmp_path: Any) -> None:
    with pytest.raises(adlab.OptionError, match="gradient_cost"):
        list(draw_all(tmp_path, only="nothing"))


def test_a_directory_that_cannot_be_written_is_said_so(tmp_path: Any) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(adlab.AdlabError, match="cannot write"):
        list(draw_all(tmp_path / "file", only=CHEAP))


def test_without_the_corpus_its_figure_is_left_out_with_a_reason(tmp_path: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("ADLAB_CORPORA", str(tmp_path / "nowhere"))
    monkeypatch.setattr(precision, "feynman", READ)
    (said,) = draw_all(tmp_path, only="digits_over_the_feynman_corpus")
    assert "ADLAB_CORPORA" in said
    assert not list(tmp_path.iterdir())


READ = precision.feynman


# --- what they show -------------------------------------------------------------------------------------------------


def test_richardson_columns_are_stencils_of_order_two_four_six_eight() -> None:
    columns = [steps.extrapolated(k) for k in range(4)]
    assert [column.order for column in columns] == [2, 4, 6, 8]
    assert columns[0] == scheme("central-difference")
    assert columns[1] == scheme("central-difference-4")


def test_steps_take_any_stencil_for_the_first_derivative() -> None:
    found = adlab.steps("exp(x)", 1.0, schemes=[steps.extrapolated(2)])
    assert found.curves[0].truncation_slope == pytest.approx(6, abs=0.1)
    with pytest.raises(adlab.OptionError, match="not a difference scheme"):
        adlab.steps("exp(x)", 1.0, schemes=[type(steps.extrapolated(0)).of([-1, 0, 1], derivative=2)])


def test_reverse_mode_keeps_its_digits_over_the_plane_and_differences_lose_half() -> None:
    f = adlab.gallery.worked_example()
    found = plane.digits_over(f, np.linspace(-3, 3, 7), plane.SHOWN)
    inside = ~np.isnan(found["reverse"])
    assert 0 < inside.sum() < inside.size  # the domain ends within the square
    assert (found["reverse"][inside] > 12).all()
    assert np.median(found["forward-difference"][inside]) < 9 < np.median(found["central-difference"][inside]) < 12
    assert (np.isnan(found["central-difference"]) == ~inside).all()


def test_the_crossover_lies_where_inputs_and_outputs_are_as_many() -> None:
    ratio = {(n, m): cost.forward_over_reverse(adlab.gallery.network(n, m)) for n in (1, 8) for m in (1, 8)}
    assert ratio[8, 1] > 2 > 0.5 > ratio[1, 8]
    assert ratio[8, 8] == pytest.approx(1, abs=0.05)


def test_an_unrolled_derivative_is_late_and_an_implicit_one_is_as_good_as_the_value() -> None:
    by_title = {iteration.title.split(":")[0]: iteration for iteration in solvers.ITERATIONS}
    for name in ("fixed point", "minimum", "linear system"):
        found = solvers.errors(by_title[name], [60])
        assert found["implicit"][0] < 3 * found["value"][0]
        assert found["unrolled"][0] > 3 * found["implicit"][0]
    fast = solvers.errors(by_title["root"], [10])
    assert max(error[0] for error in fast.values()) < 1e-14
    assert solvers.errors(by_title["integral"], [1])["implicit"][0] < 1e-15
    orders = solvers.errors(by_title["differential equation"], [8, 16])
    for error in orders.values():
        assert np.log2(error[0] / error[1]) == pytest.approx(4, abs=0.7)
    settled = "certified" if find_spec("flint") else "heuristic"
    for iteration in solvers.ITERATIONS:
        assert adlab.truth(adlab.Function(iteration.closed, variables=["p"]), iteration.p).status == settled


def test_digits_of_an_error_are_its_negative_logarithm_and_never_beyond_sixteen() -> None:
    f, methods = adlab.Function("x**2"), adlab.methods()
    assert measure.relative_error(f, methods["reverse"], np.array([3.0]), [6]) == 0
    assert measure.digits(1e-40) == 16
    assert measure.relative_error(adlab.Function("abs(x)"), methods["complex-step"], np.array([3.0]), [1]) is None
    wrong = measure.relative_error(f, methods["reverse"], np.array([3.0]), [5])
    assert wrong == pytest.approx(0.2)
    assert measure.relative_error(f, methods["reverse"], np.array([3.0]), [0]) == np.inf


@pytest.mark.parametrize("places", [[0.0], [0.0, 0.0, 0.0], [0.0, 0.1, 5.0, 5.05, 5.2], [1.0, 1.0, 1.5, 2.0]])
def test_labels_are_moved_apart_and_keep_their_order_and_their_mean(places: list[float]) -> None:
    found = canvas.spread(places, 1.0)
    assert (np.diff(found) >= 1.0 - 1e-12).all()
    assert np.mean(found) == pytest.approx(np.mean(places))
