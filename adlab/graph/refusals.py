"""Why a formula has no graph. The message names the outermost part without one: a sum, not the index inside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import sympy
from sympy.core.basic import Basic
from sympy.core.numbers import ImaginaryUnit, NumberSymbol

from adlab.text.traversal import brief


def outermost(expressions: Iterable[Basic], is_served: Callable[[Basic], bool]) -> Basic | None:
    """The first object, from the outside in and from left to right, that lowering cannot handle."""
    seen: set[int] = set()
    stack = list(expressions)[::-1]
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if not (isinstance(node, (sympy.Symbol, sympy.Number, NumberSymbol)) or is_served(node)):
            return node
        stack += node.args[::-1]
    return None


def no_primitive(node: Basic) -> str:
    """The sentence for an object without a primitive.

    >>> no_primitive(sympy.hyper((1,), (2,), sympy.Symbol("x")))
    'no primitive for `hyper` in hyper((1,), (2,), x); the README lists the functions that have one'
    """
    name = type(node).__name__
    if isinstance(node, ImaginaryUnit):
        return "the formula holds the imaginary unit I; adlab differentiates real formulas (name a variable I to use it)"
    if isinstance(node, sympy.MatrixSymbol):
        return f"the formula holds the whole matrix {brief(node)}; write it with its elements"
    return f"no primitive for `{name}` in {brief(node)}; the README lists the functions that have one"
