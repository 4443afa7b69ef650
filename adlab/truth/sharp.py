"""Python code run on high-precision numbers: the judge of a model that has no formula.

The same function is called with `Sharp` numbers, which carry hundreds of bits through `+ - * / **`, comparisons, the
functions of `math`, and those NumPy functions that work on arrays of objects. A `Sharp` number refuses to become a
float, since it would lose its digits without a word; code that asks for one cannot be judged this way.

>>> import math
>>> from adlab.truth.meanings import mp_text
>>> [found] = derivatives_of(lambda x: math.sin(x[0])**2, [1.0], ["x"])[1]
>>> print(mp_text(found[0].value, 20))
0.9092974268256816954
"""

from __future__ import annotations

import math
import operator
import types
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import sympy

from adlab.errors import AdlabError, DomainError, UnsupportedExpression
from adlab.truth.judge import RUNGS, Component, agreed, disagreement
from adlab.truth.limits import GUARD_BITS, Limit, SideQuotient, limit, step
from adlab.truth.meanings import CONTEXT, FUNCTIONS, bits_of, exact, exported, magnitude, working

DIGITS = 25
EXTRA_BITS = 256  # against what the code cancels; twice as many bits then show what is left of the error
NOT_SHARP = "it asks for a float, which would round a high-precision number"


class Sharp:
    """One high-precision number of the working precision, for Python and NumPy code to compute with."""

    __slots__ = ("number",)

    def __init__(self, number: Any) -> None:
        self.number = number

    def __float__(self) -> float:
        raise TypeError(NOT_SHARP)

    def __bool__(self) -> bool:
        return bool(self.number)

    def __hash__(self) -> int:
        return hash(self.number)

    def __repr__(self) -> str:
        return f"Sharp({self.number})"

    def __floor__(self) -> Sharp:
        return Sharp(CONTEXT.floor(self.number))

    def __ceil__(self) -> Sharp:
        return Sharp(CONTEXT.ceil(self.number))

    def __getattr__(self, name: str) -> Any:
        """NumPy asks an object for the method `sin`, `exp`, `arctan2` …"""
        try:
            known = _NAMED[name]
        except KeyError:
            raise AttributeError(f"a high-precision number has no method `{name}`") from None
        return lambda *others: known(self, *others)


def _plain(item: Any) -> Any:
    """The number in a `Sharp`, or an int or float as it is; NotImplemented for anything else."""
    if isinstance(item, Sharp):
        return item.number
    if isinstance(item, np.ndarray) and item.ndim == 0:
        item = item.item()
    if isinstance(item, (bool, np.bool_)):
        return exact(int(item))
    if isinstance(item, (int, np.integer)):
        return exact(int(item))
    return exact(float(item)) if isinstance(item, (float, np.floating)) else NotImplemented


def _binary(compute: Callable[[Any, Any], Any], swapped: bool, wrapped: bool = True) -> Callable[[Any, Any], Any]:
    def method(self: Sharp, other: Any) -> Any:
        number = _plain(other)
        if number is NotImplemented:
            return NotImplemented
        found = compute(number, self.number) if swapped else compute(self.number, number)
        return Sharp(_real(found)) if wrapped else found

    return method


def _real(found: Any) -> Any:
    """Real code has real numbers only; `math` raises ValueError for the others, as this does."""
    if hasattr(found, "_mpc_"):
        if found.imag:
            raise ValueError("math domain error")
        return found.real
    return found


def _power(a: Any, b: Any) -> Any:
    if b == CONTEXT.floor(b) and abs(b) < 2**31:
        return a ** int(b)
    return a**b


for _name, _compute in {"add": operator.add, "sub": operator.sub, "mul": operator.mul, "truediv": operator.truediv,
                        "pow": _power, "floordiv": lambda a, b: CONTEXT.floor(a / b), "mod": operator.mod}.items():  # fmt: skip
    setattr(Sharp, f"__{_name}__", _binary(_compute, swapped=False))
    setattr(Sharp, f"__r{_name}__", _binary(_compute, swapped=True))
for _name in ("lt", "le", "gt", "ge", "eq", "ne"):
    setattr(Sharp, f"__{_name}__", _binary(getattr(operator, _name), swapped=False, wrapped=False))
for _name, _unary in {"neg": operator.neg, "pos": operator.pos, "abs": abs}.items():
    setattr(Sharp, f"__{_name}__", lambda self, compute=_unary: Sharp(compute(self.number)))


def _function(compute: Callable[..., Any]) -> Callable[..., Any]:
    def apply(*operands: Any) -> Any:
        numbers = [_plain(operand) for operand in operands]
        if NotImplemented in map(type, numbers) or any(number is NotImplemented for number in numbers):
            raise TypeError("not a real number")
        return Sharp(_real(compute(*numbers)))

    return apply


_SYMPY_NAMES = {
    "exp": "exp", "sin": "sin", "cos": "cos", "tan": "tan", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh",
    "asin": "asin", "acos": "acos", "atan": "atan", "asinh": "asinh", "acosh": "acosh", "atanh": "atanh",
    "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh",
    "atan2": "atan2", "arctan2": "atan2", "erf": "erf", "erfc": "erfc", "gamma": "gamma", "lgamma": "loggamma", "fabs": "Abs",
}  # fmt: skip
"""A name of `math` or NumPy, and the SymPy function with the same meaning."""
_NAMED: dict[str, Callable[..., Any]] = {
    **{name: _function(FUNCTIONS[getattr(sympy, known)]) for name, known in _SYMPY_NAMES.items()},
    "log": _function(lambda a, base=None: CONTEXT.log(a) if base is None else CONTEXT.log(a) / CONTEXT.log(base)),
    "sqrt": _function(CONTEXT.sqrt),
    "cbrt": _function(lambda a: CONTEXT.sign(a) * CONTEXT.cbrt(abs(a))),
    "log1p": _function(CONTEXT.log1p),
    "expm1": _function(CONTEXT.expm1),
    "log2": _function(lambda a: CONTEXT.log(a) / CONTEXT.log(2)),
    "log10": _function(lambda a: CONTEXT.log(a) / CONTEXT.log(10)),
    "exp2": _function(lambda a: CONTEXT.mpf(2) ** a),
    "hypot": _function(lambda *a: CONTEXT.sqrt(sum(x * x for x in a))),
    "pow": _function(_power),
    "logaddexp": _function(lambda a, b: max(a, b) + CONTEXT.log1p(CONTEXT.exp(-abs(a - b)))),
    "degrees": _function(CONTEXT.degrees),
    "radians": _function(CONTEXT.radians),
    "deg2rad": _function(CONTEXT.radians),
    "rad2deg": _function(CONTEXT.degrees),
    "square": _function(lambda a: a * a),
    "conjugate": _function(lambda a: a),
    "fsum": lambda items: sum(items, Sharp(CONTEXT.zero)),
    "copysign": _function(lambda a, b: abs(a) if b >= 0 else -abs(a)),
}


# --- the user's code ----------------------------------------------------------------------------------------------


def _of_math(name: str) -> Callable[..., Any]:
    """A function of `math` that knows `Sharp` numbers too."""
    ordinary, sharp = getattr(math, name), _NAMED.get(name)

    def apply(*operands: Any) -> Any:
        inside = list(operands[0]) if name == "fsum" else list(operands)
        if sharp is None or not any(isinstance(item, (Sharp, np.ndarray)) for item in inside):
            return ordinary(*operands)
        return sharp(inside) if name == "fsum" else sharp(*operands)

    return apply


_MATH = types.SimpleNamespace(
    **{name: _of_math(name) if callable(value) else value for name, value in vars(math).items() if name[0] != "_"}
)


def rebound(f: Callable[..., Any]) -> Callable[..., Any]:
    """The same function with `math` replaced, in its globals, its closure, and the functions of its own module."""
    if not isinstance(f, types.FunctionType):
        return f
    made: dict[int, types.FunctionType] = {}
    space = dict(f.__globals__)

    def other(value: Any) -> Any:
        if value is math:
            return _MATH
        if isinstance(value, types.BuiltinFunctionType) and value.__module__ == "math":
            return getattr(_MATH, value.__name__)
        return copied(value) if isinstance(value, types.FunctionType) and value.__globals__ is f.__globals__ else value

    def copied(function: types.FunctionType) -> types.FunctionType:
        if id(function) not in made:
            cells = tuple(types.CellType() for _ in function.__closure__ or ())
            copy = types.FunctionType(function.__code__, space, function.__name__, function.__defaults__, cells)
            copy.__kwdefaults__ = function.__kwdefaults__
            made[id(function)] = copy
            for cell, old in zip(cells, function.__closure__ or (), strict=True):
                cell.cell_contents = other(old.cell_contents)
        return made[id(function)]

    space.update({name: other(value) for name, value in f.__globals__.items()})
    return copied(f)


def sharp_values(f: Callable[..., Any], point: Sequence[Any], bits: int) -> list[Any]:
    """The outputs of `f`, already `rebound`, called with an array of `Sharp` numbers, as numbers of `CONTEXT`.

    Raises UnsupportedExpression where the code does not run on such numbers, and DomainError where it has no value.
    """
    with working(bits):
        inputs = np.empty(len(point), dtype=object)
        inputs[:] = [Sharp(+exact(x)) for x in point]
        try:
            found = [_plain(item) for item in np.ravel(np.array(f(inputs), dtype=object)).tolist()]
        except (ValueError, ZeroDivisionError, OverflowError) as error:
            raise DomainError(f"f has no value here: {error}") from None
        except Exception as error:  # whatever a stranger's code may raise
            raise UnsupportedExpression(f"the code does not run on high-precision numbers: {error}") from None
    if any(item is NotImplemented for item in found):
        raise UnsupportedExpression("the code does not return real numbers when it is run on high-precision ones")
    if not all(CONTEXT.isfinite(item) for item in found):
        raise DomainError("f has no finite value here")
    return found


def derivatives_of(
    f: Callable[..., Any], point: Sequence[float], names: Sequence[str]
) -> tuple[list[Any], list[list[Component]]]:
    """The values, and for each output the partials, of Python code called with one array; labelled heuristic.

    Each partial is a limit of difference quotients from both sides, at two steps, with two precisions. Raises as
    `sharp_values` does.
    """
    run = rebound(f)
    here = sharp_values(run, point, 4 * (bits_of(DIGITS) + GUARD_BITS))
    columns = [_column(run, point, j, name, len(here)) for j, name in enumerate(names)]
    return here, [[column[i] for column in columns] for i in range(len(here))]


def _column(run: Callable[..., Any], point: Sequence[float], j: int, name: str, m: int) -> list[Component]:
    found: list[Component] = []
    for rung in RUNGS:
        far = rung * (bits_of(DIGITS) + GUARD_BITS)
        near = far * 3 // 2
        quotients = [[_quotients(run, point, j, shift, side, m) for shift in (far, near)] for side in (-1, 1)]
        with working(near + 2 * bits_of(DIGITS)):
            floor = CONTEXT.ldexp(1, -bits_of(DIGITS) - magnitude(exact(point[j])))
            found = []
            for i in range(m):
                left, right = (limit(a[i], b[i], near - far, DIGITS, rung == RUNGS[-1], floor) for a, b in quotients)
                found.append(_component(i, name, left, right))
        if all(component.value is not None for component in found):
            break
    return found


def _component(output: int, name: str, left: Limit, right: Limit) -> Component:
    both = agreed(left, right, DIGITS)
    if both is not None:
        return Component(output, name, "heuristic", exported(both.value), exported(both.radius))
    below, above = (None if side.value is None else exported(side.value) for side in (left, right))
    return Component(output, name, "unavailable", left=below, right=above, note=disagreement(left, right))


def _quotients(run: Callable[..., Any], point: Sequence[float], j: int, shift: int, side: int, m: int) -> list[SideQuotient]:
    """The quotient of each output at one step; its noise is how far twice the precision moves it."""
    bits = shift + bits_of(DIGITS) + GUARD_BITS + EXTRA_BITS
    pairs: list[list[Any]] = []
    with working(2 * bits):
        by = side * step(point[j], shift)
        beside = [*map(exact, point)]
        beside[j] = beside[j] + by
        try:
            for precision in (bits, 2 * bits):
                here, there = sharp_values(run, point, precision), sharp_values(run, beside, precision)
                pairs.append([(b - a) / by for a, b in zip(here, there, strict=True)])
        except AdlabError as error:
            return [SideQuotient(None, CONTEXT.zero, str(error))] * m
        return [SideQuotient(b, 2 * abs(b - a)) for a, b in zip(*pairs, strict=True)]
