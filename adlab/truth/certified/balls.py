"""Numbers that carry a proven bound on their own error: Arb's balls, and power series whose coefficients are balls.

A number is real (`arb`) or complex (`acb`). A number that depends on the variable is a series (`arb_series`, `acb_series`) in t
= x − x0, with as many terms as the block `working` asks for. Every function here takes and returns any of the four. What does
not exist, or cannot be told at this precision, is NaN. NaN goes through arithmetic as IEEE's does, so a branch that is not
taken may be NaN without harm.

>>> with working(50, length=3):
...     print(integer_power(2, variable(arb(3))).coeffs())
[9.0000000000000, 6.0000000000000, 1.0000000000000]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from flint import acb, acb_series, arb, arb_series, ctx
from mpmath import libmp

from adlab.precision import exclusive
from adlab.truth.meanings import CONTEXT

Ball = Any  # arb or acb
Number = Any  # a Ball, or a series of balls

NAN = arb.nan()
REAL = (arb, arb_series)
SERIES = (arb_series, acb_series)


@contextmanager
def working(bits: int, length: int = 2) -> Iterator[None]:
    """Inside this block arithmetic runs at `bits` of precision, and on series of `length` terms."""
    with exclusive():
        before = ctx.prec, ctx.cap
        ctx.prec, ctx.cap = bits, length
        try:
            yield
        finally:
            ctx.prec, ctx.cap = before


# --- what a number is -----------------------------------------------------------------------------------------


def moves(z: Number) -> bool:
    """Whether it is a series, and so depends on the variable."""
    return isinstance(z, SERIES)


def constant(z: Number) -> Ball:
    """Its value at the point."""
    return z[0] if isinstance(z, SERIES) else z


def series(coefficients: Sequence[Ball], length: int) -> Number:
    """A power series, real if all of its coefficients are."""
    kind = arb_series if all(isinstance(c, arb) for c in coefficients) else acb_series
    return kind(list(coefficients), prec=length)


def variable(at: Ball) -> Number:
    """at + t."""
    return arb_series([at, 1], prec=ctx.cap)


def shortened(z: Number, length: int) -> Number:
    """The first terms of a series; a plain number where only the constant term is left."""
    if not isinstance(z, SERIES):
        return z
    return z[0] if length == 1 else type(z)(z.coeffs()[:length], prec=length)


def integral(constant_term: Ball, integrand: Number, length: int) -> Number:
    """constant_term + ∫ integrand dt. The integrand has one term less; if that leaves one term, it is a plain number."""
    return series([constant_term, integrand], 2) if length == 2 else constant_term + integrand.integral()


def complexified(z: Number) -> Number:
    """The same number with a complex type."""
    return acb_series(z) if isinstance(z, arb_series) else acb(z) if isinstance(z, arb) else z


def each(function: Callable[[acb], arb], z: Number) -> Number:
    """Applies a real-linear function of (re, im) to a complex number, or to every coefficient of a series."""
    return arb_series([function(c) for c in z.coeffs()], prec=z.prec) if moves(z) else function(z)


def real_part(z: Number) -> Number:
    """Re z; for a series in a real variable, the real part of each coefficient."""
    return z if isinstance(z, REAL) else each(lambda c: c.real, z)


def imaginary_part(z: Number) -> Number:
    """Im z; for a series, of each coefficient."""
    return arb(0) if isinstance(z, REAL) else each(lambda c: c.imag, z)


def real(z: Number) -> Number:
    """z where it is exactly real, else NaN. For functions that are known for real numbers only."""
    if isinstance(z, REAL):
        return z
    parts = z.coeffs() if moves(z) else [z]
    return real_part(z) if all(c.imag.is_zero() for c in parts) else NAN


def integer_power(exponent: int, base: Number) -> Number:
    """base**exponent by repeated squaring: real for real bases of any sign, even for a ball that holds 0."""
    power, square, left = None, base, abs(exponent)
    while left:
        if left & 1:
            power = square if power is None else power * square
        left >>= 1
        if left:
            square = square * square
    if power is None:
        return arb(1)
    return reciprocal(power) if exponent < 0 else power


def reciprocal(z: Number) -> Number:
    """1/z; NaN where z may be 0."""
    return NAN if constant(z).contains(0) else 1 / z


# --- to and from mpmath ---------------------------------------------------------------------------------------


def ball(number: Any) -> arb:
    """An mpf of `adlab.truth.meanings` as a ball of radius 0."""
    sign, mantissa, exponent, _ = number._mpf_
    return arb((-int(mantissa) if sign else int(mantissa), exponent))


def number(midpoint: arb) -> Any:
    """An exact ball as a number of `adlab.truth.meanings`."""
    mantissa, exponent = midpoint.man_exp()
    return CONTEXT.make_mpf(libmp.from_man_exp(int(mantissa), int(exponent)))
