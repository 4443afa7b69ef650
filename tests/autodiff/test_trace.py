"""The trace: every number of both sweeps is there, follows from the others, and is bounded when it is shown."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from random_graphs import random_graph, random_point

import adlab
from adlab.autodiff.trace import Trace, trace
from adlab.autodiff.trace_text import BAR, DOT, marked
from adlab.graph.graph import Builder

SEEDS = range(25)


def of(seed: int, tangent: list[float] | None = None, branches: bool = True) -> Trace:
    graph = random_graph(seed, branches=branches)
    return trace(graph, random_point(seed), None if tangent is None else dict(enumerate(tangent)))


@pytest.mark.parametrize("seed", SEEDS)
def test_every_contribution_is_the_adjoint_of_its_source_times_the_partial(seed: int) -> None:
    found = of(seed)
    for part in found.contributions:
        assert part.value == found.adjoints[part.source] * part.partial
        assert part.partial == found.partials[part.source][part.operand]
        assert found.graph.nodes[part.source].operands[part.operand] == part.target


@pytest.mark.parametrize("seed", SEEDS)
def test_the_running_sums_end_in_the_adjoint(seed: int) -> None:
    found = of(seed)
    for node in found.shown:
        parts = found.into(node)
        total = 1.0 if node == found.graph.outputs[0] else 0.0
        for part in parts:
            total += part.value
            assert part.sum_after == total
        if parts:
            assert found.adjoints[node] == total


@pytest.mark.parametrize("seed", SEEDS)
def test_the_products_along_all_paths_add_up_to_the_derivative(seed: int) -> None:
    graph = random_graph(seed, steps=10, branches=True)
    found = trace(graph, random_point(seed))
    for i, slope in enumerate(found.gradient):
        products = [path.product for path in found.paths(i)]
        assert sum(products) == pytest.approx(slope, rel=1e-12, abs=1e-13 * (1 + sum(map(abs, products))))


def test_a_path_runs_from_the_input_to_the_output_along_the_graph() -> None:
    found = adlab.gallery.worked_example().trace([1, 2])
    paths = found.paths("x1")
    assert [str(path).split(":")[0] for path in paths] == ["x1 → v1 → v2 → v5 → v6", "x1 → v3 → v4 → v5 → v6"]
    for path in paths:
        for below, above in zip(path.nodes, path.nodes[1:], strict=False):
            assert below in found.graph.nodes[above].operands


def test_an_operand_used_twice_makes_two_paths() -> None:
    builder = Builder(["x"])
    found = trace(builder.finish([builder.call("mul", 0, 0)]), [3.0])
    assert [path.product for path in found.paths("x")] == [3.0, 3.0]


def test_paths_are_counted_before_they_are_walked() -> None:
    """10^15 of them are refused at once; and none are walked that do not lead to the output asked for."""
    with pytest.raises(adlab.GaveUp, match="10000"):
        adlab.gallery.logistic_map(50).trace(0.3).paths()
    builder = Builder(["x"])
    node = 0
    for _ in range(60):
        node = builder.call("mul", node, builder.call("sub", builder.constant(1), node))
    both = builder.finish([0, node])
    assert [path.nodes for path in trace(both, [0.3], output=0).paths("x")] == [(0,)]


def test_paths_of_an_unknown_variable_are_refused() -> None:
    found = adlab.gallery.worked_example().trace([1, 2])
    for variable in ("x3", 2, -1):
        with pytest.raises(adlab.VariableError, match="x1, x2"):
            found.paths(variable)


@pytest.mark.parametrize("seed", SEEDS)
def test_tangents_and_adjoints_agree_on_the_slope_in_a_direction(seed: int) -> None:
    direction = [1.0, -2.0, 0.5]
    found = of(seed, direction)
    slope = found.tangents.get(found.graph.outputs[0], 0.0)
    assert np.dot(found.gradient, direction) == pytest.approx(slope, rel=1e-12, abs=1e-12 * np.abs(found.gradient).sum() + 1e-15)


def test_the_rows_hold_what_is_documented() -> None:
    found = adlab.gallery.worked_example().trace([1, 2], tangent=[1, 0]).to_dict()
    assert [row["node"] for row in found["rows"]] == ["x1", "x2", "v1", "v2", "v3", "v4", "v5", "v6"]
    row = found["rows"][2]
    assert set(row) >= {"node", "operation", "expression", "operands", "primal", "tangent", "partials", "adjoint", "contributions"}  # noqa: E501
    assert (row["operation"], row["expression"], row["operands"]) == ("add", "x1 + x2", ["x1", "x2"])
    assert row["tangent"] == 1.0
    assert row["contributions"] == [{"from": "v2", "value": row["adjoint"], "sum_after": row["adjoint"]}]
    assert found["rows"][7]["partials_in_letters"] == ["1/v5"]
    assert found["rows"][5]["partials_in_letters"] == ["cos(v3)"]
    assert set(found["gradient"]) == {"x1", "x2"}
    assert json.loads(json.dumps(found)) == found


def test_letters_are_the_rules_of_the_table_with_the_nodes_put_in() -> None:
    found = adlab.Function("x**y/z + tan(x)*3").trace([2, 3, 4])
    letters = {row["expression"]: row["partials_in_letters"] for row in found.to_dict()["rows"]}
    assert letters["v1/z"] == ["1/z", "-v2/z"]
    assert letters["tan(x)"] == ["v3**2 + 1"]
    assert letters["v3*3"] == ["3", "v3"]


def test_what_no_output_depends_on_has_adjoint_zero() -> None:
    f = adlab.Function(["x*y", "exp(y)"])
    rows = {row["node"]: row for row in f.trace([2, 3], output=0).to_dict()["rows"]}
    assert rows["v2"]["adjoint"] == 0.0
    assert rows["v2"]["partials"] == [pytest.approx(np.exp(3))]  # known all the same
    assert "nothing reaches it" in str(f.trace([2, 3], output=0))


@pytest.mark.parametrize("output", [3, -1, "x", None, 0.5])
def test_an_output_that_there_is_not_is_refused(output) -> None:
    with pytest.raises(adlab.OptionError, match="0 to 2"):
        adlab.Function(["x", "x**2", "x**3"]).trace(1.0, output=output)


def test_an_output_that_is_an_input_or_a_constant() -> None:
    f = adlab.Function(["x", "3", "x*x"])
    assert f.trace(5.0, output=0).gradient == [1.0]
    assert f.trace(5.0, output=1).gradient == [0.0]
    assert f.trace(5.0, output=1).value == 3.0
    assert f.trace(5.0, output=2).gradient == [10.0]
    assert str(f.trace(5.0, output=1))


def test_the_text_is_a_lesson_in_letters_and_in_numbers() -> None:
    forward, reverse, end = str(adlab.gallery.worked_example().trace([1, 2])).split("\n\n")
    assert forward.splitlines()[0].startswith("forward: the value of each node")
    assert "is ∂y/∂v" in reverse.splitlines()[0]
    lines = [re.split(r"  +", line) for line in reverse.splitlines()[3:]]
    assert lines[0] == [f"v{BAR}6", "= ∂y/∂v6", "the seed", "1"]
    assert [f"v{BAR}3", f"+= v{BAR}4 · cos(v3)", "0.10092 · (-0.41615)", "-0.041996"] in lines
    assert [line[3] for line in lines if line[0] == f"x{BAR}1"] == ["-0.083991", "0.5215"]  # one contribution a line
    assert end.startswith("∇f = (0.5215, 0.5635)")
    assert "checked against" in end
    assert "every digit shown agrees" in end


@pytest.mark.parametrize("seed", SEEDS)
def test_letters_and_numbers_of_a_line_say_the_same(seed: int) -> None:
    """Each line's letters, evaluated with the primals and adjoints, are its numbers."""
    found = of(seed, branches=False)
    named = dict(zip(found.graph.names, found.primals, strict=True))
    for part in found.contributions:
        formula = found.partial_formula(part.source, part.operand)
        value = formula.subs({symbol: named[symbol.name] for symbol in formula.free_symbols})
        assert float(value) == pytest.approx(part.partial, rel=1e-9, abs=1e-300)


def test_forward_mode_has_its_own_lines() -> None:
    text = str(adlab.gallery.worked_example().trace([1, 2], tangent=[1, 0]))
    assert f"v{DOT}4       += v{DOT}3 · cos(v3)  2 · (-0.41615)" in text
    assert "ẏ = 0.5215 is the derivative of f along" in text
    assert "reverse mode" not in text


def test_a_wrong_gradient_would_be_said_to_differ() -> None:
    found = adlab.gallery.worked_example().trace([1, 2])
    assert "it differs by" in str(replace(found, judge=lambda: [0.6, 0.5]))
    assert "checked" not in str(replace(found, judge=None))


def test_digits_are_those_asked_for() -> None:
    found = adlab.Function("exp(x)").trace(1.0)
    assert "2.7183" in str(found)
    assert "2.718281828" in str(replace(found, digits=10))


def test_a_bar_is_on_one_letter_only() -> None:
    names = {"v12": f"v{BAR}12", "x_1": f"x{BAR}_1", "alpha": "∂y/∂alpha", "α": f"α{BAR}"}
    assert {name: marked(name, BAR) for name in names} == names


def test_html_is_escaped_and_latex_has_every_node() -> None:
    f = adlab.Function("Piecewise((x**2, x < 1), (x, True))")
    found = f.trace(0.5)
    assert "x &lt; 1" in found._repr_html_()
    assert "<script" not in found._repr_html_()
    latex = adlab.gallery.worked_example().trace([1, 2], tangent=[1, 0]).to_latex()
    assert latex.count(r"\begin{array}") == 2
    assert all(f"v_{{{i}}}" in latex and rf"\bar{{v_{{{i}}}}}" in latex for i in range(1, 7))
    assert latex.count(r"\text{seed}") == 1
    assert r"x_{1} + x_{2} & 3 & 1 & \tfrac{\partial v_{1}}{\partial x_{1}} = 1,\ " in latex  # not "= 1 = 1"
    assert r"& (-0.041996) + 0.60549 & 0.5635" in latex
    assert r"\bar{v_{5}} \cdot 1 & 0.10092 & 0.10092" in latex  # a single contribution has no brackets
    assert "v_{4} - v_{3} & 11.652" in adlab.gallery.baydin().trace([2, 5]).to_latex()  # in the order of the formula


@pytest.mark.slow
def test_a_trace_of_any_depth_is_shown_in_part_and_kept_in_full() -> None:
    found = adlab.gallery.chain(20_000).trace(0.5)
    assert len(found.to_dict()["rows"]) == 80_001
    for shown in (str(found), found.to_markdown(), found._repr_html_(), found.to_latex(), repr(found)):
        assert len(shown) < 200_000
    assert "more nodes not shown" in str(found)
    assert repr(found).startswith("<Trace of <Graph")


def test_the_output_has_a_letter_of_its_own():
    assert "the output y = v1" in str(adlab.Function("x*z").trace([1, 2]))
    assert "is ∂f/∂v: how much the output f = v1" in str(adlab.Function("x*y").trace([1, 2]))
    assert "ḟ = 2 is the derivative" in str(adlab.Function("x*y").trace([1, 2], tangent=[1, 0]))
    crowded = str(adlab.Function("f*y*w").trace([1, 2, 3]))
    assert "∂u/∂v" in crowded
