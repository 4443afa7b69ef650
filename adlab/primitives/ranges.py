"""The values of a function while its operands run over intervals: the column `over` of `computed`.

Most primitives are monotone in each operand between the edges of their domain. Then their extremes are at the corners of the box
of operands. The other rows say where the function turns, or bound its slope. `intervals` checks the domain before and
accounts for rounding after. The values here are floats, each within the table's `ulps` of the true value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import product
from typing import Any

Interval = tuple[float, float]
At = Callable[..., float]
Over = Callable[[At, Sequence[Interval], Any], Interval]
"""Arguments: the function (with its parameter put in), the intervals of its operands, the parameter. Result: its values."""

ENTIRE: Interval = (-math.inf, math.inf)
TINIEST = 5e-324
"""The smallest positive double."""
SMALLEST_NORMAL = 2.0**-1022
"""Doubles below it have fewer than 53 bits."""


def left_range(x: Any) -> Any:
    """Whether a number, or each number of an array, is infinite or too small for all its digits. NaN and 0 have not left.

    >>> left_range(1e-310), left_range(0.0), left_range(-math.inf)
    (True, False, True)
    """
    size = abs(x)
    return (size == math.inf) | ((size > 0) & (size < SMALLEST_NORMAL))


def hull(values: Iterable[float]) -> Interval:
    """The smallest interval that holds all of them; everything if one is NaN.

    >>> hull([3.0, 1.0, 2.0])
    (1.0, 3.0)
    """
    low, high = math.inf, -math.inf
    for value in values:
        if value != value:
            return ENTIRE
        low, high = min(low, value), max(high, value)
    return low, high


def corners(at: At, candidates: Iterable[Sequence[float]]) -> Interval:
    return hull(at(*place) for place in product(*candidates))


def monotone(at: At, operands: Sequence[Interval], parameter: Any) -> Interval:
    """The values of a function that is monotone in each operand while the others stay fixed."""
    return corners(at, operands)


def unknown(at: At, operands: Sequence[Interval], parameter: Any) -> Interval:
    return ENTIRE


def turning(*turns: float) -> Over:
    """Monotone in each operand between these places. A place may also be one side of a jump.

    >>> turning(0.0)(abs, [(-2.0, 1.0)], None)
    (0.0, 2.0)
    """

    def over(at: At, operands: Sequence[Interval], parameter: Any) -> Interval:
        return corners(at, [(low, high, *(t for t in turns if low < t < high)) for low, high in operands])

    return over


def right_of_zero(over: Over) -> Over:
    """`over` for a positive first operand. Nothing is known of others."""
    return lambda at, operands, n: over(at, operands, n) if operands[0][0] > 0 else ENTIRE


def by_order(chosen: Callable[[Any], Over]) -> Over:
    """The rule that holds for this value of the parameter."""
    return lambda at, operands, n: chosen(n)(at, operands, n)


def rippling(steepest: Callable[[float, float], float] = lambda low, high: 1.0) -> Over:
    """By a bound on the slope: a value differs from the one in the middle by at most that bound times the distance.

    >>> low, high = rippling()(math.sin, [(1.0, 1.5)], None)
    >>> low < math.sin(1.0) and math.sin(1.5) < high
    True
    """

    def over(at: At, operands: Sequence[Interval], parameter: Any) -> Interval:
        ((low, high),) = operands
        middle, radius = halved(low, high)
        value, move = at(middle), steepest(low, high) * radius * (1 + 2.0**-50)
        if not (math.isfinite(value) and move < math.inf):
            return ENTIRE
        return math.nextafter(value - move, -math.inf), math.nextafter(value + move, math.inf)

    return over


def halved(low: float, high: float) -> tuple[float, float]:
    """The middle of an interval, and the distance from it to the farther end.

    >>> halved(1.0, 2.0)
    (1.5, 0.5000000000000002)
    """
    middle = low / 2 + high / 2
    return middle, max(high - middle, middle - low) * (1 + 2.0**-51)


def between_poles(monotone_there: bool, *turns: float) -> Over:
    """The values of tan and cot (`monotone_there`), or of sec and csc with their turning values `turns`.

    tan and cot are monotone from pole to pole. So there is no pole between the ends where their values are in the right order.
    sec and csc come back from a pole with the other sign. So there is none where both ends have one sign, and the turn of that
    sign may lie between. All this holds for widths below 3.1, which contain one pole at most: poles are π apart.
    """

    def over(at: At, operands: Sequence[Interval], parameter: Any) -> Interval:
        ((low, high),) = operands
        first, last = at(low), at(high)
        if not high - low < 3.1:
            return ENTIRE
        if monotone_there:
            rises = at(0.5) < at(1.0)
            return hull([first, last]) if (first <= last if rises else first >= last) else ENTIRE
        return hull([first, last, *(turn for turn in turns if turn * first > 0)]) if first * last > 0 else ENTIRE

    return over


def equality(at: At, operands: Sequence[Interval], parameter: Any) -> Interval:
    """`==` and `!=`: decided where the intervals do not meet. (Single points never come here.)"""
    (a, b), (c, d) = operands
    return hull([at(a, c)]) if b < c or d < a else (0.0, 1.0)


def branches(at: At, operands: Sequence[Interval], parameter: Any) -> Interval:
    """`select`: the branch that the condition decides on; both branches where it is undecided."""
    condition, yes, no = operands
    if condition == (0.0, 0.0):
        return no
    return yes if condition[0] > 0 or condition[1] < 0 else hull([*yes, *no])


def remainder(at: At, operands: Sequence[Interval], parameter: Any) -> Interval:
    """`mod`: a - qb where the quotient rounds down to one whole number q everywhere, else anything from 0 to b."""
    (a, b), (c, d) = operands
    quotients = hull(x / y for x in (a, b) for y in (c, d))
    q = math.floor(quotients[0] * (1 - math.copysign(2.0**-50, quotients[0]))) if math.isfinite(quotients[0]) else math.nan
    if q != q or abs(q) > 2**50 or not quotients[1] * (1 + math.copysign(2.0**-50, quotients[1])) < q + 1:
        return min(0.0, c), max(0.0, d)
    moved = hull(q * y for y in (c, d))
    slack = 2.0**-50 * max(map(abs, (a, b, *moved)))
    return a - moved[1] - slack, b - moved[0] + slack
