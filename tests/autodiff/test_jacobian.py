"""A Jacobian costs what its operations cost, in the mode that is cheaper; columns may be chosen."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

import adlab
from adlab.arithmetic.floats import FLOATS
from adlab.arithmetic.nodes import Nodes
from adlab.arithmetic.numbers import evaluate
from adlab.autodiff.jacobian import cheaper_mode, jacobian
from adlab.compile.program import compile_graph
from adlab.compile.spread import compact
from adlab.graph.graph import Builder, Graph
from adlab.graph.liveness import ancestors


def rings(n: int) -> Graph:
    """n outputs of n variables, each output of three neighbours: nearly all partials are 0."""
    names = [f"x{i}" for i in range(n)]
    return adlab.Function([f"x{i}*sin(x{(i + 1) % n}) + log(x{(i + 2) % n})" for i in range(n)], names).graph


@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_the_work_of_a_jacobian_follows_its_operations_and_not_its_outputs(mode):
    class Counting(Nodes):
        visited = 0

        def partials(self, graph, position, values):
            Counting.visited += 1
            return super().partials(graph, position, values)

        def pullback(self, graph, position, values, bar):
            Counting.visited += 1
            return super().pullback(graph, position, values, bar)

    n, graph = 40, rings(40)
    found = jacobian(graph, range(len(graph)), Counting(Builder.on(graph)), mode)
    assert Counting.visited == (4 if mode == "reverse" else 7) * n
    assert sum(entry != Builder.on(graph).constant(0) for row in found for entry in row) == 3 * n
    spread = [ancestors(graph, output) for output in graph.outputs]
    assert [len(row) for row in spread] == [4] * n


@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_chosen_columns_are_those_of_the_whole_jacobian(mode):
    graph = rings(7)
    values = evaluate(graph, [0.5 + 0.1 * i for i in range(7)], FLOATS)
    whole = np.array(jacobian(graph, values, FLOATS, mode))
    assert (np.array(jacobian(graph, values, FLOATS, mode, [5, 0, 2])) == whole[:, [5, 0, 2]]).all()


@pytest.mark.parametrize(("formula", "mode"), [
    (["x1*x2*x3"], "reverse"), (["sin(x1)", "cos(x1)"], "forward"),
    # Three outputs of three variables. A long tail behind a sum is swept back once, but forward once for each variable.
    (["exp(sin(cos(x1 + x2 + x3)))", "x1", "x2"], "reverse"), (["sin(exp(x1)) + x2", "exp(x1)", "2*exp(x1) + x3"], "forward"),
])  # fmt: skip
def test_the_mode_of_the_smaller_counted_cost_is_chosen(formula, mode):
    graph = adlab.Function(formula, ["x1", "x2", "x3"] if "x2" in "".join(formula) else None).graph
    assert cheaper_mode(graph) == mode


@pytest.mark.parametrize("backend", ["python", "numpy", *["llvm"] * (importlib.util.find_spec("llvmlite") is not None)])
def test_outputs_that_repeat_are_computed_once_and_spread(backend):
    n = 33
    f = adlab.Function([f"x{i}*sin(x{(i + 1) % n}) + log(x{(i + 2) % n})" for i in range(n)])
    program, points = f.compile(backend, "jacobian"), np.linspace(0.3, 2.0, 5 * n).reshape(5, n)
    fewer = compact(program.graph)
    assert fewer is not None
    assert len(fewer.outputs) < len(program.graph.outputs) == n * n
    expected = np.array([f.jacobian(x) for x in points])
    assert np.allclose(program(points), expected, rtol=1e-14, atol=0)
    assert np.allclose(np.reshape(program.call(*points[0]), (n, n)), expected[0], rtol=1e-14, atol=0)
    for x in (points, points[0]):
        out = np.full((*x.shape[:-1], n * n), 7.0)
        program.bind(x, out)()
        assert np.allclose(out.reshape(*x.shape[:-1], n, n), expected if x.ndim > 1 else expected[0], rtol=1e-14, atol=0)
    assert np.isnan(program(np.full(n, -1.0))).all()


def test_few_or_different_outputs_are_left_as_they_are():
    graph = adlab.Function(["x + y", "x*y"]).graph
    assert compact(graph) is None
    assert compile_graph(graph, [(2,)], "python").call(2.0, 3.0) == (5.0, 6.0)
