"""Special functions whose order is an operand too: their values, and their derivatives by the order.

There is no closed form for ∂Γ(s, x)/∂s or ∂J(ν, x)/∂ν. So these are central differences of mpmath's values, at a precision
so high that neither error of a difference shows. The step h is 2⁻⁶⁰ of the length over which the function changes, so the
truncation error is about 2⁻¹²⁰. Each division by 2h costs bits; the values have as many extra bits.

>>> scalar(lambda m, s, x: m.gammainc(s, x))(1.0, 2.0, 1)          # ∂Γ(s, x)/∂s at s = 1: exp(-2) log 2 + E1(2)
0.14270778071380083
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from adlab.primitives import special
from adlab.primitives.numerics import NAN

Formula = Callable[..., Any]
"""A function of an mpmath context, the order, and the argument."""

LARGEST = 100  # the largest order, up or down: beyond it mpmath may take seconds for one value, or never end
FINENESS = 60  # bits by which the step is smaller than the scale
GOOD = 64  # bits of a derivative that must remain after its terms cancel
MOST_BITS = 6000
FAR = 1000  # beyond this argument the series of the lower function is long, and its complement is used


def positive(s: float, x: float) -> bool:
    """Whether the argument is positive: there most of these functions are real for every order."""
    return x > 0


def scalar(
    formula: Formula,
    inside: Callable[[float, float], bool] = lambda s, x: True,
    scale: Callable[[float, float], float] = lambda s, x: 1.0,
    largest: float = LARGEST,
    even: bool = False,
) -> special.RoundedOnce:
    """The function (order, argument, k): the formula, differentiated k times by its order, rounded once.

    `inside` tells the domain for orders up to `largest`. `scale` is the distance to the nearest singular order. Functions that
    are `even` in the order have slope 0 at order 0. Raises ValueError outside the domain.
    """

    def number(s: float, x: float, k: int) -> Any:
        if not (math.isfinite(s) and math.isfinite(x)):
            return NAN  # no limit is taken at infinity
        if abs(s) > largest or not inside(s, x):
            raise ValueError("no real value")
        if even and s == 0 and k % 2:
            return 0.0
        return special.real_number(lambda m: _derivative(m, formula, s, m.mpf(x), k, scale(s, x)))

    return special.RoundedOnce(number)


def _derivative(m: Any, formula: Formula, s: float, x: Any, k: int, scale: float) -> Any:
    if k == 0:
        return formula(m, special.exact_order(s), x)
    extra = (FINENESS + 10) * k + max(0, m.mag(s))
    while extra < MOST_BITS:
        with m.extraprec(extra):
            h = m.ldexp(scale, -FINENESS)
            orders = [special.exact_order(s) if k == 2 * j else s + (k - 2 * j) * h for j in range(k + 1)]
            terms = [(-1) ** j * m.binomial(k, j) * formula(m, order, x) for j, order in enumerate(orders)]
            total = m.fsum(terms)
            lost = m.mag(max(map(abs, terms))) - m.mag(total) if total else m.prec
            if total and m.prec - lost >= GOOD:
                return total / (2 * h) ** k
        extra = max(2 * extra, lost + GOOD)  # f may hardly depend on its order: near ν = 0, I(ν, x) changes by e^-2x of itself
    raise ValueError("the derivative is too small beside the function")


def lower_gamma(m: Any, s: Any, x: Any) -> Any:
    """γ(s, x). Far out it is Γ(s) minus the upper function, since the series would be long."""
    return m.gamma(s) - m.gammainc(s, x) if x > FAR else special.lower_gamma(m, x, s)
