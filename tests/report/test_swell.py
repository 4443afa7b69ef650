"""Swell belongs to the tree: what explodes there is linear as a graph, and every row arrives whatever SymPy does."""

from __future__ import annotations

import json
import os
from itertools import pairwise
from typing import Any

import pytest
import sympy
from random_expressions import random_expression

import adlab
from adlab.autodiff.programs import derivative
from adlab.gallery import chain, logistic_map, speelpenning, worked_example
from adlab.report.swell import Swell, form_of, swell, swell_by_depth
from adlab.symbolic.derivative import SymbolicDerivative, derivative_of
from adlab.symbolic.treesize import tree_nodes

ROWS = ["f", "symbolic derivative", "reverse program", "forward program"]


def test_the_worked_example() -> None:
    found = swell(worked_example())
    assert [row.what for row in found.rows] == ROWS
    assert {row.status for row in found.rows} == {"ok"}
    f = found.row("f")
    assert (f.tree_operations, f.tree_nodes, f.graph_operations, f.cse_operations) == (6, 11, 6, 6)
    symbolic = found.row("symbolic derivative")
    assert symbolic.tree_operations == sum(
        sympy.count_ops(sympy.diff(worked_example().outputs[0], v)) for v in worked_example().variables
    )


def test_a_text_or_an_expression_will_do() -> None:
    x = sympy.Symbol("x", real=True)
    rows = [[row.tree_operations for row in swell(f).rows] for f in ("x*sin(x)", x * sympy.sin(x), worked_example())]
    assert rows[0] == rows[1] != rows[2]


# --- three regimes: tree exponential, cse about quadratic, program linear ---------------------------------------


def test_of_the_logistic_map_the_tree_explodes_and_the_program_grows_by_a_few_operations() -> None:
    depths = range(3, 7)
    found = swell_by_depth(lambda n: logistic_map(n, form="evaluated"), depths, seconds=60)
    assert found["depth"] == list(depths)
    assert found["as a tree"] == [21, 82, 264, 768]
    assert found["after cse"] == [12, 27, 45, 67]
    steps = {after - before for before, after in pairwise(found["reverse program"])}
    assert len(steps) == 1  # one more level, the same few operations more
    assert steps.pop() < 10


@pytest.mark.parametrize("form", ["evaluated", "written"])
@pytest.mark.parametrize("n", [3, 5, 10, 50])
def test_speelpenning_s_product_needs_3n_minus_6_multiplications_in_reverse(n: int, form: Any) -> None:
    assert derivative(speelpenning(n, form=form).graph, "reverse").counts() == {"mul": 3 * n - 6}


def test_where_sympy_gives_up_every_row_arrives_and_no_process_is_left() -> None:
    found = swell(logistic_map(50, form="evaluated"), seconds=1.0)
    f, symbolic, *programs = found.rows
    assert (f.tree_operations, f.status) == (10 * 2**47 - 2, "cse gave up")
    assert (symbolic.tree_operations, symbolic.status) == (None, "gave up")
    assert "gave up after" in symbolic.note
    for row in programs:
        assert row.status == "ok"
        assert row.graph_operations is not None
        assert row.graph_operations < 500 < 10**15 < (row.tree_operations or 0)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_after_it_gave_up_once_deeper_ones_are_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def noted(f: adlab.Function, *options: Any) -> SymbolicDerivative:
        tried.append(f.name)
        return derivative_of(f, *options)

    monkeypatch.setattr("adlab.report.swell.derivative_of", noted)
    found = swell_by_depth(lambda n: logistic_map(n, form="evaluated"), [3, 30, 40, 50, 60], seconds=1.0)
    assert found["as a tree"] == [21, None, None, None, None]
    assert all(found["reverse program"])
    assert len(tried) == 2


def test_a_forward_program_too_long_to_write_says_so() -> None:
    row = swell(speelpenning(1000, form="written"), seconds=0.5).row("forward program")
    assert row.status == "not written"
    assert "1000 sweeps" in row.note


# --- what it looks like -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def beyond_floats() -> Swell:
    """Trees of 10^362 nodes and more, beyond the largest double."""
    return swell(chain(1200), seconds=0.5)


def test_sizes_beyond_any_float_print_and_go_into_json(beyond_floats: Swell) -> None:
    assert "e+362" in str(beyond_floats)
    rows = json.loads(json.dumps(beyond_floats.to_dict()))["rows"]
    assert rows[0]["tree_nodes"].endswith("e+362")
    assert rows[2]["graph_operations"] == beyond_floats.row("reverse program").graph_operations


def test_the_dictionary_has_what_the_rows_have() -> None:
    found = swell("x*y + sin(x)").to_dict()
    assert found["form"] == "as SymPy evaluates it"
    columns = {"what", "tree_operations", "tree_nodes", "graph_nodes", "cse_operations", "status", "note"}
    assert all(columns <= set(row) for row in found["rows"])
    assert json.loads(json.dumps(found)) == found


def test_text_and_html_say_the_form_and_what_each_column_counts() -> None:
    found = swell(logistic_map(4))
    text, html = str(found), found._repr_html_()
    for shown in (text, html):
        assert "as written" in shown
        assert "count_ops" in shown
    assert all(what in text for what in ROWS)
    assert html.count("<tr>") == 1 + len(ROWS)


@pytest.mark.usefixtures("closing_figures")
def test_the_picture_has_a_logarithmic_axis_and_a_place_for_each_row(beyond_floats: Swell) -> None:
    for found in (swell(worked_example()), beyond_floats):
        axes = found.plot()
        assert axes.get_yscale() == "log"
        assert [label.get_text().replace("\n", " ") for label in axes.get_xticklabels()] == ROWS


@pytest.fixture
def closing_figures() -> Any:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    yield
    pyplot.close("all")


# --- the form that was counted ----------------------------------------------------------------------------------


def test_what_sympy_has_evaluated_is_never_taken_for_written() -> None:
    for seed in range(100):
        expression = random_expression(seed, written=False)
        if tree_nodes(expression) < 2000:
            assert form_of([expression]) == "as SymPy evaluates it", expression


@pytest.mark.parametrize(
    "text", ["x*x", "x + x", "x + y + 2*x", "x*y*x^2", "2*(x + y)", "(x^2)^3", "(x*y)^2", "(x + y) + 1", "(x*y)*2", "x^1"]
)
def test_what_sympy_would_merge_is_as_written(text: str) -> None:
    assert form_of([adlab.parse(text)]) == "as written"


def test_the_gallery_has_both_forms() -> None:
    for make in (logistic_map, speelpenning):
        assert form_of(make(5, form="evaluated").outputs) == "as SymPy evaluates it"
        assert form_of(make(5, form="written").outputs) == "as written"
