"""A factor that two products share is multiplied once, and only where that saves a multiplication."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

import adlab
from adlab.arithmetic.floats import FLOATS
from adlab.arithmetic.numbers import evaluate
from adlab.autodiff.programs import derivative
from adlab.compile.factor import factored
from adlab.graph.graph import Graph
from adlab.graph.lowering import lower

A, B, C, D = X = sympy.symbols("a b c d", real=True)
POINT = [1.3, -0.7, 2.1, 0.4]


def values(graph: Graph, point: list[float]) -> list[float]:
    found = evaluate(graph, point, FLOATS)
    return [found[output] for output in graph.outputs]


@pytest.mark.parametrize(("written", "operations"), [
    ([sympy.exp(A * C + B * C)], 3), ([sympy.exp(A * C - B * C)], 3), ([sympy.exp(D * (A * C) + B * C)], 4),
    ([sympy.exp((A - B) * C * D + (B - A) * C * B)], 5), ([B - A, sympy.exp((A - B) * C * D + (B - A) * C * B)], 5),
    ([A - B, sympy.exp((A - B) * C * D + (B - A) * C * B)], 5), ([sympy.exp(A * C + A * C**2)], 4),
])  # fmt: skip
def test_a_common_factor_is_taken_out(written: list[sympy.Expr], operations: int) -> None:
    program = lower(written, X)
    shorter = factored(program)
    assert len(shorter.operations) == operations < len(program.operations)
    assert values(shorter, POINT) == pytest.approx(values(program, POINT), rel=1e-13)


@pytest.mark.parametrize("written", [
    [sympy.exp(A * C + B * D)],  # nothing in common
    [sympy.exp(A * C + B * C), A * C],  # one product is needed in any case
    [sympy.exp(A * C + B * C + D * A)],  # a longer sum takes products in, one instruction each
    [sympy.exp(sympy.Mul(C, C, evaluate=False) + C)],  # one is no product
], ids=["apart", "read twice", "long", "no product"])  # fmt: skip
def test_other_sums_are_left(written: list[sympy.Expr]) -> None:
    program = lower(written, X)
    assert factored(program) is program


@pytest.mark.parametrize("backend", ["python", "numpy", "llvm"])
def test_a_chain_keeps_its_digits_and_loses_operations(backend: str) -> None:
    """The logistic map's slope: of three multiplications a link that wait for the adjoint, one is left."""
    if backend == "llvm":
        pytest.importorskip("llvmlite")
    f = adlab.gallery.logistic_map(12)
    program = derivative(f.graph, "reverse")
    compiled = f.compile(backend, "gradient")
    assert len(compiled.graph.operations) <= len(program.operations) - 10
    for x in (0.2, 0.3, 0.71):
        expected = values(program, [x])
        assert compiled([x]) == pytest.approx(expected, rel=1e-12)  # the map doubles an error in each link
        assert compiled([[x]] * 9) == pytest.approx(np.full((9, 1), expected), rel=1e-12)
