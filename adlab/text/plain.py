"""Formulas that need no second look when they are read."""

from __future__ import annotations

from typing import Any

import sympy
from sympy.matrices.expressions.matexpr import MatrixExpr

from adlab import native
from adlab.text.constructs import has_constructs
from adlab.text.traversal import natural_key, postorder

_HOLDING = (MatrixExpr, sympy.Piecewise)
"""Expressions that are several outputs, or may be."""


def plainly(expression: Any, variables: Any) -> tuple[Any, tuple[Any, ...], tuple[int, ...], list[Any]] | None:
    """As `read` of `adlab/inputs.py`, for SymPy expressions of ordinary symbols, with nothing to write out and nothing to refuse.

    It needs the compiled core, which looks at each symbol. None where anything needs a closer look.
    """
    if native.core is None or not (variables is None or type(variables) is tuple):
        return None
    outputs = expression if type(expression) is tuple and expression else (expression,)
    for item in outputs:
        if not isinstance(item, sympy.Expr) or isinstance(item, _HOLDING):
            return None
    order = postorder(outputs)
    kinds, found = native.core.survey(order)
    names = None if kinds and has_constructs(kinds) else native.core.by_name(found if variables is None else variables)
    if names is None:
        return None
    if variables is None:
        variables = tuple([names[name] for name in sorted(names, key=natural_key)])
    elif not native.core.holds(names, found):
        return None
    return outputs, variables, (len(outputs),) if outputs is expression else (), order
