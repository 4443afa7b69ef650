"""What a derivative program leaves out: constants are folded, and 0, 1 and -1 cost nothing.

Only identities that hold to the last bit in exact arithmetic and shorten the program; `0*x -> 0` also where x would
be infinite, which is what the chain rule means by a path that carries nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from adlab.graph.primitive import Parameter, Primitive
from adlab.graph.primitives import PRIMITIVES

if TYPE_CHECKING:
    from adlab.graph.graph import Builder

ADD, SUB, MUL, DIV, NEG = (PRIMITIVES[name] for name in ("add", "sub", "mul", "div", "neg"))
FOLDED_BITS = 200  # exact fractions longer than this are left to the arithmetic


def simplified(builder: Builder, primitive: Primitive, operands: Sequence[int], parameter: Parameter) -> int | None:
    """The position of something shorter and equal, or None."""
    rule = RULES.get(primitive.name)
    return rule(builder, *operands) if rule else _power(builder, primitive, operands[0], parameter)


def _power(builder: Builder, primitive: Primitive, base: int, parameter: Parameter) -> int | None:
    if primitive.name == "powi" and parameter == 1:
        return base
    return None


def rational(value: Any) -> bool:
    return isinstance(value, (int, Fraction)) and not isinstance(value, bool)


def _folded(builder: Builder, operation: Callable[[Any, Any], Any], a: Any, b: Any) -> int | None:
    if rational(a) and rational(b):
        result = Fraction(operation(Fraction(a), b))
        if max(result.numerator.bit_length(), result.denominator.bit_length()) <= FOLDED_BITS:
            return builder.constant(result)
    return None


def _negated(builder: Builder, position: int) -> int | None:
    """The node whose negative this is, if it is one."""
    node = builder.nodes[position]
    return node.operands[0] if node.primitive is NEG else None


def add(builder: Builder, i: int, j: int) -> int | None:
    a, b = builder.value_of(i), builder.value_of(j)
    if a == 0:
        return j
    if b == 0:
        return i
    if (negative := _negated(builder, j)) is not None:
        return builder.apply(SUB, (i, negative))
    if (negative := _negated(builder, i)) is not None:
        return builder.apply(SUB, (j, negative))
    if a is not None and b is not None:
        return _folded(builder, lambda p, q: p + q, a, b)
    return _commutative(builder, ADD, i, j)


def sub(builder: Builder, i: int, j: int) -> int | None:
    a, b = builder.value_of(i), builder.value_of(j)
    if b == 0:
        return i
    if a == 0:
        return builder.apply(NEG, (j,))
    if (negative := _negated(builder, j)) is not None:
        return builder.apply(ADD, (i, negative))
    return _folded(builder, lambda p, q: p - q, a, b)


def neg(builder: Builder, i: int) -> int | None:
    value = builder.value_of(i)
    if rational(value) or isinstance(value, float):
        return builder.constant(-value)
    node = builder.nodes[i]
    if node.primitive is NEG:
        return node.operands[0]
    if node.primitive is SUB:
        return builder.apply(SUB, (node.operands[1], node.operands[0]))
    return None


def mul(builder: Builder, i: int, j: int) -> int | None:
    for constant, other in ((i, j), (j, i)):
        value = builder.value_of(constant)
        if value == 0:
            return constant
        if value == 1:
            return other
        if value == -1:
            return builder.apply(NEG, (other,))
    a, b = builder.value_of(i), builder.value_of(j)
    if a is not None and b is not None:
        return _folded(builder, lambda p, q: p * q, a, b)
    if (negative := _negated(builder, i)) is not None:
        return builder.apply(NEG, (builder.apply(MUL, (negative, j)),))
    if (negative := _negated(builder, j)) is not None:
        return builder.apply(NEG, (builder.apply(MUL, (i, negative)),))
    quotient = _reciprocal_product(builder, i, j)
    return _commutative(builder, MUL, i, j) if quotient is None else quotient


def _commutative(builder: Builder, primitive: Primitive, i: int, j: int) -> int:
    """One order for a sum or a product, a constant last, so that a*b and b*a are one node."""
    first, second = sorted((i, j), key=lambda k: (builder.value_of(k) is not None, k))
    return builder.cons(primitive, (first, second))


def _reciprocal_product(builder: Builder, i: int, j: int) -> int | None:
    """x * (1/y) is x/y: one operation and one rounding fewer."""
    for factor, reciprocal in ((i, j), (j, i)):
        node = builder.nodes[reciprocal]
        if node.primitive is DIV and (top := builder.value_of(node.operands[0])) is not None and abs(top) == 1:
            quotient = builder.apply(DIV, (factor, node.operands[1]))
            return quotient if top == 1 else builder.apply(NEG, (quotient,))
    return None


def div(builder: Builder, i: int, j: int) -> int | None:
    a, b = builder.value_of(i), builder.value_of(j)
    if b == 1:
        return i
    if b == -1:
        return builder.apply(NEG, (i,))
    if b is not None and b != 0:
        if a == 0:
            return i
        if a is not None:
            return _folded(builder, lambda p, q: p / q, a, b)
    if (negative := _negated(builder, i)) is not None:
        return builder.apply(NEG, (builder.apply(DIV, (negative, j)),))
    if (negative := _negated(builder, j)) is not None:
        return builder.apply(NEG, (builder.apply(DIV, (i, negative)),))
    return None


def select(builder: Builder, condition: int, i: int, j: int) -> int | None:
    decided = builder.value_of(condition)
    if decided is not None:
        return i if decided else j
    if i == j:
        return i
    return condition if (builder.value_of(i), builder.value_of(j)) == (1, 0) else None


def ne(builder: Builder, i: int, j: int) -> int | None:
    """A truth value differs from 0 where it is true."""
    is_truth = builder.nodes[i].primitive.name in TRUTH_VALUED
    return i if is_truth and builder.value_of(j) == 0 else None


TRUTH_VALUED = frozenset({"lt", "le", "gt", "ge", "eq", "ne", "and", "or", "not"})

RULES: dict[str, Callable[..., int | None]] = {
    "add": add, "sub": sub, "neg": neg, "mul": mul, "div": div, "select": select, "ne": ne,
}  # fmt: skip
