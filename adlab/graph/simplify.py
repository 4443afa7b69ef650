"""What a derivative program leaves out: constants are folded, and 0, 1 and -1 cost nothing.

Only identities that are exact and that shorten the program. `0*x -> 0` is applied also where x would be infinite: the chain
rule means by it a path that carries nothing.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from adlab.primitives.primitive import Parameter, Primitive
from adlab.primitives.table import CONSTANT, PRIMITIVES

if TYPE_CHECKING:
    from adlab.graph.graph import Builder

ADD, SUB, MUL, DIV, NEG, POWI, SELECT, NE = (
    PRIMITIVES[name] for name in ("add", "sub", "mul", "div", "neg", "powi", "select", "ne")
)
Operands = tuple[int, ...]
FOLDED_BITS = 200  # longer exact fractions are left to the arithmetic


def power(builder: Builder, operands: Operands, parameter: Parameter) -> int:
    return operands[0] if parameter == 1 else builder.cons(POWI, operands, parameter)


def rational(value: Any) -> bool:
    return isinstance(value, (int, Fraction)) and not isinstance(value, bool)


def _folded(builder: Builder, primitive: Primitive, i: int, j: int) -> int:
    """The constant that an operation makes of two, computed once for each pair. The operation itself unless both are rational."""
    key = primitive, i, j
    position = builder.folded.get(key)
    if position is None:
        result = fold(primitive, builder.value_of(i), builder.value_of(j))
        position = builder.cons(primitive, (i, j)) if result is None else builder.constant(result)
        builder.folded[key] = position
    return position


def fold(primitive: Primitive, a: Any, b: Any) -> Fraction | None:
    """The exact result for two numbers. None unless both are rational, and where it is too long."""
    if not (rational(a) and rational(b)):
        return None
    result = Fraction(_EXACT[primitive](Fraction(a), b))
    return result if max(result.numerator.bit_length(), result.denominator.bit_length()) <= FOLDED_BITS else None


def _negated(builder: Builder, position: int) -> int | None:
    """The node whose negative this is, if it is a negation."""
    node = builder.nodes[position]
    return node.operands[0] if node.primitive is NEG else None


def add(builder: Builder, operands: Operands, parameter: Parameter = None) -> int:
    i, j = operands
    peculiar = builder.peculiar
    if not (peculiar[i] or peculiar[j]):
        return builder.cons(ADD, (i, j) if i < j else (j, i))
    if builder.units.get(i) == 0:
        return j
    if builder.units.get(j) == 0:
        return i
    if (negative := _negated(builder, j)) is not None:
        return sub(builder, (i, negative))
    if (negative := _negated(builder, i)) is not None:
        return sub(builder, (j, negative))
    return _commutative(builder, ADD, i, j)


def sub(builder: Builder, operands: Operands, parameter: Parameter = None) -> int:
    i, j = operands
    peculiar = builder.peculiar
    if not (peculiar[i] or peculiar[j]):
        return builder.cons(SUB, operands)
    if builder.units.get(j) == 0:
        return i
    if builder.units.get(i) == 0:
        return neg(builder, (j,))
    if (negative := _negated(builder, j)) is not None:
        return add(builder, (i, negative))
    return _folded(builder, SUB, i, j)


def neg(builder: Builder, operands: Operands, parameter: Parameter = None) -> int:
    node = builder.nodes[operands[0]]
    primitive = node.primitive
    if primitive is NEG:
        return node.operands[0]
    if primitive is SUB:
        return sub(builder, (node.operands[1], node.operands[0]))
    if primitive is CONSTANT and (rational(node.parameter) or isinstance(node.parameter, float)):
        return builder.constant(-node.parameter)
    return builder.cons(NEG, operands)


def mul(builder: Builder, operands: Operands, parameter: Parameter = None) -> int:
    i, j = operands
    peculiar = builder.peculiar
    if not (peculiar[i] or peculiar[j]):
        return builder.cons(MUL, (i, j) if i < j else (j, i))
    for factor, other in ((i, j), (j, i)):
        unit = builder.units.get(factor)
        if unit is not None:
            return factor if unit == 0 else other if unit == 1 else neg(builder, (other,))
    if (negative := _negated(builder, i)) is not None:
        return neg(builder, (mul(builder, (negative, j)),))
    if (negative := _negated(builder, j)) is not None:
        return neg(builder, (mul(builder, (i, negative)),))
    quotient = _reciprocal_product(builder, i, j)
    return _commutative(builder, MUL, i, j) if quotient is None else quotient


def _commutative(builder: Builder, primitive: Primitive, i: int, j: int) -> int:
    """Folded if constant. Otherwise in one order, a constant last, so that a*b and b*a are one node."""
    i_last, j_last = builder.nodes[i].primitive is CONSTANT, builder.nodes[j].primitive is CONSTANT
    if i_last and j_last:
        return _folded(builder, primitive, i, j)
    return builder.cons(primitive, (i, j) if (i_last, i) < (j_last, j) else (j, i))


def _reciprocal_product(builder: Builder, i: int, j: int) -> int | None:
    """x * (1/y) becomes x/y: one operation and one rounding fewer."""
    for factor, reciprocal in ((i, j), (j, i)):
        node = builder.nodes[reciprocal]
        if node.primitive is DIV and (top := builder.units.get(node.operands[0])):
            quotient = div(builder, (factor, node.operands[1]))
            return quotient if top == 1 else neg(builder, (quotient,))
    return None


def div(builder: Builder, operands: Operands, parameter: Parameter = None) -> int:
    i, j = operands
    peculiar = builder.peculiar
    if not (peculiar[i] or peculiar[j]):
        return builder.cons(DIV, operands)
    unit = builder.units.get(j)
    if unit == 1:
        return i
    if unit == -1:
        return neg(builder, (i,))
    if unit is None and builder.nodes[j].primitive is CONSTANT:
        return i if builder.units.get(i) == 0 else _folded(builder, DIV, i, j)
    if (negative := _negated(builder, i)) is not None:
        return neg(builder, (div(builder, (negative, j)),))
    if (negative := _negated(builder, j)) is not None:
        return neg(builder, (div(builder, (i, negative)),))
    return builder.cons(DIV, operands)


def select(builder: Builder, operands: Operands, parameter: Parameter = None) -> int:
    condition, i, j = operands
    decided = builder.value_of(condition)
    if decided is not None:
        return i if decided else j
    if i == j:
        return i
    if (builder.value_of(i), builder.value_of(j)) == (1, 0):
        return condition
    return builder.cons(SELECT, operands)


def ne(builder: Builder, operands: Operands, parameter: Parameter = None) -> int:
    """A truth value differs from 0 exactly where it is true."""
    i, j = operands
    return i if builder.nodes[i].primitive.truth_valued and builder.value_of(j) == 0 else builder.cons(NE, operands)


_EXACT: dict[Primitive, Callable[[Any, Any], Any]] = {
    ADD: operator.add, SUB: operator.sub, MUL: operator.mul, DIV: operator.truediv,
}  # fmt: skip

LAWS: dict[Primitive, Callable[[Builder, Operands, Parameter], int]] = {
    ADD: add, SUB: sub, NEG: neg, MUL: mul, DIV: div, POWI: power, SELECT: select, NE: ne,
}  # fmt: skip
"""Gives the node for an operation, or a shorter equal one. Arguments: builder, operands, parameter."""

PECULIAR = frozenset([CONSTANT, NEG, DIV])
"""The nodes that the arithmetic laws can apply to. They say nothing about operations on other nodes."""
