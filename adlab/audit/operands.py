"""What the operations of a file are given: a number is no truth value, and the other way round."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy
from sympy import Integer

from adlab.errors import UnsupportedExpression

MOST_DIGITS = 1000
"""The digits that a whole number may have, as in a formula of text."""


def numbers(name: str, operands: Sequence[Any]) -> None:
    """Raises UnsupportedExpression for a truth value among them."""
    if not all(isinstance(operand, sympy.Expr) for operand in operands):
        raise UnsupportedExpression(f"`{name}` is given a truth value where a number is expected")


def truths(name: str, operands: Sequence[Any]) -> None:
    """Raises UnsupportedExpression for a number among them, or where there is none of them."""
    if not operands:
        raise UnsupportedExpression(f"`{name}` is given nothing")
    if any(isinstance(operand, sympy.Expr) for operand in operands):
        raise UnsupportedExpression(f"`{name}` is given a number where a truth value is expected")


def whole(digits: str) -> Any:
    """The whole number of these digits.

    >>> whole("-012")
    -12
    """
    if len(digits) > MOST_DIGITS:
        raise UnsupportedExpression(f"a number has at most {MOST_DIGITS} digits, and this one has {len(digits)}")
    return Integer(int(digits))
