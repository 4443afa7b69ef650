"""SymPy's functions that need no primitive of their own: each is composed of operations in the table."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import sympy
from sympy.core.basic import Basic

from adlab.errors import UnsupportedExpression
from adlab.text.traversal import brief

if TYPE_CHECKING:
    from adlab.graph.lowering import Lowering


def _one_operand(write: Callable[[Any, int], int]) -> Callable[[Lowering, Basic], int]:
    """A function of one operand: from the builder's `call` and the operand's position."""

    def compose(lowering: Lowering, node: Basic) -> int:
        if len(node.args) != 1:
            raise UnsupportedExpression(f"{brief(node)}: only the form with one argument has a primitive")
        return write(lowering.builder, lowering.position(node.args[0]))

    return compose


def _shifted_polygamma(builder: Any, x: int) -> int:
    up = builder.call("add", x, builder.constant(1))
    digamma = builder.call("polygamma", up, parameter=0)
    return int(builder.call("add", digamma, builder.constant(sympy.EulerGamma)))


COMPOSED: dict[Any, Callable[[Lowering, Basic], int]] = {
    sympy.harmonic: _one_operand(_shifted_polygamma),
    sympy.factorial: _one_operand(lambda builder, x: builder.call("gamma", builder.call("add", x, builder.constant(1)))),
    sympy.digamma: _one_operand(lambda builder, x: builder.call("polygamma", x, parameter=0)),
    sympy.trigamma: _one_operand(lambda builder, x: builder.call("polygamma", x, parameter=1)),
    sympy.frac: _one_operand(lambda builder, x: builder.call("sub", x, builder.call("floor", x))),
    sympy.sinc: _one_operand(lambda builder, x: builder.call("sphericalj", x, parameter=0)),
}
