"""Sums and products as their author wrote them: from left to right, every constant in its place.

SymPy sorts its operands, so there adlab may choose the order. A text has an order, and so has what `adlab.text.unevaluated`
builds. That order decides how rounding errors fall: `1 + x - 1` loses the same digits as in Python. An operation on constants
is folded where it is exact, or where it is the last one on constants alone: Python would round it to the same number.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from sympy import Pow
from sympy.core.basic import Basic

from adlab.graph import exact
from adlab.primitives.primitive import Number, Primitive
from adlab.primitives.table import PRIMITIVES
from adlab.text.unevaluated import is_divisor

if TYPE_CHECKING:
    from adlab.graph.graph import Builder
    from adlab.graph.lowering import Lowering

ADD, SUB, MUL, DIV, NEG = (PRIMITIVES[name] for name in ("add", "sub", "mul", "div", "neg"))


def quotient(a: Number, b: Number) -> Number | None:
    """a / b exactly, or None where it does not exist or is too long."""
    return exact.product(a, 1 / Fraction(b)) if b else None


_EXACT: dict[Primitive, Callable[[Any, Any], Number | None]] = {
    ADD: exact.total,
    SUB: lambda a, b: exact.total(a, -b),
    MUL: exact.product,
    DIV: quotient,
}
_IDLE = {ADD: 0, SUB: 0, MUL: 1, DIV: 1}
"""The right operand that changes nothing."""


def is_held(number: Number | None) -> bool:
    """Whether Python holds this number without rounding: every whole number, and every double."""
    return type(number) is int or (number is not None and exact.is_binary(number))


def folded(operation: Primitive, a: Number, b: Number) -> Number | None:
    """The exact result for two numbers that Python holds; None where Python would round one of them first."""
    whole = type(a) is int and type(b) is int
    if not (is_held(a) and is_held(b)) or not (whole or (exact.is_binary(a) and exact.is_binary(b))):
        return None
    found = _EXACT[operation](a, b)
    if found is None or (whole and operation is not DIV):
        return found
    return Fraction(found)  # a float to Python, even where it is whole: the next operation rounds


class _Chain:
    """The operands read so far: an exact number, or the position where their result is computed."""

    def __init__(self, builder: Builder) -> None:
        self.builder = builder
        self.number: Number | None = None
        self.position: int | None = None

    def begin(self, number: Number | None, position: int | None) -> None:
        self.number, self.position = number, position

    def step(self, operation: Primitive, number: Number | None, position: int | None) -> None:
        """Applies the operation to the result so far and one more operand."""
        mine = self.number
        if number is not None:
            found = None if mine is None else folded(operation, mine, number)
            if found is not None:
                self.number = found
                return
            if mine is None and number == _IDLE[operation]:
                return
            position = self.builder.constant(number)
        elif mine is not None and mine == _IDLE[operation] and operation in (ADD, MUL):
            self.begin(None, position)
            return
        assert position is not None
        self.position = commuting(self.builder, operation, self.place(), position)
        self.number = None

    def place(self) -> int:
        """The position of the result so far."""
        if self.position is None:
            assert self.number is not None
            self.position = self.builder.constant(self.number)
        return self.position


def commuting(builder: Builder, operation: Primitive, i: int, j: int) -> int:
    """The position of this operation. If a*b is new but b*a exists, that node is used."""
    if operation is ADD or operation is MUL:
        known = builder.known.get((operation, (j, i), None))  # type: ignore[call-overload]  # a Node is this tuple
        if known is not None:
            return int(known)
    return builder.cons(operation, (i, j))


def add(lowering: Lowering, node: Basic) -> None:
    """The sum from left to right. A term with a minus sign is subtracted."""
    chain = _Chain(lowering.builder)
    negative, numbers, positions, rounded = lowering.negative, lowering.numbers, lowering.positions, lowering.rounded
    waiting: int | None = None  # the first term, if it is negative: -a + b becomes b - a
    begun = False
    for term in node.args:
        key = id(term)
        number = numbers.get(key) if key not in rounded else None
        minus = number is None and key in negative
        position = negative[key] if minus else None
        if number is None and not minus:
            position = positions.get(key)
            if position is None:
                position = lowering.position(term)
        if not begun:
            begun = True
            if minus:
                waiting = position
            else:
                chain.begin(number, position)
        elif waiting is not None:
            if minus:
                chain.begin(None, lowering.builder.cons(NEG, (waiting,)))
                chain.step(SUB, None, position)
            else:
                chain.begin(number, position)
                chain.step(SUB, None, waiting)
            waiting = None
        elif minus:
            chain.step(SUB, None, position)
        elif number is not None and number < 0:
            chain.step(SUB, -number, None)
        else:
            chain.step(ADD, number, position)
    if waiting is not None:  # a sum of one term
        chain.begin(None, lowering.builder.cons(NEG, (waiting,)))
    _finish(lowering, node, chain, exact.total, 0)


def mul(lowering: Lowering, node: Basic) -> None:
    """The product from left to right, each divisor as a division. A leading sign is left to the sum that subtracts it."""
    if len(node.args) == 2 and _pair(lowering, node, *node.args):
        return
    key, chain = id(node), _Chain(lowering.builder)
    numbers, rounded = lowering.numbers, lowering.rounded
    factors = list(node.args)
    first = numbers.get(id(factors[0])) if id(factors[0]) not in rounded else None
    turned = first is not None and first < 0 and (first == -1 or key in lowering.subtracted)
    begun = False
    if turned and first is not None:
        begun = first != -1 or type(first) is not int  # 1.0 times a long whole number rounds it
        chain.begin(-first if begun else 1, None)
        del factors[0]
        if not begun and key not in lowering.subtracted and type(factors[0]) is Pow and is_divisor(factors[0]):
            turned, begun = False, True  # -1/x is one division
            chain.begin(-1, None)
    for factor in factors:
        if type(factor) is Pow and is_divisor(factor):
            number, position = lowering.divisor(factor)
            if not begun and chain.number is None:
                chain.begin(1, None)
            chain.step(DIV, number, position)
        else:
            number = numbers.get(id(factor)) if id(factor) not in rounded else None
            position = lowering.position(factor) if number is None else None
            if begun:
                chain.step(MUL, number, position)
            else:
                chain.begin(number, position)
        begun = True
    if turned and chain.number is not None:
        chain.begin(-chain.number, None)
    elif turned and key in lowering.subtracted:
        lowering.negative[key] = chain.place()
        return
    elif turned:
        chain.begin(None, lowering.builder.cons(NEG, (chain.place(),)))
    _finish(lowering, node, chain, exact.product, 1)


def _pair(lowering: Lowering, node: Basic, a: Basic, b: Basic) -> bool:
    """Lowers u*v, u/v, -u and a positive number times u, as most products are, in a third of the time. Whether it was one."""
    first, second, numbers, builder = id(a), id(b), lowering.numbers, lowering.builder
    number, position = numbers.get(first), lowering.positions.get(second)
    if number is None:
        before = None if type(a) is Pow and is_divisor(a) else lowering.positions.get(first)
        if before is None:
            return False
        if type(b) is Pow and is_divisor(b):
            divisor, position = lowering.divisor(b)
            if position is None and (divisor is None or divisor == 1):
                return False
            position = builder.cons(DIV, (before, builder.constant(divisor) if position is None else position))
        elif position is None or second in numbers:
            return False
        else:
            position = commuting(builder, MUL, before, position)
    elif position is None or second in numbers or first in lowering.rounded or (type(b) is Pow and is_divisor(b)):
        return False
    elif number > 0 and number != 1:
        position = commuting(builder, MUL, builder.constant(number), position)
    elif type(number) is not int or number != -1:
        return False
    elif id(node) in lowering.subtracted:
        lowering.negative[id(node)] = position
        return True
    else:
        position = builder.cons(NEG, (position,))
    lowering.positions[id(node)] = position
    return True


def _finish(
    lowering: Lowering, node: Basic, chain: _Chain, combine: Callable[[Any, Any], Number | None], start: Number
) -> None:
    """Stores the chain's result. A constant whose parts are rounded on the way keeps its exact value as well."""
    key = id(node)
    if chain.number is not None:
        lowering.numbers[key] = chain.number
        return
    lowering.positions[key] = chain.place()
    value: Number | None = start
    for operand in node.args:
        number = lowering.numbers.get(id(operand))
        if number is None or value is None:
            return
        value = combine(value, number)
    if value is not None:
        lowering.numbers[key] = value
        lowering.rounded.add(key)
