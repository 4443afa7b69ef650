"""Functions that are written out by others: each against its own definition in mpmath, values and gradients."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
import sympy

import adlab
from adlab.errors import ParseError

X, Y = sympy.symbols("x y", real=True)
CASES = [
    ("beta(x, y)", sympy.beta(X, Y), mpmath.beta, [(2.5, 3.5), (300.0, 250.0), (150.5, 1e-3), (-0.5, 2.2)]),
    ("binomial(x, 3)", sympy.binomial(X, 3), lambda x: mpmath.binomial(x, 3), [(5.5,), (1e10,), (-2.25,)]),
    ("binomial(x, y)", sympy.binomial(X, Y), mpmath.binomial, [(5.5, 2.2), (1000.25, 3.5)]),
    ("rf(x, y)", sympy.rf(X, Y), mpmath.rf, [(5.5, 2.2), (180.5, 3.25)]),
    ("ff(x, y)", sympy.ff(X, Y), mpmath.ff, [(5.5, 2.2)]),
    ("dirichlet_eta(x)", sympy.dirichlet_eta(X), mpmath.altzeta, [(2.0,), (0.5,), (-1.5,)]),
    ("harmonic(x, 2)", sympy.harmonic(X, 2), lambda x: mpmath.zeta(2) - mpmath.zeta(2, x + 1), [(2.5,), (100.0,)]),
    ("legendre(7, x)", sympy.legendre(7, X), lambda x: mpmath.legendre(7, x), [(0.3,), (3.0,)]),
    ("chebyshevt(6, x)", sympy.chebyshevt(6, X), lambda x: mpmath.chebyt(6, x), [(0.3,)]),
    ("chebyshevu(6, x)", sympy.chebyshevu(6, X), lambda x: mpmath.chebyu(6, x), [(0.3,)]),
    ("hermite(5, x)", sympy.hermite(5, X), lambda x: mpmath.hermite(5, x), [(0.3,), (3.0,)]),
    ("laguerre(4, x)", sympy.laguerre(4, X), lambda x: mpmath.laguerre(4, 0, x), [(0.3,)]),
    ("gegenbauer(4, 3/2, x)", sympy.gegenbauer(4, sympy.Rational(3, 2), X), lambda x: mpmath.gegenbauer(4, 1.5, x), [(0.3,)]),
]


@pytest.mark.parametrize(("text", "expression", "means", "points"), CASES, ids=[case[0] for case in CASES])
def test_text_and_sympy_give_the_function(text, expression, means, points) -> None:
    for given in (text, expression):
        f = adlab.Function(given)
        for point in points:
            at = list(point)
            with mpmath.workdps(40):
                numbers = tuple(map(mpmath.mpf, point))
                value = float(means(*numbers))
                slopes = [float(mpmath.diff(means, numbers, tuple(int(i == j) for i in range(f.n)))) for j in range(f.n)]
            assert f(at) == pytest.approx(value, rel=1e-13)
            assert f.gradient(at) == pytest.approx(slopes, rel=1e-13)


def test_a_degree_is_a_whole_number() -> None:
    wrong = {"legendre(x, 2)": "whole number", "hermite(99, x)": "0 to 30", "gegenbauer(2, y, x)": "numbers before"}
    for text, said in wrong.items():
        with pytest.raises(ParseError, match=said):
            adlab.Function(text)


@pytest.mark.parametrize("x", [-0.36, -0.2, -1e-3, -1e-200])
def test_the_other_branch_of_lambert(x: float) -> None:
    """W₋₁, as text and as SymPy has it; its derivative is W/(x (1 + W))."""
    for given in ("LambertW(x, -1)", sympy.LambertW(sympy.Symbol("x"), -1)):
        f = adlab.Function(given)
        with mpmath.workdps(30):
            w = mpmath.lambertw(x, -1)
            slope = w / (x * (1 + w))
        assert f([x]) == pytest.approx(float(w), rel=1e-15)
        assert f.gradient([x])[0] == pytest.approx(float(slope), rel=4e-15)
        assert float(adlab.truth(f, [x], digits=15).gradient[0]) == pytest.approx(float(slope), rel=1e-13)
    assert str(adlab.Function("LambertW(x, 0)").graph) == "v1 = LambertW(x)"
    with pytest.raises(adlab.UnsupportedExpression, match="real branches 0 and -1, and not 1"):
        adlab.Function("LambertW(x, 1)")


@pytest.mark.parametrize("family", [sympy.legendre, sympy.chebyshevt, sympy.chebyshevu, sympy.hermite, sympy.laguerre])
def test_a_polynomial_that_sympy_has_not_written_out(family: object) -> None:
    x = sympy.Symbol("x", real=True)
    kept, plain = adlab.Function(family(5, x, evaluate=False)), adlab.Function(family(5, x))  # type: ignore[operator]
    assert kept.gradient([0.3])[0] == pytest.approx(plain.gradient([0.3])[0], rel=1e-13)
    with pytest.raises(adlab.UnsupportedExpression, match="whole number from 0"):
        adlab.Function(family(sympy.Symbol("y"), x))  # type: ignore[operator]


@pytest.mark.parametrize("m", [0.4, -3.0, 0.0, 1e-20, 0.999999, -1e10])
@pytest.mark.parametrize("name", ["elliptic_k", "elliptic_e"])
def test_complete_elliptic_integrals(name: str, m: float) -> None:
    """Of the parameter m < 1, as in SymPy; both derivatives to rounding, also at 0, where their formulas have 0/0."""
    f = adlab.Function(f"{name}(m)")
    judge = {"elliptic_k": mpmath.ellipk, "elliptic_e": mpmath.ellipe}[name]
    with mpmath.workdps(40):
        value, first, second = (float(mpmath.diff(judge, mpmath.mpf(m), n)) for n in range(3))
    assert f([m]) == pytest.approx(value, rel=1e-15)
    assert f.gradient([m])[0] == pytest.approx(first, rel=1e-15)
    assert f.hessian([m])[0, 0] == pytest.approx(second, rel=1e-14)
    assert float(adlab.truth(f, [m], digits=15).gradient[0]) == pytest.approx(first, rel=1e-14)


JUDGES = {"elliptic_f": mpmath.ellipf, "elliptic_e": mpmath.ellipe, "elliptic_pi": mpmath.ellippi}
AT = [("elliptic_f", (0.7, 0.3)), ("elliptic_f", (-9.0, -40.0)), ("elliptic_f", (0.6, 2.5)), ("elliptic_f", (1.57, 0.99999)),
      ("elliptic_f", (0.5, 0.0)), ("elliptic_f", (1e-9, 0.5)), ("elliptic_e", (0.7, 0.3)), ("elliptic_e", (30.0, -0.5)),
      ("elliptic_e", (0.6, 2.5)), ("elliptic_pi", (0.2, 0.3)), ("elliptic_pi", (-50.0, 0.999)), ("elliptic_pi", (0.2, 0.7, 0.3)),
      *(pytest.param("elliptic_pi", at, marks=pytest.mark.slow)
        for at in [(1.4, 0.7, 1.3), (0.3, -7.0, 0.3), (0.0, 1.2, 0.0)])]  # fmt: skip


@pytest.mark.parametrize(("name", "at"), AT)
def test_elliptic_integrals_of_two_and_three_operands(name: str, at: tuple[float, ...]) -> None:
    """Value, gradient and Hessian are mpmath's, by every operand; also where SymPy's formulas are singular: ν = m, m = 0."""
    letters = ", ".join(f"x{k}" for k in range(len(at)))
    f = adlab.Function(f"{name}({letters})")
    judge, count = JUDGES[name], len(at)
    with mpmath.workdps(40):
        exact = tuple(map(mpmath.mpf, at))
        orders = [tuple((j == i) + (j == k) for j in range(count)) for i in range(count) for k in range(count)]
        slopes = [float(mpmath.diff(judge, exact, tuple(int(j == i) for j in range(count)))) for i in range(count)]
        curves = [float(mpmath.diff(judge, exact, order)) for order in orders]
        value = float(judge(*exact))
    assert f(at) == pytest.approx(value, rel=2e-15)
    assert f.gradient(at) == pytest.approx(slopes, rel=3e-15)
    assert f.hessian(at).ravel() == pytest.approx(curves, rel=1e-14, abs=1e-300)
    found = adlab.truth(f, at, digits=15)
    assert [float(part) for part in found.gradient] == pytest.approx(slopes, rel=1e-14)
    assert f.compile(derivative="gradient")([at, at])[1] == pytest.approx(slopes, rel=3e-15)


@pytest.mark.parametrize("text", ["elliptic_f(x, y)", "elliptic_e(x, y)", "elliptic_pi(z, x, y)"])
def test_a_batch_of_elliptic_integrals_is_its_points(text: str) -> None:
    f = adlab.Function(text, variables=("x", "y", "z") if "z" in text else ("x", "y"))
    rows = np.array([[0.5, 2.0, 1.5], [4.0, 0.3, 0.2], [-7.0, -1.0, -3.0]])[:, : f.n]  # m > 1 goes no further than half a period
    assert f(rows) == pytest.approx([f(row) for row in rows], rel=1e-15)
    assert f.gradient(rows) == pytest.approx(np.array([f.gradient(row) for row in rows]), rel=1e-14)


def test_elliptic_integrals_stop_where_their_integrand_has_a_pole() -> None:
    assert adlab.Function("elliptic_e(x, 1)")([2.0]) == pytest.approx(2 - math.sin(2.0), rel=1e-15)
    for text in ("elliptic_f(x, 2)", "elliptic_f(x, 1)", "elliptic_pi(3, x, 0.5)"):
        assert math.isfinite(adlab.Function(text)([0.5]))
        with pytest.raises(adlab.DomainError, match="needs"):
            adlab.Function(text)([1.6])
    with pytest.raises(adlab.DomainError, match="needs x < 1"):
        adlab.Function("elliptic_k(x)")([1.0])
