"""Edge pushing finds the second derivatives that a sweep through the gradient program finds, and each of them once."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from random_graphs import random_graph, random_point
from table import CASES, Case, points

from adlab.arithmetic.floats import FLOATS
from adlab.arithmetic.nodes import Nodes
from adlab.arithmetic.numbers import evaluate
from adlab.autodiff import programs
from adlab.autodiff.edges import second_order
from adlab.gallery import helmholtz
from adlab.graph.graph import Builder, Graph
from adlab.graph.lowering import lower


def pushed(graph: Graph) -> Graph:
    """The Hessian of each output, by edge pushing."""
    builder, inputs = Builder.on(graph), range(len(graph.inputs))
    numbers = Nodes(builder, programs.guards(graph, builder))
    found = [second_order(graph, output, numbers)[1] for output in graph.outputs]
    return builder.finish([second.get(i, {}).get(j, numbers.zero) for second in found for i in inputs for j in inputs])


def swept(graph: Graph) -> Graph:
    """The same by reverse mode through the program of reverse mode."""
    return programs.derivative(programs.derivative(graph, "reverse"), "reverse")


def values(graph: Graph, point: tuple[float, ...]) -> np.ndarray:
    found = evaluate(graph, list(point), FLOATS)
    return np.array([found[output] for output in graph.outputs])


@pytest.mark.parametrize("branches", [False, True], ids=["smooth", "branches"])
@pytest.mark.parametrize("seed", range(40))
def test_second_derivatives_are_those_of_the_gradient_program(seed: int, branches: bool) -> None:
    graph, point = random_graph(seed, branches=branches), random_point(seed)
    found, expected = values(pushed(graph), point), values(swept(graph), point)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max(initial=1e-300))


@pytest.mark.parametrize("case", [case for case in CASES if not case.slow], ids=str)
def test_every_operation_passes_on_its_own_second_partials(case: Case) -> None:
    """By its operands, and as a function of one variable that stands in all of them."""
    places = range(case.arity)
    for inputs in (places, [0] * case.arity):
        builder = Builder([f"x{k}" for k in set(inputs)])
        graph = builder.finish([builder.apply(case.primitive, inputs, case.parameter)])
        program, known, terms = pushed(graph), swept(graph), swept(alone(case))
        for point in points(case)[:20]:
            expected, size = values(known, point[: len(graph.inputs)]), np.abs(values(terms, [point[k] for k in inputs])).sum()
            if np.isfinite(size) and 1e-3 < max(map(abs, point)) < 1e3:
                found = values(program, point[: len(graph.inputs)])
                np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * size if inputs is not places else 1e-300)


def alone(case: Case) -> Graph:
    builder = Builder([f"x{k}" for k in range(case.arity)])
    return builder.finish([builder.apply(case.primitive, range(case.arity), case.parameter)])


def test_a_quadratic_form_takes_no_more_than_its_matrix() -> None:
    """Σ aᵢⱼ xᵢ xⱼ has a constant Hessian, and none of its entries is computed at run time from x."""
    x = sympy.symbols("x1:6", real=True)
    form = sum(sympy.Rational(1, i + j + 1) * x[i] * x[j] for i in range(5) for j in range(5))
    assert not pushed(lower([form], x)).operations


def test_helmholtzs_energy_takes_a_few_operations_for_each_entry() -> None:
    graph = helmholtz(10).graph
    assert len(pushed(graph).operations) < len(swept(graph).operations) / 3
