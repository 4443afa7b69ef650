"""The derivative as a formula that a person can read: `sympy.diff`, then the shortest of a few safe rearrangements."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import sympy
from sympy.core.basic import Basic

from adlab.errors import AdlabError, MethodError
from adlab.symbolic.treesize import Distinct
from adlab.text.traversal import is_small

SMALL = 2_000
"""The largest formula, in tree nodes, that SymPy differentiates and rearranges within some tenths of a second."""
TIDIED = 120
"""The largest derivative, in tree nodes, that is rearranged. A longer one stays long anyway."""


def partials(outputs: Sequence[Any], by: Sequence[sympy.Symbol], order: int = 1) -> list[Any]:
    """All derivatives of that order, row by row: for each output, for each sequence of `order` variables of `by`.

    They are those of `sympy.diff`, each rearranged to be short. Raises MethodError where the formula is so large that SymPy
    would not finish, or where SymPy has no derivative of it.

    >>> x, y = sympy.symbols("x y", real=True)
    >>> partials([x**2*sympy.sin(y)], [x, y])
    [2*x*sin(y), x**2*cos(y)]
    """
    found: list[Any] = list(outputs)
    for _ in range(order):
        if not is_small(found, SMALL):
            text = f"as a tree the formula has more than {SMALL:,} nodes, too many for a derivative as a formula"
            raise MethodError(f"{text}; adlab.derive(f).program has it as a program")
        found = [_diff(expression, variable) for expression in found for variable in by]
    return [shortest(expression) for expression in found]


def _diff(expression: Any, variable: sympy.Symbol) -> Any:
    try:
        found = sympy.diff(expression, variable)
    except AdlabError:
        raise
    except Exception as fault:  # whatever SymPy raises is its answer to the formula
        raise MethodError(f"SymPy has no derivative of this formula ({type(fault).__name__}: {fault})") from None
    if found.has(sympy.Derivative, sympy.Subs):
        raise MethodError(f"SymPy leaves the derivative by {variable} undone")
    return found


def shortest(expression: Any) -> Any:
    """The expression, or a shorter rearrangement of it; never a longer one.

    Only identities that hold wherever both sides have a value are used: common denominators and common factors.

    >>> x, y = sympy.symbols("x y", real=True)
    >>> shortest((2*x + y*sympy.cos(x*y))/(x + 1) + 2/(x + 1))
    (2*x + y*cos(x*y) + 2)/(x + 1)
    """
    if not is_small([expression], TIDIED):
        return expression
    return min(dict.fromkeys(_forms(expression)), key=_length)


def _forms(expression: Any) -> Iterator[Any]:
    yield expression
    joined = _arranged(sympy.together, expression)
    yield joined
    yield _arranged(sympy.factor_terms, expression)
    yield _arranged(sympy.factor_terms, joined)
    yield _arranged(sympy.powsimp, expression)


def _arranged(arrange: Callable[[Any], Any], expression: Any) -> Any:
    try:
        return arrange(expression)
    except Exception:  # SymPy cannot make this rearrangement
        return expression


def _length(expression: Any) -> tuple[int, int]:
    return operations([expression]), len(str(expression))


def operations(expressions: Sequence[Basic]) -> int:
    """The operations of the expressions as trees, as `sympy.count_ops` counts them, at any size."""
    return int(Distinct.of(expressions).tree_operations)
