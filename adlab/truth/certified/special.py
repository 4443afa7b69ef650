"""What SymPy's special functions mean for balls and series of balls.

Where Arb has no power series of a function, its slope is given; mostly that is a neighbour in its own family. A parameter that
varies (an order, an exponent) goes through a hypergeometric series, which Arb sums with series as parameters. Formula numbers
are those of the DLMF.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import sympy
from flint import acb, acb_series, arb, ctx

from adlab.truth.certified.balls import (
    NAN,
    REAL,
    Ball,
    Number,
    complexified,
    constant,
    integer_power,
    moves,
    real_part,
    reciprocal,
    series,
)
from adlab.truth.certified.calculus import Function, composed, native, smooth
from adlab.truth.certified.elementary import cos, exp, general_power, sin, sqrt

LARGEST = 2**12  # the largest argument or order that takes Arb about as many terms; beyond it nothing is certified


def real_of_real(function: Function, where: Any = lambda *operands: True) -> Function:
    """A function that Arb has for complex numbers only, and that is real where `where` says so of its real operands."""

    def apply(*operands: Number) -> Number:
        found = function(*operands)
        is_real = all(isinstance(z, REAL) for z in operands) and where(*map(constant, operands))
        return real_part(found) if is_real else found

    return apply


def bounded(function: Function, leftmost: float = -math.inf) -> Function:
    """NaN where the first operand, an order, is too large, or the last one is too far to the left."""

    def apply(*operands: Number) -> Number:
        order, last = constant(operands[0]), constant(operands[-1])
        return function(*operands) if order.abs_upper() < LARGEST and last.real > leftmost else NAN

    return apply


def hypergeometric(upper: Sequence[Number], lower: Sequence[Number], z: Number, regularized: bool = False) -> Number:
    """pFq(upper; lower; z), divided by Γ of the lower parameters if `regularized`. Any of them may vary."""
    operands = [*upper, *lower, z]
    if not constant(z).abs_upper() < LARGEST:
        return NAN
    if not any(map(moves, operands)):
        a, b, w = list(map(acb, upper)), list(map(acb, lower)), acb(z)
        found = w.hypgeom(a, b, regularized=regularized)
    else:
        length = min(operand.prec for operand in operands if moves(operand))
        a, b, [w] = ([_as_series(p, length) for p in part] for part in (upper, lower, [z]))
        found = acb_series.hypgeom(a, b, w, regularized=regularized)
    return real_part(found) if all(isinstance(operand, REAL) for operand in operands) else found


def _as_series(z: Number, length: int) -> Number:
    return complexified(z if moves(z) else series([z], length))


# --- gamma and its family -------------------------------------------------------------------------------------

reciprocal_gamma = native("rgamma")
LARGEST_SHIFT = 200
"""Steps of the recurrence at most: each is a division by a ball, and the result widens with each."""


def _gamma_of_ball(z: Ball) -> Ball:
    """Γ over a real ball, by the recurrence, moved to where gamma rises from end to end.

    Arb's own function (FLINT 3.6) omits the second order around the minimum at 1.46, so its ball is too small there.
    """
    if not isinstance(z, arb) or z.is_exact() or not z.is_finite():
        return native("gamma")(z)
    shift = max(0, math.ceil(2 - float(z.lower())))
    if shift > LARGEST_SHIFT:
        return NAN
    value = (z + shift).lower().gamma().union((z + shift).upper().gamma())
    for k in range(shift):
        value = value / (z + k)
    return value


def gamma(z: Number) -> Number:
    """Γ(z)."""
    return native("gamma")(z) if moves(z) else _gamma_of_ball(z)


def _log_gamma(z: Number) -> Number:
    """log Γ(z), where the second order is below the rounding: radius² < 2^-(precision + 10). See `_gamma_of_ball`."""
    wide = isinstance(z, arb) and bool(z.rad() ** 2 * arb(2) ** (ctx.prec + 10) > 1)
    return NAN if wide else native("lgamma")(z)



def _polygamma_value(n: Ball, z: Ball) -> Ball:
    return native("digamma")(z) if n == 0 else acb(z).polygamma(acb(n))


polygamma: Function = smooth(bounded(real_of_real(_polygamma_value), -LARGEST), None, lambda n, z: polygamma(n + 1, z))
digamma = partial(polygamma, arb(0))


@bounded
def uppergamma(s: Number, z: Number) -> Number:
    """Γ(s, z)."""
    return gamma(s) - lowergamma(s, z) if moves(s) else _UPPER(s, z)


@bounded
def lowergamma(s: Number, z: Number) -> Number:
    """γ(s, z) = z^s e^-z 1F1(1; s + 1; z)/s (8.5.1)."""
    if moves(s):
        return general_power(z, s) * exp(-z) * reciprocal(s) * hypergeometric([arb(1)], [s + 1], z)
    return _LOWER(s, z)


def _gamma_slope(s: Number, z: Number) -> Number:
    return general_power(z, s - 1) * exp(-z)


_UPPER = smooth(lambda s, z: native("gamma_upper")(z, s), None, lambda s, z: -_gamma_slope(s, z))
_LOWER = smooth(lambda s, z: native("gamma_lower")(z, s), None, _gamma_slope)


@bounded
def expint(order: Number, z: Number) -> Number:
    """E_order(z). Where the order varies it is computed from Γ(1 − order, z) (8.19.1)."""
    if moves(order):
        return general_power(z, order - 1) * uppergamma(1 - order, z)
    return _EXPINT(order, z)


_EXPINT = smooth(lambda n, z: native("expint")(z, n), None, lambda n, z: -expint(n - 1, z))


def beta(a: Number, b: Number) -> Number:
    """B(a, b)."""
    return gamma(a) * gamma(b) * reciprocal_gamma(a + b)


def binomial(n: Number, k: Number) -> Number:
    """n over k."""
    return gamma(n + 1) * reciprocal_gamma(k + 1) * reciprocal_gamma(n - k + 1)


def harmonic(n: Number, order: Number | None = None) -> Number:
    """H_n of an order, by default 1."""
    if order is None or (isinstance(order, arb) and order == 1):
        return digamma(n + 1) + arb.const_euler()
    return zeta(order) - zeta(order, n + 1)


_ONE = arb(1)


def zeta(s: Number, a: Number = _ONE) -> Number:
    """Hurwitz's ζ(s, a); Riemann's for a = 1."""
    if not moves(a):
        return _ZETA(s, a)
    return NAN if moves(s) else _HURWITZ(s, a)


_ZETA = bounded(real_of_real(native("zeta"), lambda s, a: s.is_integer() or a > 0), -LARGEST)
_HURWITZ = smooth(lambda s, a: _ZETA(s, a), None, lambda s, a: -s * zeta(s + 1, a))


@bounded
def polylog(s: Number, z: Number) -> Number:
    """Li_s(z)."""
    if not moves(s):
        return _POLYLOG(s, z)
    return NAN if moves(z) else _POLYLOG_OF_ORDER(s, z)


def _left_of_1(_: Ball, z: Ball) -> bool:
    return bool(z < 1)


def _polylog_slope(s: Number, z: Number) -> Number:
    return arb(1) if not moves(z) and z == 0 else polylog(s - 1, z) * reciprocal(z)


_POLYLOG = smooth(real_of_real(lambda s, z: native("polylog")(z, s), _left_of_1), None, _polylog_slope)
_POLYLOG_OF_ORDER = real_of_real(lambda s, z: acb_series.polylog(complexified(s), acb(z)), _left_of_1)

# --- Bessel functions -----------------------------------------------------------------------------------------


def _bessel(name: str, down: int, up: int, of_order: Function, entire: bool = False) -> Function:
    """A Bessel function with the slope (down·F_{ν−1} + up·F_{ν+1})/2 (10.6.1, 10.29.1). Another form where the order varies."""
    value = native(name)

    @bounded
    def bessel(order: Number, z: Number) -> Number:
        if moves(order) or (entire and moves(z) and z[0].contains(0)):
            return of_order(order, z)
        if not moves(z):
            return value(z, order)
        slope = (down * value(z[0], order - 1) + up * value(z[0], order + 1)) / 2
        return composed(_by_equation(down * up, order, z[0], [value(z[0], order), slope], z.prec), z)

    return bessel


def _by_equation(sign: int, order: Ball, z: Ball, known: list[Ball], length: int) -> list[Ball]:
    """Taylor coefficients from the first two, by Bessel's equation z²F″ + zF′ = (sign·z² + ν²)F (10.2.1, 10.25.1)."""
    c, unit = [*known], reciprocal(z * z)
    for k in range(length - 2):
        before = 2 * z * c[k - 1] * (k > 0) + (c[k - 2] if k > 1 else 0)
        rest = (sign * z * z + order * order - k * k) * c[k] - z * (k + 1) * (2 * k + 1) * c[k + 1] + sign * before
        c.append(rest * unit / ((k + 1) * (k + 2)))
    return c


def _summed(sign: int, order: Number, z: Number) -> Number:
    """J (sign −1, 10.2.2) or I (sign 1, 10.25.2): (z/2)^ν 0F1(; ν + 1; ±z²/4)/Γ(ν + 1)."""
    half = z / 2
    return general_power(half, order) * hypergeometric([], [order + 1], sign * half * half, regularized=True)


def _second_kind(order: Number, z: Number) -> Number:
    """Y from J of both orders, unless the order is whole (10.2.3)."""
    turn = order * arb.pi()
    return (_summed(-1, order, z) * cos(turn) - _summed(-1, -order, z)) * reciprocal(sin(turn))


def _third_kind(order: Number, z: Number) -> Number:
    """K from I of both orders, unless the order is whole (10.27.4)."""
    turn = order * arb.pi()
    return (_summed(1, -order, z) - _summed(1, order, z)) * reciprocal(sin(turn)) * arb.pi() / 2


besselj = _bessel("bessel_j", 1, -1, partial(_summed, -1), entire=True)
bessely = _bessel("bessel_y", 1, -1, _second_kind)
besseli = _bessel("bessel_i", 1, 1, partial(_summed, 1), entire=True)
besselk = _bessel("bessel_k", -1, -1, _third_kind)


def _spherical(bessel: Function) -> Function:
    """√(π/2) z^(-1/2) times the function of order n + 1/2 (10.47.3). For z < 0, z^(-1/2) is not √(1/z)."""
    return real_of_real(lambda n, z: sqrt(arb.pi() / 2) * reciprocal(sqrt(z)) * bessel(n + arb(0.5), z), _one_valued)


def _spherical_j(n: Number, z: Number) -> Number:
    """Around 0 by its series (10.53.1, summed), which is entire for whole orders."""
    here = constant(z)
    if not (isinstance(n, arb) and n.is_integer() and n >= 0 and here.abs_upper() < 1):
        return _SPHERICAL_J(n, z)
    scale = sqrt(arb.pi()) / 2 * reciprocal(gamma(n + arb(1.5)))
    return scale * integer_power(int(n.unique_fmpz()), z / 2) * hypergeometric([], [n + arb(1.5)], -z * z / 4)


def _one_valued(n: Ball, z: Ball) -> bool:
    return bool(n.is_integer() or z > 0)


_SPHERICAL_J = _spherical(besselj)


# --- the rest -------------------------------------------------------------------------------------------------


def _erf_inverse(name: str, sign: int) -> Function:
    def value(z: Ball) -> Ball:
        return getattr(z, name)() if isinstance(z, arb) else NAN

    return smooth(value, lambda y: sign * arb.pi().sqrt() / 2 * exp(y * y), of_value=True)


def _sinc_slope(z: Number) -> Number:
    """The slope of sinc z = 0F1(; 3/2; −z²/4), for which 0 is an ordinary point; the quotient where that is slow."""
    near = hypergeometric([], [arb(2.5)], -z * z / 4)
    return -z * near / 3 if constant(near).is_finite() else (cos(z) - sinc(z)) * reciprocal(z)


sinc = smooth(native("sinc"), _sinc_slope)


def _lambertw(z: Ball, branch: Ball | None = None) -> Ball:
    return native("lambertw")(z, 0 if branch is None else int(branch.unique_fmpz()))


def _airy_prime(name: str) -> Function:
    """Ai′ and Bi′. Their slopes are z times Ai and Bi (9.2.1)."""
    function = native(name)
    return smooth(lambda z: getattr(z, name)(derivative=1), lambda z: z * function(z))


FUNCTIONS: dict[type, Function] = {
    sympy.sinc: sinc,
    sympy.erf: native("erf"),
    sympy.erfc: native("erfc"),
    sympy.erfi: native("erfi"),
    sympy.erfinv: _erf_inverse("erfinv", 1),
    sympy.erfcinv: _erf_inverse("erfcinv", -1),
    sympy.fresnels: native("fresnel_s"),
    sympy.fresnelc: native("fresnel_c"),
    sympy.Ei: native("ei"),
    sympy.li: native("li"),
    sympy.Si: native("si"),
    sympy.Ci: native("ci"),
    sympy.Shi: native("shi"),
    sympy.Chi: native("chi"),
    sympy.expint: expint,
    sympy.gamma: gamma,
    sympy.loggamma: _log_gamma,
    sympy.polygamma: polygamma,
    sympy.digamma: digamma,
    sympy.trigamma: partial(polygamma, arb(1)),
    sympy.uppergamma: uppergamma,
    sympy.lowergamma: lowergamma,
    sympy.beta: beta,
    sympy.factorial: lambda n: gamma(n + 1),
    sympy.binomial: binomial,
    sympy.harmonic: harmonic,
    sympy.zeta: zeta,
    sympy.polylog: polylog,
    sympy.LambertW: smooth(_lambertw, lambda y: reciprocal(exp(y) * (1 + y)), None, of_value=True),
    sympy.besselj: besselj,
    sympy.bessely: bessely,
    sympy.besseli: besseli,
    sympy.besselk: besselk,
    sympy.jn: bounded(_spherical_j),
    sympy.yn: _spherical(bessely),
    sympy.airyai: native("airy_ai"),
    sympy.airybi: native("airy_bi"),
    sympy.airyaiprime: _airy_prime("airy_ai"),
    sympy.airybiprime: _airy_prime("airy_bi"),
}
