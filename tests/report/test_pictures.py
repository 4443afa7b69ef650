"""What reports draw: titles say what it is, nothing is cut or covered, the user's style is kept."""

from __future__ import annotations

import itertools
from importlib.util import find_spec

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

import adlab

F = adlab.Function("x*sin(y)", point=(1.0, 2.0))
REPORTS = {
    "compare": lambda: adlab.compare(F, timed=False, methods=["reverse", "forward-difference", "central-difference-4"]),
    "swell": lambda: adlab.swell(F),
    "cost": lambda: adlab.cost(F, timed=False),
    "steps": lambda: adlab.steps(F, schemes=["forward-difference", "central-difference"]),
    "truth": lambda: adlab.truth(F),
    "hessian": lambda: adlab.truth(F, order=2),
    "kink": lambda: adlab.truth("abs(x)*y + exp(z) + w/0.0001", {"x": 0, "y": 2, "z": 20, "w": 1}),
    "rounding": lambda: adlab.rounding(F),
    "derivatives": lambda: adlab.derivatives("exp(sin(x))", 1.0, order=12),
    "check": lambda: adlab.check(F, lambda x: [np.sin(x[1]), -np.cos(x[1])], at=[[1, 2], [3, 4]]),
    "table": lambda: adlab.table([F, "exp(x)"], methods=["reverse", "forward-difference"]),
}


if find_spec("flint"):
    REPORTS["enclose"] = lambda: adlab.enclose(F, {"x": (0, 1), "y": 2})


@pytest.fixture(scope="module")
def reports():
    return {name: make() for name, make in REPORTS.items()}


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("layout", [None, "constrained"])
def test_in_a_grid_of_three_nothing_reaches_into_its_neighbours(reports, name: str, layout) -> None:
    figure = Figure(figsize=(13, 4.2), layout=layout)
    axes = figure.subplots(1, 3)
    for ax in axes:
        assert reports[name].plot(ax=ax) is ax
    figure.draw_without_rendering()
    boxes = [ax.get_tightbbox() for ax in axes]
    for left, right in itertools.pairwise(boxes):
        assert left.x1 <= right.x0 + 1
    whole = figure.bbox
    assert all(box.x0 >= whole.x0 - 1 and box.x1 <= whole.x1 + 1 for box in boxes)
    assert all(box.y0 >= whole.y0 - 1 and box.y1 <= whole.y1 + 1 for box in boxes)


@pytest.mark.parametrize("name", [name for name in REPORTS if name not in ("table", "derivatives", "kink")])
def test_the_title_names_the_formula_and_the_point(reports, name: str) -> None:
    title = reports[name].plot().get_title().replace("\n", "").replace("\xa0", " ")
    assert "x*sin(y)" in title
    assert name in ("swell", "cost", "check", "enclose") or "x = 1" in title


def test_what_is_known_is_drawn_where_it_lies(reports) -> None:
    """A partial at its value, a kink as the span of its sides, an error that is too large in a colour of its own."""
    truth = reports["truth"].plot()
    assert [float(line.get_xdata()[0]) for line in truth.lines[:2]] == pytest.approx([np.sin(2), np.cos(2)])
    assert sorted(reports["kink"].plot().lines[1].get_xdata().tolist()) == [-2.0, 2.0]
    legend = [text.get_text() for text in reports["check"].plot().get_legend().get_texts()]
    assert legend == ["error", "error, too large", "allowed"]
    assert len(reports["derivatives"].plot().lines[0].get_xdata()) == 13
    many = adlab.truth([f"{k}*x" for k in range(1, 61)], 2.0).plot()
    assert many.get_ylabel() == "the first 40 of 60"


def test_steps_draws_the_variable_that_is_chosen_and_says_which(reports) -> None:
    for variable in "xy":
        ax = reports["steps"].plot(variable=variable)
        assert f"∂/∂{variable}" in ax.get_title().replace("\n", "")
        assert f"∂f/∂{variable}" in ax.get_ylabel()
    assert "1 other variable" in " ".join(reports["steps"].plot().get_title().split())


@pytest.mark.parametrize("width", [30, 16, 12, 9, 7])
def test_a_title_that_does_not_fit_leaves_out_what_is_said_elsewhere(width: float) -> None:
    found = adlab.steps(adlab.gallery.worked_example(), schemes=["central-difference"])
    title = found.plot(ax=Figure(figsize=(width, 4)).subplots(1, 3)[0]).get_title()
    assert "/∂x1" in title
    assert "…" not in title.replace("variable=…", "")
    assert ("variable=…" in title) == (width == 30)


def test_the_legend_of_swell_covers_no_bar(reports) -> None:
    ax = reports["swell"].plot()
    ax.figure.draw_without_rendering()
    assert ax.get_legend().get_window_extent().y0 >= ax.get_window_extent().y1 - 1
    assert ax.get_ylim()[0] < 1


def test_the_users_colours_are_kept_and_options_passed_on(reports) -> None:
    with matplotlib.rc_context({"axes.prop_cycle": matplotlib.cycler(color=["#123456", "#654321", "#abcdef"])}):
        assert matplotlib.colors.to_hex(reports["cost"].plot().patches[0].get_facecolor()) == "#123456"
    assert matplotlib.colors.to_hex(reports["compare"].plot(color="#ff0000").patches[0].get_facecolor()) == "#ff0000"
    assert reports["cost"].plot(alpha=0.5).patches[0].get_alpha() == 0.5


def test_swell_side_by_side_copies_every_use() -> None:
    left, right = adlab.swell("x*y*z").plot_side_by_side()
    assert "3 operations" in left.get_title().replace("\n", " ")
    assert "operations" in right.get_title()
    with pytest.raises(adlab.OptionError, match="at most"):
        adlab.swell(adlab.gallery.logistic_map(6)).plot_side_by_side()


def test_notebooks_get_a_png_beside_the_svg() -> None:
    trace = F.trace([1, 2])
    for picture in (trace, F.graph):
        assert picture._repr_png_()[:4] == b"\x89PNG"
        assert picture._repr_svg_().startswith("<svg")
