"""Derivative programs: graphs like any other, that compute what the sweeps do, and can be differentiated again."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from random_graphs import random_graph, random_point

import adlab
from adlab.arithmetic.floats import FLOATS
from adlab.arithmetic.numbers import evaluate
from adlab.autodiff.programs import derivative, tangent_program
from adlab.autodiff.sweeps import forward, reverse
from adlab.graph.graph import Graph
from adlab.graph.lowering import lower

SEEDS = range(40)
x, y = sympy.symbols("x y", real=True)
GALLERY = [make() for make in adlab.gallery.GALLERY.values()]


def run(graph: Graph, point: list[float]) -> np.ndarray:
    values = evaluate(graph, point, FLOATS)
    return np.array([values[output] for output in graph.outputs])


@pytest.mark.parametrize("branches", [False, True], ids=["smooth", "branches"])
@pytest.mark.parametrize("seed", SEEDS)
def test_the_program_is_well_formed_and_computes_what_the_sweep_does(seed: int, branches: bool) -> None:
    graph, point = random_graph(seed, branches=branches), random_point(seed)
    values = evaluate(graph, point, FLOATS)
    by_sweep = [
        reverse(graph, values, {output: 1.0}, FLOATS).get(i, 0.0) for output in graph.outputs for i in range(3)
    ]
    scale = max(1.0, *np.abs(by_sweep))
    for mode in ("reverse", "forward"):
        program = derivative(graph, mode).check()
        assert program.inputs == graph.inputs
        assert run(program, point) == pytest.approx(by_sweep, rel=1e-12, abs=1e-13 * scale)


@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_values_come_first_then_the_partials_row_by_row(mode) -> None:
    graph = lower([x * y, x + 5 * y, x**2], [x, y])
    point = [3.0, 2.0]
    values, partials = [6, 13, 9], [2, 3, 1, 5, 6, 0]
    assert run(derivative(graph, mode, value=True), point).tolist() == values + partials
    assert run(derivative(graph, mode), point).tolist() == partials


@pytest.mark.parametrize("seed", SEEDS)
def test_the_tangent_program_is_the_jacobian_times_its_second_input(seed: int) -> None:
    graph, point, direction = random_graph(seed, branches=True), random_point(seed), [0.25, -2.0, 1.5]
    program = tangent_program(graph, ["d1", "d2", "d3"]).check()
    assert program.inputs == (*graph.inputs, "d1", "d2", "d3")
    values = evaluate(graph, point, FLOATS)
    tangents = forward(graph, values, dict(enumerate(direction)), FLOATS)
    expected = [tangents.get(output, 0.0) for output in graph.outputs]
    assert run(program, point + direction) == pytest.approx(expected, rel=1e-11, abs=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_hessian_is_symmetric_in_every_order_of_the_modes(seed: int) -> None:
    """Schwarz: differentiating twice does not ask which variable came first, nor which mode."""
    graph, point = random_graph(seed, m=1, steps=15), random_point(seed)
    hessians = [
        run(derivative(derivative(graph, first), second).check(), point).reshape(3, 3)
        for first in ("reverse", "forward")
        for second in ("reverse", "forward")
    ]
    scale = 1 + np.abs(hessians[0]).max()
    for hessian in hessians:
        assert hessian == pytest.approx(hessian.T, rel=1e-10, abs=1e-12 * scale)
        assert hessian == pytest.approx(hessians[0], rel=1e-10, abs=1e-12 * scale)


@pytest.mark.parametrize("modes", ["rrrrr", "fffff", "rfrfr", "frrff"])
def test_five_derivatives_of_x5(modes: str) -> None:
    """5x⁴, 20x³, 60x², 120x, 120: exact in binary64 at a small integer, whichever modes are stacked."""
    program = lower([x**5], [x])
    for mode, expected in zip(modes, (80.0, 160.0, 240.0, 240.0, 120.0), strict=True):
        program = derivative(program, "reverse" if mode == "r" else "forward")
        assert run(program, [2.0]).tolist() == [expected]


def test_taylor_coefficients_by_stacked_programs() -> None:
    """The derivatives of exp(sin x) at 0 are 1, 1, 0, −3, −8, −3, 56 (OEIS A002017)."""
    program, found = lower([sympy.exp(sympy.sin(x))], [x]), []
    for _ in range(6):
        program = derivative(program, "forward")
        found.append(round(float(run(program, [0.0])[0]), 9))
    assert found == [1, 1, 0, -3, -8, -3]


def test_constants_and_inputs_as_outputs() -> None:
    graph = lower([x, sympy.Integer(3), x, y], [x, y])
    for mode in ("reverse", "forward"):
        program = derivative(graph, mode, value=True)
        assert run(program, [7.0, 8.0]).tolist() == [7, 3, 7, 8, 1, 0, 0, 0, 1, 0, 0, 1]
        assert not derivative(graph, mode).operations


def test_linear_parts_cost_nothing() -> None:
    """The chain rule multiplies by ones and adds to nothing; the program does not."""
    assert not derivative(lower([x + y - 3 * x], [x, y])).operations
    assert str(derivative(lower([x * y], [x, y]))) == "outputs: y, x"


@pytest.mark.parametrize("f", GALLERY, ids=lambda f: f.name)
def test_a_gradient_costs_a_few_evaluations_whatever_the_number_of_inputs(f) -> None:
    """Griewank & Walther: an adjoint sweep at most 4 times the operations of f for each output, values included."""
    own = len(f.graph.operations)
    assert len(derivative(f.graph, "reverse", value=True).operations) <= own * (1 + 3 * f.m)


@pytest.mark.parametrize("f", GALLERY, ids=lambda f: f.name)
def test_a_tangent_costs_no_more_than_a_product_does(f) -> None:
    """In any one direction: a product becomes three products and a sum, and no operation of the gallery costs more."""
    program = tangent_program(f.graph, [f"d{i}" for i in range(f.n)])
    assert len(program.operations) <= 4 * len(f.graph.operations)


@pytest.mark.parametrize("n", [3, 5, 10, 50])
def test_the_gradient_of_a_product_takes_3n_minus_6_multiplications(n: int) -> None:
    """2n − 4 for the sweep back, and n − 2 partial products on the way there: Speelpenning (1980)."""
    program = adlab.gallery.speelpenning(n).derivative("reverse").graph
    assert program.counts() == {"mul": 3 * n - 6}


def test_what_is_shared_stays_shared() -> None:
    """The derivative of the logistic map grows by the same few operations with each level, not by a factor."""
    sizes = [len(adlab.gallery.logistic_map(n).derivative("reverse").graph) for n in range(3, 40)]
    steps = set(np.diff(sizes))
    assert len(steps) == 1
    assert steps.pop() <= 10


def test_a_branch_is_guarded_once_and_only_where_it_must_be() -> None:
    """A graph without branches has no select in its derivative; one with them selects by the branch's own condition."""
    plain = derivative(lower([sympy.log(x) * sympy.sqrt(y)], [x, y]))
    assert "select" not in plain.counts()
    inside = sympy.Piecewise((sympy.log(x), x > 0), (y, True))
    guarded = derivative(lower([inside], [x, y]))
    assert run(guarded, [-1.0, 2.0]).tolist() == [0.0, 1.0]
    assert run(guarded, [2.0, 2.0]).tolist() == [0.5, 0.0]
    assert guarded.counts()["gt"] == 1


@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_a_part_shared_by_branches_is_live_if_any_of_them_is_taken(mode) -> None:
    """sqrt(x) stands in both functions; it is used where x > 1 by one of them, where x > 0 by the other."""
    root = sympy.sqrt(x)
    both = sympy.Piecewise((root * y, x > 0), (y, True)) + sympy.Piecewise((root, x > 1), (y**2, True))
    program = derivative(lower([both], [x, y]), mode)
    assert run(program, [4.0, 3.0]) == pytest.approx([0.25 * 3 + 0.25, 2.0])
    assert run(program, [0.25, 3.0]) == pytest.approx([3.0, 0.5 + 6.0])
    assert run(program, [-1.0, 3.0]).tolist() == [0.0, 7.0]
