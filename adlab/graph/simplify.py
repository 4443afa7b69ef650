"""What a derivative program leaves out: constants are folded, and 0, 1 and -1 cost nothing.

Only identities that hold to the last bit in exact arithmetic and shorten the program; `0*x -> 0` also where x would
be infinite, which is what the chain rule means by a path that carries nothing.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from adlab.graph.primitive import Parameter, Primitive
from adlab.graph.primitives import CONSTANT, PRIMITIVES

if TYPE_CHECKING:
    from adlab.graph.graph import Builder

ADD, SUB, MUL, DIV, NEG = (PRIMITIVES[name] for name in ("add", "sub", "mul", "div", "neg"))
FOLDED_BITS = 200  # exact fractions longer than this are left to the arithmetic


def power(builder: Builder, operands: Sequence[int], parameter: Parameter) -> int | None:
    return operands[0] if parameter == 1 else None


def rational(value: Any) -> bool:
    return isinstance(value, (int, Fraction)) and not isinstance(value, bool)


def _folded(builder: Builder, operation: Callable[[Any, Any], Any], i: int, j: int) -> int | None:
    """The constant that an operation makes of two, worked out once for each pair; None unless both are rational."""
    a, b = builder.value_of(i), builder.value_of(j)
    if not (rational(a) and rational(b)):
        return None
    key = operation, i, j
    if key not in builder.folded:
        result = Fraction(operation(Fraction(a), b))
        short = max(result.numerator.bit_length(), result.denominator.bit_length()) <= FOLDED_BITS
        builder.folded[key] = builder.constant(result) if short else None
    return builder.folded[key]


def _negated(builder: Builder, position: int) -> int | None:
    """The node whose negative this is, if it is one."""
    node = builder.nodes[position]
    return node.operands[0] if node.primitive is NEG else None


def add(builder: Builder, operands: Sequence[int], parameter: Parameter = None) -> int | None:
    i, j = operands
    if not (builder.peculiar[i] or builder.peculiar[j]):
        return builder.cons(ADD, (i, j) if i < j else (j, i))
    if builder.units.get(i) == 0:
        return j
    if builder.units.get(j) == 0:
        return i
    if (negative := _negated(builder, j)) is not None:
        return builder.apply(SUB, (i, negative))
    if (negative := _negated(builder, i)) is not None:
        return builder.apply(SUB, (j, negative))
    return _commutative(builder, ADD, i, j, operator.add)


def sub(builder: Builder, operands: Sequence[int], parameter: Parameter = None) -> int | None:
    i, j = operands
    if not (builder.peculiar[i] or builder.peculiar[j]):
        return None
    if builder.units.get(j) == 0:
        return i
    if builder.units.get(i) == 0:
        return builder.apply(NEG, (j,))
    if (negative := _negated(builder, j)) is not None:
        return builder.apply(ADD, (i, negative))
    return _folded(builder, operator.sub, i, j)


def neg(builder: Builder, operands: Sequence[int], parameter: Parameter = None) -> int | None:
    (i,) = operands
    value = builder.value_of(i)
    if rational(value) or isinstance(value, float):
        return builder.constant(-value)
    node = builder.nodes[i]
    if node.primitive is NEG:
        return node.operands[0]
    if node.primitive is SUB:
        return builder.apply(SUB, (node.operands[1], node.operands[0]))
    return None


def mul(builder: Builder, operands: Sequence[int], parameter: Parameter = None) -> int | None:
    i, j = operands
    if not (builder.peculiar[i] or builder.peculiar[j]):
        return builder.cons(MUL, (i, j) if i < j else (j, i))
    for factor, other in ((i, j), (j, i)):
        unit = builder.units.get(factor)
        if unit is not None:
            return factor if unit == 0 else other if unit == 1 else builder.apply(NEG, (other,))
    if (negative := _negated(builder, i)) is not None:
        return builder.apply(NEG, (builder.apply(MUL, (negative, j)),))
    if (negative := _negated(builder, j)) is not None:
        return builder.apply(NEG, (builder.apply(MUL, (i, negative)),))
    quotient = _reciprocal_product(builder, i, j)
    return _commutative(builder, MUL, i, j, operator.mul) if quotient is None else quotient


def _commutative(
    builder: Builder, primitive: Primitive, i: int, j: int, operation: Callable[[Any, Any], Any]
) -> int | None:
    """Folded, or in one order, a constant last, so that a*b and b*a are one node."""
    i_last, j_last = builder.nodes[i].primitive is CONSTANT, builder.nodes[j].primitive is CONSTANT
    if i_last and j_last:
        return _folded(builder, operation, i, j)
    return builder.cons(primitive, (i, j) if (i_last, i) < (j_last, j) else (j, i))


def _reciprocal_product(builder: Builder, i: int, j: int) -> int | None:
    """x * (1/y) is x/y: one operation and one rounding fewer."""
    for factor, reciprocal in ((i, j), (j, i)):
        node = builder.nodes[reciprocal]
        if node.primitive is DIV and (top := builder.units.get(node.operands[0])):
            quotient = builder.apply(DIV, (factor, node.operands[1]))
            return quotient if top == 1 else builder.apply(NEG, (quotient,))
    return None


def div(builder: Builder, operands: Sequence[int], parameter: Parameter = None) -> int | None:
    i, j = operands
    if not (builder.peculiar[i] or builder.peculiar[j]):
        return None
    unit = builder.units.get(j)
    if unit == 1:
        return i
    if unit == -1:
        return builder.apply(NEG, (i,))
    if unit is None and builder.nodes[j].primitive is CONSTANT:
        if builder.units.get(i) == 0:
            return i
        return _folded(builder, operator.truediv, i, j)
    if (negative := _negated(builder, i)) is not None:
        return builder.apply(NEG, (builder.apply(DIV, (negative, j)),))
    if (negative := _negated(builder, j)) is not None:
        return builder.apply(NEG, (builder.apply(DIV, (i, negative)),))
    return None


def select(builder: Builder, operands: Sequence[int], parameter: Parameter = None) -> int | None:
    condition, i, j = operands
    decided = builder.value_of(condition)
    if decided is not None:
        return i if decided else j
    if i == j:
        return i
    return condition if (builder.value_of(i), builder.value_of(j)) == (1, 0) else None


def ne(builder: Builder, operands: Sequence[int], parameter: Parameter = None) -> int | None:
    """A truth value differs from 0 where it is true."""
    i, j = operands
    is_truth = builder.nodes[i].primitive.name in TRUTH_VALUED
    return i if is_truth and builder.value_of(j) == 0 else None


TRUTH_VALUED = frozenset({"lt", "le", "gt", "ge", "eq", "ne", "and", "or", "not"})

LAWS: dict[Primitive, Callable[..., int | None]] = {
    PRIMITIVES[name]: law
    for name, law in {
        "add": add, "sub": sub, "neg": neg, "mul": mul, "div": div, "powi": power, "select": select, "ne": ne,
    }.items()
}  # fmt: skip
"""What may be shorter than an operation: from the builder, the operands and the parameter, None where nothing is."""

PECULIAR = frozenset([CONSTANT, NEG, DIV])
"""Of operations on other nodes than these the arithmetic laws say nothing."""
