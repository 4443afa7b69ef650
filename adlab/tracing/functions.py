"""NumPy functions that are not ufuncs, on arrays of traced numbers: sums, choices, linear algebra.

A function that only moves entries (`reshape`, `stack`, …) needs no code here: NumPy's own does it on objects.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cmp_to_key, reduce
from typing import Any

import numpy as np
from numpy import array, asarray, empty, full, zeros  # as they were before a trace

from adlab.primitives.table import PRIMITIVES
from adlab.tracing import linear_algebra
from adlab.tracing.array import FUNCTIONS, Array, apply_ufunc, plain, stripped, wrapped
from adlab.tracing.recorder import refuse
from adlab.tracing.scalar import Scalar, apply, truth, unary


def _reduction(name: str) -> Callable[..., Any]:
    ufunc: Any = getattr(np, name)

    def reduction(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, **options: Any) -> Any:
        keep = {"axis": axis, "keepdims": keepdims is True, "out": out, **options}
        return apply_ufunc(ufunc, "reduce", (plain(a),), {k: v for k, v in keep.items() if v is not np._NoValue})

    return reduction


def _accumulation(name: str) -> Callable[..., Any]:
    ufunc: Any = getattr(np, name)

    def accumulation(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
        array = plain(a)
        return apply_ufunc(ufunc, "accumulate", (array.ravel() if axis is None else array,), {"axis": axis or 0, "out": out})

    return accumulation


SUM, PROD, MAX, MIN = _reduction("add"), _reduction("multiply"), _reduction("maximum"), _reduction("minimum")


def _count(a: Any, axis: Any) -> int:
    shape = np.shape(plain(a))
    axes = range(len(shape)) if axis is None else (axis,) if isinstance(axis, int) else axis
    return int(np.prod([shape[i] for i in axes]))


def mean(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False) -> Any:
    """The sum over the count."""
    return SUM(a, axis=axis, keepdims=keepdims) / _count(a, axis)


def variance(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: int = 0, keepdims: Any = False, **_: Any) -> Any:
    """The mean square of the deviations from the mean."""
    away = wrapped(plain(a)) - mean(a, axis=axis, keepdims=True)
    return SUM(away * away, axis=axis, keepdims=keepdims) / (_count(a, axis) - ddof)


def deviation(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: int = 0, **options: Any) -> Any:
    """The root of the variance."""
    return np.sqrt(variance(a, axis=axis, ddof=ddof, **options))


def average(a: Any, axis: Any = None, weights: Any = None, **_: Any) -> Any:
    """The mean, weighted if asked."""
    if weights is None:
        return mean(a, axis=axis)
    return SUM(wrapped(plain(a)) * weights, axis=axis) / SUM(weights, axis=axis)


def dot(a: Any, b: Any, out: Any = None) -> Any:
    """As in NumPy: a product if one is a number, else a sum over the last axis and the last but one."""
    x, y = plain(a), plain(b)
    if x.ndim == 0 or y.ndim == 0:
        return wrapped(x * y)
    return wrapped(np.dot(x, y))


def _plainly(function: Callable[..., Any]) -> Callable[..., Any]:
    """A NumPy function that multiplies and adds objects by itself."""
    return lambda *arguments, **options: wrapped(function(*stripped(arguments), **stripped(options)))


def einsum(subscripts: str, *operands: Any, **options: Any) -> Any:
    """NumPy's own einsum, which multiplies and adds objects."""
    options.pop("optimize", None)
    return wrapped(np.einsum(subscripts, *[asarray(plain(x), dtype=object) for x in operands], **options))


def select(condition: Any, a: Any, b: Any) -> Any:
    """`a` where the condition holds, else `b`: one entry, kept in the graph as a branch."""
    if not isinstance(condition, Scalar):
        return a if condition else b
    if a is b:
        return a
    return apply(PRIMITIVES["select"], (truth(condition), a, b))


def where(condition: Any, *branches: Any) -> Any:
    """np.where(condition, a, b): both branches are computed, and the graph keeps the choice."""
    if len(branches) != 2:
        raise refuse("np.where(condition) alone gives indices, which depend on the inputs", "use np.where(condition, a, b)")
    return wrapped(np.frompyfunc(select, 3, 1)(plain(condition), *map(plain, branches)))


def clip(a: Any, a_min: Any = None, a_max: Any = None, out: Any = None, **options: Any) -> Any:
    """Clipped between two bounds, by max and min."""
    low, high = options.get("min", a_min), options.get("max", a_max)
    found = a if low is None else np.maximum(wrapped(plain(a)), low)
    return found if high is None else np.minimum(found, high)


def sort(a: Any, axis: int = -1, **_: Any) -> Any:
    """Sorted by comparisons, each of which is a branch that the function took."""
    array = plain(a)
    if array.ndim != 1:
        return wrapped(np.apply_along_axis(lambda row: plain(sort(row)), axis, array))
    return wrapped(_objects(sorted(array.tolist(), key=cmp_to_key(_compared))))


def argsort(a: Any, axis: int = -1, **_: Any) -> Any:
    """The order of the entries, which is a branch that the function took."""
    items = plain(a).tolist()
    return array(sorted(range(len(items)), key=cmp_to_key(lambda i, j: _compared(items[i], items[j]))))


def _compared(a: Any, b: Any) -> int:
    return -1 if a < b else 1 if a > b else 0


def _objects(items: list[Any]) -> Any:
    held = empty(len(items), dtype=object)
    held[:] = items
    return held


def _extreme(better: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def place(a: Any, axis: Any = None, **_: Any) -> int:
        items = plain(a).ravel().tolist()
        best = 0
        for i in range(1, len(items)):
            if better(items[i], items[best]):
                best = i
        return best

    return place


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """The Euclidean norm, or the 1-, ∞- or p-norm of a vector, or the Frobenius norm of a matrix."""
    array = wrapped(plain(x))
    if ord in (None, 2, "fro"):
        if "norm" in PRIMITIVES and axis is None and not keepdims:
            entries = tuple(plain(array).ravel().tolist())
            return apply(PRIMITIVES["norm"], entries, len(entries))
        return np.sqrt(SUM(array * array, axis=axis, keepdims=keepdims))
    if ord == 1:
        return SUM(np.abs(array), axis=axis, keepdims=keepdims)
    if ord == np.inf:
        return MAX(np.abs(array), axis=axis, keepdims=keepdims)
    if isinstance(ord, (int, float)) and ord > 0:
        return SUM(np.abs(array) ** ord, axis=axis, keepdims=keepdims) ** (1 / ord)
    raise refuse(f"np.linalg.norm with ord={ord!r}", "use 1, 2, np.inf or a positive p")


def cross(a: Any, b: Any, **_: Any) -> Any:
    """The cross product of two vectors with three entries."""
    x, y = plain(a), plain(b)
    return wrapped(_objects([x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], x[0] * y[1] - x[1] * y[0]]))






def _filled(value: float) -> Callable[..., Any]:
    return lambda a, dtype=None, **_: full(np.shape(plain(a)), value, dtype=object).view(Array)


def filled_like(a: Any, fill_value: Any, dtype: Any = None, **_: Any) -> Any:
    """An array that can hold traced numbers."""
    return full(np.shape(plain(a)), fill_value, dtype=object).view(Array)


def everything(a: Any, axis: Any = None, **_: Any) -> Any:
    """Whether all entries hold, as a condition."""
    return apply_ufunc(np.logical_and, "reduce", (plain(a),), {"axis": axis})


def anything(a: Any, axis: Any = None, **_: Any) -> Any:
    """Whether at least one entry holds, as a condition."""
    return apply_ufunc(np.logical_or, "reduce", (plain(a),), {"axis": axis})


_SINC = np.frompyfunc(lambda x: np.sinc(x) if not isinstance(x, Scalar) else unary(PRIMITIVES["sphericalj"], np.pi * x, 0), 1, 1)
_I0 = np.frompyfunc(lambda x: np.i0(x) if not isinstance(x, Scalar) else unary(PRIMITIVES["besseli"], x, 0), 1, 1)

FUNCTIONS.update({
    "sum": SUM, "prod": PROD, "max": MAX, "min": MIN, "amax": MAX, "amin": MIN, "nansum": SUM,
    "ptp": lambda a, **o: MAX(a, **o) - MIN(a, **o),
    "mean": mean, "var": variance, "std": deviation, "average": average,
    "cumsum": _accumulation("add"), "cumprod": _accumulation("multiply"),
    "dot": dot, "vdot": lambda a, b: dot(plain(a).ravel(), plain(b).ravel()), "inner": _plainly(np.inner),
    "outer": _plainly(lambda a, b, out=None: np.multiply.outer(np.ravel(a), np.ravel(b))), "tensordot": _plainly(np.tensordot),
    "kron": _plainly(lambda a, b: np.block([[x * b for x in row] for row in np.atleast_2d(a)])), "einsum": einsum,
    "trace": lambda a, offset=0, **_: SUM(np.diagonal(plain(a), offset)), "cross": cross,
    "where": where, "clip": clip, "sort": sort, "argsort": argsort,
    "argmax": _extreme(lambda a, b: a > b), "argmin": _extreme(lambda a, b: a < b),
    "all": everything, "any": anything,
    "linalg.solve": lambda a, b: wrapped(linear_algebra.solve(plain(a), plain(b))),
    "linalg.inv": lambda a: wrapped(linear_algebra.inverse(plain(a))),
    "linalg.det": lambda a: linear_algebra.determinant(plain(a)), "linalg.norm": norm,
    "linalg.slogdet": lambda a: linear_algebra.sign_and_log_of_determinant(plain(a)),
    "linalg.cholesky": lambda a, upper=False: wrapped(linear_algebra.cholesky(plain(a), upper)),
    "linalg.matrix_power": lambda a, n: wrapped(linear_algebra.matrix_power(plain(a), n)),
    "linalg.multi_dot": lambda arrays, **_: wrapped(reduce(linear_algebra.product, map(plain, arrays))),
    "count_nonzero": lambda a, **_: sum(bool(item) for item in plain(a).ravel()),
    "sinc": lambda x: apply_ufunc(_SINC, "__call__", (x,), {}), "i0": lambda x: apply_ufunc(_I0, "__call__", (x,), {}),
    "zeros_like": _filled(0.0), "ones_like": _filled(1.0), "empty_like": _filled(0.0), "full_like": filled_like,
    "real": lambda a: a, "imag": lambda a: zeros(np.shape(plain(a))), "real_if_close": lambda a, **_: a,
    "copyto": lambda dst, src, **_: dst.__setitem__(..., src),
    "isclose": lambda a, b, rtol=1e-5, atol=1e-8, **_: np.abs(a - b) <= atol + rtol * np.abs(b),
    "allclose": lambda a, b, rtol=1e-5, atol=1e-8, **_: everything(np.abs(a - b) <= atol + rtol * np.abs(b)),
    "array_equal": lambda a, b, **_: everything(wrapped(plain(a)) == b),
})  # fmt: skip
# By NumPy's names. A function of a submodule (linalg) has the submodule's name in front.
