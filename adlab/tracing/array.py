"""NumPy arrays of traced numbers.

An `Array` is an ndarray of objects, so NumPy itself indexes, slices, broadcasts, reshapes and assigns. Computations go through
two hooks that NumPy offers to subclasses: `__array_ufunc__` for `np.sin`, `+`, `@` and the like, and `__array_function__` for
`np.sum`, `np.where`, `np.linalg.solve` and the rest.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np
from numpy import asarray, empty  # as they are outside a trace

from adlab.primitives.primitive import Primitive
from adlab.primitives.table import PRIMITIVES
from adlab.tracing import linear_algebra
from adlab.tracing.recorder import refuse
from adlab.tracing.scalar import DOORS, UNARY, Scalar, apply, binary, power, truth, unary

INSTEAD = "write it with the functions that adlab knows, or wrap it in adlab.external"


class Array(np.ndarray[Any, Any]):
    """An array of traced numbers and constants."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        return apply_ufunc(ufunc, method, inputs, options)

    def __array_function__(self, function: Any, types: Any, arguments: Any, options: Any) -> Any:
        return apply_function(function, arguments, options)

    def __getitem__(self, index: Any) -> Any:
        return super().__getitem__(decided(index))

    def __setitem__(self, index: Any, value: Any) -> None:
        super().__setitem__(decided(index), value)

    def __bool__(self) -> bool:
        if self.size != 1:
            raise refuse("the truth of an array is ambiguous", "use .all() or .any()")
        return bool(self.reshape(())[()])

    def __repr__(self) -> str:
        return f"traced({np.vectorize(_shown, otypes=[object])(asarray(self)).tolist()})" if self.size else "traced([])"

    __str__ = __repr__

    def __format__(self, form: str) -> str:
        return repr(self)


def decided(index: Any) -> Any:
    """An index in which an array of conditions is a mask: each of them is a branch that the function took."""
    if isinstance(index, Array):
        return np.array([bool(item) for item in index.ravel()], dtype=bool).reshape(index.shape)
    return tuple(decided(part) for part in index) if isinstance(index, tuple) else index


def _shown(item: Any) -> Any:
    return item.value if isinstance(item, Scalar) else item


def wrapped(array: Any) -> Any:
    """An array of objects as an `Array`. A single object stays itself; an array of constants becomes an array of floats."""
    array = asarray(array)
    if array.ndim == 0:
        return array[()]
    if array.dtype != object:
        return array
    if not any(isinstance(item, Scalar) for item in array.flat):
        try:
            return array.astype(float)
        except (TypeError, ValueError):
            return array
    return array.view(Array)


def plain(x: Any) -> Any:
    """Any input as a plain array of objects or numbers."""
    if isinstance(x, Scalar):
        held = empty((), dtype=object)
        held[()] = x
        return held
    return asarray(x).view(np.ndarray) if isinstance(x, np.ndarray) else asarray(x)


def is_traced(x: Any) -> bool:
    """Whether a traced number is in it, at any depth of lists and tuples."""
    if isinstance(x, (Scalar, Array)):
        return True
    if isinstance(x, (list, tuple)):
        return any(is_traced(item) for item in x)
    return isinstance(x, np.ndarray) and x.dtype == object and any(isinstance(item, Scalar) for item in x.flat)


# --- ufuncs -------------------------------------------------------------------------------------------------------


def _binary(primitive: Primitive) -> Callable[[Any, Any], Any]:
    def operation(a: Any, b: Any) -> Any:
        if isinstance(a, Scalar) or isinstance(b, Scalar):
            return binary(primitive, a, b)
        return primitive.value([float(a), float(b)])

    return operation


def _unary(primitive: Primitive) -> Callable[[Any], Any]:
    def operation(a: Any) -> Any:
        return unary(primitive, a) if isinstance(a, Scalar) else primitive.value([float(a)])

    return operation


def _scaled(name: str, factor: float) -> Callable[[Any], Any]:
    operation = _unary(PRIMITIVES[name])
    return lambda a: operation(a) * factor


def _logical(name: str) -> Callable[[Any, Any], Any]:
    operation = _binary(PRIMITIVES[name])
    return lambda a, b: operation(truth(a), truth(b))


def _invert(a: Any) -> Any:
    return unary(PRIMITIVES["not"], truth(a)) if isinstance(a, Scalar) else not a


def _power(a: Any, b: Any) -> Any:
    return power(a, b) if isinstance(a, Scalar) or isinstance(b, Scalar) else a**b


def _floor_divide(a: Any, b: Any) -> Any:
    return a // b


def logaddexp(a: Any, b: Any) -> Any:
    """log(exp(a) + exp(b)) without overflow, where the table has no primitive for it."""
    if "logaddexp" in PRIMITIVES:
        return _binary(PRIMITIVES["logaddexp"])(a, b)
    low, high = _binary(PRIMITIVES["min"])(a, b), _binary(PRIMITIVES["max"])(a, b)
    return high + UFUNCS["log"](1 + UFUNCS["exp"](low - high))


def copysign(a: Any, b: Any) -> Any:
    """|a| with the sign of b. It has no value at b = 0, where the sign of zero would decide, which no comparison tells."""
    if not isinstance(b, Scalar):
        return np.copysign(1.0, b) * abs(a)
    return abs(a) * (b / abs(b))


def fmod(a: Any, b: Any) -> Any:
    """The remainder with the sign of a, by the exact one of the magnitudes."""
    return UFUNCS["sign"](a) * _binary(PRIMITIVES["mod"])(abs(a), abs(b))


UFUNCS: dict[str, Callable[..., Any]] = {
    **{name: _unary(primitive) for name, primitive in UNARY.items()},
    "add": _binary(PRIMITIVES["add"]), "subtract": _binary(PRIMITIVES["sub"]), "multiply": _binary(PRIMITIVES["mul"]),
    "divide": _binary(PRIMITIVES["div"]), "true_divide": _binary(PRIMITIVES["div"]), "power": _power, "float_power": _power,
    "floor_divide": _floor_divide, "remainder": _binary(PRIMITIVES["mod"]), "mod": _binary(PRIMITIVES["mod"]),
    "positive": lambda a: a, "square": lambda a: _power(a, 2), "reciprocal": lambda a: 1 / a, "conjugate": lambda a: a,
    "arctan2": _binary(PRIMITIVES["atan2"]), "hypot": _binary(PRIMITIVES["hypot"]), "logaddexp": logaddexp,
    "maximum": _binary(PRIMITIVES["max"]), "minimum": _binary(PRIMITIVES["min"]),
    "fmax": _binary(PRIMITIVES["max"]), "fmin": _binary(PRIMITIVES["min"]),
    "log10": _scaled("log", 0.4342944819032518), "degrees": lambda a: a * (180 / np.pi), "radians": lambda a: a * (np.pi / 180),
    "rad2deg": lambda a: a * (180 / np.pi), "deg2rad": lambda a: a * (np.pi / 180),
    "less": _binary(PRIMITIVES["lt"]), "less_equal": _binary(PRIMITIVES["le"]), "greater": _binary(PRIMITIVES["gt"]),
    "greater_equal": _binary(PRIMITIVES["ge"]), "equal": _binary(PRIMITIVES["eq"]), "not_equal": _binary(PRIMITIVES["ne"]),
    "logical_and": _logical("and"), "logical_or": _logical("or"), "logical_not": _invert,
    "bitwise_and": _logical("and"), "bitwise_or": _logical("or"), "invert": _invert,
    "trunc": lambda a: a.__trunc__() if isinstance(a, Scalar) else np.trunc(a), "copysign": copysign, "fmod": fmod,
    "heaviside": lambda a, b: unary(PRIMITIVES["heaviside"], a, b) if isinstance(a, Scalar) else np.heaviside(a, b),
    "isnan": lambda a: bool(np.isnan(_shown(a))), "isfinite": lambda a: bool(np.isfinite(_shown(a))),
    "isinf": lambda a: bool(np.isinf(_shown(a))),
    # of scipy.special
    "erf": _unary(PRIMITIVES["erf"]), "erfc": _unary(PRIMITIVES["erfc"]), "gamma": _unary(PRIMITIVES["gamma"]),
    "gammaln": _unary(PRIMITIVES["loggamma"]),
    "psi": lambda a: unary(PRIMITIVES["polygamma"], a, 0), "erfinv": _unary(PRIMITIVES["erfinv"]),
    "erfcinv": _unary(PRIMITIVES["erfcinv"]), "xlogy": _binary(PRIMITIVES["xlogy"]),
    "expit": lambda a: _unary(PRIMITIVES["sigmoid"])(a) if "sigmoid" in PRIMITIVES else 1 / (1 + UFUNCS["exp"](-a)),
    "jv": lambda n, a: unary(PRIMITIVES["besselj"], a, int(n)), "yv": lambda n, a: unary(PRIMITIVES["bessely"], a, int(n)),
    "ellipk": lambda m: unary(PRIMITIVES["elliptick"], m, 0), "ellipe": lambda m: unary(PRIMITIVES["elliptice"], m, 0),
    "ellipkinc": lambda phi, m: apply(PRIMITIVES["ellipticf"], (phi, m), 0),
    "ellipeinc": lambda phi, m: apply(PRIMITIVES["ellipticeinc"], (phi, m), 0),
    "iv": lambda n, a: unary(PRIMITIVES["besseli"], a, int(n)), "kv": lambda n, a: unary(PRIMITIVES["besselk"], a, int(n)),
}  # fmt: skip
"""What each ufunc does to one entry of its operands."""


def apply_ufunc(ufunc: Any, method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """A ufunc on arrays of traced numbers, entry by entry."""
    out = options.pop("out", None)
    if ufunc.__name__ in ("matmul", "vecdot") and method == "__call__":
        return assigned(out, linear_algebra.product(*map(plain, inputs)))
    operation = UFUNCS.get(ufunc.__name__)
    if operation is None and method == "__call__" and all(set(types) <= set("O->") for types in ufunc.types):
        return assigned(out, ufunc(*map(plain, inputs)))  # made by np.vectorize or np.frompyfunc: it calls the user's own code
    if operation is None:
        raise refuse(f"no primitive for np.{ufunc.__name__}", INSTEAD)
    where = options.pop("where", True)
    options.pop("dtype", None), options.pop("casting", None)
    if where is not True:
        raise refuse(f"np.{ufunc.__name__} with where=", "use np.where(condition, a, b)")
    if method == "__call__":
        if options:
            raise refuse(f"np.{ufunc.__name__} with {', '.join(options)}", "leave the option out")
        if out is None and not any(isinstance(x, (np.ndarray, list, tuple)) for x in inputs):
            return operation(*inputs)
        return assigned(out, np.frompyfunc(operation, len(inputs), 1)(*map(plain, inputs)))
    if method in ("reduce", "accumulate", "outer"):
        return assigned(out, _folded(operation, method, inputs, options))
    raise refuse(f"np.{ufunc.__name__}.{method}", "write it as a sum or a loop")


def _folded(operation: Callable[..., Any], method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    given = [plain(x) for x in inputs]
    options = {key: value for key, value in options.items() if value is not None or key == "axis"}
    initial = options.pop("initial", np._NoValue)
    if method == "reduce" and given[0].size and initial is np._NoValue:
        return _reduced(operation, given[0], options.pop("axis", 0), options.pop("keepdims", False))
    if initial is not np._NoValue:
        options["initial"] = initial
    return getattr(np.frompyfunc(operation, 2, 1), method)(*given, **options)


def _reduced(operation: Callable[..., Any], array: Any, axis: Any, keepdims: bool) -> Any:
    """The entries folded from the left along the axes, in order."""
    axes = tuple(range(array.ndim)) if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
    axes = tuple(a % array.ndim for a in axes) if array.ndim else ()
    moved = np.moveaxis(array, axes, range(len(axes))).reshape(-1, *[n for i, n in enumerate(array.shape) if i not in axes])
    found = reduce(operation if moved.ndim == 1 else np.frompyfunc(operation, 2, 1), moved)
    if keepdims:
        found = plain(found).reshape([1 if i in axes else n for i, n in enumerate(array.shape)])
    return found


def assigned(out: Any, found: Any) -> Any:
    """The result, written into `out` if that is given (as by `a += b`)."""
    if out is None:
        return wrapped(found)
    target = out[0] if isinstance(out, tuple) else out
    if target.dtype != object and is_traced(wrapped(found)):
        raise refuse("an array of floats cannot hold traced numbers", "write a = a + b for a += b, or make it with np.zeros(…)")
    target[...] = found
    return target


FUNCTIONS: dict[str, Callable[..., Any]] = {}
"""NumPy functions that are not ufuncs. `functions` fills this."""

MOVES = frozenset(re.findall(r"\w+", """
    reshape ravel transpose concatenate stack vstack hstack dstack column_stack row_stack split array_split hsplit vsplit squeeze
    expand_dims broadcast_to broadcast_arrays tile repeat roll flip flipud fliplr rot90 moveaxis swapaxes rollaxis atleast_1d
    atleast_2d atleast_3d diag diagonal diagflat triu tril take append insert delete copy meshgrid shape ndim size block resize
    take_along_axis compress matrix_transpose permute_dims concat unstack ix_ result_type may_share_memory
"""))
"""NumPy functions that only move entries. NumPy's own versions work on objects."""


def stripped(x: Any) -> Any:
    """The argument with every `Array` as a plain array of objects, so that NumPy does not call back here."""
    if isinstance(x, (Array, Scalar)):
        return plain(x)
    if isinstance(x, (list, tuple)):
        return type(x)(stripped(item) for item in x) if is_traced(x) else x
    return {key: stripped(value) for key, value in x.items()} if isinstance(x, dict) else x


# --- array functions ------------------------------------------------------------------------------------------------


def apply_function(function: Any, arguments: Any, options: Any) -> Any:
    """A NumPy function that is not a ufunc: adlab's version if there is one, else NumPy's own, which only moves entries."""
    name = f"{function.__module__.removeprefix('numpy').lstrip('.')}.{function.__name__}".lstrip(".")
    ours = FUNCTIONS.get(name)
    if ours is not None:
        return ours(*arguments, **options)
    if function.__name__ not in MOVES:
        raise refuse(f"np.{name} is not known to adlab", INSTEAD)
    found = function(*stripped(arguments), **stripped(options))
    return [wrapped(part) for part in found] if isinstance(found, (list, tuple)) else wrapped(found)


DOORS.update(ufunc=apply_ufunc, function=apply_function)
