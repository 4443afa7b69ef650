"""`adlab.walk` and `f.series`: the one evaluator by the names of the arithmetics, and Taylor coefficients along a line."""

from __future__ import annotations

import math

import mpmath
import pytest
import sympy

import adlab
from adlab.arithmetic.catalogue import ARITHMETICS


@pytest.mark.parametrize("row", [row for row in ARITHMETICS if row.name not in ("nodes", "taylor", "sparsity", "bounded")])
def test_every_arithmetic_walks_by_its_name(row):
    if row.name == "enclosures":
        pytest.importorskip("flint")
    sides = dict.fromkeys(["intervals", "enclosures"], (0.5, 0.75))
    given = ({"symbols": sympy.Symbol("t", real=True), "units": "1"} | sides).get(row.name, 0.5)
    if row.name == "extended":
        given = adlab.walk(adlab.Function("0.5*x"), "extended", [_one()])[0]
    assert len(adlab.walk(adlab.Function(["exp(x)", "x*x"]), row.name, [given])) == 2


def _one():
    from adlab.arithmetic.extended import EXTENDED

    return EXTENDED.constant(1)


def test_bad_walks_are_refused_in_a_sentence():
    f = adlab.Function("x*y")
    with pytest.raises(adlab.OptionError, match="no arithmetic `octonions`"):
        adlab.walk(f, "octonions", [1, 2])
    with pytest.raises(adlab.PointError, match="1 inputs are given"):
        adlab.walk(f, "floats", [1.0])
    with pytest.raises(adlab.PointError, match="one length"):
        adlab.walk(f, "taylor", [(1.0, 1.0), (1.0,)])


@pytest.mark.parametrize("formula", ["exp(x)*sin(y)", "atan(x*y)/(1 + y)", "log(x + y)**2", "tan(x)*sqrt(y)", "sin(x)/x + y"])
def test_series_are_the_derivatives_along_the_line(formula):
    f, x, v, order = adlab.Function(formula, ["x", "y"]), (0.6, 0.8), (1.0, -0.5), 8
    along = sympy.lambdify(f.variables, f.outputs[0], "mpmath")
    with mpmath.workdps(60):
        expected = mpmath.taylor(lambda t: along(*(mpmath.mpf(a) + t * b for a, b in zip(x, v, strict=True))), 0, order)
    assert f.series(x, v, order=order) == pytest.approx([float(c) for c in expected], rel=1e-10, abs=1e-13)


def test_series_are_refused_where_there_are_none():
    with pytest.raises(adlab.DomainError, match="no coefficient 1"):
        adlab.Function("abs(x)").series([0.0], [1.0], 3)
    with pytest.raises(adlab.DomainError):
        adlab.Function("log(x)").series([-1.0], [1.0], 3)
    with pytest.raises(adlab.OptionError, match="order"):
        adlab.Function("x").series([1.0], [1.0], -1)
    assert adlab.Function(["x", "x**2"]).series([1.0], [1.0], 2).tolist() == [[1, 1, 0], [1, 2, 1]]
    assert math.isclose(adlab.Function("x**20").series([1.0], [1.0])[20], 1.0)
