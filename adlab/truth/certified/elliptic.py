"""Elliptic integrals on balls and on series of balls. Formula numbers are those of the DLMF.

The integrals themselves are Arb's. Their derivatives by the parameter m or the characteristic ν are integrals of the
differentiated integrand, which Arb encloses rigorously.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import sympy
from flint import acb, arb

from adlab.text.functions import elliptice, ellipticeinc, ellipticf, ellipticgap, elliptick, ellipticpi, ellipticpic
from adlab.truth.certified.balls import NAN, Ball, Number, complexified, constant, integer_power, moves, reciprocal
from adlab.truth.certified.calculus import Function, smooth
from adlab.truth.certified.elementary import general_power, sin
from adlab.truth.certified.special import hypergeometric, real_of_real

EFFORT = 20_000
"""Evaluations of the integrand at most: a tenth of a second. Beside a pole it takes more, and nothing is certified."""


def _below_1(*operands: Ball) -> bool:
    return bool(operands[-1] < 1)


def _complete_slope(first: float, n: Ball, z: Number) -> Number:
    """The derivative of order n of K or E by its parameter (15.5.2)."""
    order, a, b = int(n.unique_fmpz()), arb(first), arb(0.5)
    if not constant(z) < 1:
        return NAN
    scale = arb.pi() * a.rising(order) * b.rising(order) / (2 * arb.fac_ui(order))
    return hypergeometric([a + order, b + order], [arb(order + 1)], z) * scale


_first_complete = real_of_real(lambda m: complexified(m).elliptic_k(), _below_1)
_second_complete: Function = smooth(
    real_of_real(lambda m: acb(m).elliptic_e(), _below_1),
    lambda m: (_second_complete(m) - _first_complete(m)) * reciprocal(2 * m),  # 19.4.2
)


def gap(angle: Number, m: Number) -> Number:
    """1 − m sin²φ."""
    sine = sin(angle)
    return 1 - m * sine * sine


def _between_poles(angle: Ball, m: Ball) -> bool:
    """Whether 1 − m sin²φ is positive from 0 to this angle, for real operands."""
    return bool(m < 1 or (abs(angle) < arb.pi() / 2 and gap(angle, m) > 0))


class _Integral:
    """∫ (1 − ν sin²θ)^−1 (1 − m sin²θ)^power dθ, differentiated `by_nu` and `by_m` times. The order says how often."""

    def __init__(self, power: float, value: Function, split: Callable[[Ball], tuple[int, int]], complete: bool = False) -> None:
        self.power, self.value, self.split, self.complete = arb(power), value, split, complete

    def operands(self, given: Sequence[Number]) -> tuple[Number, Number, Number]:
        """ν, the angle, and m; the angle of a complete integral is π/2, and F and E have ν = 0."""
        first, *others = given
        return (first, arb.pi() / 2, *others) if self.complete else (arb(0), *given) if len(given) == 2 else (*given,)

    def integrand(self, order: Ball, nu: Number, angle: Number, m: Number) -> Number:
        by_nu, by_m = self.split(order)
        root = general_power(gap(angle, m), self.power - by_m) * self.scale(by_nu, by_m)
        if by_nu + by_m:
            root = root * integer_power(2 * (by_nu + by_m), sin(angle))
        return root if not moves(nu) and nu == 0 and not by_nu else root * integer_power(-1 - by_nu, gap(angle, nu))

    def scale(self, by_nu: int, by_m: int) -> Ball:
        return (-self.power).rising(by_m) * arb.fac_ui(by_nu)

    def here(self, order: Ball, *given: Ball) -> Ball:
        """The value for operands that do not move."""
        by_nu, by_m = self.split(order)
        if by_nu == by_m == 0:
            return self.value(*given)
        nu, angle, m = self.operands(given)
        real = all(isinstance(z, arb) and z.is_finite() for z in (nu, angle, m))
        if not (real and _between_poles(angle, m) and _between_poles(angle, nu)):
            return NAN

        def integrand(t: acb, analytic: bool) -> acb:
            square = t.sin() ** 2
            under, beside = 1 - acb(m) * square, 1 - acb(nu) * square
            if analytic and not under.real > 0:
                return acb(arb.nan())
            return under.sqrt() ** int((2 * (self.power - by_m)).unique_fmpz()) * square ** (by_nu + by_m) / beside ** (1 + by_nu)

        return acb.integral(integrand, acb(0), acb(angle), eval_limit=EFFORT).real * self.scale(by_nu, by_m)


def _twos_and_threes(order: Ball) -> tuple[int, int]:
    whole = int(order.unique_fmpz())
    return int(sympy.multiplicity(2, whole)), int(sympy.multiplicity(3, whole))


def _by_parameter(power: float, value: Function) -> Function:
    """F or E, differentiated by m: the order, the angle, the parameter."""
    made = _Integral(power, value, lambda order: (0, int(order.unique_fmpz())))
    slope = lambda n, angle, m: made.integrand(n, arb(0), angle, m)  # noqa: E731
    found: Function = smooth(made.here, None, slope, lambda n, angle, m: found(n + 1, angle, m))
    return found


_FIRST = _by_parameter(-0.5, real_of_real(lambda angle, m: acb.elliptic_f(acb(angle), acb(m)), _between_poles))
_SECOND = _by_parameter(0.5, real_of_real(lambda angle, m: acb.elliptic_e_inc(acb(angle), acb(m)), _between_poles))


def _third_value(nu: Ball, angle: Ball, m: Ball) -> Ball:
    """Π where it is real; NaN beyond a pole of the integrand."""
    real = all(isinstance(z, arb) for z in (nu, angle, m)) and _between_poles(angle, m) and _between_poles(angle, nu)
    return acb.elliptic_pi_inc(acb(nu), acb(angle), acb(m)).real if real else NAN


def _complete_value(nu: Ball, m: Ball) -> Ball:
    real = isinstance(nu, arb) and isinstance(m, arb) and nu < 1 and m < 1
    return acb.elliptic_pi(acb(nu), acb(m)).real if real else NAN


_third = _Integral(-0.5, _third_value, _twos_and_threes)
_complete_third = _Integral(-0.5, _complete_value, _twos_and_threes, complete=True)
_THIRD: Function = smooth(
    _third.here, None, lambda n, *at: _THIRD(2 * n, *at), _third.integrand, lambda n, *at: _THIRD(3 * n, *at)
)
_COMPLETE_THIRD: Function = smooth(
    _complete_third.here, None, lambda n, *at: _COMPLETE_THIRD(2 * n, *at), lambda n, *at: _COMPLETE_THIRD(3 * n, *at)
)

FUNCTIONS: dict[type, Function] = {
    sympy.elliptic_k: _first_complete,
    sympy.elliptic_e: lambda *given: _second_complete(*given) if len(given) == 1 else _SECOND(arb(0), *given),
    sympy.elliptic_f: partial(_FIRST, arb(0)),
    sympy.elliptic_pi: lambda *given: (_COMPLETE_THIRD if len(given) == 2 else _THIRD)(arb(1), *given),
    elliptick: partial(_complete_slope, 0.5),
    elliptice: partial(_complete_slope, -0.5),
    ellipticf: _FIRST,
    ellipticeinc: _SECOND,
    ellipticpi: _THIRD,
    ellipticpic: _COMPLETE_THIRD,
    ellipticgap: gap,
}
