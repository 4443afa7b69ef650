"""Sums in an order of their own: the same digits on every machine, whatever BLAS and LAPACK it has."""

from __future__ import annotations

import ast
import math
from pathlib import Path

import numpy as np
import pytest

import adlab.differences
from adlab.differences.fits import _orthogonalised, basis
from adlab.differences.quotients import combined


@pytest.mark.parametrize("count", [3, 9, 40])
def test_the_factors_of_a_matrix_are_those_of_linear_algebra(count: int) -> None:
    matrix = 0.7 ** np.arange(count)[:, None] ** np.arange(1, min(count, 9), 2)
    transform, triangle = _orthogonalised(matrix.tolist())
    assert np.allclose(transform @ transform.T, np.eye(count), rtol=0, atol=1e-14)
    assert np.allclose(transform.T[:, : len(triangle)] @ triangle, matrix, rtol=0, atol=1e-14)


@pytest.mark.parametrize(("powers", "wanted"), [((1, 3, 5, 7, 9), 0), ((0, 1, 2, 3, 4, 5), 1), ((0, 2, 4, 6), 1)])
def test_a_basis_finds_the_coefficient_of_a_polynomial_it_holds(powers: tuple[int, ...], wanted: int) -> None:
    """Fits of enough terms give the coefficient exactly, and see nothing that would follow."""
    count = 8
    nodes = np.array([(1.0, 0.75)[i % 2] * 0.5 ** (i // 2) for i in range(count)])
    points = sum((2.0 + p) * nodes**p for p in powers[: wanted + 2])
    if powers[0] == 0:
        points = np.append(points, 2.0)
    base = basis(0, count, powers, wanted)
    found = combined(base.sums, points)
    assert found[1:] == pytest.approx(2.0 + powers[wanted], rel=1e-12)
    assert combined(base.following, points)[1:] == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("width", [1, 2, 7])
def test_a_column_of_many_is_summed_as_it_is_alone(width: int) -> None:
    """The order of a sum does not depend on how many outputs f has."""
    values = np.cos(np.arange(1.0, 9 * width + 1)).reshape(9, width)
    weights = np.sin(np.arange(1.0, 10))
    together = combined(weights, values)
    for column in range(width):
        assert together[column] == pytest.approx(math.fsum(weights * values[:, column]), rel=1e-14, abs=1e-16)
        alone = np.ascontiguousarray(values[:, column : column + 1])
        assert together[column] == combined(weights, alone)[0] == combined(weights, alone[:, 0])


def test_no_difference_goes_through_blas() -> None:
    for path in Path(adlab.differences.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            assert not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult)), path
            assert not (isinstance(node, ast.Attribute) and node.attr in {"dot", "linalg", "matmul", "einsum", "inner"}), path
