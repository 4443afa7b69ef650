"""A formula along a line, and its Taylor coefficients to many digits, from values of the formula alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy

from adlab.truth.higher import higher_derivatives
from adlab.truth.meanings import working
from adlab.truth.values import plan

BITS = 400
"""Bits of the division by k!. They are more than anyone asks digits for."""


def along(expression: Any, variables: Sequence[sympy.Symbol], point: Sequence[float], direction: Sequence[float]) -> Any:
    """The formula at point + t·direction, in the symbol t. The numbers stand as the exact fractions that they are.

    >>> x, t = sympy.Symbol("x", real=True), sympy.Symbol("t", real=True)
    >>> along(sympy.exp(x), [x], [0.5], [2.0])
    exp(2*t + 1/2)
    """
    t = sympy.Symbol("t", real=True)
    line = {x: sympy.Rational(a) + sympy.Rational(b) * t for x, a, b in zip(variables, point, direction, strict=True)}
    return expression.xreplace(line)


def taylor_truth(
    expressions: Sequence[Any], variables: Sequence[sympy.Symbol], point: Sequence[float], direction: Sequence[float],
    order: int, digits: int,
) -> list[list[Any]]:  # fmt: skip
    """The coefficients of every formula up to t**order, to so many digits. None where a coefficient does not exist.

    >>> x = sympy.Symbol("x", real=True)
    >>> [float(c) for c in taylor_truth([sympy.exp(x)], [x], [0.0], [1.0], 3, 20)[0]]
    [1.0, 1.0, 0.5, 0.16666666666666666]
    """
    t = sympy.Symbol("t", real=True)
    rows = []
    for expression in expressions:
        found = higher_derivatives(plan([along(expression, variables, point, direction)], [t]), [0.0], 0, order, digits)
        with working(BITS):
            rows.append([None if c.value is None else c.value / sympy.factorial(k).p for k, c in enumerate(found)])
    return rows
