"""SymPy's own variables and constructs, as formulas that adlab reads."""

from __future__ import annotations

import math
import pickle
from typing import Any

import numpy as np
import pytest
import sympy
from sympy import (
    ITE,
    Contains,
    Derivative,
    Equivalent,
    Function as Undefined,
    Implies,
    Integral,
    Interval,
    Piecewise,
    Product,
    Subs,
    Sum,
    UnevaluatedExpr,
    Xor,
    cos,
    exp,
    factorial,
    sin,
)
from sympy.codegen import cfunctions, numpy_nodes
from sympy.vector import CoordSys3D

from adlab import Function, truth
from adlab.errors import AdlabError, OptionError, UnsupportedExpression, VariableError
from adlab.text import constructs
from adlab.text.constructs import Leaf, written_out
from adlab.text.traversal import postorder

x, y, t, n = sympy.symbols("x y t n", real=True)
i, j = sympy.symbols("i j", integer=True)
q = Undefined("q")(t)
qd = q.diff(t)
u = sympy.IndexedBase("u")
A = sympy.MatrixSymbol("A", 2, 2)
FRAME = CoordSys3D("N")

LEAVES = [q, qd, q.diff(t, 2), Undefined("r")(x, y), u[0], u[i], u[i, j + 1], A[0, 1], FRAME.x]


@pytest.mark.parametrize("leaf", LEAVES, ids=str)
def test_what_sympy_differentiates_by_is_one_variable(leaf: Any) -> None:
    f = Function(sin(leaf) * leaf**2)
    assert f.names == [str(leaf)]
    slope = 2 * 1.5 * math.sin(1.5) + 1.5**2 * math.cos(1.5)
    assert f.gradient({leaf: 1.5}) == pytest.approx([slope])
    for given in (leaf, str(leaf)):
        assert Function(sin(leaf) * leaf**2, variables=[given]).gradient([1.5]) == pytest.approx([slope])
    assert f.gradient([1.5], method="symbolic") == pytest.approx([slope])
    assert truth(f, [1.5]).status in ("certified", "heuristic")  # as python-flint is there or not
    assert pickle.loads(pickle.dumps(f.variables[0])) == f.variables[0]
    assert sympy.latex(f.variables[0]) == sympy.latex(leaf)


def test_variables_are_independent_of_what_stands_inside_them() -> None:
    f = Function(sin(q) * qd**2 + t, variables=[t, q, qd])
    np.testing.assert_allclose(f.gradient([3, 2, 1]), [1, math.cos(2), 2 * math.sin(2)])
    assert f.domain == []
    assert f.compile(derivative="gradient")([3, 2, 1]) == pytest.approx(f.gradient([3, 2, 1]))
    with pytest.raises(VariableError, match=r"q\(t\)"):
        Function(sin(q), variables=[t])
    with pytest.raises(VariableError, match="listed twice"):
        Function(sin(q), variables=[q, "q(t)"])


def test_shared_parts_stay_shared() -> None:
    nest = q
    for _ in range(200):
        nest = sympy.Add(sympy.Mul(nest, nest, evaluate=False), qd, evaluate=False)
    (found,) = written_out([nest])
    assert len(postorder([found])) < 1000
    assert len(Function(nest).graph.operations) == 400


CONSTRUCTS = [
    (UnevaluatedExpr(x) * 2 + UnevaluatedExpr(sin(x)), 2 * x + sin(x)),
    (Sum(x**i / factorial(i), (i, 0, 5)), sum(x**k / factorial(k) for k in range(6))),
    (Sum(i * j * x, (i, 1, j), (j, 1, 3)), 25 * x),
    (Sum(x, (i, 5, 4)), sympy.Integer(0)),
    (Product(x + i, (i, 1, 3)), (x + 1) * (x + 2) * (x + 3)),
    (Subs(sin(y) * y, y, x**2), sin(x**2) * x**2),
    (Subs(Derivative(sin(y), y), y, x), cos(x)),
    (Derivative(x**3 * y, x), 3 * x**2 * y),
    (sympy.Lambda(y, y**2)(x), x**2),
    (Piecewise((x, Xor(x > 0, y > 0)), (y, True)), Piecewise((x, (x > 0) & (y <= 0)), (x, (x <= 0) & (y > 0)), (y, True))),
    (Piecewise((x, ITE(x > 0, y > 0, y > 1)), (y, True)), Piecewise((x, (x > 0) & (y > 0)), (x, (x <= 0) & (y > 1)), (y, True))),
    (Piecewise((x, Implies(x > 0, y > 0)), (2 * y, True)), Piecewise((2 * y, (x > 0) & (y <= 0)), (x, True))),
    (Piecewise((x, Equivalent(x > 0, y > 0)), (y, True)), Piecewise((y, (x > 0) & (y <= 0)), (y, (x <= 0) & (y > 0)), (x, True))),
    (Piecewise((x**2, Contains(x, Interval(0, 1))), (y, True)), Piecewise((x**2, (x >= 0) & (x <= 1)), (y, True))),
    (sympy.Trace(A * A), A[0, 0] ** 2 + 2 * A[0, 1] * A[1, 0] + A[1, 1] ** 2),
    (sympy.Determinant(A), A[0, 0] * A[1, 1] - A[0, 1] * A[1, 0]),
    (cfunctions.fma(x, y, 2), x * y + 2),
    (cfunctions.Sqrt(x**2 + 1), sympy.sqrt(x**2 + 1)),
    (cfunctions.log10(x**2 + 1), sympy.log(x**2 + 1) / sympy.log(10)),
    (numpy_nodes.logaddexp2(x, y), sympy.log(2**x + 2**y) / sympy.log(2)),
    (sympy.arg(x) * y, Piecewise((sympy.pi, x < 0), (0, True)) * y),
]


@pytest.mark.parametrize(("construct", "meaning"), CONSTRUCTS, ids=lambda given: type(given).__name__)
def test_a_construct_is_what_it_means(construct: Any, meaning: Any) -> None:
    expected = Function(meaning, variables=Function(construct).variables if not construct.has(A[0, 0].parent) else None)
    f = Function(construct, variables=expected.names)
    for point in ([0.3, 0.7, 1.1, -0.2], [-0.3, 0.7, 0.5, 2.0], [0.3, -0.7, 1.0, 1.5], [-0.3, -0.7, 2.0, 0.1]):
        at = point[: f.n]
        assert f(at) == pytest.approx(expected(at))
        np.testing.assert_allclose(f.jacobian(at), expected.jacobian(at))


@pytest.mark.parametrize(
    ("formula", "reason"),
    [
        (sin(Sum(x**i, (i, 0, n))), "a Sum with symbolic bounds"),
        (Sum(x**i, (i, 0, sympy.oo)), "a Sum with an infinite bound"),
        (Product(x, (i, 1, sympy.Rational(5, 2))), "a Product with broken bounds"),
        (Sum(x, (i, 1, 10**9)), "a Sum of 1,000,000,000 terms"),
        (Integral(x**x, (x, 0, y)) + 1, "an Integral"),
        (sympy.hyper((1,), (2,), x) * x, "no primitive for `hyper`"),
        (exp(sympy.meijerg([], [], [0], [], x)), "no primitive for `meijerg`"),
        (sympy.besselj(sympy.hyper((1,), (2,), x), x), "no primitive for `hyper`"),
        (sympy.Trace(sympy.MatrixSymbol("B", n, n)), "a Trace of a matrix of symbolic shape"),
        (x + sympy.I, "imaginary unit"),
    ],
    ids=str,
)
def test_a_refusal_names_the_outermost_construct(formula: Any, reason: str) -> None:
    with pytest.raises(AdlabError, match=reason):
        _ = Function(formula).graph


def test_outputs_keep_their_shape() -> None:
    matrix = [[x, x * y, 1], [y, x + y, sin(x)]]
    given = [
        sympy.Matrix(matrix), sympy.ImmutableMatrix(matrix), sympy.Array(matrix), sympy.ImmutableDenseNDimArray(matrix),
        np.array(matrix, dtype=object), matrix, [["x", "x*y", "1"], ["y", "x + y", "sin(x)"]], sympy.SparseMatrix(matrix),
    ]  # fmt: skip
    for outputs in given:
        f = Function(outputs, ["x", "y"] if isinstance(outputs[0], list) and isinstance(outputs[0][0], str) else (x, y))
        assert (f.shape, f.m) == ((2, 3), 6)
        assert f([1, 2]) == pytest.approx([1, 2, 1, 2, 3, math.sin(1)])
        assert f.jacobian([1, 2]).reshape(*f.shape, 2)[0, 1] == pytest.approx([2, 1])
    assert Function("x").shape == ()
    assert Function(["x", "y"]).shape == (2,)
    assert Function(A * A).shape == (2, 2)
    assert Function(sympy.Array([[[x], [y]]])).shape == (1, 2, 1)
    with pytest.raises(OptionError, match="different shapes"):
        Function([[x], [x, y]])


def test_a_leaf_is_known_by_what_it_stands_for() -> None:
    assert Leaf(q) == Leaf(Undefined("q")(t))
    assert Leaf(q) != sympy.Symbol("q(t)", real=True)
    with pytest.raises(VariableError, match="two different symbols"):
        Function(q * sympy.Symbol("q(t)"))
    with pytest.raises(UnsupportedExpression):
        _ = Function(Sum(u[i], (i, 1, n))).graph


@pytest.mark.parametrize("function", [sympy.sin, sympy.log, sympy.tanh, sympy.Abs, sympy.gamma, sympy.besselj, sympy.Min])
def test_a_formula_of_ordinary_functions_is_not_walked_again(function, monkeypatch):
    monkeypatch.setattr(constructs, "_Rewriting", None)
    x, y = sympy.symbols("x y", real=True)
    formula = function(x, y) if function in (sympy.besselj, sympy.Min) else function(x)
    assert written_out([formula], postorder([formula])) == (formula,)


X, Y = sympy.symbols("x y", real=True)


@pytest.mark.parametrize("written", [
    sympy.MatMul(sympy.ImmutableMatrix([[X, 1], [Y, 2]]), sympy.ImmutableMatrix([Y, X])),
    sympy.MatAdd(sympy.ImmutableMatrix([X, Y]), sympy.ImmutableMatrix([Y, X])),
    sympy.Inverse(sympy.ImmutableMatrix([[X, 1], [1, Y]])), sympy.Transpose(sympy.ImmutableMatrix([[X, Y * X]])),
    sympy.BlockMatrix([[sympy.ImmutableMatrix([[X]]), sympy.ImmutableMatrix([[Y]])]]),
    sympy.KroneckerProduct(sympy.ImmutableMatrix([[X, 1]]), sympy.ImmutableMatrix([[Y], [1]])),
    sympy.HadamardProduct(sympy.ImmutableMatrix([[X, 1]]), sympy.ImmutableMatrix([[Y, 3]])),
], ids=lambda e: type(e).__name__)  # fmt: skip
def test_an_expression_in_matrices_of_entries_has_its_entries(written: Any) -> None:
    plain = written.as_explicit()
    f, g = Function(written), Function(plain)
    assert f.shape == tuple(plain.shape)
    assert f([0.7, 2.0]) == pytest.approx(g([0.7, 2.0]), rel=1e-14)
    assert f.jacobian([0.7, 2.0]) == pytest.approx(g.jacobian([0.7, 2.0]), rel=1e-14)


def test_a_piecewise_of_matrices_is_a_matrix_of_piecewises() -> None:
    one, other = sympy.ImmutableMatrix([X, X * Y]), sympy.ImmutableMatrix([Y**2, 1])
    f = Function(sympy.Piecewise((one, X > 0), (other, True)))
    assert f.shape == (2, 1)
    assert f.jacobian([2.0, 3.0]).tolist() == [[1, 0], [3, 2]]
    assert f.jacobian([-2.0, 3.0]).tolist() == [[0, 6], [0, 0]]
    with pytest.raises(OptionError, match="different shapes"):
        Function(sympy.Piecewise((one, X > 0), (sympy.ImmutableMatrix([1]), True)))


def test_a_lambda_lists_its_own_variables() -> None:
    f = Function(sympy.Lambda((Y, X), X * sympy.exp(Y)))
    assert f.names == ["y", "x"]
    assert f.gradient([0.0, 2.0]).tolist() == [2.0, 1.0]
