"""The numbers behind the primitives that neither NumPy nor `math` computes, or computes with lost digits.

Each function has a scalar form that raises as `math` does (ValueError outside the domain) and an array form. The
array forms of erf, gamma and their kin come from SciPy where it is installed (extra `special`), else from `math`,
element by element.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

Array = Any
NAN = math.nan


def careful(scalar: Callable[..., float], array: Callable[..., Any]) -> Callable[..., float]:
    """`scalar` under IEEE rules: outside its domain NaN, at an overflow what NumPy says, never an exception.

    >>> careful(math.exp, np.exp)(1000.0), careful(math.log, np.log)(-1.0)
    (inf, nan)
    """

    def ieee(*operands: Any) -> float:
        try:
            return scalar(*operands)
        except (ValueError, ZeroDivisionError):
            return NAN
        except OverflowError:
            with np.errstate(all="ignore"):
                return float(array(*map(_as_float64, operands)))

    return ieee


def _as_float64(operand: Any) -> Any:
    return np.float64(operand) if isinstance(operand, float) else operand


def elementwise(scalar: Callable[..., float]) -> Callable[..., Array]:
    """The array form of a scalar function, one element at a time; NaN outside its domain."""
    safe = careful(scalar, lambda *operands: math.inf)

    def over_array(*operands: Any) -> Array:
        shaped = [o if isinstance(o, (np.ndarray, float, np.floating)) else np.float64(o) for o in operands]
        return np.frompyfunc(safe, len(shaped), 1)(*shaped) * np.float64(1)

    return lambda *operands: np.asarray(over_array(*operands), dtype=float)[()]


def special(name: str, scalar: Callable[..., float]) -> Callable[..., Array]:
    """SciPy's function of that name where SciPy is installed, else `scalar` over the array."""

    @cache
    def chosen() -> Callable[..., Array]:
        try:
            import scipy.special
        except ImportError:
            return elementwise(scalar)
        found: Callable[..., Array] = getattr(scipy.special, name)
        return found

    return lambda *operands: chosen()(*operands)


# --- kinks, jumps and comparisons: NaN in, NaN out ---------------------------------------------------------------


def sign(a: float) -> float:
    return a if a != a else float((a > 0) - (a < 0))


def minimum(a: float, b: float) -> float:
    return a if a < b or a != a else b


def maximum(a: float, b: float) -> float:
    return a if a > b or a != a else b


def heaviside(a: float, at_zero: Any) -> float:
    return a if a != a else 1.0 if a > 0 else 0.0 if a < 0 else float(at_zero)


def comparison(scalar: Callable[[Any, Any], Any]) -> Callable[[float, float], float]:
    """1.0 or 0.0; NaN where an operand is, so that a condition on nothing decides nothing."""
    return lambda a, b: NAN if a != a or b != b else float(scalar(a, b))


def comparison_array(ufunc: Callable[..., Any]) -> Callable[..., Array]:
    return lambda a, b: np.where(np.isnan(a) | np.isnan(b), NAN, ufunc(a, b))[()]


def conjunction(a: float, b: float) -> float:
    """Kleene's: false as soon as one side is, though the other be undefined."""
    return 0.0 if a == 0 or b == 0 else minimum(a, b)


def disjunction(a: float, b: float) -> float:
    return 1.0 if a == 1 or b == 1 else maximum(a, b)


def conjunction_array(a: Array, b: Array) -> Array:
    return np.where(np.equal(a, 0) | np.equal(b, 0), 0.0, np.minimum(a, b))[()]


def disjunction_array(a: Array, b: Array) -> Array:
    return np.where(np.equal(a, 1) | np.equal(b, 1), 1.0, np.maximum(a, b))[()]


def select(condition: float, a: float, b: float) -> float:
    return a if condition else b if condition == 0 else NAN


def select_array(condition: Array, a: Array, b: Array) -> Array:
    return np.where(np.isnan(condition), NAN, np.where(condition != 0, a, b))[()]


# --- powers ------------------------------------------------------------------------------------------------------


@cache
def _split(exponent: Any) -> tuple[float, float]:
    """An exact exponent as the nearest double and what that leaves over."""
    nearest = float(exponent)
    return nearest, float(Fraction(exponent) - Fraction(nearest))


def power_rational(a: float, exponent: Any) -> float:
    """a**(p/q) for a >= 0. The rounding of p/q would cost |log a| ulps, so it is put back to first order."""
    nearest, rest = _split(exponent)
    value = math.pow(a, nearest)
    return value if rest == 0 or a == 0 else value + value * (rest * math.log(a))


def power_rational_array(a: Array, exponent: Any) -> Array:
    nearest, rest = _split(exponent)
    value = np.power(a, nearest)
    return value if rest == 0 else np.where(np.equal(a, 0), value, value + value * (rest * np.log(a)))[()]


def power_shifted(a: float, b: float, shift: Any) -> float:
    """a**(b + shift) with the rounding of b + shift put back (two-sum): the partial of a**b keeps its digits."""
    if not shift:
        return math.pow(a, b)
    exponent = b + shift
    value = math.pow(a, exponent)
    rounded = exponent - shift
    rest = (b - rounded) + (shift - (exponent - rounded))
    return value + value * (rest * math.log(a)) if rest and a > 0 else value


def power_shifted_array(a: Array, b: Array, shift: Any) -> Array:
    if not shift:
        return np.power(a, b)
    exponent = b + shift
    value = np.power(a, exponent)
    rounded = exponent - shift
    rest = (b - rounded) + (shift - (exponent - rounded))
    with np.errstate(all="ignore"):
        return np.where((rest != 0) & np.greater(a, 0), value + value * (rest * np.log(a)), value)[()]


def power_integer(a: float, exponent: int) -> float:
    return a * a if exponent == 2 else math.pow(a, exponent)


def power_integer_array(a: Array, exponent: int) -> Array:
    return np.square(a) if exponent == 2 else np.power(a, float(exponent))


def power_integer_complex(a: Any, exponent: int) -> Any:
    """By repeated multiplication: the polar form would lose a tiny imaginary part."""
    result, square = None, a
    while exponent:
        if exponent & 1:
            result = square if result is None else result * square
        exponent >>= 1
        if exponent:
            square = square * square
    return result


# --- inverse functions whose textbook form loses digits near the ends of the domain -------------------------------


def acot(a: float) -> float:
    return math.atan(1 / a) if a else math.pi / 2


def acot_array(a: Array) -> Array:
    return np.where(np.equal(a, 0), np.pi / 2, np.arctan(np.divide(1.0, a)))[()]


def _beyond_one(a: float) -> float:
    return math.sqrt(abs(a) - 1) * math.sqrt(abs(a) + 1)


def _beyond_one_array(a: Array) -> Array:
    return np.sqrt(np.abs(a) - 1) * np.sqrt(np.abs(a) + 1)


def asec(a: float) -> float:
    """acos(1/a) near |a| = 1 would keep half the digits; the arc tangent of sqrt(a² - 1) keeps all."""
    return math.atan2(_beyond_one(a), math.copysign(1.0, a))


def asec_array(a: Array) -> Array:
    return np.arctan2(_beyond_one_array(a), np.copysign(1.0, a))


def acsc(a: float) -> float:
    return math.atan2(math.copysign(1.0, a), _beyond_one(a))


def acsc_array(a: Array) -> Array:
    return np.arctan2(np.copysign(1.0, a), _beyond_one_array(a))


def acoth(a: float) -> float:
    _beyond_one(a)  # raises inside the unit interval
    return math.copysign(0.5 * math.log1p(2 / (abs(a) - 1)), a)


def acoth_array(a: Array) -> Array:
    return np.copysign(0.5 * np.log1p(2 / (np.abs(a) - 1)), a) + 0 * _beyond_one_array(a)


def asech(a: float) -> float:
    return math.asinh(math.sqrt((1 - a) * (1 + a)) / a) if a >= 0 else math.sqrt(-1)


def asech_array(a: Array) -> Array:
    return np.arcsinh(np.sqrt((1 - a) * (1 + a)) / np.where(np.less(a, 0), NAN, a))


def atan2(a: float, b: float) -> float:
    if a == 0 and b == 0:
        raise ValueError("no angle at the origin")
    return math.atan2(a, b)


def atan2_complex(a: Any, b: Any) -> Any:
    """The analytic continuation from the real plane: the angle by the smaller ratio, the quadrant by the reals."""
    steep = np.abs(a.real) > np.abs(b.real)
    ratio = np.where(steep, -b / np.where(steep, a, 1), a / np.where(steep, 1, b))
    turn = np.where(steep, np.copysign(np.pi / 2, a.real), np.where(b.real < 0, np.copysign(np.pi, a.real), 0.0))
    return (np.arctan(ratio) + turn)[()]


# --- the error function's bell, digamma and its derivatives -------------------------------------------------------


def gauss(a: float) -> float:
    """exp(-a²); squaring first would lose 2 log2|a| bits, so the square is split into an exact and a small part."""
    if not abs(a) < 28:
        return a if a != a else 0.0
    high = math.floor(a * 16) / 16
    return math.exp(-high * high) * math.exp(-(a - high) * (a + high))


def gauss_array(a: Array) -> Array:
    inside = np.clip(a, -28.0, 28.0)
    high = np.floor(inside * 16) / 16
    return np.exp(-high * high) * np.exp(-(inside - high) * (inside + high))


_BERNOULLI = [Fraction(*pair) for pair in
              [(1, 6), (-1, 30), (1, 42), (-1, 30), (5, 66), (-691, 2730), (7, 6), (-3617, 510), (43867, 798),
               (-174611, 330)]]  # fmt: skip
# The positive zero of digamma to 34 digits: near it the value is (a - zero) times a series, or all digits are lost.
_ZERO_HIGH, _ZERO_LOW = 1.4616321449683622, 9.549995429965697e-17


def polygamma(a: float, order: Any) -> float:
    """The digamma function (order 0) and its derivatives.

    Upward recurrence to a >= 16 + order, then the asymptotic series (DLMF 5.11.2, 5.15.8); reflection below zero
    for digamma (DLMF 5.5.4), shifting for the higher orders; around digamma's positive zero its Taylor series.
    """
    order = int(order)
    if a <= 0 and a == math.floor(a):
        raise ValueError("a pole of polygamma")
    if a == math.inf:
        return math.inf if order == 0 else 0.0
    if order == 0:
        if a < 0:
            return polygamma(1 - a, 0) - math.pi / math.tan(math.pi * math.remainder(a, 1.0))
        if abs(a - _ZERO_HIGH) < 0.25:
            return _digamma_near_zero(a)
    return _polygamma_shifted(a, order)


@cache
def _taylor_at_zero() -> tuple[float, ...]:
    return tuple(_polygamma_shifted(_ZERO_HIGH, k) / math.factorial(k) for k in range(1, 26))


def _digamma_near_zero(a: float) -> float:
    offset = (a - _ZERO_HIGH) - _ZERO_LOW
    total = 0.0
    for coefficient in reversed(_taylor_at_zero()):
        total = total * offset + coefficient
    return total * offset


def _polygamma_shifted(a: float, order: int) -> float:
    """(-1)**(n+1) n! times the Hurwitz zeta sum for n >= 1; for n = 0 minus the sum of 1/(a + k), plus log and tail."""
    terms: list[float] = []
    factorial = float(math.factorial(order)) if order <= 170 else math.inf
    while a < 16 + order:
        terms.append(factorial / a ** (order + 1))
        a += 1
    inverse_square = 1 / (a * a)
    if order == 0:
        terms += [-math.log(a), 0.5 / a]
        terms += [float(b) / (2 * k) * inverse_square**k for k, b in enumerate(_BERNOULLI, 1)]
        return -math.fsum(terms)
    scale = a**-order
    terms += [math.factorial(order - 1) * scale, factorial / 2 * scale / a]
    for k, b in enumerate(_BERNOULLI, 1):
        ratio = math.factorial(2 * k + order - 1) / math.factorial(2 * k)
        terms.append(float(b) * ratio * scale * inverse_square**k)
    return math.fsum(terms) if order % 2 else -math.fsum(terms)


_polygamma_elementwise: Callable[..., Array] = np.frompyfunc(careful(polygamma, lambda *operands: math.inf), 2, 1)


def polygamma_array(a: Array, order: Any) -> Array:
    return np.asarray(_polygamma_elementwise(a, int(order)), dtype=float)[()]
