"""Taylor series of every primitive against differences at high precision, and of compositions against known series."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from shares import share
from table import CASES, Case, _evaluator, differentiable, exists, holds, points

import adlab
from adlab.arithmetic.taylor import Taylor, series
from adlab.graph.graph import Builder, Graph
from adlab.graph.lowering import lower

X, Y = sympy.symbols("x y", real=True)
ORDER = 4
LIMITS = {"besselk-0", "bessely-0"}  # which mpmath computes as limits, at half a minute a series; order 1/2 is tried
SERVED = [case for case in CASES if not case.rough and not case.primitive.name.endswith("_moving") and str(case) not in LIMITS]


def single(case: Case) -> Graph:
    builder = Builder("abcde"[: case.arity])
    return builder.finish([builder.cons(case.primitive, tuple(range(case.arity)), case.parameter)])


def along(case: Case, point: Sequence[float], direction: Sequence[float]) -> Callable[[Any], Any]:
    """The form on the line point + t·direction."""
    function = _evaluator(case)
    return lambda t: mpmath.re(function(*[x + t * v for x, v in zip(point, direction, strict=True)]))


def dear(case: Case) -> bool:
    """Whether mpmath's series of it takes 15 seconds and more."""
    return case.primitive.name in {"ellipticf", "ellipticeinc", "ellipticpi", "ellipticpic"} and case.parameter > 0


@pytest.mark.parametrize("case", [*share([c for c in SERVED if not dear(c)]),
                                  *(pytest.param(c, marks=pytest.mark.slow) for c in SERVED if dear(c))], ids=str)  # fmt: skip
def test_the_series_of_every_primitive_is_that_of_its_form(case: Case) -> None:
    r, tested = random.Random(str(case)), 0
    ordinary = [tuple(r.uniform(0.1, 3) for _ in range(case.arity)) for _ in range(20)]
    for point in (*points(case), *(point for point in ordinary if holds(exists(case), point))):
        out = case.primitive.value(point, case.parameter)
        conditions = [case.primitive.smooth, *(differentiable(case, k) for k in range(case.arity))]
        if not all(0.05 < abs(x) < 4 for x in point) or not all(holds(condition, point, out) for condition in conditions):
            continue
        direction = [r.choice((-1.0, 0.5, 1.0)) for _ in point]
        (found,) = series(single(case), point, direction, ORDER)
        with mpmath.workprec(200):
            expected = mpmath.taylor(along(case, point, direction), 0, ORDER)
        scale = max(1.0, *(abs(float(c)) for c in expected))
        assert found == pytest.approx([float(c) for c in expected], rel=1e-9, abs=1e-9 * scale), (point, direction)
        tested += 1
        if tested == (1 if case.slow else 2):
            break
    assert tested


@pytest.mark.parametrize(("formula", "coefficient"), [
    (sympy.exp(X), lambda n: 1 / math.factorial(n)),
    (1 / (1 - X), lambda n: 1.0),
    (sympy.log(1 + X), lambda n: (-1) ** (n + 1) / n if n else 0.0),
    (sympy.sqrt(1 + X), lambda n: float(sympy.binomial(sympy.Rational(1, 2), n))),
    (sympy.sin(2 * X), lambda n: 2**n * math.sin(n * math.pi / 2) / math.factorial(n) if n % 2 else 0.0),
])  # fmt: skip
def test_known_series_to_order_20(formula: sympy.Expr, coefficient) -> None:
    (found,) = series(lower([formula], [X]), [0.0], [1.0], 20)
    assert found == pytest.approx([coefficient(n) for n in range(21)], rel=1e-13, abs=1e-25)


def test_series_hold_the_directional_derivatives() -> None:
    f = adlab.Function("log((x1 + x2)**2 + sin(x1*x2))")
    v = [0.3, -0.7]
    (found,) = series(f.graph, [1.0, 2.0], v, 2)
    assert found[0] == f([1.0, 2.0])
    assert found[1] == pytest.approx(f.gradient([1.0, 2.0]) @ v, rel=1e-13)
    assert found[2] == pytest.approx(v @ f.hessian([1.0, 2.0]) @ v / 2, rel=1e-12)


def test_order_40_of_functions_whose_rules_read_each_other_takes_polynomial_time() -> None:
    for text in ("sigmoid(x)", "tan(x)", "x**x", "airyai(x)", "1/cosh(x)"):
        (found,) = series(adlab.Function(text).graph, [0.7], [1.0], 12 if text == "airyai(x)" else 40)
        assert np.isfinite(found).all()


def test_on_a_kink_there_is_a_value_and_no_more() -> None:
    (found,) = series(lower([sympy.Abs(X)], [X]), [0.0], [1.0], 2)
    assert found[0] == 0
    assert np.isnan(found[1:]).all()


def test_a_branch_that_is_not_taken_spoils_nothing() -> None:
    (found,) = series(lower([sympy.Piecewise((sympy.sqrt(X), X > 0), (X**2, True))], [X]), [-2.0], [1.0], 3)
    assert found == (4.0, -4.0, 1.0, 0.0)


def test_constants_have_no_slope() -> None:
    assert Taylor(2).constant(3) == (3.0, 0.0, 0.0)
