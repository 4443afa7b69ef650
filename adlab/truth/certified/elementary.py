"""What SymPy's elementary functions mean for balls and series of balls, and how branches are decided.

A series that may touch a kink, a jump or the edge of a branch has no derivative there: NaN. A plain number is NaN only where it
cannot be told, so |0| is 0.

>>> from adlab.truth.certified.balls import variable, working
>>> with working(50):
...     print([absolute(z) for z in (arb(-3), arb(0), variable(arb(0)))])
[3.0000000000000, 0, nan]
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy
from flint import acb, arb
from sympy.codegen import cfunctions

from adlab.truth.certified.balls import (
    NAN,
    REAL,
    Ball,
    Number,
    constant,
    imaginary_part,
    integer_power,
    moves,
    real,
    real_part,
    reciprocal,
)
from adlab.truth.certified.calculus import Function, native, smooth

LARGEST_EXPONENT = 2**20  # the largest whole number that a variable exponent may be; beyond it a power is exp(b log a)

exp, log, sqrt, sin, cos, atan = map(native, ["exp", "log", "sqrt", "sin", "cos", "atan"])
cosh: Function = smooth(native("cosh"), lambda z: sinh(z))
sinh: Function = smooth(native("sinh"), cosh)
expm1 = smooth(native("expm1"), exp)
log1p = smooth(native("log1p"), lambda z: reciprocal(1 + z))
tan = smooth(native("tan"), lambda z: integer_power(-2, cos(z)))
cot = smooth(native("cot"), lambda z: -integer_power(-2, sin(z)))
tanh = smooth(native("tanh"), lambda z: integer_power(-2, cosh(z)))
coth = smooth(native("coth"), lambda z: -integer_power(-2, sinh(z)))
sec, csc, sech, csch = (lambda z, f=f: reciprocal(f(z)) for f in (cos, sin, cosh, sinh))
asin = smooth(native("asin"), lambda y: reciprocal(cos(y)), of_value=True)
acos = smooth(native("acos"), lambda y: -reciprocal(sin(y)), of_value=True)
asinh = smooth(native("asinh"), lambda y: reciprocal(cosh(y)), of_value=True)
acosh = smooth(native("acosh"), lambda y: reciprocal(sinh(y)), of_value=True)
atanh = smooth(native("atanh"), lambda z: reciprocal((1 - z) * (1 + z)))


def _of_reciprocal(function: Function) -> Function:
    return lambda z: function(reciprocal(z))


def _acot(z: Number) -> Number:
    """acot jumps at 0, where it is π/2."""
    return arb.pi() / 2 if not moves(z) and z == 0 else atan(reciprocal(z))


# --- powers ---------------------------------------------------------------------------------------------------


def root_power(numerator: int, degree: int, base: Number) -> Number:
    """base**(numerator/degree), the principal root."""
    return integer_power(numerator, sqrt(base) if degree == 2 else root(degree, base))


_ROOT = native("root")


def root(degree: int, base: Number) -> Number:
    """The principal root. Its slope is root/(degree·base)."""
    slope: Function = lambda z: root(degree, z) * reciprocal(degree * z)  # noqa: E731
    return smooth(lambda z: _ROOT(z, degree), slope)(base)


def general_power(base: Number, exponent: Number) -> Number:
    """exp(exponent · log base). Where the exponent is a constant whole number, any base is allowed."""
    if isinstance(exponent, arb) and exponent.is_integer() and abs(exponent) < LARGEST_EXPONENT:
        return integer_power(int(exponent.unique_fmpz()), base)
    if isinstance(base, arb) and base.is_zero() and real(constant(exponent)) > 0:
        return base
    return exp(exponent * log(base))


# --- choices --------------------------------------------------------------------------------------------------


def absolute(z: Number) -> Number:
    """|z|."""
    if not isinstance(z, REAL):
        return sqrt(real_part(z) ** 2 + imaginary_part(z) ** 2)
    return _signed(z, z, -z) if moves(z) else abs(z)


def _signed(x: Number, above: Number, below: Number, at_zero: Number = NAN) -> Number:
    """One of three results, by the sign of a real number, where the sign can be told."""
    x = real(x)
    here = constant(x)
    if here > 0:
        return above
    if here < 0:
        return below
    return at_zero if here.is_zero() and not moves(x) else NAN


def sign(z: Number) -> Number:
    """±1, or 0 at 0; z/|z| for a complex number."""
    return _signed(z, arb(1), arb(-1), arb(0)) if isinstance(z, REAL) else z * reciprocal(absolute(z))


def heaviside(x: Number, at_zero: Any = None) -> Number:
    """0 below 0, and 1 above."""
    return _signed(x, arb(1), arb(0), arb(1) / 2 if at_zero is None else at_zero)


def floor(z: Number) -> Number:
    """⌊z⌋; for a complex number, ⌊·⌋ of both parts."""
    if isinstance(z, REAL):
        here = constant(z)
        return NAN if moves(z) and here.contains_integer() else _whole(here.floor())
    return floor(real_part(z)) + acb(0, 1) * floor(imaginary_part(z))


def _whole(found: Ball) -> Ball:
    """A ball that holds one integer."""
    return found if found.is_exact() else NAN


def remainder(a: Number, b: Number) -> Number:
    """a − b⌊a/b⌋, with the sign of b."""
    a, b = real(a), real(b)
    return a - b * floor(a / b if not moves(b) else a * reciprocal(b))


def larger(a: Number, b: Number) -> Number:
    """The larger of two real numbers."""
    if not moves(a) and not moves(b):
        return real(a).max(real(b))
    return _signed(real(a) - real(b), a, b)


def smaller(a: Number, b: Number) -> Number:
    """The smaller of two real numbers."""
    return -larger(-a, -b)


def atan2(y: Number, x: Number) -> Number:
    """The angle of (x, y)."""
    return _ANGLE(real(y), real(x))


def _over_square(u: Number, x: Number, y: Number) -> Number:
    return u * reciprocal(x * x + y * y)


_ANGLE = smooth(
    lambda y, x: NAN if x.contains(0) and y.contains(0) else arb.atan2(y, x),
    lambda y, x: _over_square(x, x, y),
    lambda y, x: _over_square(-y, x, y),
)


def conjugate(z: Number) -> Number:
    """The complex conjugate."""
    return z if isinstance(z, REAL) else real_part(z) - acb(0, 1) * imaginary_part(z)


# --- conditions: True, False, or None where that cannot be told -----------------------------------------------

Answer = bool | None


def less(a: Number, b: Number) -> Answer:
    """a < b. None where that is unknown, or where a series touches the border, since any step might cross it."""
    a, b, free = real(a), real(b), not (moves(a) or moves(b))
    a, b = constant(a), constant(b)
    return True if a < b else False if a > b or (free and a >= b) else None


def equal(a: Number, b: Number) -> Answer:
    """a = b. None as for `less`."""
    free = not (moves(a) or moves(b))
    a, b = constant(a), constant(b)
    return False if a != b else True if free and a == b else None


def negated(answer: Answer) -> Answer:
    """Not."""
    return None if answer is None else not answer


def all_of(*answers: Answer) -> Answer:
    """And: one False decides."""
    return False if False in answers else None if None in answers else True


def any_of(*answers: Answer) -> Answer:
    """Or: one True decides."""
    return True if True in answers else None if None in answers else False


def branch(*operands: Any) -> Number:
    """From value, condition, value, condition …: the value whose condition is the first to hold."""
    for value, condition in zip(operands[::2], operands[1::2], strict=True):
        if condition is not False:
            return value if condition is True else NAN
    return NAN


CONDITIONS: dict[type, Callable[..., Answer]] = {
    sympy.Eq: equal,
    sympy.Ne: lambda a, b: negated(equal(a, b)),
    sympy.Lt: less,
    sympy.Gt: lambda a, b: less(b, a),
    sympy.Le: lambda a, b: negated(less(b, a)),
    sympy.Ge: lambda a, b: negated(less(a, b)),
    sympy.And: all_of,
    sympy.Or: any_of,
    sympy.Not: negated,
}

FUNCTIONS: dict[type, Function] = {
    sympy.exp: exp,
    sympy.log: log,
    cfunctions.log1p: log1p,
    cfunctions.expm1: expm1,
    sympy.sin: sin,
    sympy.cos: cos,
    sympy.tan: tan,
    sympy.cot: cot,
    sympy.sec: sec,
    sympy.csc: csc,
    sympy.asin: asin,
    sympy.acos: acos,
    sympy.atan: atan,
    sympy.acot: _acot,
    sympy.asec: _of_reciprocal(acos),
    sympy.acsc: _of_reciprocal(asin),
    sympy.sinh: sinh,
    sympy.cosh: cosh,
    sympy.tanh: tanh,
    sympy.coth: coth,
    sympy.sech: sech,
    sympy.csch: csch,
    sympy.asinh: asinh,
    sympy.acosh: acosh,
    sympy.atanh: atanh,
    sympy.acoth: _of_reciprocal(atanh),
    sympy.asech: _of_reciprocal(acosh),
    sympy.acsch: _of_reciprocal(asinh),
    sympy.atan2: atan2,
    sympy.Abs: absolute,
    sympy.sign: sign,
    sympy.re: real_part,
    sympy.im: imaginary_part,
    sympy.arg: lambda z: atan2(imaginary_part(z), real_part(z)),
    sympy.conjugate: conjugate,
    sympy.floor: floor,
    sympy.ceiling: lambda z: -floor(-z),
    sympy.frac: lambda x: remainder(x, arb(1)),
    sympy.Mod: remainder,
    sympy.Heaviside: heaviside,
    sympy.Max: larger,
    sympy.Min: smaller,
}
