"""The primitives in Arb's ball arithmetic (python-flint, extra `certify`): values with proven error radii.

A ball is a number with a radius; the true value is surely inside. On balls a primitive means what its form means there, by the
vocabulary of the certified truth (`adlab.truth.certified`). An entry of the table may have a function of its own, `ball`.
`between` rounds a ball outwards to two doubles.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

from adlab.errors import MissingExtra, UnsupportedExpression
from adlab.primitives.primitive import Parameter, Primitive, exact_sympy
from adlab.primitives.ranges import ENTIRE, Interval
from adlab.truth.values import plan

try:
    import flint

    from adlab.truth.certified.balls import real, working
    from adlab.truth.certified.sweeps import program
except ImportError:  # `required` says what is missing, to whoever needs it
    flint = None

BITS = (80, 320, 1280)
"""Working precisions in bits. The first suffices unless a cancellation inside a function hides the value."""
TIGHT = 60  # bits to which a value must be known

Ball = Any


def required() -> None:
    """Raises MissingExtra unless python-flint is installed."""
    if flint is None:
        raise MissingExtra('proven enclosures need python-flint; install it by the extra: pip install "adlab[certify]"')


@cache
def on_balls(primitive: Primitive, parameter: Parameter) -> Callable[..., Ball]:
    """The primitive as a function of balls: its own, or that of its form. Everything where neither has a meaning."""
    required()
    if primitive.ball is not None:
        own, given = primitive.ball, () if parameter is None else (parameter,)
        return lambda *operands: own(*operands, *given)
    letters = list(primitive.letters(parameter))
    form = primitive.form(*letters) if parameter is None else primitive.form(*letters, exact_sympy(parameter))
    try:
        written = program(plan([form], letters))
    except UnsupportedExpression:
        return lambda *operands: flint.arb.nan()
    return lambda *operands: real(written.outputs(written.base(operands))[0])


def value(primitive: Primitive, parameter: Parameter, operands: list[Interval]) -> Interval:
    """The values over intervals of operands, mostly single numbers, by Arb alone. Everything where Arb has no value."""
    function = on_balls(primitive, parameter)
    found = ENTIRE
    for bits in BITS:
        with working(bits):
            result = function(*(_ball(*operand) for operand in operands))
            found = between(result)
            wide = any(low != high for low, high in operands)
            if wide or result == 0 or result.rel_accuracy_bits() >= TIGHT:
                break
    return found


def _ball(low: float, high: float) -> Ball:
    return flint.arb(low) if low == high else flint.arb(low).union(flint.arb(high))


def between(ball: Ball) -> Interval:
    """The doubles next below and above a ball. Both are the ball itself if it is a double."""
    if not ball.is_finite():
        return ENTIRE
    low, high = ball.lower(), ball.upper()
    below, above = float(low), float(high)
    if flint.arb(below) > low:
        below = math.nextafter(below, -math.inf)
    if flint.arb(above) < high:
        above = math.nextafter(above, math.inf)
    return below, above
