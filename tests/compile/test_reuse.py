"""A linear form is computed once, wherever a program needs it times a factor."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

import adlab
from adlab.arithmetic.floats import FLOATS
from adlab.arithmetic.numbers import evaluate
from adlab.autodiff.programs import derivative
from adlab.compile.reuse import reused
from adlab.graph.graph import Graph
from adlab.graph.lowering import lower

N = 6
X = sympy.symbols(f"x1:{N + 1}", real=True)
RNG = np.random.default_rng(5)
HILBERT = [[sympy.Rational(1, i + j + 1) for j in range(N)] for i in range(N)]
POINT = RNG.uniform(0.5, 1.5, N).tolist()


def form(matrix: list[list[sympy.Expr]], outer: type = sympy.sin) -> Graph:
    """The gradient of outer(xᵀ A x), A x written row by row."""
    rows = [sympy.Add(*(a * x for a, x in zip(row, X, strict=True))) for row in matrix]
    return derivative(lower([outer(sympy.Add(*(x * row for x, row in zip(X, rows, strict=True))))], X))


def values(graph: Graph) -> np.ndarray:
    found = evaluate(graph, POINT, FLOATS)
    return np.array([found[output] for output in graph.outputs])


@pytest.mark.parametrize("sign", [1, -1], ids=["as it is", "turned"])
def test_a_symmetric_quadratic_form_takes_its_matrix_times_the_point_once(sign: int) -> None:
    program = form([[sign * a for a in row] for row in HILBERT])
    shorter = reused(program)
    assert len(shorter.operations) <= len(program.operations) - N * (N - 1)
    np.testing.assert_allclose(values(shorter), values(program), rtol=1e-14)


def test_a_matrix_that_is_not_symmetric_is_left_as_it_is() -> None:
    other = [[a * (2 if i < j else 1) for j, a in enumerate(row)] for i, row in enumerate(HILBERT)]
    program = form(other)
    assert reused(program) is program


def test_one_row_that_is_also_a_column_is_found_among_others() -> None:
    """The first row and the first column are equal; the rest of the matrix is not symmetric."""
    mixed = [[a * (2 if 0 < i < j else 1) for j, a in enumerate(row)] for i, row in enumerate(HILBERT)]
    program = form(mixed)
    shorter = reused(program)
    assert len(program.operations) - N * 3 < len(shorter.operations) < len(program.operations)
    np.testing.assert_allclose(values(shorter), values(program), rtol=1e-14)


@pytest.mark.parametrize("backend", ["python", "numpy", "llvm"])
def test_every_backend_gives_the_gradient_that_is_right(backend: str) -> None:
    if backend == "llvm":
        pytest.importorskip("llvmlite")
    f = adlab.gallery.helmholtz(N)
    points = np.array(f.point) * RNG.uniform(0.9, 1.1, (9, N))
    found = f.compile(backend, "gradient")(points)
    for point, row in zip(points, found, strict=True):
        np.testing.assert_allclose(row, f.gradient(point), rtol=1e-13)
