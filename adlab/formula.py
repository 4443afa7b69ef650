"""What a user may give as a formula, made into SymPy expressions and their variables, or refused in a sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from numbers import Rational
from typing import Any, NamedTuple

import sympy
from sympy.core.basic import Basic

from adlab.errors import OptionError, VariableError
from adlab.expressions import listing, natural_key, postorder, shown, symbols_in

Symbols = tuple[sympy.Symbol, ...]


class Formula(NamedTuple):
    """The outputs, the variables in order, whether one expression was given rather than a sequence, and everything below
    the outputs in the order of `postorder`: a large formula is walked once."""

    outputs: tuple[Any, ...]
    variables: Symbols
    single: bool
    order: list[Basic]


def read(expression: Any, variables: Iterable[sympy.Symbol | str] | None) -> Formula:
    """What was given, read.

    >>> read("x10*x2", None)
    Formula(outputs=(x10*x2,), variables=(x2, x10), single=True, order=[x10, x2, x10*x2])
    """
    given = None if variables is None else _given(variables)
    single = isinstance(expression, (sympy.Expr, str, bytes)) or not isinstance(
        expression, (Sequence, sympy.MatrixBase, sympy.Tuple)
    )
    items = [expression] if single else list(expression)
    if not items:
        raise OptionError("a function needs at least one output, and the sequence of expressions is empty")
    outputs = tuple(_expression(item, given) for item in items)
    order = postorder(outputs)
    found = symbols_in(order)
    if given is None:
        _one_real_symbol_a_name(found)
        natural = tuple(sorted(found, key=lambda symbol: natural_key(symbol.name)))
        return Formula(outputs, natural, single, order)
    return Formula(outputs, _ordered(given, found), single, order)


def _given(variables: Iterable[sympy.Symbol | str]) -> list[sympy.Symbol | str]:
    alone = isinstance(variables, str) or not isinstance(variables, Iterable)
    listed: list[Any] = [variables] if alone else list(variables)
    names = []
    for variable in listed:
        if not isinstance(variable, (str, sympy.Symbol)):
            raise VariableError(f"variables are symbols or names, not {shown(variable)}")
        names.append(variable if isinstance(variable, str) else variable.name)
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise VariableError(f"listed twice: {listing(twice)}")
    return listed


def _expression(item: Any, given: list[sympy.Symbol | str] | None) -> Basic:
    if isinstance(item, str):
        from adlab.parsing import parse

        return parse(item, names=given)
    if isinstance(item, sympy.Expr):
        return item
    if isinstance(item, Rational) and not isinstance(item, bool):
        item = sympy.Rational(int(item.numerator), int(item.denominator))
    elif isinstance(item, float):
        item = sympy.Float(item, precision=53)
    if not isinstance(item, sympy.Expr):
        raise OptionError(
            f"a formula is a text, a SymPy expression or a sequence of them, not {type(item).__name__}; "
            "an equation or condition has no derivative"
        )
    return item


def _one_real_symbol_a_name(symbols: Sequence[sympy.Symbol]) -> None:
    """SymPy tells x (real) from x and silently differentiates the one by the other to 0."""
    by_name: dict[str, sympy.Symbol] = {}
    for symbol in symbols:
        if symbol.is_extended_real is False or not symbol.is_commutative:
            raise VariableError(f"`{symbol.name}` is declared {_assumptions(symbol)}, and a variable is a real number")
        other = by_name.setdefault(symbol.name, symbol)
        if other is not symbol and other != symbol:
            raise VariableError(
                f"two different symbols are called `{symbol.name}` (assumptions {_assumptions(other)} and "
                f"{_assumptions(symbol)}); SymPy would take them for two variables: use one of them throughout"
            )


def _assumptions(symbol: sympy.Symbol) -> str:
    return "none" if not symbol._assumptions_orig else ", ".join(
        f"{key}={value}" for key, value in sorted(symbol._assumptions_orig.items())
    )  # fmt: skip


def _ordered(given: list[sympy.Symbol | str], found: list[sympy.Symbol]) -> Symbols:
    by_name = {symbol.name: symbol for symbol in found}
    chosen = [
        by_name.get(variable) or sympy.Symbol(variable, real=True) if isinstance(variable, str) else variable
        for variable in given
    ]
    _one_real_symbol_a_name([*chosen, *found])
    listed = set(chosen)
    left_out = [symbol.name for symbol in found if symbol not in listed]
    if left_out:
        raise VariableError(
            f"the formula holds {listing(left_out)}, not among the variables given "
            f"({listing([symbol.name for symbol in chosen])}); list every symbol, or give numbers for the others"
        )
    return tuple(chosen)
