"""SymPy expressions as they are written: nothing is evaluated, nothing reordered.

SymPy's own constructors rewrite a formula (`x*x` becomes `x**2`), sort it, cache it by a hash that recurses, and make about
2,000 objects a second. These functions call the class constructor underneath. It stores the operands in the given order, in
constant time and at any depth.

Only literal signs, products of integers and one quotient of integers fold, so that `-2*x` and `1/3` have one constant each.
Every other constant keeps its place: `x/3*3` has two operations, as in Python.

>>> x, y = sympy.symbols("x y", real=True)
>>> product("*/*", [x, Integer(3), Integer(3)]).args
(x, 1/3, 3)
>>> total("+-", [x, Integer(2)]).args
(x, -2)
>>> power(Integer(2), Integer(-3))
1/8

Sums and products made here carry a mark, which `is_written` reads. Lowering keeps the order of a marked one. SymPy's own
operations make new objects without the mark.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from typing import Any, cast

import sympy
from mpmath.libmp import from_float
from sympy import Add, Expr, Integer, Mul, Pow, Rational, S
from sympy.core.basic import Basic
from sympy.core.function import Application
from sympy.core.operations import LatticeOp

MAX_CONSTANT_DIGITS = 1000  # of an integer, typed or folded; the largest integer of binary64 has 309
_MAX_CONSTANT_BITS = math.ceil(MAX_CONSTANT_DIGITS * math.log2(10))
_TOO_LONG = f"this constant has more than {MAX_CONSTANT_DIGITS} digits"


class RefusalError(Exception):
    """Why an operation on these operands has no meaning. `operand` is the index of the operand to blame."""

    def __init__(self, reason: str, operand: int = 0) -> None:
        super().__init__(reason)
        self.reason, self.operand = reason, operand


class Decimal(sympy.Float):  # type: ignore[misc]  # SymPy is untyped
    """A decimal as it is typed: the nearest binary64, held exactly, and printed as the text it came from.

    In every other way it is a SymPy Float of 53 bits, and arithmetic on it gives plain Floats. Raises RefusalError where the
    nearest binary64 is infinite, or is 0 although the text is not.

    >>> Decimal("0.10"), float(Decimal("0.10")), Decimal("0.10") == sympy.Float(0.1), 2 * Decimal("0.10")
    (0.10, 0.1, True, 0.200000000000000)
    """

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> Decimal:
        value = float(text)
        if math.isinf(value):
            raise RefusalError(f"`{text}` overflows binary64, whose largest number is 1.797…e308")
        if value == 0 and any(digit in "123456789" for digit in text.lower().partition("e")[0]):
            raise RefusalError(f"`{text}` underflows binary64, whose smallest number is 4.94…e-324")
        self: Decimal = cls._new(from_float(value), 53, zero=False)
        self.text = text
        return self

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, Any]]:
        return (self.text,), {}

    def __neg__(self) -> Decimal:
        return Decimal(self.text[1:] if self.text.startswith("-") else "-" + self.text)

    def __add__(self, other: Any) -> Any:
        return self if other is S.Zero else super().__add__(other)

    def __mul__(self, other: Any) -> Any:
        """SymPy multiplies every coefficient by one, and every printed one by its sign. The text survives both."""
        if other is S.One or other is S.NegativeOne:
            return self if other is S.One else -self
        return super().__mul__(other)

    def _sympystr(self, printer: object) -> str:
        return self.text

    def _sympyrepr(self, printer: object) -> str:
        return f"Decimal({self.text!r})"

    def _latex(self, printer: object) -> str:
        digits, exponential, exponent = self.text.lower().partition("e")
        return rf"{digits} \cdot 10^{{{int(exponent)}}}" if exponential else digits

    def _pythoncode(self, printer: object) -> str:
        return repr(float(self))

    _numpycode = _lambdacode = _numexprcode = _pythoncode


class WrittenMark(int):
    """A true value of the slot `is_commutative` that also says who has ordered the operands.

    SymPy objects have no free slot. SymPy asks of this one only whether it is true. So a 1 with a name of its own does no harm
    there, and disappears with the object.
    """


_WRITTEN = WrittenMark(1)
DIVISOR = WrittenMark(1)


def is_written(node: Basic) -> bool:
    """Whether a sum or product keeps its author's order, not SymPy's.

    >>> x, y = sympy.symbols("x y", real=True)
    >>> is_written(flat(Add, [y, x])), is_written(flat(Add, [y, x]) + 0), is_written(y + x)
    (True, True, False)
    """
    return type(node.is_commutative) is WrittenMark


def is_divisor(power: Basic) -> bool:
    """Whether a negative power was written as `/d` in a product, and not as a factor `(1/d)` or `d**-1`.

    >>> x, y = sympy.symbols("x y", real=True)
    >>> is_divisor(product("*/", [x, y]).args[1]), is_divisor(product("*/", [S.One, y]))
    (True, False)
    """
    return power.is_commutative is DIVISOR


# --- constructors that only store --------------------------------------------------------------------------------


def flat(head: type[Expr], operands: Sequence[Expr]) -> Expr:
    """`head(*operands)` for Add, Mul and Pow, with the operands kept as they are.

    >>> x = sympy.Symbol("x")
    >>> flat(Mul, [x, x]), flat(Pow, [Integer(4), S.Half])
    (x*x, sqrt(4))
    """
    made: Any = Basic.__new__(head, *operands)
    made.is_commutative = _WRITTEN  # asking the operands would recurse
    return cast(Expr, made)


def applied(head: Any, *operands: Basic) -> Any:
    """`head(*operands)` for a function or relation of SymPy, unevaluated, with the operands in the given order.

    (SymPy sorts the operands of Max, Min, And and Or, and hashes them into a set, which recurses.)

    >>> applied(sympy.sin, S.Pi), applied(sympy.Max, S.Pi, S.One).args, applied(sympy.Lt, S.Pi, S.One)
    (sin(pi), (pi, 1), pi < 1)
    """
    made: Any = Basic.__new__(head, *operands)
    if issubclass(head, Application):
        made.nargs = _nargs(head)
    if issubclass(head, LatticeOp):
        made._argset = operands
    return made


@cache
def _nargs(head: Any) -> Any:
    return head.nargs


# --- arithmetic with literal signs and quotients folded ----------------------------------------------------------


def negative(operand: Expr) -> Expr:
    """-operand, the sign folded into a number, or into the number of a product of two.

    >>> x = sympy.Symbol("x")
    >>> [negative(e) for e in (Integer(3), Decimal("0.50"), 2 * x, -x, sympy.sin(x))]
    [-3, -0.50, -2*x, x, -sin(x)]
    """
    if isinstance(operand, Rational):
        return _negated(operand)
    if isinstance(operand, Decimal):
        return -operand
    if type(operand) is Mul and len(operand.args) == 2 and isinstance(operand.args[0], sympy.Number):
        coefficient, rest = cast("tuple[Expr, Expr]", operand.args)
        return rest if coefficient is S.NegativeOne else flat(Mul, (negative(coefficient), rest))
    return flat(Mul, (S.NegativeOne, operand))


def total(signs: Sequence[str], terms: Sequence[Expr]) -> Expr:
    """One flat sum in written order. Each term has its sign, "+" or "-"."""
    return flat(Add, [negative(term) if sign == "-" else term for sign, term in zip(signs, terms, strict=True)])


def product(symbols: Sequence[str], factors: Sequence[Expr], sign: int = 1) -> Expr:
    """sign · one flat product in written order. Each factor has its operator, "*" or "/".

    The signs fold into the first number, or into a leading -1. The integers that begin the product fold into one number. All
    others stay where they are.

    >>> x, y = sympy.symbols("x y", real=True)
    >>> product("**/*", [Integer(2), x, Integer(3), y]).args
    (2, x, 1/3, y)
    >>> product("**/", [Integer(2), Integer(6), Integer(9)])
    4/3
    """
    terms: list[tuple[str, Expr]] = []
    for position, (symbol, factor) in enumerate(zip(symbols, factors, strict=True)):
        if type(factor) is Mul and len(factor.args) == 2 and factor.args[0] is S.NegativeOne:
            sign, factor = -sign, cast(Expr, factor.args[1])
        if symbol == "/" and _is_zero(factor):
            raise RefusalError("division by zero", position)
        if symbol == "*" and type(factor) is Pow and is_divisor(factor):
            factor = flat(Pow, cast("tuple[Expr, Expr]", factor.args))
        terms.append((symbol, factor))
    coefficient, used = _leading_number(terms)
    rest = [_divisor(factor) if symbol == "/" else factor for symbol, factor in terms[used:]]
    if sign < 0 and coefficient is None and rest and isinstance(rest[0], Decimal):
        rest[0] = -rest[0]
    elif sign < 0:
        coefficient = S.NegativeOne if coefficient is None else _negated(coefficient)
    operands = rest if coefficient is None or (coefficient is S.One and rest) else [coefficient, *rest]
    if coefficient is S.NegativeOne and any(map(_has_number_inside, rest)):
        return flat(Mul, (coefficient, flat(Mul, rest) if len(rest) > 1 else rest[0]))  # SymPy prints it as -x/3
    if len(operands) > 1:
        return flat(Mul, operands)
    alone = operands[0]  # 1/d alone is a value; there is no product that it divides
    return flat(Pow, cast("tuple[Expr, Expr]", alone.args)) if type(alone) is Pow and is_divisor(alone) else alone


def _has_number_inside(factor: Expr) -> bool:
    return isinstance(factor, sympy.Number) or (type(factor) is Pow and isinstance(factor.args[0], sympy.Number))


def _leading_number(terms: Sequence[tuple[str, Expr]]) -> tuple[Rational | None, int]:
    """The exact number that the first factors make, and how many factors that takes.

    Python rounds a quotient such as 1/3, so nothing is folded into one.
    """
    if not isinstance(terms[0][1], Rational):
        return None, 0
    value = Fraction(terms[0][1].p, terms[0][1].q)
    for position, (symbol, factor) in enumerate(terms[1:], 1):
        floating = value.denominator != 1  # of two floats, Python multiplies what it has rounded
        if not isinstance(factor, Integer) or (floating and not (_is_double(value) and _is_double(Fraction(factor.p)))):
            return _rational(value), position
        divides = symbol == "/"
        following = _bounded(value / factor.p if divides else value * factor.p, position)
        if following.denominator == 1 and (divides or floating):
            return _rational(value), position  # a float to Python; an Integer could not say so
        value = following
    return _rational(value), len(terms)


def settled(operand: Any) -> Any:
    """The Integer that a product of numbers is, where no step of it rounds; every other operand as it is.

    An order, an exponent or an argument may be written so. In a sum or a product `4/2` is a float, and stays as it is written.

    >>> x = sympy.Symbol("x", real=True)
    >>> four, third, two = Integer(4), Rational(1, 3), Integer(2)
    >>> [settled(made) for made in (product("*/", [four, two]), product("**", [third, Integer(3)]), product("**", [two, x]))]
    [2, (1/3)*3, 2*x]
    """
    if type(operand) not in (Mul, Pow) or not is_written(operand):
        return operand
    value = Fraction(1)
    for factor in operand.args if type(operand) is Mul else (operand,):
        number = factor.args[0] if type(factor) is Pow and factor.args[1] is S.NegativeOne else factor
        if not isinstance(number, Rational):
            return operand
        step = Fraction(number.p, number.q)
        value = value * step if number is factor else value / step
        if not _is_double(value):
            return operand
    return Integer(value.numerator) if value.denominator == 1 else operand


def _is_zero(operand: Expr) -> bool:
    number = settled(operand)
    return isinstance(number, sympy.Number) and not number


def _is_double(value: Fraction) -> bool:
    """Whether binary64 holds this number."""
    shift = (value.numerator & -value.numerator).bit_length() - 1
    return value == 0 or (
        value.denominator & (value.denominator - 1) == 0 and value.numerator.bit_length() - shift <= 53
    )


def _rational(value: Fraction) -> Rational:
    return Rational(value.numerator, value.denominator)


def _negated(number: Rational) -> Rational:
    return Integer(-number.p) if number.q == 1 else Rational(-number.p, number.q)


def _divisor(factor: Expr) -> Expr:
    """1/factor as SymPy writes division: a negative power, marked as written with a slash.

    >>> x = sympy.Symbol("x")
    >>> [_divisor(d).args for d in (x, x**2, sympy.sqrt(x), x**-2)]
    [(x, -1), (x, -2), (x, -1/2), (x**(-2), -1)]
    """
    operands = (factor, S.NegativeOne)
    if type(factor) is Pow:
        base, exponent = cast("tuple[Expr, Expr]", factor.args)
        if exponent is S.Half or (isinstance(exponent, Integer) and exponent.p > 0):
            operands = (base, negative(exponent))
    made: Any = flat(Pow, operands)
    made.is_commutative = DIVISOR
    return cast(Expr, made)


def tower(operands: Sequence[Expr]) -> Expr:
    """a**b**c, from right to left.

    >>> tower([sympy.Symbol("x"), Integer(2), Integer(3)])
    x**8
    """
    value = operands[-1]
    for position in range(len(operands) - 2, -1, -1):
        value = power(operands[position], value, position)
    return value


def power(base: Expr, exponent: Expr, position: int = 0) -> Expr:
    """base**exponent: exp where the base is E, a number where it is an integer power of an exact number.

    >>> x = sympy.Symbol("x")
    >>> type(power(S.Exp1, x)).__name__, power(Rational(2, 3), Integer(2)), power(Integer(2), S.Half)
    ('exp', 4/9, sqrt(2))
    >>> power(Integer(10), Integer(10**10))
    Traceback (most recent call last):
    ...
    adlab.text.unevaluated.RefusalError: this constant has more than 1000 digits
    """
    if base is S.Exp1:
        return cast(Expr, applied(sympy.exp, exponent))
    exponent = settled(exponent)
    if _is_zero(base) and isinstance(exponent, sympy.Number) and exponent.is_negative:
        raise RefusalError("division by zero: 0 has no negative power", position)
    if isinstance(base, Rational) and isinstance(exponent, Integer):
        return _constant_power(Fraction(base.p, base.q), exponent.p, position)
    return flat(Pow, (base, exponent))


def _constant_power(base: Fraction, exponent: int, position: int) -> Rational:
    bits = max(abs(base.numerator), base.denominator).bit_length() - 1  # |base| or its reciprocal is at least 2**bits
    if bits * abs(exponent) > _MAX_CONSTANT_BITS:
        raise RefusalError(_TOO_LONG, position)
    result = _bounded(base**exponent, position)
    return Rational(result.numerator, result.denominator)


def _bounded(number: Fraction, position: int) -> Fraction:
    if max(abs(number.numerator), number.denominator).bit_length() > _MAX_CONSTANT_BITS:
        raise RefusalError(_TOO_LONG, position)
    return number
