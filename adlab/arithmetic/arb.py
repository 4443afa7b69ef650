"""The primitives in Arb's ball arithmetic (python-flint, extra `certify`): values with proven radii.

Each function takes exact numbers, or balls, and the constant parameter where there is one; the result is a ball that is
sure to hold the value. `between` rounds such a ball outwards to two doubles.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from adlab.errors import MissingExtra
from adlab.primitives.primitive import Parameter, Primitive
from adlab.primitives.ranges import ENTIRE, Interval

try:
    import flint
except ImportError:  # what needs it says so, by `required`
    flint = None

BITS = (80, 320, 1280)
"""Working precisions: the first suffices, unless a value is hidden by cancellation inside a function."""
LARGEST_SHIFT = 200
TIGHT = 60  # bits of a value that is told

Ball = Any


def required() -> None:
    """Raises MissingExtra unless python-flint is there."""
    if flint is None:
        raise MissingExtra('proven enclosures need python-flint; install it by the extra: pip install "adlab[certify]"')


def _arb(number: Any) -> Ball:
    if isinstance(number, flint.arb):
        return number
    exact = Fraction(number)
    return flint.arb(flint.fmpq(exact.numerator, exact.denominator))


def _power(a: Ball, exponent: Fraction) -> Ball:
    if exponent.denominator == 1:
        return a ** flint.fmpz(exponent.numerator)
    if a == 0:
        return flint.arb(0) if exponent > 0 else flint.arb.nan()
    return a ** _arb(exponent)


def _shifted_power(a: Ball, b: Ball, shift: Any) -> Ball:
    exponent = b + _arb(shift)
    if a == 0 and exponent > 0:
        return flint.arb(0)
    return a**exponent


def _remainder(a: Ball, b: Ball) -> Ball:
    return a - (a / b).floor() * b


def _gamma(a: Ball) -> Ball:
    """Over a proper ball by the recurrence, moved to where gamma rises from end to end: Arb's own (FLINT 3.6) leaves out
    the second order about the minimum at 1.46, and its ball is too small there."""
    if a.is_exact():
        return a.gamma()
    shift = max(0, math.ceil(2 - float(a.lower())))
    if shift > LARGEST_SHIFT:
        return flint.arb.nan()
    value = (a + shift).lower().gamma().union((a + shift).upper().gamma())
    for k in range(shift):
        value /= a + k
    return value


def _polygamma(a: Ball, n: Any) -> Ball:
    """ψ of order n from the Hurwitz zeta function, to the left of 0 by the complex one."""
    if n == 0:
        return a.digamma()
    if a < 0:
        return flint.acb(a).polygamma(flint.acb(int(n))).real
    return (-1) ** (int(n) + 1) * flint.arb(math.factorial(n)) * flint.arb(int(n) + 1).zeta(a)


def _hurwitz(a: Ball, s: Any) -> Ball:
    """ζ(s, a); to the left of 0 by the polygamma function (DLMF 25.11.12)."""
    if a > 0:
        return _arb(s).zeta(a)
    return (-1) ** int(s) * _polygamma(a, int(s) - 1) / math.factorial(int(s) - 1)


def _spherical(sign: int) -> Callable[[Ball, Any], Ball]:
    """The spherical Bessel functions by their series, DLMF 10.53: sign -1 those of J, +1 those of I."""

    def function(a: Ball, n: Any) -> Ball:
        order = _arb(n) + flint.arb(1.5)
        series = (sign * a * a / 4).hypgeom_0f1(order)
        return flint.arb.pi().sqrt() / 2 * (a / 2) ** flint.fmpz(int(n)) * series / order.gamma()

    return function


def _moving(name: str) -> Callable[[Ball, Ball, Any], Ball]:
    """The function with its order as an operand, which Arb's may be; its derivative by the order Arb does not have."""
    return lambda order, a, k: flint.arb.nan() if k else FUNCTIONS[name](a, order)


def _of_square(name: str) -> Callable[[Ball], Ball]:
    return lambda a: getattr(a * a / 2, name)()


FUNCTIONS: dict[str, Callable[..., Ball]] = {
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b, "div": lambda a, b: a / b,
    "powi": lambda a, n: _power(a, Fraction(n)), "powr": lambda a, n: _power(a, Fraction(n)),
    "pow": lambda a, b, n=0: _shifted_power(a, b, n), "cbrt": lambda a: _power(a, Fraction(1, 3)),
    "hypot": lambda a, b: (a * a + b * b).sqrt(), "atan2": lambda a, b: flint.arb.atan2(a, b), "mod": _remainder,
    "norm": lambda *given: sum((a * a for a in given[:-1]), flint.arb(0)).sqrt(),
    "xlogy": lambda a, b: flint.arb(0) if a == 0 and b == 0 else a * b.log(),
    "gauss": lambda a: (-a * a).exp(), "growth": lambda a: (a * a).exp(),
    "asec": lambda a: (1 / a).acos(), "acsc": lambda a: (1 / a).asin(),
    "acot": lambda a: flint.arb.pi() / 2 if a == 0 else (1 / a).atan(),
    "asech": lambda a: (1 / a).acosh(), "acsch": lambda a: (1 / a).asinh(), "acoth": lambda a: (1 / a).atanh(),
    "gamma": _gamma, "loggamma": lambda a: a.lgamma() if a.is_exact() else flint.arb.nan(),
    "polygamma": lambda a, n=0: _polygamma(a, n), "zeta": _hurwitz,
    "gausserfinv": lambda a: (a.erfinv() ** 2).exp(), "gausserfcinv": lambda a: (a.erfcinv() ** 2).exp(),
    "fresnels": lambda a: a.fresnel_s(), "fresnelc": lambda a: a.fresnel_c(),
    "sinsquare": _of_square("sin_pi"), "cossquare": _of_square("cos_pi"),
    "Ei": lambda a: a.ei(), "li": lambda a: flint.arb(0) if a == 0 else a.li(), "Si": lambda a: a.si(),
    "Ci": lambda a: a.ci(), "Shi": lambda a: a.shi(), "Chi": lambda a: a.chi(),
    "sphericalj": _spherical(-1), "sphericali": _spherical(1),
    "besselj": lambda a, n: a.bessel_j(_arb(n)), "bessely": lambda a, n: a.bessel_y(_arb(n)),
    "besseli": lambda a, n: a.bessel_i(_arb(n)), "besselk": lambda a, n: a.bessel_k(_arb(n)),
    "uppergamma": lambda a, n: a.gamma_upper(_arb(n)), "lowergamma": lambda a, n: a.gamma_lower(_arb(n)),
    "expint": lambda a, n: a.expint(_arb(n)), "polylog": lambda a, n: a.polylog(_arb(n)),
    **{f"{name}_moving": _moving(name) for name in (
        "zeta", "besselj", "bessely", "besseli", "besselk", "uppergamma", "lowergamma", "expint", "polylog")},
    "lambertw": lambda a: a.lambertw(), "lambertw1": lambda a: 1 + a.lambertw(), "explambertw": lambda a: (-a.lambertw()).exp(),
}  # fmt: skip
"""Those that Arb does not have as a method of the same name."""


def value(primitive: Primitive, parameter: Parameter, operands: list[Interval]) -> Interval:
    """The values over intervals of operands, mostly single numbers, by Arb alone; everything where that has none."""
    function = FUNCTIONS.get(primitive.name) or (lambda a: getattr(a, primitive.name)())
    given = () if parameter is None else (parameter,)
    found = ENTIRE
    for bits in BITS:
        with flint.ctx.workprec(bits):
            result = function(*(_ball(*operand) for operand in operands), *given)
            found = between(result)
            wide = any(low != high for low, high in operands)
            if wide or result == 0 or result.rel_accuracy_bits() >= TIGHT:
                break
    return found


def _ball(low: float, high: float) -> Ball:
    return flint.arb(low) if low == high else flint.arb(low).union(flint.arb(high))


def between(ball: Ball) -> Interval:
    """The doubles next below and above a ball, or itself if it is one."""
    if not ball.is_finite():
        return ENTIRE
    low, high = ball.lower(), ball.upper()
    below, above = float(low), float(high)
    if flint.arb(below) > low:
        below = math.nextafter(below, -math.inf)
    if flint.arb(above) < high:
        above = math.nextafter(above, math.inf)
    return below, above
