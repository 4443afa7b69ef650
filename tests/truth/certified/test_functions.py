"""What SymPy's functions mean for balls: the values that mpmath has, and slopes that differences of values confirm."""

from __future__ import annotations

import random
from typing import Any

import pytest
import sympy

flint = pytest.importorskip("flint", "0.9")

from adlab.text.functions import NAMED  # noqa: E402
from adlab.truth import meanings  # noqa: E402
from adlab.truth.certified import balls  # noqa: E402
from adlab.truth.certified.proof import prove  # noqa: E402
from adlab.truth.certified.sweeps import MEANINGS  # noqa: E402
from adlab.truth.meanings import CONTEXT, exact  # noqa: E402
from adlab.truth.values import plan  # noqa: E402

WITH_ORDER = {sympy.expint, sympy.polygamma, sympy.uppergamma, sympy.lowergamma, sympy.polylog, sympy.besselj, sympy.bessely,
              sympy.besseli, sympy.besselk, sympy.jn, sympy.yn}  # fmt: skip
OF_TWO = {sympy.atan2, sympy.Mod, sympy.beta, sympy.binomial, sympy.elliptic_f, sympy.elliptic_pi}
ORDERS = [0.0, 0.75, 1.0, 2.0, 3.0]
REAL = [0.3, -0.4, 0.0, 1.0, -1.0, 1.7, -2.3, 13.25, -13.25, 300.5, -300.5, 1e-8]
COMPLEX = [0.5 + 0.75j, -3 - 2j, -1.5 + 0.25j, 1e-20 + 3j]
# Where mpmath gives what is no value there: the continuation of Li_s(1) for s < 1, and limits between two poles.
CONTINUED = {(sympy.polylog, s, 1.0) for s in ORDERS} | {(sympy.beta, 1.0, -1.0), (sympy.beta, -1.0, 1.0)}
CONTINUED |= {(sympy.binomial, -1.0, z) for z in (-1.0, 0.0, 1.0)}


def places(function: Any) -> list[tuple[Any, ...]]:
    if function in WITH_ORDER:
        orders = [0.0, 1.0, 2.0, 3.0] if function is sympy.polygamma else ORDERS
        return [(order, z) for order in orders for z in [*REAL[:9], *COMPLEX] if (function, order, z) not in CONTINUED]
    if function in OF_TWO:
        return [(a, b) for a in REAL[:9] for b in REAL[:9] if (function, a, b) not in CONTINUED]
    return [(z,) for z in [*REAL, *COMPLEX]]


def in_mpmath(function: Any, place: tuple[Any, ...]) -> Any:
    with meanings.working(150):
        numbers = [CONTEXT.mpc(z) if isinstance(z, complex) else CONTEXT.mpf(z) for z in place]
        try:
            value = meanings.FUNCTIONS[function](*numbers)
        except (ZeroDivisionError, ValueError):
            return None
        return value if CONTEXT.isfinite(value) else None


def in_balls(function: Any, place: tuple[Any, ...]) -> Any:
    numbers = [flint.acb(z.real, z.imag) if isinstance(z, complex) else flint.arb(z) for z in place]
    with balls.working(150):
        found = MEANINGS[function](*numbers)
    if not found.is_finite():
        return None
    middle = CONTEXT.make_mpc((balls.number(found.real.mid())._mpf_, balls.number(found.imag.mid())._mpf_))
    return middle, balls.number(found.rad())


def test_every_function_with_a_value_has_a_ball() -> None:
    assert set(meanings.FUNCTIONS) <= set(MEANINGS)


SYMPYS = [function for function in meanings.FUNCTIONS if function not in NAMED.values()]
"""Functions that SymPy has, too; the others have a test of their own."""


@pytest.mark.parametrize("function", SYMPYS, ids=lambda f: f.__name__)
def test_balls_hold_the_values_that_mpmath_has(function: Any) -> None:
    for place in places(function):
        value, ball = in_mpmath(function, place), in_balls(function, place)
        assert (value is None) == (ball is None), place
        if ball is not None:
            with meanings.working(150):
                assert abs(ball[0] - value) <= ball[1] + abs(value) * CONTEXT.ldexp(1, -90), place


JUMPS = {sympy.floor, sympy.ceiling, sympy.sign, sympy.Heaviside, sympy.conjugate, sympy.re, sympy.im, sympy.arg}


@pytest.mark.parametrize("function", [f for f in SYMPYS if f not in JUMPS], ids=lambda f: f.__name__)
def test_every_slope_is_confirmed_by_differences_of_values(function: Any) -> None:
    """By both operands where both may move; up to the third derivative."""
    x, y = sympy.symbols("x y")
    r = random.Random(function.__name__)
    operands = (sympy.Integer(2), x) if function in WITH_ORDER else (x, y) if function in OF_TWO else (x,)
    made = plan([function(*operands, evaluate=False)], [x, y])
    confirmed, most = 0, 3
    for _ in range(24):
        point = [exact(r.choice([-1, 1]) * r.uniform(0, r.choice([1, 9]))), exact(r.uniform(0.1, 0.9))]
        proof = prove(made, point, 30, order=most)
        depends = [j for j in (0, 1) if made.depends(0, j)]
        if 0 in proof.values:
            assert {(0, j, k) for j in depends for k in range(1, most + 1)} == set(proof.derivatives), point
            confirmed += 1
    assert confirmed >= 2


@pytest.mark.parametrize("function", sorted(WITH_ORDER - {sympy.polygamma}, key=str), ids=lambda f: f.__name__)
def test_orders_that_move(function: Any) -> None:
    s, z = sympy.symbols("s z")
    made = plan([function(s, z, evaluate=False)], [s, z])
    proof = prove(made, [exact(0.625), exact(0.40625)], 30)
    assert set(proof.derivatives) == {(0, 0, 1), (0, 1, 1)}


def test_precision_is_put_back() -> None:
    before = flint.ctx.prec, flint.ctx.cap
    with pytest.raises(ZeroDivisionError, match="True"), balls.working(77, 5):
        raise ZeroDivisionError((flint.ctx.prec, flint.ctx.cap) == (77, 5))
    assert (flint.ctx.prec, flint.ctx.cap) == before


@pytest.mark.parametrize("named", [NAMED["elliptick"], NAMED["elliptice"]])
def test_derivatives_of_elliptic_integrals_lie_in_their_balls(named: type) -> None:
    for order in (1, 2, 4):
        for m in (-0.75, 0.0, 0.25, 0.75):
            ball = MEANINGS[named](flint.arb(order), flint.arb(m))
            with meanings.working(120):
                true = meanings.FUNCTIONS[named](order, meanings.exact(m))
            assert ball.is_finite()
            assert abs(float(ball) / float(true) - 1) < 1e-13
