"""A formula as text that adlab reads again."""

from __future__ import annotations

from typing import Any

from sympy.printing.str import StrPrinter


class _Printer(StrPrinter):  # type: ignore[misc]  # SymPy is untyped
    """SymPy's own printer, but for And, Or and Not: `a & b`, `a | b` and `~a` are no formulas. A sum that was written in another
    order than SymPy's keeps it, since another order rounds otherwise."""

    def __init__(self, as_written: bool) -> None:
        super().__init__()
        self._as_written = as_written

    def _print_Add(self, node: Any, order: Any = None) -> str:  # noqa: N802 - SymPy's name
        kept = self._as_written or node.func(*node.args).args != node.args
        return str(super()._print_Add(node, "none" if kept else order))

    def _called(self, node: Any) -> str:
        return f"{type(node).__name__}({', '.join(map(self._print, node.args))})"

    _print_And = _print_Or = _print_Not = _called  # noqa: N815 - SymPy's names


def readable(expression: Any, as_written: bool = False) -> str:
    """The formula as SymPy prints it, in words that a formula may have. `as_written` keeps the order of every sum.

    >>> from sympy import Or, Piecewise, symbols
    >>> x, y = symbols("x y")
    >>> readable(Piecewise((x, Or(x > 0, y > 1)), (0, True)))
    'Piecewise((x, Or(x > 0, y > 1)), (0, True))'
    >>> from sympy import Add
    >>> readable(Add(y, -1, x, evaluate=False))
    'y - 1 + x'
    """
    return str(_Printer(as_written).doprint(expression))
