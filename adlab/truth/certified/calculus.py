"""How a function acts on a power series: by Arb's own method where it has one, else as the integral of its slope.

g(s(t)) = g(s(0)) + ∫ g'(s) s' dt. The integrand needs one term less; for a gradient it is a plain number. A slope is written with
functions that take series themselves, so one line gives all derivatives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flint import arb

from adlab.truth.certified.balls import (
    NAN,
    Ball,
    Number,
    complexified,
    constant,
    integral,
    moves,
    series,
    shortened,
)

Function = Callable[..., Number]


def native(name: str) -> Function:
    """The method `name` of Arb's real numbers and series; where that gives NaN, the complex method of the same name.

    >>> from flint import arb
    >>> print(native("sqrt")(arb(-4)))
    2.00000000000000j
    """

    def apply(z: Number, *parameters: Ball) -> Number:
        found = getattr(z, name)(*parameters)
        return found if constant(found).is_finite() else getattr(complexified(z), name)(*map(complexified, parameters))

    return apply


def smooth(value: Callable[..., Ball], *slopes: Function | None, of_value: bool = False) -> Function:
    """A function given by its value and its slope in each operand; None where no slope is known.

    With `of_value` the slope is a function of the value: 1/cos(y) for y = asin(x), which stays on its branch.
    """

    def apply(*operands: Number) -> Number:
        moving = [moves(z) for z in operands]
        if not any(moving):
            return value(*operands)
        length = min(z.prec for z, moved in zip(operands, moving, strict=True) if moved)
        here = value(*map(constant, operands))
        if not here.is_finite():
            return NAN
        lower = [shortened(z, length - 1) for z in operands]
        known = lower if not of_value else [here if length == 2 else apply(*lower)]
        integrand: Any = 0
        for slope, z, moved in zip(slopes, operands, moving, strict=False):  # some operands are optional
            if moved and slope is None:
                return NAN
            if moved and slope is not None:
                integrand = integrand + slope(*known) * (z[1] if length == 2 else z.derivative())
        return integral(here, integrand, length)

    return apply


def composed(taylor: Sequence[Ball], z: Number) -> Number:
    """A function of a series, given by the function's Taylor coefficients at the constant term."""
    step = series([arb(0), *z.coeffs()[1:]], z.prec)
    found: Any = taylor[-1]
    for coefficient in reversed(taylor[:-1]):
        found = coefficient + step * found
    return found
