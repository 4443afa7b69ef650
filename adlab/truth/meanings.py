"""What every SymPy function means as a number: one table, SymPy class → mpmath function.

Meanings are SymPy's, on the complex numbers with principal branches. A result is good to the last bits of the context's
precision. A value that does not exist raises `ZeroDivisionError` or `ValueError`, or is an mpmath infinity or NaN. The
functions work on numbers of `CONTEXT`, inside a `working(bits)` block.

>>> with working(100):
...     print(mp_text(FUNCTIONS[sympy.acot](exact(-2.0))))
-0.46364761
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import mpmath
import sympy
from mpmath import libmp
from sympy.codegen.cfunctions import expm1, log1p

from adlab.precision import CONTEXT as CONTEXT, working as working  # this room's own names for them
from adlab.truth import elliptic

LONGEST_REMAINDER = 2**16  # bits
NEAREST = -200  # the exponent of the smallest argument that an incomplete gamma function may have on the left of 0
LEFTMOST = -(2**10)  # the smallest argument of a polygamma function; mpmath moves it to the right in steps of 1


def exact(number: Any) -> Any:
    """An int, a float, or a number of another mpmath context, as the same number of `CONTEXT`. Nothing is rounded."""
    if hasattr(number, "_mpf_"):
        return CONTEXT.make_mpf(number._mpf_)
    if hasattr(number, "_mpc_"):
        return CONTEXT.make_mpc(number._mpc_)
    return CONTEXT.make_mpf(libmp.from_int(number) if isinstance(number, int) else libmp.from_float(float(number)))


def exported(number: Any) -> Any:
    """A number of `CONTEXT` as the same mpmath.mpf or mpmath.mpc. Nothing is rounded."""
    return mpmath.mp.make_mpc(number._mpc_) if hasattr(number, "_mpc_") else mpmath.mp.make_mpf(number._mpf_)


def decimal(number: Any, digits: int) -> str:
    """A number as text. It is rounded first, since mpmath misplaces the exponent of a mantissa of thousands of bits.

    >>> decimal(mpmath.mpf(1) / 3, 5)
    '0.33333'
    """
    parts = number._mpc_ if hasattr(number, "_mpc_") else (number._mpf_,)
    rounded = tuple(libmp.mpf_pos(part, 4 * digits + 20, "n") for part in parts)
    short = mpmath.mp.make_mpc(rounded) if len(rounded) == 2 else mpmath.mp.make_mpf(*rounded)
    return str(mpmath.nstr(short, digits))


def mp_text(number: Any, digits: int = 8) -> str:
    """A number for a message. One whose exponent alone would fill the line is cut off."""
    text = decimal(number, digits)
    return text if len(text) <= 2 * digits + 40 else text[: 2 * digits + 39] + "…"


def magnitude(number: Any) -> int:
    """The m with 2^(m-1) <= |number| < 2^m, within a bit for complex numbers; 0 for zero."""
    if hasattr(number, "_mpf_"):
        _, _, exponent, bits = number._mpf_
        return int(exponent + bits)
    return max((exponent + bits for _, mantissa, exponent, bits in number._mpc_ if mantissa), default=0)


def bits_of(digits: int) -> int:
    """The number of bits that hold so many decimal digits.

    >>> bits_of(30)
    100
    """
    return math.ceil(digits * math.log2(10))


def vanishes(part: Any, number: Any) -> bool:
    """Whether `part` is negligible beside `number` at the working precision, allowing for what rounding may leave of a zero."""
    return not part or magnitude(part) < magnitude(number) - CONTEXT.prec * 3 // 4


class NotRealError(ValueError):
    """A complex operand, where the function is known for real ones only."""


def real(number: Any) -> Any:
    """The number if it is real, or its real part if the imaginary part is rounding. Otherwise raises `NotRealError`."""
    if hasattr(number, "_mpf_"):
        return number
    if vanishes(number.imag, number):
        return number.real
    raise NotRealError


# --- powers ---------------------------------------------------------------------------------------------------


def integer_power(exponent: int, base: Any) -> Any:
    """base**exponent by repeated squaring: real for real bases of any sign."""
    if not base and exponent < 0:
        raise ZeroDivisionError
    return base**exponent


def root_power(numerator: int, degree: int, base: Any) -> Any:
    """base**(numerator/degree), the principal root. Perfect powers are exact."""
    root = CONTEXT.sqrt(base) if degree == 2 else CONTEXT.root(base, degree)
    return integer_power(numerator, root)


def general_power(base: Any, exponent: Any) -> Any:
    """exp(exponent·log base), with extra bits for those that a large exponent·log base uses up before the point."""
    if not base and not hasattr(exponent, "_mpf_"):
        raise ZeroDivisionError
    with CONTEXT.extraprec(20 + max(0, magnitude(exponent)) + abs(magnitude(base)).bit_length()):
        far = magnitude(exponent) > 64 and hasattr(base, "_mpf_") and base > 0  # squaring would take as many products as bits
        return CONTEXT.exp(exponent * CONTEXT.log(base)) if far else base**exponent


# --- functions that mpmath lacks, or reads otherwise, or evaluates too carelessly ------------------------------


def _near(points: Sequence[int], function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """function(z), with extra bits for those that it loses where z is close to a branch point or zero."""

    def careful(z: Any) -> Any:
        closeness = max(0, *(-magnitude(z - point) for point in points))
        with CONTEXT.extraprec(2 * closeness + 10):
            return function(z)

    return careful


def _far(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """function(z) for one that oscillates as z² does, with extra bits for those that it loses where z is large."""

    def careful(z: Any) -> Any:
        with CONTEXT.extraprec(2 * max(0, magnitude(z)) + 10):
            return function(z)

    return careful


_acos = _near((-1, 1), CONTEXT.acos)
_acosh = _near((-1, 1), CONTEXT.acosh)
_erfinv = _near((-1, 1), CONTEXT.erfinv)


def _acot(z: Any) -> Any:
    return CONTEXT.atan(1 / z) if z else CONTEXT.pi / 2


def _atan2(y: Any, x: Any) -> Any:
    if not x and not y:
        raise ZeroDivisionError
    return CONTEXT.atan2(real(y), real(x))


def _arg(z: Any) -> Any:
    if not z:
        raise ZeroDivisionError
    return CONTEXT.arg(z)


def _mod(a: Any, b: Any) -> Any:
    """a − b·floor(a/b), with the sign of b. It is exact, with as many bits as that takes."""
    a, b = real(a), real(b)
    if not b:
        raise ZeroDivisionError
    bits = magnitude(b) - min(a._mpf_[2], b._mpf_[2])
    if bits > LONGEST_REMAINDER:
        raise OverflowError
    with CONTEXT.workprec(max(CONTEXT.prec, bits)):
        return a % b


def _frac(x: Any) -> Any:
    return _mod(x, CONTEXT.one)


def all_hold(*operands: Any) -> Any:
    """And: one false operand decides, whatever the others are. Otherwise a failed operand spoils it."""
    if any(operand is False for operand in operands):
        return False
    return next((operand for operand in operands if operand is not True), True)


def one_holds(*operands: Any) -> Any:
    """Or: one true operand decides, whatever the others are. Otherwise a failed operand spoils it."""
    if any(operand is True for operand in operands):
        return True
    return next((operand for operand in operands if operand is not False), False)


def _heaviside(x: Any, at_zero: Any = None) -> Any:
    half = CONTEXT.mpf(0.5) if at_zero is None else at_zero
    return half if not x else CONTEXT.mpf(real(x) > 0)


_harmonic_number = _near((0,), CONTEXT.harmonic)


LONGEST_SHIFT = 10_000
"""The most terms that are summed one by one to bring the argument of ζ(s, a) to the right of 0."""


def _hurwitz(s: Any, a: Any = 1) -> Any:
    """ζ(s, a) = Σ (a + k)^-s (DLMF 25.11.1). Left of 0 the first terms are summed here.

    mpmath's own method (1.3) returns the value of another branch from about a = −50 on, unless ζ is a polynomial in a.
    """
    left = -CONTEXT.re(a)
    if left <= 0 or (CONTEXT.isint(s) and CONTEXT.re(s) <= 0):
        return CONTEXT.zeta(s, a)
    if left > LONGEST_SHIFT:
        raise OverflowError
    count = int(left) + 1
    return CONTEXT.fsum((a + k) ** -s for k in range(count)) + CONTEXT.zeta(s, a + count)


def _harmonic(n: Any, order: Any = None) -> Any:
    if order is None or order == 1:
        return _harmonic_number(n)
    return CONTEXT.zeta(order) - _hurwitz(order, n + 1)


def _lowergamma(s: Any, z: Any) -> Any:
    """z^s/s · e^-z · 1F1(1; s + 1; z), DLMF 8.5.1: for z > 0 all terms have one sign. For other z the other form."""
    series = CONTEXT.exp(-z) * CONTEXT.hyp1f1(1, s + 1, z) if CONTEXT.re(z) > 0 else CONTEXT.hyp1f1(s, s + 1, -z)
    return general_power(z, s) / s * series


def _incomplete(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Γ(s, z) and E_s(z). Just left of 0 for whole s, and anywhere left of 0 for others, mpmath's series does not end."""

    def careful(s: Any, z: Any) -> Any:
        if z and magnitude(z) < NEAREST and not (CONTEXT.isint(s) and CONTEXT.re(z) > 0):
            raise OverflowError
        return function(s, z)

    return careful


def _spherical(bessel: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """√(π/2) z^(-1/2) times the function of order n + 1/2, DLMF 10.47.3.

    It is z^(-1/2) and not √(1/z), so that j0 is sin(x)/x on both sides of 0, as SymPy's own rules say. (SymPy's `evalf` has the
    other sign there.)
    """
    return lambda n, z: CONTEXT.sqrt(CONTEXT.pi / 2) / CONTEXT.sqrt(z) * bessel(n + CONTEXT.mpf(0.5), z)


_SPHERICAL_J = _spherical(CONTEXT.besselj)


def _spherical_j(n: Any, z: Any) -> Any:
    """At 0 by its series, 10.53.1: z^n/(2n + 1)!! and terms that vanish."""
    if z or n < 0 or not CONTEXT.isint(n):
        return _SPHERICAL_J(n, z)
    return CONTEXT.one if not n else CONTEXT.zero


def _polygamma(n: Any, z: Any) -> Any:
    """For an order that is not whole, which mpmath would cut off: SymPy's definition (Espinosa & Moll 2004)."""
    if CONTEXT.re(z) < LEFTMOST:
        raise OverflowError
    if CONTEXT.isint(n) and n >= 0:
        return CONTEXT.psi(int(n), z)
    slope, value = CONTEXT.zeta(n + 1, z, 1), CONTEXT.zeta(n + 1, z)
    return (slope + (CONTEXT.psi(0, -n) + CONTEXT.euler) * value) * CONTEXT.rgamma(-n)


def minimum(a: Any, b: Any) -> Any:
    """The smaller of two real numbers."""
    return min(real(a), real(b))


def maximum(a: Any, b: Any) -> Any:
    """The larger of two real numbers."""
    return max(real(a), real(b))


FUNCTIONS: dict[type, Callable[..., Any]] = {
    sympy.exp: CONTEXT.exp,
    sympy.log: CONTEXT.log,
    log1p: CONTEXT.log1p,
    expm1: CONTEXT.expm1,
    sympy.sin: CONTEXT.sin,
    sympy.cos: CONTEXT.cos,
    sympy.tan: CONTEXT.tan,
    sympy.cot: CONTEXT.cot,
    sympy.sec: CONTEXT.sec,
    sympy.csc: CONTEXT.csc,
    sympy.asin: CONTEXT.asin,
    sympy.acos: _acos,
    sympy.atan: CONTEXT.atan,
    sympy.acot: _acot,
    sympy.asec: _near((-1, 1), lambda z: _acos(1 / z)),
    sympy.acsc: _near((-1, 1), lambda z: CONTEXT.asin(1 / z)),
    sympy.sinh: CONTEXT.sinh,
    sympy.cosh: CONTEXT.cosh,
    sympy.tanh: CONTEXT.tanh,
    sympy.coth: CONTEXT.coth,
    sympy.sech: CONTEXT.sech,
    sympy.csch: CONTEXT.csch,
    sympy.asinh: CONTEXT.asinh,
    sympy.acosh: _acosh,
    sympy.atanh: CONTEXT.atanh,
    sympy.acoth: _near((-1, 1), lambda z: CONTEXT.atanh(1 / z)),
    sympy.asech: _near((-1, 1), lambda z: _acosh(1 / z)),
    sympy.acsch: lambda z: CONTEXT.asinh(1 / z),
    sympy.atan2: _atan2,
    sympy.sinc: CONTEXT.sinc,
    sympy.Abs: abs,
    sympy.sign: CONTEXT.sign,
    sympy.re: CONTEXT.re,
    sympy.im: CONTEXT.im,
    sympy.arg: _arg,
    sympy.conjugate: CONTEXT.conj,
    sympy.floor: CONTEXT.floor,
    sympy.ceiling: CONTEXT.ceil,
    sympy.frac: _frac,
    sympy.Mod: _mod,
    sympy.Heaviside: _heaviside,
    sympy.erf: CONTEXT.erf,
    sympy.erfc: CONTEXT.erfc,
    sympy.erfi: CONTEXT.erfi,
    sympy.erfinv: _erfinv,
    sympy.erfcinv: _near((0, 2), lambda z: _erfinv(1 - z)),
    sympy.fresnels: _far(CONTEXT.fresnels),
    sympy.fresnelc: _far(CONTEXT.fresnelc),
    sympy.Ei: CONTEXT.ei,
    sympy.li: CONTEXT.li,
    sympy.Si: CONTEXT.si,
    sympy.Ci: CONTEXT.ci,
    sympy.Shi: CONTEXT.shi,
    sympy.Chi: CONTEXT.chi,
    sympy.expint: _incomplete(CONTEXT.expint),
    sympy.gamma: CONTEXT.gamma,
    sympy.loggamma: CONTEXT.loggamma,
    sympy.polygamma: _polygamma,
    sympy.digamma: CONTEXT.digamma,
    sympy.trigamma: lambda z: _polygamma(CONTEXT.one, z),
    sympy.uppergamma: _incomplete(CONTEXT.gammainc),
    sympy.lowergamma: _lowergamma,
    sympy.beta: CONTEXT.beta,
    sympy.factorial: CONTEXT.factorial,
    sympy.binomial: CONTEXT.binomial,
    sympy.harmonic: _harmonic,
    sympy.zeta: _hurwitz,
    sympy.polylog: lambda s, z: -CONTEXT.log1p(-z) if s == 1 else CONTEXT.polylog(s, z),  # mpmath's log(1 - z) is 0 at a small z
    sympy.LambertW: CONTEXT.lambertw,
    sympy.besselj: CONTEXT.besselj,
    sympy.bessely: CONTEXT.bessely,
    sympy.besseli: CONTEXT.besseli,
    sympy.besselk: CONTEXT.besselk,
    sympy.jn: _spherical_j,
    sympy.yn: _spherical(CONTEXT.bessely),
    sympy.airyai: CONTEXT.airyai,
    sympy.airybi: CONTEXT.airybi,
    sympy.airyaiprime: lambda z: CONTEXT.airyai(z, derivative=1),
    sympy.airybiprime: lambda z: CONTEXT.airybi(z, derivative=1),
    **elliptic.FUNCTIONS,
}

CONSTANTS: dict[type, Callable[[], Any]] = {
    type(sympy.pi): lambda: +CONTEXT.pi,
    type(sympy.E): lambda: +CONTEXT.e,
    type(sympy.EulerGamma): lambda: +CONTEXT.euler,
    type(sympy.Catalan): lambda: +CONTEXT.catalan,
    type(sympy.GoldenRatio): lambda: +CONTEXT.phi,
}

# These choose, or cut, without rounding: from exact operands their value is exact.
EXACT: frozenset[type] = frozenset(
    {sympy.Abs, sympy.sign, sympy.re, sympy.im, sympy.conjugate, sympy.floor, sympy.ceiling}
    | {sympy.frac, sympy.Mod, sympy.Heaviside, sympy.Min, sympy.Max}
)

# These jump where their operands are not 0.
JUMPING: frozenset[type] = frozenset({sympy.floor, sympy.ceiling, sympy.frac, sympy.Mod})

# These take operands of any size in no time.
EASY: frozenset[type] = (EXACT - JUMPING) | {
    *(sympy.log, sympy.floor, sympy.ceiling, sympy.erf),
    *(sympy.atan, sympy.acot, sympy.asinh, sympy.acosh, sympy.asec, sympy.acsc, sympy.acoth, sympy.acsch),
}

# Their series at operands of more than 64 bits would take far too long.
SLOW: frozenset[type] = frozenset(
    {sympy.fresnels, sympy.fresnelc, sympy.expint, sympy.uppergamma, sympy.lowergamma, sympy.polylog, sympy.zeta}
    | {sympy.polygamma, sympy.trigamma, sympy.harmonic, sympy.jn, sympy.yn}
    | {sympy.besselj, sympy.bessely, sympy.besseli, sympy.besselk, sympy.airyai, sympy.airybi}
    | {sympy.airyaiprime, sympy.airybiprime}
)
