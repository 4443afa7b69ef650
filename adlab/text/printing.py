"""A formula as text that adlab reads again."""

from __future__ import annotations

from typing import Any

from sympy.printing.str import StrPrinter


class _Printer(StrPrinter):  # type: ignore[misc]  # SymPy is untyped
    """SymPy's own printer, but for And, Or and Not: `a & b`, `a | b` and `~a` are no formulas."""

    def _called(self, node: Any) -> str:
        return f"{type(node).__name__}({', '.join(map(self._print, node.args))})"

    _print_And = _print_Or = _print_Not = _called  # noqa: N815 - SymPy's names


def readable(expression: Any) -> str:
    """The formula as SymPy prints it, in words that a formula may have.

    >>> from sympy import Or, Piecewise, symbols
    >>> x, y = symbols("x y")
    >>> readable(Piecewise((x, Or(x > 0, y > 1)), (0, True)))
    'Piecewise((x, Or(x > 0, y > 1)), (0, True))'
    """
    return str(_Printer().doprint(expression))
