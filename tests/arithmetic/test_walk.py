"""`adlab.walk` and `f.series`: the one evaluator by the names of the arithmetics, and Taylor coefficients along a line."""

from __future__ import annotations

import math
from fractions import Fraction
from importlib.util import find_spec

import mpmath
import numpy as np
import pytest
import sympy

import adlab
from adlab.arithmetic.bounded import Bounded
from adlab.arithmetic.catalogue import ARITHMETICS
from adlab.arithmetic.extended import number
from adlab.arithmetic.sparsity import Reach

F = adlab.Function(["exp(x)", "x*x"])


@pytest.mark.parametrize(("name", "given"), [("floats", 0.5), ("complex", 0.5 + 0j), ("arrays", np.array([0.5, 0.5]))])
def test_numbers_walk_to_values(name, given):
    power, square = adlab.walk(F, name, [given])
    assert np.shape(square) == np.shape(given)
    assert np.allclose(power, math.exp(0.5), rtol=1e-15, atol=0)
    assert np.all(square == 0.25)


def test_bounds_and_enclosures_hold_the_value():
    number = adlab.walk(F, "bounded", [Bounded(0.5)])[0]
    assert abs(number.value - math.exp(0.5)) <= number.error < 1e-14
    assert adlab.walk(F, "intervals", [(0.25, 0.5)])[1] == pytest.approx((0.0625, 0.25), abs=1e-15)
    pytest.importorskip("flint")
    for name in ("intervals", "enclosures"):
        for (low, high), true in zip(adlab.walk(F, name, [(0.5, 0.75)]), (math.exp, lambda x: x * x), strict=True):
            assert low <= true(0.5) <= true(0.75) <= high < true(0.75) + 1e-14


def test_letters_units_and_unlimited_exponents_walk():
    t = sympy.Symbol("t", real=True)
    assert [e.doit() for e in adlab.walk(F, "symbols", [t])] == [sympy.exp(t), t**2]
    assert str(adlab.walk(adlab.Function("x*y"), "units", ["m/s", "s"])[0]) == "m"
    with pytest.raises(adlab.MethodError, match="add of m and s"):
        adlab.walk(adlab.Function("x + y"), "units", ["m", "s"])
    assert adlab.walk(adlab.Function("x**2/1e300/1e300"), "extended", [number(1e300)])[0] == pytest.approx(1.0)
    assert [sorted(reach.inputs) for reach in adlab.walk(adlab.Function(["x*y", "0*x + y"]), "sparsity",
            [Reach(frozenset([0])), Reach(frozenset([1]))])] == [[0, 1], [1]]  # fmt: skip
    assert {row.name for row in ARITHMETICS} == {
        "floats", "complex", "arrays", "bounded", "intervals", "enclosures", "symbols", "units", "extended", "sparsity",
        "taylor", "nodes", "curvature", "operations",
    }, "a new arithmetic is to be walked with here"  # fmt: skip


def test_operations_without_sharing_are_those_of_the_formula_as_a_tree():
    for n in range(1, 8):
        f = adlab.gallery.logistic_map(n)
        assert adlab.walk(f, "operations", [0]) == [3 * (2 ** (n - 1) - 1)]
        assert len(f.graph.operations) == 3 * (n - 1)
    assert adlab.walk(F, "operations", [5]) == [6, 11]
    with pytest.raises(adlab.PointError, match="a whole number of operations"):
        adlab.walk(F, "operations", [-1])


def test_a_text_among_letters_is_read_and_never_run(tmp_path):
    gone = tmp_path / "gone"
    with pytest.raises(adlab.PointError):
        adlab.walk(F, "symbols", [f"__import__('pathlib').Path({str(gone)!r}).write_text('run')"])
    assert not gone.exists()
    assert adlab.walk(F, "symbols", ["2*y"])[1].doit() == 4 * sympy.Symbol("y", real=True) ** 2


def test_bad_walks_are_refused_in_a_sentence():
    f = adlab.Function("x*y")
    with pytest.raises(adlab.OptionError, match="no arithmetic `octonions`"):
        adlab.walk(f, "octonions", [1, 2])
    with pytest.raises(adlab.PointError, match="1 inputs are given"):
        adlab.walk(f, "floats", [1.0])
    with pytest.raises(adlab.PointError, match="one length"):
        adlab.walk(f, "taylor", [(1.0, 1.0), (1.0,)])
    wrong = {"floats": "a", "complex": "a", "arrays": ["a"], "bounded": "a", "intervals": 0.5, "enclosures": (2, 1),
             "symbols": object(), "units": 0.5, "extended": None, "sparsity": 1, "taylor": 1.0}  # fmt: skip
    for name, given in wrong.items():
        with pytest.raises(adlab.PointError, match=f"an input of `{name}` is a.*`x` is"):
            adlab.walk(f, name, [given, given])
    for what in ("x*y", 3):
        with pytest.raises(adlab.OptionError, match="needs a Function"):
            adlab.walk(what, "floats", [1.0, 2.0])
    with pytest.raises(adlab.OptionError, match="neither a name"):
        adlab.walk(f, 3, [1.0, 2.0])
    with pytest.raises(adlab.PointError, match="a sequence"):
        adlab.walk(f, "floats", 1.0)


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


@pytest.mark.parametrize(("formula", "point", "v"), [
    ("x**2*y", [1e-200, 1e300], [1, 0]), ("exp(-x)*y", [800, 1e300], [1, 0]), ("exp(x)/(1 + exp(x))", [800], [1]),
    pytest.param("sqrt(x**2 + y**2)", [1e-200, 1e-200], [1, 0],
                 marks=pytest.mark.skipif(not find_spec("flint"), reason="without balls there is no truth so near a kink")),
    ("1/gamma(x)", [120], [1]), ("abs(y)*x", [1, 0], [1, 0]),
])  # fmt: skip
def test_what_leaves_binary64_on_the_way_is_followed(formula, point, v):
    found = adlab.Function(formula).series(point, v, 2)
    assert found == pytest.approx([float(c) for c in found.truth()], rel=1e-12, abs=0)
    assert not np.isnan(found.bound).any()


def test_long_series_end_in_numbers_too_small_for_binary64():
    found = adlab.Function("exp(x/64)").series([0.0], [1.0], 100)
    true = np.array([float(Fraction(1, math.factorial(k) * 64**k)) for k in range(101)])
    assert np.allclose(found, true, rtol=1e-13, atol=5e-324)
    with pytest.raises(adlab.OverflowedError, match="lower the order"):
        adlab.Function("exp(x)").series([800.0], [1.0], 100)


@pytest.mark.parametrize(("formula", "true"), [("sqrt(x**4)", None), ("floor(-x**4)", None), ("abs(x**4)", [0] * 4)])
def test_an_operand_that_is_0_to_the_last_order_may_still_move(formula, true):
    """sqrt(x**4) = x**2: its series is not 0 although that of x**4 is, up to t**3."""
    if true is None:
        with pytest.raises(adlab.DomainError, match="no coefficient 1"):
            adlab.Function(formula).series([0.0], [1.0], 3)
    else:
        assert adlab.Function(formula).series([0.0], [1.0], 3).tolist() == true
