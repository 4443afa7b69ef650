"""What a user may give as a formula and as a point, made into SymPy expressions and arrays, or refused in a sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import inf
from numbers import Rational
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import sympy
from sympy.core.basic import Basic

from adlab.errors import OptionError, PointError, VariableError
from adlab.text.traversal import listing, natural_key, postorder, shown, symbols_in, symbols_of

FloatArray = npt.NDArray[np.float64]
Symbols = tuple[sympy.Symbol, ...]


class ReadFormula(NamedTuple):
    """The outputs, the variables in order, whether one expression was given rather than a sequence, and everything below
    the outputs in the order of `postorder`: a large formula is walked once."""

    outputs: tuple[Any, ...]
    variables: Symbols
    single: bool
    order: list[Basic]


def read(expression: Any, variables: Iterable[sympy.Symbol | str] | None) -> ReadFormula:
    """What was given, read.

    >>> read("x10*x2", None)
    ReadFormula(outputs=(x10*x2,), variables=(x2, x10), single=True, order=[x10, x2, x10*x2])
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
        return ReadFormula(outputs, natural, single, order)
    return ReadFormula(outputs, _ordered(given, found), single, order)


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
        from adlab.text.parser import parse

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


# --- points ----------------------------------------------------------------------------------------------------


def coerce(x: Any, names: Sequence[str], what: str = "point") -> FloatArray:
    """`x` as an array of shape (..., n): array_like, or a mapping from every name, or one number where n = 1.

    Raises PointError, with the expected shape in it, for a wrong length, a missing or unknown name, and for
    anything that is not a finite real number.

    >>> coerce({"y": 2, "x": 1}, ["x", "y"])
    array([1., 2.])
    >>> coerce(3, ["x"])
    array([3.])
    """
    n = len(names)
    point = _by_name(x, names, what) if isinstance(x, Mapping) else _numbers(x, f"the {what}", names)
    if point.ndim == 0 and n == 1:
        point = point.reshape(1)
    if point.ndim == 0 or point.shape[-1] != n:
        found = "a single number" if point.ndim == 0 else f"shape {point.shape}"
        raise PointError(f"the {what} has {found}; {_expected(names)}")
    if not np.isfinite(point).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(point))[0])
        raise PointError(
            f"the {what} has {names[place[-1]]} = {point[place]}, and every number must be finite; {_expected(names)}"
        )
    return point


def coerce_one(x: Any, names: Sequence[str], what: str = "point") -> FloatArray:
    """As `coerce`, for what cannot take a batch: shape (n,)."""
    found = coerce(x, names, what)
    if found.ndim != 1:
        raise PointError(f"this needs one {what} of shape ({len(names)},), not a batch of shape {found.shape}")
    return found


def _expected(names: Sequence[str]) -> str:
    n = len(names)
    whom = f" for {listing(list(names))}" if n else ""
    return f"expected {n} number{'s'[: n != 1]}{whom}: shape ({n},) or (..., {n}), or a mapping by name"


def in_order(x: Mapping[Any, Any], names: Sequence[str], what: str = "point") -> list[Any]:
    """The mapping's values in the order of `names`; keys may be symbols too. PointError where they do not fit."""
    keys = [str(getattr(key, "name", key)) for key in x]
    faults = {
        "no value for": [name for name in names if name not in keys],
        "unknown": [key for key in keys if key not in names],
        "two values for": [name for name in names if keys.count(name) > 1],
    }
    if any(faults.values()):
        said = " and ".join(f"{fault} {listing(found)}" for fault, found in faults.items() if found)
        constants = [name for name in faults["unknown"] if name in ("E", "pi", "π")]
        hint = f"; `{constants[0]}` is a constant in a text unless it is listed among the variables" if constants else ""
        raise PointError(f"the {what} has {said}; {_expected(names)}{hint}")
    given = dict(zip(keys, x.values(), strict=True))
    return [given[name] for name in names]


def _by_name(x: Mapping[Any, Any], names: Sequence[str], what: str) -> FloatArray:
    values = [_numbers(value, f"`{name}`", names) for name, value in zip(names, in_order(x, names, what), strict=True)]
    try:
        return np.stack(np.broadcast_arrays(*values), axis=-1) if values else np.empty(0)
    except ValueError:
        shapes = ", ".join(f"{name} {value.shape}" for name, value in zip(names, values, strict=True))
        raise PointError(f"the {what} has coordinates of shapes that do not broadcast: {shapes}") from None


def _numbers(value: Any, what: str, names: Sequence[str]) -> FloatArray:
    """An array of floats; complex numbers, texts, masked entries and ragged lists are refused."""
    refused = value
    try:
        array = np.asarray(value)
        if array.dtype.kind in "biuf" and not np.ma.is_masked(value):
            return array.astype(np.float64)
        if array.dtype.kind == "O":
            floats = np.empty(array.size)
            for i, refused in enumerate(array.flat):
                floats[i] = _float(refused)
            return floats.reshape(array.shape)
    except (TypeError, ValueError):
        pass
    raise PointError(f"{what} must be real numbers, not {shown(refused)}; {_expected(names)}")


def _float(item: Any) -> float:
    """Integers beyond 64 bits, fractions, SymPy and mpmath numbers: each to its nearest double."""
    if isinstance(item, (str, bytes)) or (isinstance(item, Basic) and symbols_of([item])):
        raise TypeError("not a number")
    try:
        return float(item)
    except OverflowError:
        return inf if item > 0 else -inf

