"""Reads a gradient as its owner has it: a function of a point or of several numbers, texts, SymPy expressions, a Function.

Answers may be arrays, tuples, PyTorch tensors or JAX arrays.
"""

from __future__ import annotations

import inspect
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import sympy

from adlab.errors import AdlabError, DomainError, MethodError, OptionError, OverflowedError
from adlab.function import Function
from adlab.inputs import FloatArray, in_order

WANTED = "the gradient to check must be a function of a point, a text, or SymPy expressions"


MISTAKEN = (TypeError, AttributeError, IndexError, ValueError, RuntimeError, DeprecationWarning)
"""What a function may raise when it is called in the wrong way. PyTorch raises RuntimeError and ValueError."""


class Given(NamedTuple):
    """What came back at one point: the numbers, shape (m, n), and their type, such as `float64` or `float32`.

    Otherwise `fault` says what is wrong with their shape or kind, or `raised` is the exception.
    """

    numbers: FloatArray | None
    precision: str = "float64"
    fault: str = ""
    raised: Exception | None = None


def gradient_of(grad: Any, names: Sequence[str]) -> Callable[[FloatArray], Any]:
    """`grad` as a function of one point, an array. Raises OptionError where it is not a gradient of any kind."""
    if isinstance(grad, Function):
        return _formulas(grad.outputs, names)
    if callable(grad) and not isinstance(grad, (sympy.Basic, type)):
        return Caller(grad, names)
    if isinstance(grad, (str, sympy.Expr, sympy.MatrixBase, list, tuple)) and grad not in ("", [], ()):
        return _formulas(list(_flat(grad)), names)
    raise OptionError(f"{WANTED}; it is {type(grad).__name__}")


def _flat(items: Any) -> Iterator[Any]:
    """Nested rows as one list. A text such as "[2*x*y, x**2]" gives its parts."""
    if isinstance(items, str):
        yield from parts(items)
    elif isinstance(items, (list, tuple, sympy.MatrixBase)):
        for item in items:
            yield from _flat(item)
    else:
        yield items


def parts(text: str) -> list[str]:
    """A text cut at its outer commas.

    >>> parts("[2*x*y, atan2(x, y)]")
    ['2*x*y', 'atan2(x, y)']
    """
    inside = text.strip()
    if inside[:1] == "[" and inside[-1:] == "]":
        inside = inside[1:-1]
    found, depth = [""], 0
    for letter in inside:
        depth += (letter in "([{") - (letter in ")]}")
        if letter in ",;" and depth == 0:
            found.append("")
        else:
            found[-1] += letter
    return [part.strip() for part in found if part.strip()]


def _formulas(expressions: Sequence[Any], names: Sequence[str]) -> Callable[[FloatArray], Any]:
    """A gradient in letters, evaluated in binary64."""
    symbols = {symbol.name: symbol for item in expressions if isinstance(item, sympy.Basic) for symbol in item.free_symbols}
    made = Function(list(expressions), [symbols.get(name, name) for name in names], name="your gradient")
    return made.values


def _reordered(found: Any, places: Sequence[int]) -> Any:
    """Partials in the order of the function's own parameters, put into the order of the variables."""
    if places == sorted(places) or not isinstance(found, (list, tuple, np.ndarray)) or len(found) != len(places):
        return found
    ordered: list[Any] = [None] * len(places)
    for place, partial in zip(places, found, strict=True):
        ordered[place] = partial
    return ordered


class Caller:
    """Calls a stranger's function in the way that its parameters suggest, and remembers the way that worked."""

    def __init__(self, function: Callable[..., Any], names: Sequence[str]) -> None:
        self.function, self.names = function, list(names)
        self.ways: list[Callable[[FloatArray], Any]] = list(self._ways())

    def _ways(self) -> Iterator[Callable[[FloatArray], Any]]:
        f, n = self.function, len(self.names)
        needed, several = parameters_of(f)
        if n > 1 and needed is not None and sorted(needed) == sorted(self.names):
            places = [self.names.index(name) for name in needed]
            yield lambda x: _reordered(f(*(float(x[place]) for place in places)), places)
        if n > 1 and needed is not None and len(needed) == n:
            yield lambda x: f(*x.tolist())
        yield lambda x: f(x.copy())
        if n == 1:
            yield lambda x: f(float(x[0]))
        if n > 1 and (several or needed is None):
            yield lambda x: f(*x.tolist())
        if "torch" in sys.modules:
            torch = sys.modules["torch"]
            yield lambda x: f(torch.tensor(x.tolist(), dtype=torch.float64))
            yield lambda x: f(*(torch.tensor(number, dtype=torch.float64) for number in x.tolist()))

    def __call__(self, x: FloatArray) -> Any:
        """Tries the ways until one raises no TypeError. If all do, the error of the first way is raised."""
        errors = []
        for way in self.ways:
            try:
                with warnings.catch_warnings():
                    warnings.filterwarnings("error", "Conversion of an array", DeprecationWarning)
                    found = way(x)
            except MISTAKEN as error:
                errors.append(error)
                continue
            self.ways = [way]
            return found
        raise errors[0]


def parameters_of(function: Callable[..., Any]) -> tuple[list[str] | None, bool]:
    """The names of the required arguments (None where they cannot be told), and whether more may follow."""
    try:
        known = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None, False
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    needed = [p.name for p in known if p.kind in positional and p.default is inspect.Parameter.empty]
    return needed, any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in known)


def asked(call: Callable[[FloatArray], Any], point: FloatArray, m: int, names: Sequence[str]) -> Given:
    """What a gradient answers at one point."""
    try:
        found = call(point)
        if isinstance(found, Mapping):
            found = in_order(found, names, "gradient")
        return _read(found, point, m, len(names))
    except (DomainError, OverflowedError) as error:
        return Given(None, raised=error)
    except AdlabError:
        raise
    except Exception as error:  # a stranger's function may raise anything
        return Given(None, raised=error)


def _read(found: Any, point: FloatArray, m: int, n: int) -> Given:
    if found is None:
        return Given(None, fault="nothing comes back: the function has no `return`")
    if isinstance(found, tuple) and len(found) == 2 and _array(found[0]).size < _array(found[1]).size:
        return Given(None, fault="two things come back, as a value and a gradient; the gradient alone is due")
    numbers = _array(found)
    if np.iscomplexobj(numbers):
        if np.any(numbers.imag):
            return Given(None, fault=f"complex numbers come back at {point.tolist()}, and real ones are due")
        numbers = numbers.real
    precision = numbers.dtype.name if numbers.dtype.kind == "f" else str(getattr(found, "dtype", "float64"))
    values = np.asarray(numbers, dtype=float)
    if (m == 1 and values.size == n and values.ndim <= 2) or values.shape == (m, n):
        return Given(values.reshape(m, n), precision.rpartition(".")[2])
    if values.ndim == 1 and values.size == m * n:
        return Given(values.reshape(m, n), precision.rpartition(".")[2])
    if values.shape == (n, m):
        return Given(None, fault=f"transposed: the shape is {values.shape} where (m, n) = ({m}, {n}) is due")
    due = f"({n},)" if m == 1 else f"(m, n) = ({m}, {n})"
    return Given(None, fault=f"the shape is {values.shape} where {due} is due")


def _array(found: Any) -> Any:
    """An array of any numbers; for tensors, without their gradient records."""
    if hasattr(found, "detach"):
        found = found.detach().cpu()
        return np.asarray(found.float() if str(found.dtype) == "torch.bfloat16" else found)
    if isinstance(found, (list, tuple)):
        return np.array([_array(item) for item in found])
    return np.asarray(found)


def raised_at(error: Exception, point: FloatArray) -> MethodError:
    """The error for a gradient that answers at no point."""
    return MethodError(f"your gradient raised {type(error).__name__} at {point.tolist()}: {error}")
