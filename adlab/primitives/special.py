"""Special functions: mpmath's values, rounded once. SymPy brings mpmath along, so nothing else need be installed.

They are right to the last digit over the whole domain, at 20 to 1000 microseconds an element. SciPy's functions are a thousand
times faster, but lose up to 460 ulps (erfc), 740 (gammaln near 1), 190 (erfi), 410 (fresnel), 140 (Ci), 8000 (j0), and all
digits of iv below 1e-50. Only SciPy's erf and gamma are good enough (2 and 7 ulps). Arrays use those where SciPy is installed
(extra `special`).

>>> scalar(lambda m, a: m.ci(a))(2.0)
0.422980828774865
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Any

import mpmath
import numpy as np

from adlab.precision import CONTEXT, in_time, working
from adlab.primitives.numerics import NAN, TINY, elementwise, told

Formula = Callable[..., Any]
"""A function of an mpmath context, the operand, and the constant parameter if there is one."""

BITS = 130
"""Bits of working precision: twice those of binary64, and some to cancel near a zero that lies between two doubles."""



class RoundedOnce:
    """A function of floats that is computed to `BITS` bits and rounded once. `number` is its value before it is rounded.

    That number may be beyond the range of binary64. Raises ValueError or ZeroDivisionError where there is no real value.
    """

    def __init__(self, number: Callable[..., Any]) -> None:
        self.number = number

    def __call__(self, *operands: Any) -> float:
        return float(self.number(*operands))


def scalar(formula: Formula) -> RoundedOnce:
    """The formula at one float."""

    def number(a: float, *parameter: Any) -> Any:
        if not math.isfinite(a):
            return NAN  # no limit is taken at infinity
        return real_number(lambda m: formula(m, m.mpf(a), *map(exact_order, parameter)))

    return RoundedOnce(number)


def rounded_once(compute: Callable[[Any], Any]) -> float:
    """A real number, computed in the given context, as a double. Raises ValueError if it is not finite or not real."""
    return float(real_number(compute))


def real_number(compute: Callable[[Any], Any]) -> Any:
    """As `rounded_once`, before the rounding."""
    with working(BITS):
        try:
            value = CONTEXT.convert(in_time(compute, CONTEXT))
        except mpmath.libmp.NoConvergence as slow:
            raise ValueError("no value that mpmath could find") from slow
        if not CONTEXT.isfinite(value) or abs(value.imag) > abs(value.real) * CONTEXT.ldexp(1, 10 - BITS):
            raise ValueError("no real value")
        return value.real


def array(formula: Formula) -> Callable[..., Any]:
    """The formula at every element; NaN where there is no real value."""
    return elementwise(scalar(formula))


def complex_(formula: Formula) -> Callable[..., Any]:
    """The formula at complex numbers; NaN where it has no value. Even a tiny imaginary part keeps its digits."""

    def rounded(a: complex, *parameter: Any) -> complex:
        if not cmath.isfinite(a):
            return complex(NAN)
        gap = math.frexp(a.real)[1] - math.frexp(a.imag)[1] if a.imag and a.real else 0
        with working(BITS + 2 * abs(gap)):
            try:
                return complex(in_time(formula, CONTEXT, CONTEXT.mpc(a), *map(exact_order, parameter)))
            except (ValueError, ZeroDivisionError, OverflowError):
                return complex(NAN)

    def over_array(a: Any, *parameter: Any) -> Any:
        return np.asarray(np.frompyfunc(lambda each: rounded(complex(each), *parameter), 1, 1)(a), dtype=complex)[()]

    return over_array


def exact_order(parameter: Any) -> Any:
    """An order as the formula has it. Whole numbers stay int, for which mpmath has shorter algorithms."""
    exact = Fraction(parameter)
    return exact.numerator if exact.denominator == 1 else CONTEXT.mpf(exact.numerator) / exact.denominator


def from_scipy(name: str, instead: Callable[..., float], silent: bool = False) -> Callable[..., Any]:
    """SciPy's function of that name where SciPy is installed, else `instead` over the array.

    A `silent` function overflows and underflows without raising a flag. Then NumPy is told here.
    """

    @cache
    def chosen() -> Callable[..., Any]:
        try:
            import scipy.special
        except ImportError:
            return elementwise(instead)
        found: Callable[..., Any] = getattr(scipy.special, name)
        return found

    def telling(*operands: Any) -> Any:
        told(found := chosen()(*operands))
        return found

    return telling if silent else lambda *operands: chosen()(*operands)


def right(formula: Formula, elsewhere: Callable[[Any], bool] = lambda order: False) -> Formula:
    """The formula for a >= 0, and elsewhere for the whole orders that are `elsewhere`. mpmath may take a tiny -a for real."""

    def guarded(m: Any, a: Any, n: Any) -> Any:
        if m.re(a) < 0 and not (isinstance(n, int) and elsewhere(n)):
            raise ValueError("not real")
        return formula(m, a, n)

    return guarded


def gamma(a: float) -> float:
    """Γ, which is never 0. Python does not compute what is too small, and so sets no flag."""
    return math.gamma(a) or TINY * TINY


# --- what mpmath lacks, gets by a slow road, or reads otherwise than SymPy ---------------------------------------


def polygamma(m: Any, a: Any, order: int) -> Any:
    """The digamma function (order 0) and its derivatives, reflected from the left half-plane (DLMF 5.15.6)."""
    if m.re(a) > 0:
        return m.psi(order, a)
    return (-1) ** order * m.psi(order, 1 - a) - m.pi * _cotangent_derivative(m, a, order)


def _cotangent_derivative(m: Any, a: Any, order: int) -> Any:
    """The derivative of cot(πa), as a polynomial in c = cot(πa): d/da P(c) = -π (1 + c²) P'(c)."""
    coefficients = [0, 1]
    for _ in range(order):
        slope = [k * c for k, c in enumerate(coefficients)][1:]
        coefficients = [p + q for p, q in zip([*slope, 0, 0], [0, 0, *slope], strict=True)]
    offset = a - m.floor(m.re(a) + 0.5)  # the distance to the nearest pole, where cot is large
    return (-m.pi) ** order * m.polyval(coefficients[::-1], m.cospi(offset) / m.sinpi(offset))


def hurwitz(m: Any, a: Any, s: Any) -> Any:
    """ζ(s, a) = Σ (a + k)^-s. For a < 0 it is real for whole s only, and a polygamma function (DLMF 25.11.12)."""
    if isinstance(s, int) and s <= 0:
        return -m.bernpoly(1 - s, a) / (1 - s)  # DLMF 25.11.14
    if m.re(a) > 0:
        return m.zeta(s, a) if m.re(s) > 1 else _continued_zeta(m, a, s)
    if not isinstance(s, int):
        raise ValueError("not real")
    return (-1) ** s * polygamma(m, a, s - 1) / m.factorial(s - 1)


def _continued_zeta(m: Any, a: Any, s: Any) -> Any:
    """ζ(s, a) for s < 1 by Euler and Maclaurin (DLMF 25.11.43). mpmath would take `a` steps to reach the first period."""
    far = m.prec // 8 + 10 + int(abs(s))
    with m.extraprec(int(abs(s)) * m.mag(far) + 20):
        total = m.zero
        while m.re(a) < far:
            total, a = total + a**-s, a + 1
        total += a ** (1 - s) / (s - 1) + a**-s / 2
        power, k = s * a ** (-s - 1) / 2, 1  # (s)(s + 1)…(s + 2k - 2) a^(1 - s - 2k) / (2k)!
        while (term := m.bernoulli(2 * k) * power) and m.mag(term) > m.mag(total) - m.prec:
            total += term
            power *= (s + 2 * k - 1) * (s + 2 * k) / (a * a * (2 * k + 1) * (2 * k + 2))
            k += 1
        return total


def error_function(name: str) -> Formula:
    """mpmath's error function, with extra bits: as many as the slope exp(-a²) is smaller than the function."""

    def formula(m: Any, a: Any) -> Any:
        with m.extraprec(3 * int(min(m.re(a) ** 2, 800))):
            return getattr(m, name)(a)

    return formula


def hyperbolic_cosine_integral(m: Any, a: Any) -> Any:
    """Chi. Left of 0 it is complex, although πi is soon lost beside its real part."""
    if m.im(a) == 0 and m.re(a) < 0:
        raise ValueError("not real")
    return m.chi(a)


def exponential_integral(m: Any, a: Any) -> Any:
    """Ei, real on both sides of 0. mpmath's function has its cut along the negative axis."""
    return m.ei(a) if m.re(a) > 0 else -m.e1(-a)


def logarithmic_integral(m: Any, a: Any) -> Any:
    return exponential_integral(m, m.log(a)) if a else m.zero


def expint(m: Any, a: Any, n: Any) -> Any:
    """Whole orders from E1 on (DLMF 8.19.12), with extra bits for what the recurrence loses. mpmath's own takes a second."""
    if not isinstance(n, int) or not 1 < n < 100 or not a or m.mag(a) > 20:
        return m.expint(n, a)
    with m.extraprec(n * max(0, m.mag(a)) + 20):
        value, decay = m.e1(a), m.exp(-a)
        for k in range(1, n):
            value = (decay - a * value) / k
        return value


def upper_gamma(m: Any, a: Any, s: Any) -> Any:
    return m.gammainc(s, a) if not isinstance(s, int) or s > 0 else a**s * expint(m, a, 1 - s)


def lower_gamma(m: Any, a: Any, s: Any) -> Any:
    """DLMF 8.5.1, in the form whose terms all have one sign, with extra bits: as many as exp(-a) is smaller than the sum."""
    with m.extraprec(int(min(2 * abs(m.re(a)), 2000))):
        series = m.exp(-a) * m.hyp1f1(1, s + 1, a) if m.re(a) > 0 else m.hyp1f1(s, s + 1, -a)
        return a**s / s * series


def elliptic_k(m: Any, a: Any, n: Any) -> Any:
    """The derivative of order n of K(a) = π/2 ₂F₁(1/2, 1/2; 1; a)."""
    return m.ellipk(a) if n == 0 else _elliptic(m, a, n, m.mpf(0.5))


def elliptic_e(m: Any, a: Any, n: Any) -> Any:
    """The derivative of order n of E(a) = π/2 ₂F₁(−1/2, 1/2; 1; a)."""
    return m.ellipe(a) if n == 0 else _elliptic(m, a, n, m.mpf(-0.5))


def _elliptic(m: Any, a: Any, n: Any, first: Any) -> Any:
    if isinstance(a, m.mpf) and a >= 1:
        raise ValueError("a cut of the function")
    half = m.mpf(0.5)
    scale = m.pi / 2 * m.rf(first, n) * m.rf(half, n) / m.factorial(n)
    return scale * m.hyp2f1(first + n, half + n, 1 + n, a)


def polylog(m: Any, a: Any, n: Any) -> Any:
    if a == 1 and n <= 1:
        raise ZeroDivisionError
    return m.polylog(n, a) if n != 1 else -m.log1p(-a)


def fresnel(name: str) -> Formula:
    """mpmath's Fresnel integral, with extra bits for the phase πa²/2. Far out, where only the limit remains, it is 1/2."""

    def formula(m: Any, a: Any) -> Any:
        size = max(0, m.mag(a))
        with m.extraprec(2 * size):
            return getattr(m, name)(a) if size < 60 else m.sign(m.re(a)) / 2 + _fresnel_slope(m, a, name)

    return formula


def _fresnel_slope(m: Any, a: Any, name: str) -> Any:
    """The part of a Fresnel integral that varies far out: ∓ cos or sin of πa²/2, over πa."""
    return (m.sinpi(a * a / 2) if name == "fresnelc" else -m.cospi(a * a / 2)) / (m.pi * a)


def of_square(name: str) -> Formula:
    """sin or cos of πa²/2. Rounding the square in binary64 would lose 2 log2|a| bits of the phase."""

    def formula(m: Any, a: Any) -> Any:
        with m.extraprec(2 * max(0, m.mag(a))):
            return getattr(m, name)(a * a / 2)

    return formula


def erfc_inverse(m: Any, a: Any) -> Any:
    with m.extraprec(max(0, -m.mag(a))):
        return m.erfinv(1 - a)


def spherical(name: str) -> Formula:
    """The spherical Bessel functions sqrt(π/2a) J(n + 1/2, a), and those of I. For n = 0: sin(a)/a and sinh(a)/a."""

    def formula(m: Any, a: Any, n: int) -> Any:
        if not a:
            return m.mpf(not n)
        outward = a if m.re(a) >= 0 else -a
        value = m.sqrt(m.pi / (2 * outward)) * getattr(m, name)(n + m.mpf(0.5), outward)
        return value if outward is a or n % 2 == 0 else -value

    return formula
