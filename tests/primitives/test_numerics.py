"""The numbers behind the primitives: values on floats, arrays and complex numbers, against high precision and SciPy."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from table import (
    CASES,
    LOGIC,
    SMALLEST_NORMAL,
    Case,
    at_few_and_at_many_points,
    differentiable,
    exists,
    holds,
    partial,
    points,
    ulps,
    value,
)

import adlab
from adlab.arithmetic.arrays import ARRAYS
from adlab.arithmetic.complex_numbers import COMPLEX
from adlab.arithmetic.floats import FLOATS
from adlab.primitives import numerics, special
from adlab.primitives.table import PRIMITIVES

VALUED = [case for case in CASES if case.primitive.name not in LOGIC | {"select"}]
ANALYTIC = [case for case in CASES if case.primitive.analytic and case.primitive.has_complex]

INTEGRALS = ["ellipticpi", "ellipticpic"]  # whose mpmath values take seconds
DEAR: tuple[Any, Any] = ((), pytest.mark.slow)

# What `math`, NumPy or SciPy themselves lose; everything else is within 4 ulps.
PLATFORM = {
    "gamma": 7,  # math.gamma 6, SciPy's 6.8
    **dict.fromkeys(["ellipticf", "ellipticeinc", "ellipticpi", "ellipticpic"], 8),  # sums of products of rounded powers: 5.7
}


def show(case: Case) -> str:
    return str(case)


def on_arrays(case: Case, chosen: Sequence[tuple[float, ...]]) -> np.ndarray:
    columns = [np.array(column) for column in zip(*chosen, strict=True)]
    return np.broadcast_to(ARRAYS.apply(case.primitive, case.parameter, columns), len(chosen))


@at_few_and_at_many_points
@pytest.mark.parametrize("case", [pytest.param(case, marks=DEAR[case.primitive.name in INTEGRALS]) for case in VALUED], ids=show)
def test_values_are_right_to_a_few_ulps(case: Case, count: int) -> None:
    chosen = points(case, count)
    for point, entry in zip(chosen, on_arrays(case, chosen), strict=True):
        true = value(case, point)
        if 0 < abs(true) < SMALLEST_NORMAL:
            continue
        bound = PLATFORM.get(case.primitive.name, 4)
        for found in (FLOATS.apply(case.primitive, case.parameter, list(point)), float(entry)):
            assert ulps(found, true) <= bound, (point, found, float(true))


@pytest.mark.parametrize("case", VALUED, ids=show)
def test_no_number_in_no_number_out(case: Case) -> None:
    arity = case.arity
    for k in range(arity):
        for other in (-2.0, 0.0, 0.5, 1.0, 2.0):
            point = tuple(math.nan if i == k else other for i in range(arity))
            assert math.isnan(FLOATS.apply(case.primitive, case.parameter, list(point)))
            assert np.isnan(on_arrays(case, [point])).all()


@pytest.mark.parametrize("case", VALUED, ids=show)
def test_careful_never_raises(case: Case) -> None:
    wild = [0.0, -0.0, 5e-324, -5e-324, 1.7e308, -1.7e308, math.inf, -math.inf, math.nan, -3.0, 0.5]
    r = random.Random(0)
    for operands in {tuple(r.choices(wild, k=case.arity)) for _ in range(8 if case.slow else 40)}:
        found = FLOATS.apply(case.primitive, case.parameter, list(operands))
        assert isinstance(found, float | int)


@pytest.mark.parametrize(
    ("name", "point", "parameter", "expected"),
    [
        ("exp", (1000.0,), None, math.inf),
        ("sinh", (-1000.0,), None, -math.inf),
        ("powi", (-1e200,), 3, -math.inf),
        ("powr", (1e300,), Fraction(7, 3), math.inf),
        ("pow", (1e-200, -2.0), 0, math.inf),
        ("mul", (1e200, -1e200), None, -math.inf),
        ("div", (1e200, 1e-200), None, math.inf),
        ("gamma", (172.0,), None, math.inf),
        ("csc", (-5e-324,), None, -math.inf),
        ("growth", (27.0,), None, math.inf),
        ("Ei", (720.0,), None, math.inf),
        ("polygamma", (1e-300,), 1, math.inf),
        ("polygamma", (1e-300,), 2, -math.inf),
    ],
)
def test_an_overflow_is_an_infinity(name: str, point: tuple[float, ...], parameter: Any, expected: float) -> None:
    case = Case(PRIMITIVES[name], parameter)
    assert FLOATS.apply(case.primitive, parameter, list(point)) == expected
    assert on_arrays(case, [point])[0] == expected


# --- the complex step --------------------------------------------------------------------------------------------


@at_few_and_at_many_points
@pytest.mark.parametrize("case", ANALYTIC, ids=show)
def test_a_tiny_imaginary_part_carries_the_derivative(case: Case, count: int) -> None:
    """Im f(x + ih)/h is f'(x) to 16 ulps, or 4 of the derivative's own conditioning where two terms cancel in it."""
    step, tested = 1e-60, 0
    for point in points(case, count)[: 4 if case.slow else 15]:
        out = FLOATS.apply(case.primitive, case.parameter, list(point))
        for k in range(case.arity):
            if not 1e-20 < abs(point[k]) < 1e30 or not math.isfinite(out):
                continue
            if not (holds(differentiable(case, k), point, out) and holds(case.primitive.smooth, point, out)):
                continue
            true = partial(case, k, point)
            if true is None or not 1e-240 < abs(true) < 1e300:
                continue
            operands: list[Any] = [complex(x, step * (i == k)) for i, x in enumerate(point)]
            found = complex(COMPLEX.apply(case.primitive, case.parameter, list(map(np.complex128, operands))))
            assert ulps(found.imag / step, true) <= 16, (k, point, found, float(true))
            assert abs(found.real - out) <= 1e-13 * abs(out), (point, found, out)
            tested += 1
    assert tested >= 2


def test_what_has_no_complex_version_says_so() -> None:
    without = {name for name, primitive in PRIMITIVES.items() if not primitive.has_complex}
    moving = {name for name in PRIMITIVES if name.endswith("_moving")}
    integrals = {"ellipticf", "ellipticeinc", "ellipticpi", "ellipticpic", "ellipticgap"}
    assert without == {"erfinv", "erfcinv", "gausserfinv", "gausserfcinv"} | moving | integrals


@pytest.mark.parametrize("name", [name for name, p in PRIMITIVES.items() if p.principal])
def test_beyond_the_domain_the_principal_branch_goes_on(name: str) -> None:
    primitive = PRIMITIVES[name]
    operands = [1.3, -2.5] if name == "xlogy" else [-2.5, 1.3][: primitive.arity]
    parameter = {"powr": Fraction(2, 3), "pow": 0}.get(name)
    expected = {
        "sqrt": (-2.5 + 0j) ** 0.5,
        "cbrt": (-2.5 + 0j) ** (1 / 3),
        "powr": (-2.5 + 0j) ** (2 / 3),
        "pow": (-2.5 + 0j) ** 1.3,
        "log": np.log(-2.5 + 0j),
        "log2": np.log2(-2.5 + 0j),
        "xlogy": 1.3 * np.log(-2.5 + 0j),
        "acosh": np.arccosh(-2.5 + 0j),
        "asin": np.arcsin(-2.5 + 0j),
        "acos": np.arccos(-2.5 + 0j),
        "atanh": np.arctanh(-2.5 + 0j),
        "log1p": np.log(-1.5 + 0j),
    }[name]
    found = complex(COMPLEX.apply(primitive, parameter, [np.complex128(x) for x in operands]))
    assert abs(found - expected) <= 1e-15 * abs(expected)


# --- powers ------------------------------------------------------------------------------------------------------


def test_a_power_as_huge_as_2_to_the_53_keeps_its_parity() -> None:
    """(-1)**(b - 1) is -1 for even b, though b - 1 rounds to b."""
    b = 2.0**54
    assert numerics.power_shifted(-1.0, b, -1) == -1.0
    assert numerics.power_shifted_array(np.array([-1.0]), np.array([b]), -1) == -1.0
    assert numerics.power_shifted(-1.0, b, -2) == 1.0


def test_an_overflowing_power_with_a_rounded_exponent_is_infinite() -> None:
    """inf + inf·(something negative) would be NaN."""
    assert PRIMITIVES["pow"].careful(500.0, 6.5e200, -1) == math.inf
    assert PRIMITIVES["powr"].careful(1e300, Fraction(10, 3)) == math.inf
    assert on_arrays(Case(PRIMITIVES["powr"], Fraction(10, 3)), [(1e300,)]) == math.inf


def test_fractional_powers_do_not_take_negative_numbers_for_positive() -> None:
    """math.cbrt(-8) is -2, and a shift may round an exponent to a whole number: neither is SymPy's power."""
    for found in (
        PRIMITIVES["cbrt"].careful(-8.0),
        PRIMITIVES["powr"].careful(-2.0, 1 + Fraction(1, 10**20)),
        PRIMITIVES["pow"].careful(-2.0, -1.9999999999999998, -1),
    ):
        assert math.isnan(found)


# --- special functions -------------------------------------------------------------------------------------------

SCIPY = {
    "erf": ("erf", 3),
    "loggamma": ("gammaln", 1000),
    "polygamma": ("polygamma", 30),
    "zeta": ("zeta", 10),
    "erfi": ("erfi", 300),
    "erfinv": ("erfinv", 10),
    "erfcinv": ("erfcinv", 10),
    "Ei": ("expi", 300),
    "besselj": ("jv", 1000),
    "bessely": ("yv", 1000),
    "besseli": ("iv", 1000),
    "besselk": ("kv", 1000),
}


@pytest.mark.parametrize("name", SCIPY)
def test_special_functions_are_those_of_scipy(name: str) -> None:
    """mpmath gives both our values and the high-precision ones; SciPy knows nothing of it."""
    theirs = pytest.importorskip("scipy.special")
    function, bound = SCIPY[name]
    for case in [case for case in CASES if case.primitive.name == name and case.parameter != Fraction(3, 2)]:
        if name == "zeta" and case.parameter < 1:
            continue  # SciPy has the series only, not what continues it
        inside = [x / 8 for x in range(-40, 41) if holds(exists(case), (x / 8,)) and abs(x) > 2]
        given = [] if case.parameter is None else [float(case.parameter)]
        for x in inside:
            if name in ("zeta", "polygamma", "besseli", "besselk") and x < 0:
                continue
            ours = FLOATS.apply(case.primitive, case.parameter, [x])
            other = getattr(theirs, function)(*given if name != "polygamma" else [case.parameter], x)
            assert abs(ours - other) <= bound * math.ulp(max(abs(other), 0.1)), (case, x)


@pytest.mark.parametrize("order", [0, 1, 2, 5])
@pytest.mark.parametrize("x", [-0.25, -7.3, -1234567.4, -1e15 + 0.5])
def test_polygamma_is_reflected_and_not_walked_from_the_far_left(order: int, x: float) -> None:
    """ψₙ(x + 1) - ψₙ(x) = (-1)ⁿ n! / x**(n + 1), where a recurrence would take 1e15 steps."""
    left, right = (PRIMITIVES["polygamma"].careful(a, order) for a in (x, x + 1))
    step = (-1) ** order * math.factorial(order) / x ** (order + 1)
    assert right - left == pytest.approx(step, abs=1e-14 * (abs(left) + abs(right)))


def test_near_its_zeros_loggamma_keeps_its_digits() -> None:
    """log Γ(1 + e) = -γe + …; math.lgamma and SciPy's gammaln lose 5 to all of their 16 digits here."""
    for e in (1e-15 * 0.9992007221626409, 2.0**-40, -(2.0**-40)):
        assert PRIMITIVES["loggamma"].careful(1 + e) == pytest.approx(
            -0.5772156649015329 * (1 + e - 1) + 0.8224670334241132 * e * e, rel=1e-13
        )


def test_without_scipy_the_math_functions_serve_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "scipy.special", None)
    gamma = special.from_scipy("gamma", math.gamma)
    found = gamma(np.array([[0.5, 4.0], [-1.0, 171.0]]))
    assert found.shape == (2, 2)
    assert found[0, 1] == 6
    assert math.isnan(found[1, 0])


@pytest.mark.parametrize("n", [-5, -2, -1, 0, 0.5, 2, 3])
def test_second_derivatives_of_polylogarithms_keep_their_digits_near_0(n: float) -> None:
    f = adlab.Function(f"polylog({n}, x)")
    for x in (0.0, 1e-16, -1e-16, 1e-8, -1e-3, 0.06, 0.124, -0.126):
        true = math.fsum(k ** (1 - n) * (k - 1) * x ** (k - 2) for k in range(2, 60))  # term by term
        assert f.hessian([x])[0, 0] == pytest.approx(true, rel=5e-15)


def test_noninteger_orders_of_polylog() -> None:
    """Li_s(x) + Li_s(-x) = 2^(1-s) Li_s(x²)."""
    li = PRIMITIVES["polylog"].careful
    for s in (Fraction(5, 2), Fraction(-1, 2)):
        for x in (0.1, 0.7):
            assert li(x, s) + li(-x, s) == pytest.approx(2 ** float(1 - s) * li(x * x, s), rel=1e-14)
