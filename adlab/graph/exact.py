"""Exact numbers during lowering: integers, ratios, and decimals, which are the binary64 that their text means."""

from __future__ import annotations

from fractions import Fraction

import sympy

from adlab.errors import UnsupportedExpression
from adlab.primitives.primitive import Number
from adlab.text.traversal import brief

EXACT_BITS = 4096  # exact constants longer than this stay operations
_SMALL = 2**60


class TypedDecimal(float):
    """A decimal number: its value is a binary64, and it prints as it was typed."""

    text: str

    def __new__(cls, value: float, text: str) -> TypedDecimal:
        self = super().__new__(cls, value)
        self.text = text
        return self

    def __str__(self) -> str:
        return self.text


def decimal(node: sympy.Float) -> Number:
    """A SymPy Float as the binary64 that it means. One with more digits than a double stays an exact ratio."""
    sign, mantissa, exponent, _ = node._mpf_
    exact = Fraction(-int(mantissa) if sign else int(mantissa)) * Fraction(2) ** int(exponent)
    try:
        nearest = float(exact)
    except OverflowError:
        raise UnsupportedExpression(f"the constant {brief(node)} is beyond the range of binary64; scale the formula") from None
    if nearest != exact:
        return exact
    text = getattr(node, "text", None)
    return TypedDecimal(nearest, text) if text is not None else nearest


def _short(exact: Fraction) -> Number | None:
    """An exact result as the simplest kind of number, or None where it is too long to keep."""
    if max(exact.numerator.bit_length(), exact.denominator.bit_length()) > EXACT_BITS:
        return None
    return exact.numerator if exact.denominator == 1 else exact


def total(a: Number, b: Number) -> Number | None:
    """a + b exactly, or None where that is too long."""
    if a == 0:
        return b
    if type(a) is int and type(b) is int and -_SMALL < a < _SMALL and -_SMALL < b < _SMALL:
        return a + b
    return _short(Fraction(a) + Fraction(b))


def product(a: Number, b: Number) -> Number | None:
    """a × b exactly, or None where that is too long. A decimal times 1 keeps its typed form."""
    if a == 1:
        return b
    if a == -1 and isinstance(b, float):
        return -b
    return _short(Fraction(a) * Fraction(b))


def power(base: Number, exponent: Number) -> Number | None:
    """base**exponent exactly, or None where that is too long or no ratio."""
    if Fraction(exponent).denominator != 1 or (base == 0 and exponent < 0):
        return None
    exact = Fraction(base)
    bits = max(exact.numerator.bit_length(), exact.denominator.bit_length())
    if bits * abs(int(exponent)) > 2 * EXACT_BITS:
        return None
    found = _short(exact ** int(exponent))
    whole = type(base) is int and type(exponent) is int and exponent >= 0
    return found if whole or found is None else Fraction(found)  # a float to Python, even where its value is whole


def is_binary(number: Number) -> bool:
    """Whether binary64 holds the number exactly."""
    if isinstance(number, int) and number.bit_length() <= 53:
        return True
    if isinstance(number, Fraction) and number.denominator & (number.denominator - 1):
        return False
    try:
        return Fraction(float(number)) == number
    except OverflowError:
        return False
