"""Figures: each file is named after the function that draws it, says its units, and is the same on every run."""

from __future__ import annotations

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

import adlab
from adlab.report import figures


@pytest.fixture(scope="module", params=figures.FIGURES, ids=lambda draw: draw.__name__)
def drawn(request):
    return request.param, request.param()


def test_a_figure_is_drawn_on_the_axes_given() -> None:
    ax = figures.new_axes()
    assert figures.error_against_step_size(ax) is ax


def test_every_curve_is_labelled_and_every_axis_named(drawn) -> None:
    draw, ax = drawn
    assert draw.__doc__
    if draw is figures.worked_example_graph:
        return  # a graph has no axes
    assert ax.get_xlabel()
    assert ax.get_ylabel()
    assert ax.get_title()
    assert ax.get_legend() is not None


def test_texts_stay_inside_the_figure(drawn) -> None:
    _, ax = drawn
    canvas = FigureCanvasAgg(ax.figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    width, height = canvas.get_width_height()
    for text in [*ax.texts, ax.title, ax.xaxis.label, ax.yaxis.label]:
        if text.get_text():
            box = text.get_window_extent(renderer)
            assert box.x0 > -2
            assert box.y0 > -2
            assert box.x1 < width + 2
            assert box.y1 < height + 2, text.get_text()


def test_drawing_twice_gives_the_same_bytes(tmp_path) -> None:
    for run in ("first", "second"):
        list(figures.draw_all(tmp_path / run, only="truncation_and_roundoff"))
    for name in ("truncation_and_roundoff.png", "truncation_and_roundoff.svg"):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()


def test_drawing_sets_no_global_style(tmp_path) -> None:
    import matplotlib

    before = dict(matplotlib.rcParams)
    list(figures.draw_all(tmp_path, only="truncation_and_roundoff"))
    assert dict(matplotlib.rcParams) == before


def test_an_unknown_figure_is_refused_with_the_known_ones(tmp_path) -> None:
    with pytest.raises(adlab.OptionError, match="gradient_cost"):
        list(figures.draw_all(tmp_path, only="nothing"))


def test_a_directory_that_cannot_be_written_is_said_so(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(adlab.AdlabError, match="cannot write"):
        list(figures.draw_all(tmp_path / "file", only="truncation_and_roundoff"))
