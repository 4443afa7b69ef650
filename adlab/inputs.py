"""Reads what a user gives as formula and as point: into SymPy expressions and arrays, or a refusal in one sentence."""

from __future__ import annotations

import functools
import inspect
import re
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import inf, isfinite
from numbers import Rational
from typing import Any, Literal, NamedTuple, TypeVar, cast

import numpy as np
import numpy.typing as npt
import sympy
from sympy import NDimArray
from sympy.core.basic import Basic
from sympy.matrices.expressions.matexpr import MatrixExpr
from sympy.matrices.matrixbase import MatrixBase

from adlab import native
from adlab.errors import OptionError, PointError, ReadingWarning, VariableError
from adlab.text.constructs import LARGEST_LEAF, Leaf, is_leaf, printed, written_out
from adlab.text.plain import plainly
from adlab.text.traversal import is_small, listing, natural_key, postorder, shown, symbols_in, symbols_of

FloatArray = npt.NDArray[np.float64]
Symbols = tuple[sympy.Symbol, ...]
Errors = Literal["nan", "raise"]
"""What a batch does at a point that has no value: NaN there, or raise the reason for the first."""


SHORT = 16  # numbers of a point: so few are looked at more quickly one by one than by NumPy
CONSTANTS = ("pi", "π", "E")
"""Names that are numbers in a text, unless its variables or its point name them."""
_EULER = re.compile(r"(?<![\w.])E(?!\w|\s*(?:\(|\^|\*\*|[⁻⁰¹²³⁴-⁹]))")
"""Euler's number where it is no base of a power: there it may be meant as a variable, Young's modulus or an energy."""


EULER = "E is Euler's number 2.718… here; to make it a variable, give it a value at the point or list it among the variables"


class ReadFormula(NamedTuple):
    """A formula, read.

    `outputs` and `variables` are in order. `shape` is () for one expression, (m,) for a sequence, (rows, columns) for a matrix;
    the outputs are a matrix's entries row by row. `order` is everything below the outputs in the order of `postorder`, so that a
    large formula is walked once.
    """

    outputs: tuple[Any, ...]
    variables: Symbols
    shape: tuple[int, ...]
    order: list[Basic]


def read(expression: Any, variables: Iterable[Any] | None) -> ReadFormula:
    """Reads a formula. SymPy's own variables, such as q(t), become symbols: see `adlab.text.constructs`. A Lambda lists its own.

    >>> read("x10*x2", None)
    ReadFormula(outputs=(x10*x2,), variables=(x2, x10), shape=(), order=[x10, x2, x10*x2])
    >>> read(sympy.ImmutableMatrix([[1, sympy.Symbol("x")]]), None).shape
    (1, 2)
    """
    if isinstance(expression, sympy.Lambda):
        expression, variables = expression.expr, expression.variables if variables is None else variables
    plain = plainly(expression, variables)
    if plain is not None:
        return ReadFormula(*plain)
    given = None if variables is None else _given(variables)
    items, shape = _items(expression)
    if not items:
        raise OptionError("a function needs at least one output, and the sequence of expressions is empty")
    outputs = tuple(_expression(item, given) for item in items)
    order = postorder(outputs)
    written = written_out(outputs, order)
    if any(new is not old for new, old in zip(written, outputs, strict=True)):
        outputs, order = written, postorder(written)
    found = symbols_in(order)
    if given is None:
        _one_real_symbol_a_name(found)
        if found and any(isinstance(item, str) and _EULER.search(item) for item in items):
            say(EULER)
        natural = tuple(sorted(found, key=lambda symbol: natural_key(symbol.name)))
        return ReadFormula(outputs, natural, shape, order)
    return ReadFormula(outputs, _ordered(given, found), shape, order)


def say(message: str) -> None:
    """A ReadingWarning that names the line of the caller outside adlab."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").split(".")[0] == "adlab":
        frame, level = frame.f_back, level + 1
    warnings.warn(message, ReadingWarning, stacklevel=level)


def named_at(text: Any, x: Any) -> list[str] | None:
    """The variables of a text whose point `x` gives a value to `pi` or `E`, which it so makes variables; None elsewhere.

    >>> named_at("E*A/L", {"E": 2.1e11, "A": 1e-4, "L": 2}), named_at("E*A/L", [1e-4, 2])
    (['A', 'E', 'L'], None)
    """
    if not (isinstance(text, str) and isinstance(x, Mapping) and any(name in x for name in CONSTANTS)):
        return None
    from adlab.text.parser import parse

    listed = [name for name in CONSTANTS if name in x]
    return sorted((symbol.name for symbol in symbols_of([parse(text, names=listed)])), key=natural_key)


def _items(given: Any) -> tuple[list[Any], tuple[int, ...]]:
    """The entries of what was given, row by row, and its shape.

    >>> _items([["a", "b"], ["c", "d"]])
    (['a', 'b', 'c', 'd'], (2, 2))
    """
    if isinstance(given, MatrixExpr) and not isinstance(given, MatrixBase):
        if not all(isinstance(size, (int, sympy.Integer)) for size in given.shape):
            raise OptionError(f"the matrix {shown(given)} has no numeric shape; give its sizes as numbers")
        given = given.as_explicit()
    if isinstance(given, sympy.Piecewise) and isinstance(given.args[0].expr, (MatrixExpr, MatrixBase, NDimArray)):
        return _pieces(given)
    if isinstance(given, (MatrixBase, NDimArray)):
        return list(given.flat() if isinstance(given, MatrixBase) else given._array), tuple(map(int, given.shape))
    if isinstance(given, np.ndarray):
        return list(given.flat), given.shape
    if isinstance(given, (str, bytes)) or not isinstance(given, (Sequence, sympy.Tuple)):
        return [given], ()
    parts = [_items(item) for item in given]
    shapes = {shape for _, shape in parts}
    if len(shapes) > 1:
        raise OptionError(f"the rows of outputs have different shapes: {listing(sorted(map(str, shapes)))}")
    return [entry for entries, _ in parts for entry in entries], (len(parts), *next(iter(shapes), ()))


def _pieces(given: sympy.Piecewise) -> tuple[list[Any], tuple[int, ...]]:
    """The entries of a Piecewise whose branches are matrices: a Piecewise each, with the conditions of the whole."""
    branches = [_items(piece.expr) for piece in given.args]
    if len({shape for _, shape in branches}) > 1:
        raise OptionError(f"the branches of {shown(given)} have different shapes; give each a matrix of one shape")
    conditions = [piece.cond for piece in given.args]
    rows = zip(*(entries for entries, _ in branches), strict=True)
    return [sympy.Piecewise(*zip(row, conditions, strict=True)) for row in rows], branches[0][1]


def _given(variables: Iterable[Any]) -> list[sympy.Symbol | str]:
    """The variables listed, as symbols and names. An object that SymPy can differentiate by gets a symbol."""
    alone = isinstance(variables, (str, Basic)) or not isinstance(variables, Iterable)
    try:
        listed: list[Any] = [variables] if alone and not isinstance(variables, sympy.Tuple) else list(variables)
    except TypeError:  # an array without dimensions raises this only when it is iterated
        raise VariableError(f"variables are symbols or names, not {shown(variables)}") from None
    found: list[sympy.Symbol | str] = []
    for variable in listed:
        if isinstance(variable, Basic) and is_leaf(variable) and is_small([variable], LARGEST_LEAF):
            variable = Leaf(variable)
        if not isinstance(variable, (str, sympy.Symbol)):
            raise VariableError(f"variables are symbols or names, not {shown(variable)}")
        found.append(variable)
    twice = [name for name, count in Counter(map(printed, found)).items() if count > 1]
    if twice:
        raise VariableError(f"listed twice: {listing(twice)}")
    return found


def _expression(item: Any, given: list[sympy.Symbol | str] | None) -> Basic:
    if isinstance(item, str):
        from adlab.text.parser import parse

        return parse(item, names=given if given is None else [each for each in given if not isinstance(each, Leaf)])
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
    """Raises VariableError where two symbols share a name. SymPy keeps x (real) and x apart, and d/dx of the other x is 0.

    A name must be printable: every table, picture and piece of code shows it, and SymPy writes it as it is.
    """
    by_name: dict[str, sympy.Symbol] = {}
    for symbol in symbols:
        if not symbol.name.isprintable():
            raise VariableError(f"the variable {symbol.name!a} has a character in its name that cannot be printed; rename it")
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


F = TypeVar("F", bound=Callable[..., Any])


def takes_at(function: F) -> F:
    """Lets a caller give a function's point, its parameter `x` (or `box`), by the name `at` as well.

    >>> @takes_at
    ... def shifted(x, by=1):
    ...     return x + by
    >>> shifted(2), shifted(at=2)
    (3, 3)
    """
    names = list(inspect.signature(function).parameters)
    name = "x" if "x" in names else "box"
    place = names.index(name)

    @functools.wraps(function)
    def called(*args: Any, at: Any = None, **options: Any) -> Any:
        if at is None:
            return function(*args, **options)
        if name in options or len(args) > place:
            raise OptionError(f"the point is given twice, as `{name}` and as `at`; leave out one of them")
        return function(*args, **{name: at}, **options)

    return cast(F, called)


def coerce(x: Any, names: Sequence[str], what: str = "point") -> FloatArray:
    """`x` as an array of shape (..., n). `x` is array_like, or a mapping that has every name.

    Where n = 1 it may also be a number, or an array of numbers, each of which is a point. Raises PointError, which states the
    expected shape, for a wrong length, a missing or unknown name, and for anything that is not a finite real number.

    >>> coerce({"y": 2, "x": 1}, ["x", "y"])
    array([1., 2.])
    >>> coerce(3, ["x"]), coerce([1, 2, 3], ["x"]).shape
    (array([3.]), (3, 1))
    """
    n = len(names)
    if native.core is not None and type(x) is list and len(x) == n > 0 and (found := native.core.floats(x)) is not None:
        return np.frombuffer(found)
    if type(x) is np.ndarray and x.shape == (n,) and 0 < n <= SHORT and x.dtype == np.float64 and all(map(isfinite, x.tolist())):
        return x.copy()
    point = by_name(x, names, what) if isinstance(x, Mapping) else _numbers(x, f"the {what}", names)
    if n == 1 and (point.ndim == 0 or point.shape[-1] != 1):
        point = point[..., np.newaxis]
    if point.ndim == 0 or point.shape[-1] != n:
        found = "a single number" if point.ndim == 0 else f"shape {point.shape}"
        raise PointError(f"the {what} has {found}; {_expected(names)}")
    if not np.isfinite(point).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(point))[0])
        raise PointError(
            f"the {what} has {names[place[-1]]} = {point[place]}, and every number must be finite; {_expected(names)}"
        )
    return point


def coerce_with(x: Any, names: Sequence[str], errors: Errors) -> FloatArray:
    """As `coerce`, after a look at the option `errors`. Raises OptionError where it is neither "nan" nor "raise"."""
    if errors not in ("nan", "raise"):
        raise OptionError(f'errors={errors!r} is neither "nan" nor "raise"; a point is one argument, [1, 2]')
    return coerce(x, names)


def coerce_one(x: Any, names: Sequence[str], what: str = "point") -> FloatArray:
    """As `coerce`, where a batch is not possible: shape (n,)."""
    found = coerce(x, names, what)
    if found.ndim != 1:
        raise PointError(f"this needs one {what} of shape ({len(names)},), not a batch of shape {found.shape}")
    return found


def listed(given: Any) -> list[Any] | None:
    """The items of a sequence or another iterable. None for what has none, such as a number, or an array without dimensions.

    >>> listed(("x", "y")), listed(2.0), listed(np.array(2.0))
    (['x', 'y'], None, None)
    """
    try:
        return list(given)
    except TypeError:
        return None


def _expected(names: Sequence[str]) -> str:
    n = len(names)
    whom = f" for {listing(list(names))}" if n else ""
    return f"expected {n} number{'s'[: n != 1]}{whom}: shape ({n},) or (..., {n}), or a mapping by name"


def in_order(x: Mapping[Any, Any], names: Sequence[str], what: str = "point") -> list[Any]:
    """The mapping's values in the order of `names`. Keys may be names, symbols or SymPy's other variables.

    Raises PointError where names and keys do not match.
    """
    keys = [printed(key) for key in x]
    times, known = Counter(keys), set(names)
    faults = {
        "no value for": [name for name in names if name not in times],
        "unknown": [key for key in keys if key not in known],
        "two values for": [name for name in names if times[name] > 1],
    }
    if any(faults.values()):
        said = " and ".join(f"{fault} {listing(found)}" for fault, found in faults.items() if found)
        constants = [name for name in faults["unknown"] if name in CONSTANTS]
        hint = f"; `{constants[0]}` is a constant in a text unless it is listed among the variables" if constants else ""
        raise PointError(f"the {what} has {said}; {_expected(names)}{hint}")
    given = dict(zip(keys, x.values(), strict=True))
    return [given[name] for name in names]


def by_name(x: Mapping[Any, Any], names: Sequence[str], what: str) -> FloatArray:
    """Numbers, or arrays of them, by the names of variables: shape (..., n)."""
    values = [_numbers(value, f"`{name}`", names) for name, value in zip(names, in_order(x, names, what), strict=True)]
    try:
        return np.stack(np.broadcast_arrays(*values), axis=-1) if values else np.empty(0)
    except ValueError:
        shapes = ", ".join(f"{name} {value.shape}" for name, value in zip(names, values, strict=True))
        raise PointError(f"the {what} has coordinates of shapes that do not broadcast: {shapes}") from None


def coerced(x: Any, names: Sequence[str], what: str) -> FloatArray:
    """A program's argument as an array, shape (..., n), from numbers in order or by these names. Raises PointError."""
    if isinstance(x, Mapping):
        return by_name(x, names, what)
    n = len(names)
    try:
        points = np.asarray(x)
        if points.dtype.kind not in "biufO":
            raise TypeError
        points = points.astype(np.float64, copy=False)
    except (TypeError, ValueError, OverflowError):
        raise PointError(f"the {what} must be real numbers, as a sequence or an array") from None
    if n == 1 and (points.ndim == 0 or points.shape[-1] != 1):  # one variable: each number is a point
        points = points[..., np.newaxis]
    if points.ndim == 0 or points.shape[-1] != n:
        raise PointError(f"the {what} has shape {points.shape}; give ({n},) or (..., {n})")
    return points


def _numbers(value: Any, what: str, names: Sequence[str]) -> FloatArray:
    """An array of floats. Complex numbers, texts, masked entries and ragged lists are refused."""
    refused = value
    try:
        array = np.asarray(value)
        if array.dtype.kind in "biuf" and not (hasattr(value, "mask") and np.ma.is_masked(value)):
            return array.astype(np.float64)
        if array.dtype.kind == "O":
            floats = np.empty(array.size)
            for i, refused in enumerate(array.flat):
                floats[i] = _float(refused)
            return floats.reshape(array.shape)
    except Exception as reason:  # a foreign array may raise an error of its own, as a PyTorch tensor that requires grad does
        if not isinstance(reason, (TypeError, ValueError)):
            said = (str(reason).splitlines() or [type(reason).__name__])[0][:200]
            raise PointError(f"{what} cannot be read as numbers: {said}; {_expected(names)}") from None
    raise PointError(f"{what} must be real numbers, not {shown(refused)}; {_expected(names)}")


def _float(item: Any) -> float:
    """The nearest double of an integer beyond 64 bits, a fraction, a SymPy number or an mpmath number."""
    if isinstance(item, (str, bytes)) or (isinstance(item, Basic) and symbols_of([item])):
        raise TypeError("not a number")
    try:
        return float(item)
    except OverflowError:
        return inf if item > 0 else -inf

