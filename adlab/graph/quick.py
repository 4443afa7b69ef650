"""What the compiled core must know of Python, and the graphs that it makes. Without the core nothing here is used.

The core (`adlab/native`) mirrors `lower`. It knows no class of SymPy and no primitive by itself: this file hands them over. An
object of a class that it does not know, and what is rare, is lowered by the readable `Lowering`, on the same numbers and
positions.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import sympy
from sympy import Add, Mul, Pow, S
from sympy.core.basic import Basic
from sympy.core.numbers import Exp1
from sympy.functions.elementary.piecewise import ExprCondPair

from adlab import native
from adlab.graph import exact, written
from adlab.graph.graph import Builder, Graph, Node
from adlab.graph.simplify import fold
from adlab.primitives.numerics import power_integer
from adlab.primitives.primitive import Parameter, Primitive, to_float
from adlab.primitives.table import CONSTANT, HEADS, INPUT, PRIMITIVES
from adlab.text.constructs import has_constructs
from adlab.text.unevaluated import DIVISOR, Decimal, WrittenMark

FUNCTION, PYTHON = 7, 8  # as in core.h
CODES: dict[Any, int] = {
    operator.add: 1, operator.sub: 2, operator.mul: 3, operator.truediv: 4, operator.neg: 5, power_integer: 6,
    **dict.fromkeys((math.exp, math.log, math.sqrt, math.sin, math.cos, math.tan, math.asin, math.acos, math.atan, math.sinh,
                     math.cosh, math.tanh, math.fabs), FUNCTION),
}  # fmt: skip
"""The functions of floats that the core has, too. Each stands there for the same function of the C library that Python calls."""
ADDITION, PRODUCT, POWER, INTEGER, UNARY, NOTHING, RATIO, DECIMAL = range(1, 9)  # the kinds of classes, as in core.h


def describe(primitive: Primitive) -> tuple[int, str, Any, bool, bool, int]:
    """What the core notes of a primitive: see `Operation` in core.h."""
    code = CODES.get(primitive.scalar, PYTHON)
    plain = primitive.smooth is sympy.true and not primitive.routes and not primitive.compound
    arity = 0 if primitive.compound else primitive.arity
    name = getattr(primitive.scalar, "__name__", "")
    return code, name, primitive.careful, plain, primitive.vanishes, arity


def _classes() -> dict[type, tuple[int, Primitive | None]]:
    """The classes that the core lowers by itself, and what each becomes."""
    found: dict[type, tuple[int, Primitive | None]] = {
        head: (UNARY, primitive)
        for head, primitive in HEADS.items()
        if isinstance(head, type) and primitive.arity == 1 and primitive.parameter_at is None
    }
    found |= {Add: (ADDITION, None), Mul: (PRODUCT, None), Pow: (POWER, None)}
    found |= {type(number): (INTEGER, None) for number in (sympy.Integer(5), S.Zero, S.One, S.NegativeOne)}
    found |= {sympy.Rational: (RATIO, None), type(S.Half): (RATIO, None), sympy.Float: (DECIMAL, None), Decimal: (DECIMAL, None)}
    found |= dict.fromkeys((ExprCondPair, sympy.Tuple), (NOTHING, None))
    usual = [kind for kind in found if getattr(kind, "args", None) is Basic.args and not has_constructs([kind])]
    return {kind: found[kind] for kind in usual}


NAME = operator.attrgetter("name")
HELPERS: dict[str, Any] = {
    "Node": Node, "Fraction": Fraction, "to_float": to_float, "describe": describe, "TypedDecimal": exact.TypedDecimal,
    "total": exact.total, "product": exact.product, "folded": written.folded, "fold": fold,
    "primitives": {**PRIMITIVES, "constant": CONSTANT, "input": INPUT},
    "Add": Add, "Mul": Mul, "Pow": Pow, "Exp1": Exp1, "NegativeOne": S.NegativeOne, "Mark": WrittenMark, "divisor": DIVISOR,
}  # fmt: skip
"""What the core asks for by name. `adlab.graph.tapes` adds the rules."""

if native.core is not None:
    HELPERS["classes"] = _classes()
    native.core.setup(HELPERS)


class SharedBuilder(Builder):
    """A builder whose nodes are the core's."""

    def __init__(self, inputs: Sequence[str], state: Any) -> None:
        self.inputs, self.simplify, self.state = tuple(inputs), False, state
        self.nodes = _Nodes(state)  # type: ignore[assignment]  # what lowering asks of a list

    def constant(self, value: Any) -> int:
        """A constant, as in `Builder`."""
        return int(self.state.constant(value))

    def cons(self, primitive: Primitive, operands: tuple[int, ...], parameter: Parameter = None) -> int:
        """The position of exactly this node; it is added if it is new."""
        return int(self.state.cons(primitive, operands, parameter))


class _Nodes:
    """The core's nodes by position."""

    def __init__(self, state: Any) -> None:
        self.state = state

    def __getitem__(self, position: int) -> Node:
        found: Node = self.state.node(position)
        return found


def lowered(
    expressions: Sequence[Basic], variables: Sequence[sympy.Symbol], order: list[Basic], readable: Callable[[Any, Builder], Any]
) -> Graph:
    """As `lower`, by the core. `readable` is the class Lowering, in case that one is needed."""
    names = tuple(map(NAME, variables))

    def shared(state: Any) -> Any:
        """The readable Lowering, which goes on with the core's nodes, numbers and positions."""
        lowering = readable(variables, SharedBuilder(names, state))
        lowering.numbers, lowering.positions, lowering.negative, lowering.rounded, lowering.subtracted = state.views()
        return lowering

    tape = native.core.lower(tuple(expressions), tuple(variables), names, order, shared)
    return Graph.of_tape(names, tape)
