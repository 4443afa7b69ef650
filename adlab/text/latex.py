"""An expression as LaTeX, whatever it is."""

from __future__ import annotations

from typing import Any

from adlab.display.table import in_latex
from adlab.text.traversal import brief


def formula_in_latex(expression: Any) -> str:
    """SymPy's LaTeX. Where its printer fails (on a power of a Piecewise, or a constant without a value): the text.

    >>> import sympy
    >>> formula_in_latex(sympy.Symbol("x") ** 2)
    'x^{2}'
    """
    from sympy import latex

    for order in (None, "none"):  # to sort its terms, SymPy evaluates the constants among them
        try:
            return str(latex(expression, order=order))
        except Exception:  # whatever the printer raises, there is a formula to show
            continue
    try:
        return rf"\text{{{in_latex(brief(expression, 200))}}}"
    except Exception:
        return rf"\text{{{type(expression).__name__}}}"
