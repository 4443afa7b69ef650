"""Derivatives of the complete elliptic integrals K and E by their parameter, to any number of digits (DLMF 19.5.1 and 15.5.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adlab.precision import CONTEXT


def derivative(first: int, whole: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    """The derivative of order n of a complete integral at m: a hypergeometric function, with the parameter `first`/2.

    >>> print(CONTEXT.nstr(derivative(1, CONTEXT.ellipk)(1, CONTEXT.mpf(0)), 10), CONTEXT.nstr(CONTEXT.pi / 8, 10))
    0.3926990817 0.3926990817
    """

    def value(n: Any, m: Any) -> Any:
        order = int(n)
        if order == 0:
            return whole(m)
        a, b = CONTEXT.mpf(first) / 2, CONTEXT.mpf(1) / 2
        scale = CONTEXT.pi * CONTEXT.rf(a, order) * CONTEXT.rf(b, order) / (2 * CONTEXT.factorial(order))
        return scale * CONTEXT.hyp2f1(order + a, order + b, order + 1, m)

    return value
