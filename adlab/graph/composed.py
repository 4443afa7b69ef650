"""SymPy's functions that need no primitive of their own: each is composed of operations in the table."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import sympy
from sympy.codegen import cfunctions
from sympy.core.basic import Basic

from adlab.errors import UnsupportedExpression
from adlab.text.traversal import brief

if TYPE_CHECKING:
    from adlab.graph.lowering import Lowering


def _one_operand(write: Callable[[Any, int], int]) -> Callable[[Lowering, Basic], int]:
    """A function of one operand: `write` gets the builder's `call` and the operand's position."""

    def compose(lowering: Lowering, node: Basic) -> int:
        if len(node.args) != 1:
            raise UnsupportedExpression(f"{brief(node)}: only the form with one argument has a primitive")
        return write(lowering.builder, lowering.position(node.args[0]))

    return compose


def real_part(lowering: Lowering, node: Basic) -> int:
    """re(x), conjugate(x) or im(x) of a real x: x itself, or 0. Refused where x may be complex: adlab computes with reals."""
    (operand,) = node.args
    position = lowering.position(operand)
    if operand.is_extended_real is not True and _may_be_complex(lowering.builder, position):
        name = type(node).__name__
        reason = f"{brief(operand)} may be complex, and adlab computes `{name}` of real numbers only"
        raise UnsupportedExpression(f"{brief(node)}: {reason}")
    return int(lowering.builder.constant(0)) if isinstance(node, sympy.im) else position


def _may_be_complex(builder: Any, position: int) -> bool:
    """Whether an operation below may leave the real line outside its domain, as a root or a logarithm does."""
    seen, stack = set(), [position]
    while stack:
        here = stack.pop()
        if here not in seen:
            seen.add(here)
            primitive, operands, _ = builder.nodes[here]
            if primitive.principal or primitive.narrow or (primitive.domain is not sympy.true and primitive.name not in RATIONAL):
                return True
            stack += operands
    return False


RATIONAL = ("div", "mod")
"""Operations that have a domain but are complex nowhere."""


def _shifted_polygamma(builder: Any, x: int) -> int:
    up = builder.call("add", x, builder.constant(1))
    digamma = builder.call("polygamma", up, parameter=0)
    return int(builder.call("add", digamma, builder.constant(sympy.EulerGamma)))


def _argument(builder: Any, x: int) -> int:
    """The argument of a real number: pi left of 0, 0 right of it, none at 0."""
    zero, none = builder.constant(0), builder.constant(float("nan"))
    right = builder.call("select", builder.call("gt", x, zero), zero, none)
    return int(builder.call("select", builder.call("lt", x, zero), builder.constant(sympy.pi), right))


def _fused(lowering: Lowering, node: Basic) -> int:
    """a*b + c with two roundings. The C library's fma has one."""
    a, b, c = (lowering.position(operand) for operand in node.args)
    return lowering.builder.call("add", lowering.builder.call("mul", a, b), c)


COMPOSED: dict[Any, Callable[[Lowering, Basic], int]] = {
    sympy.harmonic: _one_operand(_shifted_polygamma),
    sympy.factorial: _one_operand(lambda builder, x: builder.call("gamma", builder.call("add", x, builder.constant(1)))),
    sympy.digamma: _one_operand(lambda builder, x: builder.call("polygamma", x, parameter=0)),
    sympy.trigamma: _one_operand(lambda builder, x: builder.call("polygamma", x, parameter=1)),
    sympy.arg: _one_operand(_argument),
    cfunctions.fma: _fused,
    sympy.frac: _one_operand(lambda builder, x: builder.call("sub", x, builder.call("floor", x))),
    sympy.sinc: _one_operand(lambda builder, x: builder.call("sphericalj", x, parameter=0)),
}
