"""The functions behind primitives that neither NumPy nor `math` has, or that these compute with lost digits.

Each function has a scalar form and an array form. The scalar form raises as `math` does: ValueError outside the domain. Where
NumPy's complex function would be wrong there is a complex form too: an analytic continuation that keeps every digit of an
imaginary part of 1e-20, for the complex step. The special functions are in `special`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from functools import cache, reduce
from typing import Any

import numpy as np

from adlab.primitives.ranges import SMALLEST_NORMAL

Array = Any
NAN = math.nan
HUGE, TINY = 1e300, 1e-300  # their squares overflow and underflow


def careful(scalar: Callable[..., float], array: Callable[..., Any]) -> Callable[..., float]:
    """`scalar` under IEEE rules: NaN outside its domain, NumPy's answer at an overflow, never an exception.

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
                found = float(array(*map(_as_float64, operands)))
            _ = HUGE * HUGE  # NumPy clears the processor's flags; this product sets the overflow flag again
            return found

    return ieee


def _as_float64(operand: Any) -> Any:
    return np.float64(operand) if isinstance(operand, float) else operand


def told(found: Array) -> None:
    """Has NumPy note the overflow or underflow of numbers that it has not computed itself."""
    size = np.abs(found)
    if np.any(size == math.inf):
        np.multiply(HUGE, HUGE)
    if np.any(size < SMALLEST_NORMAL):
        np.multiply(TINY, TINY)


def elementwise(scalar: Callable[..., float], arity: int = 1) -> Callable[..., Array]:
    """The array form of a scalar function, one element at a time; NaN outside its domain."""
    safe = careful(scalar, lambda *operands: math.inf)

    def over_array(*given: Any) -> Array:
        parameter = given[arity:]
        each = np.frompyfunc(lambda *elements: safe(*map(float, elements), *parameter), arity, 1)
        found = np.asarray(each(*given[:arity]), dtype=float)[()]
        told(found)
        return found

    return over_array


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
    """1.0 or 0.0; NaN where an operand is NaN, so that a condition on NaN decides nothing."""
    return lambda a, b: NAN if a != a or b != b else float(scalar(a, b))


def comparison_array(ufunc: Callable[..., Any]) -> Callable[..., Array]:
    return lambda a, b: np.where(np.isnan(a) | np.isnan(b), NAN, ufunc(a, b))[()]


def conjunction(a: float, b: float) -> float:
    """Kleene's `and`: false as soon as one side is false, even if the other is undefined."""
    return 0.0 if a == 0 or b == 0 else minimum(a, b)


def disjunction(a: float, b: float) -> float:
    return 1.0 if a == 1 or b == 1 else maximum(a, b)


def conjunction_array(a: Array, b: Array) -> Array:
    return np.where(np.equal(a, 0) | np.equal(b, 0), 0.0, np.minimum(a, b))[()]


def disjunction_array(a: Array, b: Array) -> Array:
    return np.where(np.equal(a, 1) | np.equal(b, 1), 1.0, np.maximum(a, b))[()]


def select(condition: float, a: float, b: float) -> float:
    return b if condition == 0 else a if condition == condition else NAN


def select_array(condition: Array, a: Array, b: Array) -> Array:
    return np.where(np.isnan(condition), NAN, np.where(condition != 0, a, b))[()]


# --- powers ------------------------------------------------------------------------------------------------------


@cache
def _split(exponent: Any) -> tuple[float, float]:
    """An exact exponent as the nearest double and the remainder."""
    nearest = float(exponent)
    return nearest, float(Fraction(exponent) - Fraction(nearest))


def _restored(value: float, a: float, rest: float) -> float:
    """a**(b + rest) from value = a**b. A rounded exponent costs |log a| ulps; a first-order correction restores them."""
    return value + value * (rest * math.log(abs(a))) if rest and a and math.isfinite(value) else value


def _restored_array(value: Array, a: Array, rest: Array) -> Array:
    with np.errstate(all="ignore"):
        correction = value * (rest * np.log(np.abs(a)))
    return np.where((rest == 0) | np.equal(a, 0) | ~np.isfinite(value), value, value + correction)[()]


def power_rational(a: float, exponent: Any) -> float:
    """a**(p/q) for a >= 0."""
    if a < 0:
        raise ValueError("a fractional power of a negative number")
    nearest, rest = _split(exponent)
    return _restored(math.pow(a, nearest), a, rest)


def power_rational_array(a: Array, exponent: Any) -> Array:
    nearest, rest = _split(exponent)
    return _restored_array(np.power(a, nearest), a, np.float64(rest))


def two_sum(b: Any, shift: Any) -> tuple[Any, Any]:
    """b + shift rounded, and the rounding error (Knuth's two-sum)."""
    total = b + shift
    back = total - shift
    return total, (b - back) + (shift - (total - back))


def power_shifted(a: float, b: float, shift: Any) -> float:
    """a**(b + shift), as if b + shift were exact: so the partial of a**b keeps its digits."""
    if a != a or b != b:
        return NAN
    if not shift:
        return math.pow(a, b)
    exponent, rest = two_sum(b, shift)
    if a < 0 and b != math.floor(b):
        raise ValueError("a fractional power of a negative number")
    if a < 0 and math.fabs(b) >= 2**53:  # every such b is even, but b + shift need not be even
        return _restored(math.pow(-a, exponent), a, rest) * (-1 if shift % 2 else 1)
    return _restored(math.pow(a, exponent), a, rest)


def power_shifted_array(a: Array, b: Array, shift: Any) -> Array:
    exponent, rest = two_sum(b, float(shift))
    even = np.less(a, 0) & (np.fabs(b) >= 2**53)
    value = _restored_array(np.power(np.where(even, -a, a), exponent), a, rest)
    return np.where(np.isnan(a) | np.isnan(b), NAN, np.where(even, (-1.0) ** shift * value, value))[()]


def power_integer(a: float, exponent: int) -> float:
    return a * a if exponent == 2 else math.pow(a, exponent)


def power_integer_array(a: Array, exponent: int) -> Array:
    return np.square(a) if exponent == 2 else np.power(a, float(exponent))


# --- the length of a vector: any number of operands, and then how many they are ------------------------------------


def norm(*operands_and_count: float) -> float:
    """sqrt(a² + b² + …) without overflow."""
    return math.hypot(*operands_and_count[:-1])


def norm_array(*operands_and_count: Array) -> Array:
    """By the largest operand, whose share of the sum of squares is 1."""
    sizes = [np.abs(operand) for operand in operands_and_count[:-1]]
    largest = reduce(np.maximum, sizes)
    scale = np.where(np.equal(largest, 0), 1.0, largest)
    total = np.sqrt(reduce(np.add, [np.square(np.divide(size, scale)) for size in sizes]))
    return np.where(np.isinf(largest), largest, scale * total)[()]


def norm_complex(*operands_and_count: Any) -> Any:
    operands = operands_and_count[:-1]
    largest = reduce(np.maximum, [np.abs(operand.real) for operand in operands])
    scale = np.where(np.equal(largest, 0), 1.0, largest)[()]
    return scale * np.sqrt(reduce(np.add, [np.square(operand / scale) for operand in operands]))


# --- functions whose textbook form loses digits, or overflows, near the ends of the domain ------------------------


def cbrt(a: float) -> float:
    """SymPy's a**(1/3), which is complex for a < 0. So negative numbers are refused."""
    if a < 0:
        raise ValueError("cbrt of a negative number")
    return math.cbrt(a)


def cbrt_array(a: Array) -> Array:
    return np.cbrt(np.where(np.less(a, 0), NAN, a))


def xlogy(a: float, b: float) -> float:
    """a log(b), and the limit 0 where b is 0: there a is a power of b."""
    return 0.0 if a == 0 and b == 0 else a * math.log(b)


def xlogy_array(a: Array, b: Array) -> Array:
    return np.where((a == 0) & (b == 0), 0.0, a * np.log(b))[()]


def gauss(a: float) -> float:
    """exp(-a²). Squaring first would lose 2 log2|a| bits, so the square is split into an exact and a small part."""
    if not abs(a) < 28:
        return a if a != a else TINY * TINY  # 0, and the processor notes an underflow
    high = math.floor(a * 16) / 16
    return math.exp(-high * high) * math.exp(-(a - high) * (a + high))


def gauss_array(a: Array) -> Array:
    inside = np.clip(a, -28.0, 28.0)
    high = np.floor(inside * 16) / 16
    return np.exp(-high * high) * np.exp(-(inside - high) * (inside + high))


def growth(a: float) -> float:
    """exp(a²), by the same split."""
    if not abs(a) < 28:
        return math.exp(a * a)
    high = math.floor(a * 16) / 16
    return math.exp(high * high) * math.exp((a - high) * (a + high))


def growth_array(a: Array) -> Array:
    inside = np.clip(a, -28.0, 28.0)
    high = np.floor(inside * 16) / 16
    return np.exp(high * high) * np.exp((inside - high) * (inside + high))


def sech(a: float) -> float:
    """sech(a), computed with the exponential that decays. 1/cosh(a) would be 0 from a = 710.5 on, where sech is not."""
    decay = math.exp(-abs(a))
    return 2 * decay / (1 + decay * decay)


def sech_array(a: Array) -> Array:
    decay = np.exp(-np.abs(a))
    return 2 * decay / (1 + decay * decay)


def csch(a: float) -> float:
    return math.copysign(2 * math.exp(-abs(a)) / -math.expm1(-2 * abs(a)), a)


def csch_array(a: Array) -> Array:
    return np.copysign(2 * np.exp(-np.abs(a)) / -np.expm1(-2 * np.abs(a)), a)


def acot(a: float) -> float:
    return math.atan(1 / a) if a else math.pi / 2


def acot_array(a: Array) -> Array:
    return np.where(np.equal(a, 0), np.pi / 2, np.arctan(np.divide(1.0, a)))[()]


def _beyond_one(a: float) -> float:
    return math.sqrt(abs(a) - 1) * math.sqrt(abs(a) + 1)


def _beyond_one_array(a: Array) -> Array:
    return np.sqrt(np.abs(a) - 1) * np.sqrt(np.abs(a) + 1)


def asec(a: float) -> float:
    """acos(1/a) would lose half the digits near |a| = 1. The arc tangent of sqrt(a² - 1) keeps all of them."""
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


# --- on complex numbers ------------------------------------------------------------------------------------------


def _outward(a: Any) -> tuple[Any, Any]:
    """The sign of the real part, and a times that sign."""
    side = np.copysign(1.0, a.real)
    return side, a * side


def hypot_complex(a: Any, b: Any) -> Any:
    larger = np.maximum(np.abs(a.real), np.abs(b.real))
    scale = np.where(np.equal(larger, 0), 1.0, larger)[()]
    return scale * np.sqrt(np.square(a / scale) + np.square(b / scale))


def gauss_complex(a: Any) -> Any:
    return gauss_array(a.real) * np.exp(np.square(a.imag) - 2j * a.real * a.imag)


def growth_complex(a: Any) -> Any:
    return growth_array(a.real) * np.exp(2j * a.real * a.imag - np.square(a.imag))


def asec_complex(a: Any) -> Any:
    side, z = _outward(a)
    return np.where(side > 0, 0.0, np.pi)[()] + side * np.arctan(np.sqrt(z - 1) * np.sqrt(z + 1))


def acsc_complex(a: Any) -> Any:
    side, z = _outward(a)
    return side * np.arctan(1 / (np.sqrt(z - 1) * np.sqrt(z + 1)))


def acoth_complex(a: Any) -> Any:
    side, z = _outward(a)
    return side * np.where(z.real > 2, np.arctanh(1 / z), 0.5 * np.log((z + 1) / (z - 1)))[()]


def asech_complex(a: Any) -> Any:
    return np.arcsinh(np.sqrt((1 - a) * (1 + a)) / a)


def atan2_complex(a: Any, b: Any) -> Any:
    """The analytic continuation from the real plane. The smaller ratio gives the angle, the real parts the quadrant."""
    steep = np.abs(a.real) > np.abs(b.real)
    ratio = np.where(steep, -b / np.where(steep, a, 1), a / np.where(steep, 1, b))
    turn = np.where(steep, np.copysign(np.pi / 2, a.real), np.where(b.real < 0, np.copysign(np.pi, a.real), 0.0))
    return (np.arctan(ratio) + turn)[()]


def heading_complex(a: Any, b: Any) -> Any:
    steep = np.abs(a.real) > np.abs(b.real)
    side, right = np.where(a.real < 0, -1.0, 1.0), np.where(b.real < 0, -b, b)  # away from π, where small parts are lost
    return np.where(steep, side * np.cos(atan2_complex(b, side * a)), np.sin(atan2_complex(a, right)))[()]
